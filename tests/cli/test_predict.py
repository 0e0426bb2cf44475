"""`glauke predict` from the outside."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from glauke.images import open_pack


@pytest.fixture
def run(digits_run) -> Path:
    return digits_run


@pytest.fixture
def pictures(run) -> Path:
    pack, folder = open_pack("digits"), run.absolute().parent / "pictures"
    folder.mkdir()
    for i in (3, 900, 1700):
        Image.fromarray(pack.images[i, :, :, 0]).save(folder / f"{i:04}.png")
    return folder


def test_a_table_of_pictures(glauke, run, pictures):
    said = glauke("predict", run, pictures, "--top", 2)
    header, *lines = said.out.splitlines()
    assert said.code == 0 and header.split() == ["file", "class", "1", "class", "2"]
    assert [line.split()[0] for line in lines] == [str(pictures / f"{i}.png") for i in ("0003", "0900", "1700")]
    first, second = (float(word.rstrip("%")) for word in lines[0].split() if word.endswith("%"))
    assert 100 >= first >= second


def test_it_says_what_the_run_said(glauke, run, pictures):
    answer = json.loads(glauke("predict", run, pictures / "0003.png", "--json").out)
    (said,) = answer["pictures"]
    assert answer["failed"] == [] and len(said["classes"]) == 5
    pack = open_pack("digits")
    with (run / "predictions.csv").open() as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    held_out = next(i for i in range(1797) if pack.names[i] in rows)
    Image.fromarray(pack.images[held_out, :, :, 0]).save("one.png")
    (said,) = json.loads(glauke("predict", run, "one.png", "--json").out)["pictures"]
    row = rows[pack.names[held_out]]
    assert said["classes"][0]["id"] == row["predicted"]
    assert said["classes"][0]["probability"] == pytest.approx(float(row["confidence"]), abs=0.02)  # it may be bf16


def test_damaged_files_are_listed_and_the_code_is_1(glauke, run, pictures):
    (pictures / "0001.png").write_bytes(b"\x89PNG")
    said = glauke("predict", run, pictures, "--csv", "said.csv")
    assert said.code == 1 and len(said.out.splitlines()) == 4
    assert "0001.png: " in said.err and said.sentence == "1 file of 4 gave no picture"
    with Path("said.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [bool(row["problem"]) for row in rows] == [True, False, False, False]
    answer = json.loads(glauke("predict", run, pictures, "--json").out)
    assert len(answer["pictures"]) == 3 and answer["failed"][0]["file"].endswith("0001.png")


@pytest.mark.parametrize("place", ["run/run.json", "mine.csv", "run", "nowhere/said.csv"])
def test_a_table_takes_the_place_of_nothing_else(glauke, run, pictures, place, monkeypatch):
    from glauke import insight

    Path("mine.csv").write_text("file,id_1,problem\nx,,\n")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    monkeypatch.setattr(insight, "load_trained", None)  # it is known before any work
    said = glauke("predict", run, pictures, "--csv", place)
    assert said.code == 2 and "--csv" in said.sentence
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_an_earlier_table_is_replaced(glauke, run, pictures):
    assert glauke("predict", run, pictures, "--csv", "said.csv").code == 0
    assert glauke("predict", run, pictures, "--csv", "said.csv", "--top", 1).code == 0
    assert len(Path("said.csv").read_text().splitlines()[0].split(",")) == 5


def test_what_is_no_network_of_ours_says_what_to_do(glauke, run, pictures):
    Path("exported").mkdir()
    for name in ("model.onnx", "predict.py"):
        Path("exported", name).write_bytes(b"x")
    for model in ("exported", "exported/model.onnx"):
        said = glauke("predict", model, pictures)
        assert said.code == 2 and "use the predict.py beside it" in said.sentence
    Path("group").mkdir()
    run.rename("group/seed-0")
    for words in (("predict", "group", pictures), ("explain", "group"), ("export", "group", "--to", "pt2")):
        said = glauke(*words)
        assert said.code == 2 and "name one of them, such as group/seed-0" in said.sentence
    picture = next(pictures.iterdir())
    said = glauke("explain", picture)
    assert said.code == 2 and "this is no record of a run" in said.sentence


def test_an_exported_folder_and_a_file_say_the_same(glauke, run, pictures):
    assert glauke("export", run, "--to", "safetensors", "--pictures", 10).code == 0
    folder = run / "export-safetensors"
    answers = [
        json.loads(glauke("predict", model, pictures, "--json").out)
        for model in (run, folder, folder / "model.safetensors", run / "final.safetensors")
    ]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run"], "PICTURES"),
        (["run", "pictures", "--top", 0], "--top"),
        (["nowhere", "pictures"], "there are no trained weights here"),
        (["pictures", "pictures"], "there are no trained weights here"),
        (["run", "runless"], "no file here is called a picture"),
        (["run/final.safetensors", "pictures", "--weights", "best"], "--weights"),
        (["run", "pictures", "--device", "gpu"], "device"),
    ],
)
def test_wrong_input_is_one_sentence(glauke, run, pictures, words, told):
    Path("runless").mkdir()
    said = glauke("predict", *words)
    assert said.code == 2 and told.lower() in said.sentence.lower() and not said.out
