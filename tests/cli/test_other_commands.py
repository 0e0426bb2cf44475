"""`glauke lr`, `data`, `runs`, `report`, `doctor` and `--help`."""

import json
import subprocess
import sys
from pathlib import Path


def test_lr_says_a_rate_and_why(glauke, small_model):
    said = glauke(
        "lr", "digits", "--from", "1e-4", "--to", "5", "--ramp", "exponential", "--rule", "valley", "--out", "lr"
    )
    assert said.code == 0 and 1e-4 <= float(said.out) <= 5
    for rule in ("steepest", "minimum", "valley"):
        assert rule in said.err
    curve = Path("lr/range_test.csv").read_text().splitlines()
    assert curve[0].startswith("rate,loss") and len(curve) > 20
    assert Path("lr/plots/range_test.svg").read_text().startswith("<?xml")


def test_lr_as_json(glauke, small_model):
    said = glauke("lr", "digits", "--steps", 30, "--json")
    answer = json.loads(said.out)
    assert answer["rule"] == "valley" and set(answer["suggestions"]) == {"steepest", "minimum", "valley"}
    assert len(answer["rates"]) == len(answer["losses"]) <= 30
    for suggestion in answer["suggestions"].values():
        assert suggestion["reason"] and suggestion["estimates"]


def test_data_check_lists_what_is_wrong(glauke, mixed_folder):
    said = glauke("data", "check", mixed_folder)
    assert said.code == 1
    for name in ("cut short.jpg", "empty.png", "page.jpg"):
        assert name in said.out
    answer = json.loads(glauke("data", "check", mixed_folder, "--json").out)
    assert answer["pictures"] == 40 and len([f for f in answer["findings"] if f["severity"] != "note"]) >= 3
    assert glauke("data", "check", "digits").code == 0


def test_data_show_and_pack(glauke, mixed_folder):
    said = glauke("data", "show", mixed_folder)
    assert said.code == 0 and "cat" in said.out and "40 pictures of 64x64 px" in said.err
    answer = json.loads(glauke("data", "show", mixed_folder, "--size", 32, "--json").out)
    assert answer["size"] == 32 and [c["name"] for c in answer["classes"]] == ["cat", "dog"]
    folder = glauke("data", "pack", mixed_folder).out.strip()
    assert json.loads(Path(f"{folder}/manifest.json").read_text())["pictures"] == 40


def test_an_empty_path_is_not_the_folder_where_we_are(glauke):
    said = glauke("boxes", "check", "", "--labels", "")
    assert said.code == 2 and "a word of the command is empty; give the path" in said.sentence


def test_no_name_reaches_the_terminal_with_control_characters(glauke, digits_run):
    record = json.loads((digits_run / "run.json").read_text())
    record["data"]["name"] = "pets\x1b[2J"
    (digits_run / "run.json").write_text(json.dumps(record))
    listed = glauke("runs", ".")
    assert "pets\\x1b[2J" in listed.out and "\x1b" not in listed.out
    missing = glauke("report", "no\x1b[2Jwhere")
    assert missing.code == 2 and "\x1b" not in missing.err
    digits_run.rename("a\x1b[2Jb")
    shown = glauke("report", "a\x1b[2Jb")
    assert shown.code == 0 and "a\\x1b[2Jb" in shown.out and "\x1b" not in shown.out + shown.err


def test_a_report_of_a_damaged_recipe_names_the_file(glauke, digits_run):
    record = json.loads((digits_run / "run.json").read_text())
    (digits_run / "run.json").write_text(json.dumps(record | {"recipe": {"model": "resnet18", "epochs": 1}}))
    for words in (("report", digits_run), ("train", "--resume", digits_run)):
        said = glauke(*words)
        assert said.code == 2 and "run.json: the recipe is not complete: name, why missing" in said.sentence
    record["split"]["train"] = 0
    (digits_run / "run.json").write_text(json.dumps(record))
    said = glauke("report", digits_run)
    assert said.code == 2 and "run.json" in said.sentence


def test_runs_and_report(glauke, small_model):
    assert glauke("train", "digits", "--epochs", 1, "--out", "runs/a").code == 0
    said = glauke("runs")
    assert said.code == 0 and "runs/a" in said.out and "digits" in said.out
    (record,) = json.loads(glauke("runs", "--json").out)["runs"]
    assert (record["name"], record["folder"]) == ("a", str(Path("runs/a")))
    again = glauke("report", "runs/a")
    assert again.code == 0 and again.out.strip() == "runs/a/report.html"
    before = Path("runs/a/report.html").read_text()
    glauke("report", "runs/a")
    assert Path("runs/a/report.html").read_text() == before


def test_doctor(glauke):
    answer = json.loads(glauke("doctor", "--json").out)
    assert answer["device"] in ("cpu", "cuda") and answer["precision"] in ("bf16", "fp16", "fp32")
    assert set(answer["optional"]) >= {"torchvision", "numba"}
    assert "precision" in glauke("doctor").out


def test_help_and_version_load_nothing_heavy():
    code = (
        "import sys\n"
        "from glauke.cli._main import run\n"
        "for words in (['--help'], ['--version'], ['data', '--help'], ['train', '--help']):\n"
        "    assert run(words) == 0\n"
        "heavy = {'torch', 'numpy', 'matplotlib', 'sklearn', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "--max-lr" in result.stdout and "[run]" not in result.stderr
