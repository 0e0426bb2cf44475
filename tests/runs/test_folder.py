"""A run's folder is new; a list of runs survives a broken one."""

import json
import logging
from datetime import datetime
from pathlib import Path

import pytest

from glauke.errors import DataError, UsageError
from glauke.runs import list_runs, moved_aside, new_run_folder

NOON = datetime(2026, 11, 24, 14, 12, 59)
SAMPLE = Path(__file__).parent / "data" / "run.json"


def test_the_default_is_dated_and_unique(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [new_run_folder(None, name="resnet18_tiny-imagenet", now=NOON) for _ in range(3)]

    assert [folder.as_posix() for folder in folders] == [
        "runs/2026-11-24_1412_resnet18_tiny-imagenet",
        "runs/2026-11-24_1412_resnet18_tiny-imagenet-2",
        "runs/2026-11-24_1412_resnet18_tiny-imagenet-3",
    ]
    assert all((tmp_path / folder).is_dir() for folder in folders)


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "C:\\x", "a:b", "a\nb", "", "…", "x" * 300, "a."])
def test_no_name_leaves_the_folder_of_runs(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    folder = new_run_folder(None, name=name, now=NOON)

    assert folder.parent == Path("runs")
    assert len(folder.name) <= 100
    assert [entry.name for entry in tmp_path.iterdir()] == ["runs"]


def test_out_is_the_folder_itself(tmp_path):
    assert new_run_folder(tmp_path / "a" / "b", name="x") == tmp_path / "a" / "b"
    assert new_run_folder(tmp_path / "a" / "b", name="x") == tmp_path / "a" / "b"  # still empty: still fine


def test_out_is_never_overwritten(tmp_path):
    (tmp_path / "old.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds 1 entries already") as caught:
        new_run_folder(tmp_path, name="x")
    assert caught.value.exit_code == 2

    with pytest.raises(UsageError, match="--out is a file"):
        new_run_folder(tmp_path / "old.txt", name="x")
    with pytest.raises(UsageError, match="cannot be made"):
        new_run_folder(tmp_path / "old.txt" / "x", name="x")
    assert (tmp_path / "old.txt").read_text() == "mine"


def add_run(folder: Path, **changes: object) -> None:
    folder.mkdir(parents=True)
    value = {**json.loads(SAMPLE.read_text(encoding="utf-8")), **changes}
    (folder / "run.json").write_text(json.dumps(value), encoding="utf-8")


def test_runs_are_listed_oldest_first_and_a_broken_one_hides_none(tmp_path, caplog):
    add_run(tmp_path / "a", name="late", started="2026-11-24T15:00:00Z")
    add_run(tmp_path / "repeats" / "seed-1", name="early", started="2026-11-23T15:00:00Z")
    add_run(tmp_path / "broken", schema=99)
    (tmp_path / "not-a-run").mkdir()

    broken: list[DataError] = []
    assert [record.name for record in list_runs(tmp_path, broken=broken.append)] == ["early", "late"]
    assert ["schema 99" in str(error) for error in broken] == [True]

    with caplog.at_level(logging.WARNING):
        list_runs(tmp_path)
    assert "schema 99" in caplog.text


def test_a_run_folder_lists_itself(tmp_path):
    add_run(tmp_path / "a")

    assert [record.folder for record in list_runs(tmp_path / "a")] == [tmp_path / "a"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        list_runs(tmp_path / "runs")


def test_a_folder_is_moved_aside_to_the_first_free_number(tmp_path):
    folder = tmp_path / "x"
    assert moved_aside(folder) is None
    folder.mkdir()
    assert moved_aside(folder) is None and folder.is_dir()  # there is nothing in it to lose
    for number in (1, 2):
        folder.mkdir(exist_ok=True)
        (folder / "note").write_text(str(number))
        assert moved_aside(folder) == tmp_path / f"x.{number}" and not folder.exists()
    assert [(tmp_path / f"x.{number}" / "note").read_text() for number in (1, 2)] == ["1", "2"]
