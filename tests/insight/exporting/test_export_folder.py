"""The folder of an export: whole or not there, and never over anything else."""

import os

import pytest

from glauke.errors import UsageError
from glauke.files import write_json
from glauke.insight.exporting._export_folder import export_folder, files_in


def write(target, text: str = "1") -> None:
    with export_folder(target) as fresh:
        (fresh / "model.json").write_text(text)
        write_json(fresh / "export.json", {"files": files_in(fresh)})


def test_an_unchanged_export_is_replaced(tmp_path):
    write(tmp_path / "out")
    write(tmp_path / "out", "2")
    assert (tmp_path / "out" / "model.json").read_text() == "2"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    write(tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path):
    write(tmp_path / "out")
    for target in ("out", "new"):
        with pytest.raises(ZeroDivisionError), export_folder(tmp_path / target) as fresh:
            (fresh / "model.json").write_text("half")
            1 / 0  # noqa: B018
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "model.json").read_text() == "1"


@pytest.mark.parametrize("what", ["other", "edited", "added", "broken", "no files", "a file", "a link", "dangling"])
def test_nothing_else_is_overwritten(tmp_path, what):
    target = tmp_path / "out"
    if what == "a file":
        target.write_text("mine")
    elif what == "a link":
        write(tmp_path / "elsewhere")
        target.symlink_to(tmp_path / "elsewhere")
    elif what == "dangling":
        target.symlink_to(tmp_path / "nowhere")
    else:
        write(target)
        if what == "other":
            (target / "export.json").unlink()
        elif what == "edited":
            (target / "model.json").write_text("with a licence")
        elif what == "added":
            (target / "notes.txt").write_text("mine")
        elif what == "broken":
            (target / "export.json").write_text("{")
        else:
            (target / "export.json").write_text('{"files": 3}')
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="give another --out"):
        write(target, "2")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert os.path.lexists(target)
