"""`glauke train` from the outside."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def weights(run: str) -> bytes:
    return Path(run, "final.safetensors").read_bytes()


def test_digits_end_to_end(glauke, small_model):
    said = glauke("train", "digits", "--epochs", 2, "--out", "first")
    assert said.code == 0
    lines = said.err.splitlines()
    assert lines[0].startswith("recipe digits, because")
    assert any(line.startswith("run first") for line in lines)
    assert any(line.startswith("Epoch 2/2 - 20 steps - ") and " - val accuracy " in line for line in lines)
    assert "held-out pictures of the pooled split" in said.sentence
    assert said.out.strip() == str(Path("first", "report.html"))
    for name in ("run.json", "report.html", "plots/curves.svg", "plots/curves.png", "plots/curves.csv", "metrics.csv"):
        assert Path("first", name).stat().st_size > 0
    again = glauke("train", "digits", "--config", "first/config.toml", "--out", "second")
    assert again.code == 0
    assert weights("first") == weights("second")


def test_json_is_the_record_and_nothing_else(glauke, small_model):
    said = glauke("train", "digits", "--epochs", 1, "--out", "run", "--json")
    record = json.loads(said.out)
    assert record == json.loads(Path("run/run.json").read_text())
    assert (
        record["status"] == "done" and record["split"]["kind"] == "pooled" and 0 <= record["final"]["val_accuracy"] <= 1
    )
    assert record["parameters"] > 0 and record["max_lr"] > 0 and record["max_lr_rule"] and record["seconds"] > 0


@pytest.mark.parametrize(("option", "value"), [("--target", 50), ("--seed", -1), ("--stop-after-steps", 0)])
def test_a_wrong_number_is_told_before_the_packing(glauke, small_model, monkeypatch, option, value):
    from glauke import images

    monkeypatch.setattr(images, "open_pack", None)
    said = glauke("train", "digits", option, value)
    assert said.code == 2 and option in said.sentence


def test_a_batch_that_was_chosen_is_not_made_smaller(glauke, small_model, mixed_folder):
    said = glauke("train", mixed_folder, "--epochs", 1, "--batch-size", 64, "--out", "run")
    assert said.code == 2 and "a batch of 64 is larger than the 28 training pictures" in said.sentence


def test_a_folder_of_mixed_pictures_with_three_damaged_ones(glauke, small_model, mixed_folder):
    before = {p: p.read_bytes() for p in mixed_folder.rglob("*.*")}
    said = glauke("train", mixed_folder, "--epochs", 1, "--batch-size", 8, "--max-lr", 0.01, "--out", "run")
    assert said.code == 0, said.err
    for name in ("cut short.jpg", "empty.png", "page.jpg"):
        assert name in said.err.split("resnet18")[0]  # told before training begins
    assert "below about 100" in said.err
    record = json.loads(Path("run/run.json").read_text())
    assert record["data"]["pictures"] == 40 and record["data"]["size"] == 64 and record["recipe"]["name"] == "folder"
    assert "cut short.jpg" in Path("run/report.html").read_text()
    assert {p: p.read_bytes() for p in mixed_folder.rglob("*.*")} == before


def test_a_config_trains_the_same_again_and_options_beside_it_win(glauke, small_model):
    first = ["train", "digits", "--epochs", 1, "--seed", 5, "--split-seed", 2, "--size", 10, "--out", "first"]
    assert glauke(*first).code == 0
    assert glauke("train", "digits", "--config", "first/config.toml", "--out", "again").code == 0
    assert weights("first") == weights("again")
    said = glauke("train", "digits", "--config", "first/config.toml", "--seed", 0, "--split-seed", 0, "--out", "other")
    record = json.loads(Path("other/run.json").read_text())
    assert said.code == 0 and (record["seed"], record["split"]["seed"], record["data"]["size"]) == (0, 0, 10)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("epochs = 1", "epochs = 1.5", "epochs must be of the kind int"),
        ("epochs = 1", "epochs = true", "epochs must be of the kind int"),
        ("epochs = 1", "epoch = 1", "did you mean 'epochs'"),
        ("seed = 0", 'seed = "a"', "seed in [run]"),
        ("seed = 0", "speed = 0", "did you mean 'seed'"),
        ("sizes = []", "sizes = [8]", "not complete"),
    ],
)
def test_a_config_edited_wrongly_is_one_sentence(glauke, small_model, old, new, told):
    glauke("train", "digits", "--epochs", 1, "--out", "run", "--stop-after-steps", 1)
    text = Path("run/config.toml").read_text()
    assert f"\n{old}\n" in text
    Path("edited.toml").write_text(text.replace(f"\n{old}\n", f"\n{new}\n"))
    said = glauke("train", "digits", "--config", "edited.toml", "--out", "other")
    assert said.code == 2 and told in said.sentence


def test_a_single_picture_left_over_joins_the_batch_before(glauke):
    # 1,258 = 3 * 419 + 1, and at 8 pixels the last maps of ResNet18 are one pixel: a batch of one cannot be normalised.
    said = glauke("train", "digits", "--epochs", 1, "--max-lr", 0.01, "--batch-size", 419, "--out", "run")
    assert said.code == 0 and json.loads(Path("run/run.json").read_text())["steps"] == 3


def test_a_run_stopped_at_its_target_can_go_on(glauke, small_model):
    assert glauke("train", "digits", "--epochs", 3, "--target", 0.01, "--out", "run").code == 0
    said = glauke("train", "--resume", "run", "--stop-after-steps", 25)
    record = json.loads(Path("run/run.json").read_text())
    assert "to go on" in said.sentence and record["final"] is None and record["ended"] is None
    assert glauke("report", "run").code == 0


def test_a_run_without_a_finished_epoch_has_a_report(glauke, small_model):
    glauke("train", "digits", "--epochs", 1, "--out", "run", "--stop-after-steps", 1)
    assert glauke("report", "run").code == 0


def test_stop_and_resume(glauke, small_model):
    stopped = glauke("train", "digits", "--epochs", 2, "--seed", 5, "--out", "run", "--stop-after-steps", 25)
    assert stopped.code == 0 and "glauke train --resume run" in stopped.sentence and not stopped.out
    disagreeing = glauke("train", "--resume", "run", "--epochs", 3)
    assert disagreeing.code == 2 and "3 was given, but the run has 2" in disagreeing.sentence
    for words in (["--seed", 0], ["--minutes", 3], ["--precision", "bf16"], ["--out", "elsewhere"]):
        assert glauke("train", "--resume", "run", *words).code == 2
    said = glauke("train", "--resume", "run", "--epochs", 2, "--seed", 5)
    assert said.code == 0 and said.out.strip().endswith("report.html")
    glauke("train", "digits", "--epochs", 2, "--seed", 5, "--out", "whole")
    assert weights("run") == weights("whole")
    assert glauke("train", "--resume", "run").code == 2


def test_a_run_whose_pictures_left_the_cache_says_how_to_go_on(glauke, small_model, monkeypatch, tmp_path):
    glauke("train", "digits", "--epochs", 1, "--out", "run", "--stop-after-steps", 3)
    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "other"))
    said = glauke("train", "--resume", "run")
    assert said.code == 2 and "glauke train DATA --resume run" in said.sentence
    assert glauke("train", "digits", "--resume", "run").code == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["train"], 2, "glauke train digits"),
        (["train", "digits", "epochs=3"], 2, "write: --epochs 3"),
        (["train", "digits", "max_lr=0.1"], 2, "write: --max-lr 0.1"),
        (["train", "digits", "--epoch", "3"], 2, "--epochs"),
        (["train", "digits", "--epochs", "three"], 2, "three"),
        (["train", "digits", "--epochs", "0"], 2, "--epochs"),
        (["train", "digits", "--max-lr", "-1"], 2, "--max-lr"),
        (["train", "digits", "--max-lr", "nan"], 2, "--max-lr"),
        (["train", "digits", "--batch-size", "5000"], 2, "larger than the 1258"),
        (["train", "digits", "--batch-size", "0"], 2, "--batch-size"),
        (["train", "digits", "--recipe", "digit"], 2, "did you mean 'digits'"),
        (["train", "digits", "--model", "resnet81"], 2, "resnet18"),
        (["train", "digits", "--val-fraction", "1.5"], 2, "1.5"),
        (["train", "digits", "--split", "official"], 2, "official"),
        (["train", "digits", "--peak-epoch", "99"], 2, "--peak-epoch"),
        (["train", "digits", "--device", "gpu"], 2, "device"),
        (["train", "digits", "--device", "cuda"], 2, "--device"),
        (["train", "digits", "--precision", "fp16"], 2, "fp16"),
        (["train", "digits", "--minutes", "-3"], 2, "--minutes"),
        (["train", "digits", "--minutes", "0.0001"], 2, "one epoch takes"),
        (["train", "digits", "--target", "50"], 2, "fraction"),
        (["train", "digits", "--stop-after-steps", "-4"], 2, "--stop-after-steps"),
        (["train", "digits", "--seed", "99999999999999999999999"], 2, "--seed"),
        (["train", "digits", "--device", "cpu:abc"], 2, "device"),
        (["train", ""], 2, "empty"),
        (["train", "digits", "--config", "missing.toml"], 2, "missing.toml"),
        (["train", "digit"], 2, "did you mean 'digits'"),
        (["train", "/nowhere/pictures"], 2, "/nowhere/pictures"),
        (["train", "--resume", "nowhere"], 2, "nowhere"),
        (["trian", "digits"], 2, "train"),
        (["lr", "digits", "--from", "1", "--to", "0.1"], 2, "--from"),
        (["lr", "digits", "--steps", "1"], 2, "--steps"),
        (["runs", "nowhere"], 2, "nowhere"),
        (["report", "nowhere"], 2, "nowhere"),
        (["data", "check", "nowhere.zip"], 2, "nowhere.zip"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_input_is_one_sentence_and_leaves_nothing(glauke, small_model, tmp_path, words, code, told):
    said = glauke(*words)
    assert (said.code, said.out) == (code, "")
    assert told in said.sentence and said.sentence.startswith("glauke: ")
    assert "Traceback" not in said.err
    assert not list(tmp_path.glob("runs/*/*"))


def test_an_output_folder_in_use_is_refused_before_any_work(glauke, small_model, tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.txt").write_text("mine")
    said = glauke("train", "digits", "--out", "used")
    assert said.code == 2 and "--resume" in said.sentence
    assert [p.name for p in (tmp_path / "used").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda f: f.mkdir(), "no"),
        (lambda f: (f / "only").mkdir(parents=True), "no pictures"),
        (lambda f: f.write_text("not an archive"), "archive"),
        (lambda f: f.write_bytes(b"PK\x03\x04 cut"), "cut short"),
    ],
    ids=["empty folder", "one empty class", "text file", "cut archive"],
)
def test_wrong_data_are_one_sentence(glauke, tmp_path, make, told):
    make(tmp_path / "data")
    said = glauke("train", tmp_path / "data")
    assert said.code == 2 and told in said.sentence and "data" in said.sentence


def test_errors_as_json_and_tracebacks_on_demand(glauke):
    said = glauke("train", "digits", "--epochs", 0, "--json")
    error = json.loads(said.out)["error"]
    assert error["exit_code"] == 2 and error["place"] == "--epochs" and said.code == 2
    assert "Traceback" in glauke("train", "digits", "--epochs", 0, "--debug").err


def test_a_diverging_run_ends_with_3(glauke, small_model):
    said = glauke("train", "digits", "--epochs", 2, "--max-lr", "1e38", "--out", "run")
    assert said.code == 3 and "the loss became" in said.sentence and "--max-lr" in said.sentence


def test_a_full_disk_ends_with_3_and_keeps_what_was_saved(glauke, small_model, monkeypatch):
    from glauke.errors import DiskFullError
    from glauke.training.saving import _checkpoint

    def full(folder, num_bytes):
        if (folder / "step-00000020").exists():
            raise DiskFullError(f"{num_bytes} bytes are needed and 0 are free", place=str(folder))

    monkeypatch.setattr(_checkpoint, "require_space", full)
    said = glauke("train", "digits", "--epochs", 3, "--out", "run")
    assert said.code == 3 and "are free" in said.sentence
    assert [p.name for p in Path("run/checkpoints").iterdir()] == ["step-00000020"]


def test_our_own_bug_ends_with_70(glauke, monkeypatch):
    from glauke.jobs import machine

    monkeypatch.setattr(machine, "doctor", lambda: 1 / 0)
    said = glauke("doctor")
    assert said.code == 70 and "this is a bug in glauke (ZeroDivisionError" in said.sentence


def test_ctrl_c_in_another_process_saves_and_says_how_to_go_on(tmp_path):
    import signal
    import time

    words = [sys.executable, "-m", "glauke", "train", "digits", "--max-lr", "0.05", "--stem", "maxpool", "--out", "run"]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("resnet18"):
                break
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert "glauke train --resume run" in rest
    assert list((tmp_path / "run" / "checkpoints").glob("step-*/MANIFEST.json"))
