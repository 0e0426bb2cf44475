"""`glauke explain` from the outside."""

import json
import re
from pathlib import Path

import pytest

from glauke.files import read_csv

TABLES = ("mistakes", "confused_pairs", "confusion", "per_class", "calibration", "label_suspects")


def test_digits_end_to_end(glauke, digits_run):
    before = {p: p.read_bytes() for p in digits_run.rglob("*") if p.is_file()}
    said = glauke("explain", digits_run, "--errors", 7)
    assert said.code == 0, said.err
    folder = digits_run / "explain"
    assert said.out.strip() == str(folder / "explain.html")

    record = json.loads((digits_run / "run.json").read_text())
    pictures, accuracy = record["final"]["val_pictures"], record["final"]["val_accuracy"]
    assert f"accuracy {accuracy:.2%} (" in said.err and f"on {pictures} held-out pictures" in said.err
    assert all((folder / f"{name}.csv").stat().st_size for name in TABLES)
    assert {p.suffix for p in folder.glob("confusion.*")} == {".csv", ".png", ".svg"}
    assert (folder / "mistakes.png").read_bytes().startswith(b"\x89PNG")

    rows = read_csv(folder / "mistakes.csv")[1]
    assert len(rows) == pictures - round(accuracy * pictures)
    told = {row[0]: row for row in read_csv(digits_run / "predictions.csv")[1]}
    for row in rows:  # what training said of the same pictures
        label, predicted, confidence, loss = row[1], row[3], float(row[5]), float(row[7])
        assert (told[row[0]][1], told[row[0]][2]) == (label, predicted)
        assert (float(told[row[0]][4]), float(told[row[0]][6])) == pytest.approx((confidence, loss), abs=1e-5)
    losses = [float(row[7]) for row in rows]
    assert losses == sorted(losses, reverse=True)

    page = (folder / "explain.html").read_text()
    assert "Where it looked" in page and "the maps" in page
    assert page.count("<img") > 3 * 7
    assert len(page) < 3_000_000
    assert {p: p.read_bytes() for p in before} == before  # the run's own files are as they were


def test_json_elsewhere_and_again_with_pictures_packed_anew(glauke, digits_run, monkeypatch, tmp_path):
    words = ("--out", "there", "--json", "--errors", 2, "--layer", "0", "--weights", "best")
    first = glauke("explain", digits_run, *words)
    assert first.code == 0, first.err
    answer = json.loads(first.out)
    assert answer["page"] == str(Path("there", "explain.html")) and answer["layer"] == "0" and answer["notes"] == []
    assert answer["judges_labels"] == (answer["accuracy"] >= 0.7)
    assert 0 < answer["calibration_error_by_chance"] < 0.3 and answer["temperature_helps"] in (True, False)
    assert answer["interval"][0] < answer["accuracy"] < answer["interval"][1]
    assert answer["mistakes"] == len(read_csv(Path("there/mistakes.csv"))[1]) > 0
    assert answer["confused"][0]["as_other"] >= answer["confused"][0]["from_other"]
    assert not (digits_run / "explain").exists()
    page = Path("there/explain.html").read_bytes()
    assert "its best weights" in page.decode()

    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "other"))
    missing = glauke("explain", digits_run, "--out", "there")
    assert (missing.code, missing.out) == (2, "")
    assert missing.sentence.endswith("not in the cache any more; give the data again: glauke explain run DATA")
    assert glauke("explain", digits_run, "digits", *words).code == 0  # what it wrote itself, it may replace
    assert Path("there/explain.html").read_bytes() == page
    Path("there/notes.txt").write_text("mine")
    again = glauke("explain", digits_run, *words)
    assert again.code == 2 and "notes.txt" in again.sentence and "give another --out" in again.sentence


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--layer", "layer9"), "there is no layer 'layer9'; choose one of: 0, 1"),
        (("--layer", "4"), "the layer '4' gives no maps"),
        (("--errors", "0"), "--errors: a gallery holds 1 to 200 mistakes, not 0"),
        (("--errors", "9999"), "1 to 200 mistakes, not 9999"),
        (("--device", "tpu"), "there is no device 'tpu'"),
        (("--weights", "last"), "last"),
        (("--out", "run"), "not the folder of an explanation, and an explanation replaces nothing else"),
        (("--out", "run/run.json"), "not the folder of an explanation"),
        (("nothing-here",), "nothing-here"),
    ],
)
def test_wrong_input_is_one_sentence(glauke, digits_run, words, told):
    said = glauke("explain", digits_run, *words)

    assert said.code == 2 and told in said.sentence, said.err
    assert not (digits_run / "explain").exists()


def test_a_file_of_a_person_is_not_overwritten_for_its_name(glauke, digits_run):
    Path("mine").mkdir()
    Path("mine/per_class.csv").write_text("my own table")
    said = glauke("explain", digits_run, "--out", "mine")
    assert said.code == 2 and "give another --out" in said.sentence
    assert {path.name: path.read_text() for path in Path("mine").iterdir()} == {"per_class.csv": "my own table"}


def test_a_place_that_cannot_be_written_is_told_before_the_predicting(glauke, digits_run, monkeypatch):
    from glauke import insight

    monkeypatch.setattr(insight, "predict", None)
    said = glauke("explain", digits_run, "--out", "run/run.json/there")
    assert said.code == 3 and "it cannot be written" in said.sentence


def test_best_weights_say_that_these_pictures_chose_them(glauke, digits_run):
    record = json.loads((digits_run / "run.json").read_text())
    record["final"]["epoch"] = 2  # the best epoch then is another one
    (digits_run / "run.json").write_text(json.dumps(record))
    answer = json.loads(glauke("explain", digits_run, "--weights", "best", "--json", "--errors", 1).out)
    assert any("after epoch 1, which was chosen by its accuracy on these same" in note for note in answer["notes"])
    assert "chosen by its accuracy" in (digits_run / "explain" / "explain.html").read_text()


def test_two_classes_have_no_first_five(glauke, small_model, mixed_folder):
    words = ("train", mixed_folder, "--epochs", 1, "--max-lr", 0.01, "--out", "run")
    said = glauke(*words)  # 28 pictures to train on, and the recipe's batches would have 64
    assert said.code == 0 and "batches of 4 pictures instead of the recipe's 64" in said.err
    assert "top-5" not in said.sentence
    answer = json.loads(glauke("explain", "run", "--json", "--errors", 1).out)
    assert answer["top5"] is None


def test_a_command_that_is_offered_can_be_pasted(glauke, digits_run, monkeypatch, tmp_path):
    digits_run.rename("my run")
    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "other"))
    assert glauke("explain", "my run").sentence.endswith("give the data again: glauke explain 'my run' DATA")
    assert glauke("train", "--resume", "my run").sentence.endswith("glauke train DATA --resume 'my run'")


def test_no_run_and_no_weights(glauke, digits_run):
    assert re.search("there is no run here", glauke("explain", "nowhere").sentence)
    (digits_run / "final.safetensors").unlink()
    said = glauke("explain", digits_run)
    assert said.code == 2 and "has no final weights; give --weights best, or finish the run" in said.sentence
    (digits_run / "best.safetensors").write_bytes(b"damaged")
    assert "the weights cannot be read" in glauke("explain", digits_run, "--weights", "best").sentence
    (digits_run / "best.safetensors").unlink()
    assert "there are no trained weights here" in glauke("explain", digits_run).sentence


def test_weights_that_do_not_fit(glauke, digits_run, monkeypatch):
    from torch import nn

    from glauke.models import _registry

    other = lambda num_classes, in_channels=3, stem="full": nn.Linear(in_channels, num_classes)  # noqa: E731
    monkeypatch.setattr(_registry, "MODELS", {"resnet18": other})
    said = glauke("explain", digits_run)
    assert said.code == 2 and "the weights do not fit the network that they name" in said.sentence


def test_other_pictures_than_the_runs_are_refused(glauke, digits_run, mixed_folder):
    said = glauke("explain", digits_run, mixed_folder)
    assert said.code == 2 and said.out == ""
