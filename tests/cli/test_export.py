"""`glauke export` from the outside."""

import json
import shutil
from pathlib import Path

import pytest

from glauke.insight.exporting import _onnx


@pytest.fixture
def run(digits_run) -> Path:
    return digits_run


def test_onnx_end_to_end(glauke, run):
    said = glauke("export", run, "--to", "onnx", "--pictures", 100)
    assert said.code == 0, said.err
    assert said.out.strip() == str(run / "export-onnx")
    assert "checked: the same first class on 100 of 100 held-out pictures; logits at most" in said.err
    assert said.sentence == f"to try it: python {run / 'export-onnx' / 'predict.py'} picture.jpg"
    card = (run / "export-onnx" / "MODEL_CARD.md").read_text()
    record = json.loads((run / "run.json").read_text())
    assert f"| accuracy | {record['final']['val_accuracy']:.2%} |" in card
    assert "recognised worst" in card


def test_json_best_and_again(glauke, run):
    words = ("export", run, "--to", "safetensors", "--weights", "best", "--out", "there", "--json")
    first = glauke(*words)
    answer = json.loads(first.out)
    assert first.code == 0 and answer["export"] == "there" and answer["kind"] == "safetensors"
    assert answer["check"]["max_logit_difference"] == 0 and answer["check"]["agreeing"] == answer["check"]["pictures"]
    assert json.loads(Path("there/export.json").read_text())["weights_file"] == "best.safetensors"
    assert glauke(*words).code == 0  # what it wrote itself, it may replace
    Path("there/MODEL_CARD.md").write_text("mine")
    again = glauke(*words)
    assert again.code == 2 and "MODEL_CARD.md" in again.sentence and Path("there/MODEL_CARD.md").read_text() == "mine"


def test_weights_of_another_run_are_refused(glauke, run):
    record = json.loads((run / "run.json").read_text())
    record["final"]["val_accuracy"] = 1 - record["final"]["val_accuracy"] * 0.1
    (run / "run.json").write_text(json.dumps(record))
    said = glauke("export", run, "--to", "safetensors")
    assert said.code == 2 and "but the run's record says" in said.sentence
    assert not (run / "export-safetensors").exists()


def test_names_with_spaces_and_the_record_as_the_run(glauke, run):
    run.rename("a run")
    (Path("a run") / "predictions.csv").unlink()  # only the card's list of weak classes needs it
    said = glauke("export", "a run/run.json", "--to", "safetensors", "--pictures", 20)
    assert said.code == 0 and said.out.strip() == str(Path("a run/export-safetensors"))
    assert said.sentence.startswith("to try it: python 'a run/export-safetensors/predict.py'")
    assert "names no classes that were recognised worst" in said.err
    assert glauke("report", "a run/run.json").code == 0 and (Path("a run") / "report.html").is_file()


def test_without_its_pictures_the_run_is_compared_on_noise(glauke, run, monkeypatch, tmp_path):
    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "other"))
    said = glauke("export", run, "--to", "safetensors", "--pictures", 30)
    assert said.code == 0 and "compared on made pictures of noise" in said.err
    assert "30 of 30 made pictures of noise" in said.err


def test_a_stopped_run_exports_its_best_weights_without_numbers(glauke, small_model):
    glauke("train", "digits", "--epochs", 2, "--max-lr", 0.1, "--out", "run", "--stop-after-steps", 25)
    assert glauke("export", "run", "--to", "safetensors").code == 2  # there are no final weights
    said = glauke("export", "run", "--to", "safetensors", "--weights", "best", "--pictures", 20)
    assert said.code == 0 and "has not ended" in said.err


def test_a_refused_export_leaves_nothing(glauke, run, monkeypatch):
    from glauke.insight.exporting import _export

    monkeypatch.setattr(
        _export, "open_model", lambda file, kind: lambda images: images.reshape(len(images), -1)[:, :10]
    )
    said = glauke("export", run, "--to", "safetensors")
    assert said.code == 3 and "agrees with the original on" in said.sentence
    assert not [path for path in run.iterdir() if "export" in path.name or path.name.startswith(".tmp")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run"], "--to"),
        (["run", "--to", "onxx"], "onxx"),
        (["run", "--to", "onnx", "--opset", 3], "--opset: the operator set must be 18"),
        (["run", "--to", "pt2", "--opset", 20], "leave it out"),
        (["run", "--to", "pt2", "--pictures", 0], "--pictures"),
        (["nowhere", "--to", "pt2"], "there is no run here"),
        (["run", "--to", "pt2", "--out", "run"], "replaces nothing else"),
    ],
)
def test_wrong_input_is_one_sentence(glauke, run, words, told):
    said = glauke("export", *words)
    assert said.code == 2 and told in said.sentence and not said.out


def test_a_missing_package_is_known_before_any_work(glauke, small_model, monkeypatch):
    monkeypatch.setattr(_onnx, "find_spec", lambda name: None)
    said = glauke("export", "nowhere", "--to", "onnx")
    assert said.code == 2 and 'pip install "glauke[export]"' in said.sentence


def test_a_damaged_split_is_told(glauke, run):
    shutil.copy(run / "run.json", run / "split.npz")
    said = glauke("export", run, "--to", "safetensors")
    assert said.code == 2 and "split.npz" in said.sentence and not (run / "export-safetensors").exists()
