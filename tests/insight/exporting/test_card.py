"""What a card says: the record's numbers, and text of strangers that stays text."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from glauke.errors import DataError
from glauke.files import write_csv
from glauke.insight import ClassScore, Trained
from glauke.insight.exporting._card import Card, model_card, weakest_classes
from glauke.insight.exporting._export_check import Agreement
from glauke.runs import DataFacts, Hardware, RunRecord, Score, SplitFacts
from glauke.training import Recipe

CLASSES, NAMES = ("n01", "n02", "n03"), ("cat", "dog, hound", "red | *fox*")


def trained(file: str = "final.safetensors") -> Trained:
    return Trained(
        model=nn.Linear(1, 3),
        name="resnet18",
        stem="full",
        classes=CLASSES,
        readable=NAMES,
        size=8,
        channels=1,
        mean=(0.5,),
        std=(0.25,),
        file=Path("run", file),
    )


def record(**changes: object) -> RunRecord:
    recipe = Recipe(
        name="small", why="for tests", model="resnet18", epochs=3, batch_size=128, max_lr=0.1, momentum=0.9,
        flip=True, pad=2, sizes=((0.0, 8), (1.0, 12)),
    )  # fmt: skip
    facts = RunRecord(
        name="run",
        status="done",
        command="glauke train /home/somebody/pets",
        glauke="0.1.0",
        git=None,
        python="3.11.7",
        torch="2.13.0",
        started="2026-11-24T10:55:52Z",
        data=DataFacts(
            name="pets: \"ours\"", fingerprint="ab12", source_sha256=None, pictures=1797, classes=3, size=8,
            mean=(0.5,), std=(0.25,),
        ),
        split=SplitFacts(kind="pooled", seed=4, val_fraction=0.3, train=1258, val=539, fingerprint="cd34"),
        model="resnet18",
        stem="full",
        parameters=1234,
        recipe=recipe.as_dict(),
        epochs=3,
        steps_per_epoch=10,
        steps=30,
        seed=7,
        device="cpu",
        precision="fp32",
        hardware=Hardware(cpu="A CPU", cores=2, memory_gib=4.0),
        max_lr=0.1,
        max_lr_rule="given",
        best=Score(epoch=2, val_accuracy=0.9, val_loss=0.4, val_pictures=100, val_top5=0.99),
        final=Score(epoch=3, val_accuracy=0.8125, val_loss=0.5, val_pictures=539, val_top5=0.98),
        seconds=90.0,
    )  # fmt: skip
    return replace(facts, **changes)


def card(facts: RunRecord | None = None, **changes: object) -> str:
    check = Agreement(
        pictures=539, kind="held-out pictures", max_logit_difference=1e-5, max_probability_difference=1e-6,
        disagreements=(),
    )  # fmt: skip
    values = {"record": facts or record(), "trained": trained(), "kind": "onnx", "agreement": check} | changes
    return model_card(Card(**values))


def header(text: str) -> dict[str, object]:
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load(re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)[1])


def test_every_number_is_the_records():
    text = card()
    for row in (
        "| accuracy | 81.25% |",
        "| cross-entropy, in nats | 0.5000 |",
        "| held-out pictures | 539 of 539 |",
        "| split | pooled, 539 of 1,797 held out, seed 4 |",
        "| fingerprint of the pictures | `ab12` |",
        "| sizes | 8, 12 px |",
        "| augmentation | pad 2, flip |",
        "| training pictures | 1,258 |",
        "| time | 1.5 minutes |",
        "the same first class on 539 of 539 held-out pictures",
        "needs onnxruntime, Pillow and NumPy",
    ):
        assert row in text
    assert "/home/somebody" not in text


def test_a_run_that_stopped_at_its_target_says_after_which_epoch():
    stopped = replace(record(), status="stopped", epochs=5)

    assert "| stopped | at its target accuracy, after epoch 3 of the 5 planned |" in card(stopped)
    assert "stopped" not in card()


def test_the_first_five_are_told_only_of_more_than_five_classes():
    many = replace(trained(), classes=tuple("abcdef"), readable=tuple("abcdef"))
    assert "| top-5 accuracy | 98.00% |" in card(trained=many) and "top-5" not in card()
    assert "name: top-5 accuracy" in card(trained=many)


def test_the_header_is_yaml_and_leaves_the_licence_open():
    text = card()
    facts = header(text)
    assert "license" not in facts and "# license: yours to choose" in text
    assert facts["datasets"] == ['pets: "ours"']
    (result,) = facts["model-index"][0]["results"]
    assert result["metrics"][0] == {"type": "accuracy", "value": 0.8125}
    assert result["dataset"]["split"] == "pooled, 539 of 1,797 held out"
    assert {"onnx", "resnet18", "image-classification"} <= set(facts["tags"])


def test_the_best_weights_have_their_own_numbers_and_a_warning():
    text = card(trained=trained("best.safetensors"))
    assert "| accuracy | 90.00% |" in text and "| held-out pictures | 100 of 539 |" in text
    assert "after epoch 2, which was chosen by these same held-out pictures" in text
    assert "chosen by" not in card()


def test_a_run_that_has_not_ended_has_no_numbers():
    text = card(record(status="stopped", final=None))
    assert "Nothing yet" in text and "accuracy |" not in text
    assert "model-index" not in text


@pytest.mark.parametrize("kind", ["safetensors", "pt2"])
def test_the_card_says_what_the_script_needs(kind):
    needed = {"safetensors": "needs glauke", "pt2": "needs torch, Pillow and NumPy"}[kind]
    assert needed in card(kind=kind)


def test_names_of_strangers_stay_text():
    weak = ClassScore(
        index=0, id="n01", name="red | *fox*\n# x", count=4, predicted=1, hits=1, precision=1.0, recall=0.25, f1=0.4,
        taken_for=1, taken_for_count=2,
    )  # fmt: skip
    text = card(weakest=(weak,), trained=replace(trained(), readable=("cat", "<b>", "x")))
    assert r"| red \| \*fox\* \# x | 25.0% | 4 | \<b\> |" in text


def predictions(path: Path, *rows: tuple[str, str]) -> Path:
    write_csv(path, ("file", "label", "predicted"), [(f"{i}.png", *row) for i, row in enumerate(rows)])
    return path


def test_the_weakest_classes_by_hand(tmp_path):
    cats, dogs = [("n01", "n01")] * 3 + [("n01", "n03")], [("n02", "n03"), ("n02", "n03"), ("n02", "n01")]
    foxes = [("n03", "n03")] * 2
    path = predictions(tmp_path / "predictions.csv", *cats, *dogs, *foxes)
    worst, next_, best = weakest_classes(path, trained())
    assert [(each.name, each.hits, each.count, each.taken_for) for each in (worst, next_, best)] == [
        ("dog, hound", 0, 3, 2),
        ("cat", 3, 4, 2),
        ("red | *fox*", 2, 2, None),
    ]
    assert weakest_classes(path, trained(), count=1) == (worst,)


def test_a_table_of_other_classes_is_refused(tmp_path):
    with pytest.raises(DataError, match="does not know"):
        weakest_classes(predictions(tmp_path / "a.csv", ("n01", "n09")), trained())
    write_csv(tmp_path / "b.csv", ("file", "loss"), [("a", 1.0)])
    with pytest.raises(DataError, match="columns label and predicted"):
        weakest_classes(tmp_path / "b.csv", trained())
