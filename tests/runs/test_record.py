"""`run.json` is read strictly, written whole, and loses nothing."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from glauke.errors import DataError
from glauke.runs import RunRecord, read, write

SAMPLE = Path(__file__).parent / "data" / "run.json"


@pytest.fixture
def value() -> dict:
    return json.loads(SAMPLE.read_text(encoding="utf-8"))


def written(folder: Path, value: object) -> Path:
    path = folder / "run.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_reads_a_folder_and_its_file_alike():
    record = read(SAMPLE)

    assert read(SAMPLE.parent) == record
    assert record.folder == SAMPLE.parent
    assert record.final is not None
    assert (record.final.val_accuracy, record.final.val_pictures) == (0.5987, 33000)
    assert record.data.mean == (0.4802, 0.4481, 0.3975)
    assert record.hardware.features == ("avx512_bf16",)


def test_an_infinite_setting_survives_json():
    assert read(SAMPLE).recipe["end_div"] == math.inf


def test_writing_gives_back_every_field_and_the_unknown_ones(tmp_path, value):
    write(tmp_path, read(SAMPLE))

    back = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    best = back.pop("best"), value.pop("best")
    assert best[0] == {**best[1], "val_top5": None}
    assert back == value
    assert "folder" not in back


def test_unknown_fields_inside_a_part_are_kept(tmp_path, value):
    value["hardware"]["watts"] = 700
    record = read(written(tmp_path, value))
    write(tmp_path, record)

    assert record.hardware.extra == {"watts": 700}
    assert json.loads((tmp_path / "run.json").read_text())["hardware"]["watts"] == 700


def test_a_running_record_needs_none_of_the_results(tmp_path, value):
    for name in ("ended", "best", "final", "seconds", "seconds_by_part", "max_lr", "resumed_from_steps"):
        del value[name]
    record = read(written(tmp_path, {**value, "status": "running"}))

    assert (record.best, record.seconds, dict(record.seconds_by_part)) == (None, 0.0, {})


def test_a_loss_that_is_not_finite_survives(tmp_path):
    record = read(SAMPLE)
    assert record.final is not None
    write(tmp_path, replace(record, final=replace(record.final, val_loss=math.nan)))

    final = read(tmp_path).final
    assert final is not None
    assert math.isnan(final.val_loss)


def test_the_status_is_one_of_five():
    with pytest.raises(ValueError, match="'finished' is not one of"):
        replace(read(SAMPLE), status="finished")


def test_no_run(tmp_path):
    with pytest.raises(DataError, match="there is no run here"):
        read(tmp_path)
    with pytest.raises(DataError, match="there is no run here"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"schema": 1,\n "name" 3}', "line 2, column 9: the record is not JSON"),
        (b'\xff\xfe{"schema": 1}', "not UTF-8"),
        (b"[1]", "must be a JSON object"),
        (b"[" * 100_000, "not JSON that we read"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON that we read"),
        (b'{"seconds": NaN}', "NaN is not a JSON number"),
        (b'{"schema": 1, "schema": 1}', "'schema' occurs twice"),
        (b'{"schema": 2, "glauke": "9.1"}', "schema 2 but this glauke reads schema 1.*version 9.1"),
        (b'{"name": "x"}', "schema None"),
    ],
)
def test_a_damaged_record_is_one_sentence_with_its_place(tmp_path, text, message):
    (tmp_path / "run.json").write_bytes(text)

    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", ["name", "data", "split", "recipe", "hardware", "epochs", "started"])
def test_a_missing_field_is_named(tmp_path, value, name):
    del value[name]

    with pytest.raises(DataError, match=f"the field {name} is missing"):
        read(written(tmp_path, value))


@pytest.mark.parametrize(
    ("part", "name", "wrong", "message"),
    [
        ("data", "pictures", "many", "data.pictures must be a whole number, got 'many'"),
        ("data", "pictures", True, "data.pictures must be a whole number, got True"),
        ("data", "mean", 0.5, "data.mean must be a list, got 0.5"),
        ("data", "mean", [0.5, None], r"data.mean\[1\] must be a number, got null"),
        ("split", "kind", {}, "split.kind must be text, got an object with 0 entries"),
        ("hardware", "cores", None, "hardware.cores must be a whole number, got null"),
        ("final", "val_loss", "x", "final.val_loss must be a number, got 'x'"),
    ],
)
def test_a_field_of_another_kind_is_named_with_what_came(tmp_path, value, part, name, wrong, message):
    value[part][name] = wrong

    with pytest.raises(DataError, match=message):
        read(written(tmp_path, value))


@pytest.mark.parametrize(
    ("part", "name", "wrong", "message"),
    [
        ("final", "val_accuracy", 9.0, "final.val_accuracy must be from 0 to 1, got 9.0"),
        ("final", "val_accuracy", -0.1, "final.val_accuracy must be from 0 to 1, got -0.1"),
        ("best", "val_accuracy", 1.5, "best.val_accuracy must be from 0 to 1, got 1.5"),
        ("final", "val_top5", 2, "final.val_top5 must be from 0 to 1, got 2.0"),
        ("final", "val_pictures", 0, "final.val_pictures must be at least 1, got 0"),
        ("final", "epoch", -3, "final.epoch must be at least 1, got -3"),
        ("data", "size", 0, "data.size must be at least 1, got 0"),
        ("data", "pictures", -1, "data.pictures must be at least 1, got -1"),
        ("data", "classes", 0, "data.classes must be at least 1, got 0"),
        ("split", "train", 0, "split.train must be at least 1, got 0"),
        ("split", "val", -5, "split.val must be at least 1, got -5"),
        (None, "seconds", -5, "seconds must be at least 0, got -5.0"),
        (None, "epochs", 0, "epochs must be at least 1, got 0"),
        (None, "parameters", -1, "parameters must be at least 0, got -1"),
    ],
)
def test_a_number_that_cannot_be_is_named(tmp_path, value, part, name, wrong, message):
    (value if part is None else value[part])[name] = wrong

    with pytest.raises(DataError, match=message):
        read(written(tmp_path, value))


def test_of_a_programs_own_loaders_less_is_known(tmp_path, value):
    value["split"] |= {"kind": "own", "val": 0, "fingerprint": ""}
    value["data"] |= {"classes": 0, "size": 0}
    value["final"] |= {"val_accuracy": 59.87, "val_pictures": 0, "val_loss": "nan"}

    assert read(written(tmp_path, value)).final.val_accuracy == 59.87


def test_a_wrong_status_in_the_file_is_the_files_fault(tmp_path, value):
    with pytest.raises(DataError, match="status must be one of"):
        read(written(tmp_path, {**value, "status": ["done"]}))


def test_a_part_that_is_no_object(tmp_path, value):
    with pytest.raises(DataError, match="data must be a JSON object, got a list with 2 entries"):
        read(written(tmp_path, {**value, "data": [1, 2]}))


def test_a_folder_in_the_file_is_not_believed(tmp_path, value):
    assert read(written(tmp_path, {**value, "folder": "/etc"})).folder == tmp_path


def test_records_compare_without_the_place_they_lie_in(tmp_path):
    write(tmp_path, read(SAMPLE))
    copy: RunRecord = read(tmp_path)

    assert copy == read(SAMPLE)
    assert copy.folder != read(SAMPLE).folder
