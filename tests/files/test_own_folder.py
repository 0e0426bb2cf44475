"""A folder of results: whole or not there, and never over anything else."""

import os
from pathlib import Path

import pytest

from glauke.errors import CannotGoOnError, UsageError
from glauke.files import files_in, own_folder, write_json

RECORD = "export.json"


def write(target, text: str = "1") -> None:
    with own_folder(target, record=RECORD, what="an export") as fresh:
        (fresh / "model.json").write_text(text)
        write_json(fresh / RECORD, {"files": files_in(fresh, record=RECORD)})


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
        with pytest.raises(ZeroDivisionError), own_folder(tmp_path / target, record=RECORD, what="an export") as fresh:
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
            (target / RECORD).unlink()
        elif what == "edited":
            (target / "model.json").write_text("with a licence")
        elif what == "added":
            (target / "notes.txt").write_text("mine")
        elif what == "broken":
            (target / RECORD).write_text("{")
        else:
            (target / RECORD).write_text('{"files": 3}')
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="give another --out"):
        write(target, "2")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert os.path.lexists(target)


def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, at: int) -> None:
    """Replace an export and die before the rename of that number, counted from the last."""
    rename, names = Path.rename, []

    def dying(self: Path, target: Path) -> Path:
        names.append(self.name)
        if len(names) > 3 - at:
            raise SystemExit
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        patch.setattr("shutil.rmtree", lambda *_, **__: None)  # a kill removes nothing either
        with pytest.raises(SystemExit):
            write(tmp_path / "out", "2")


@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_a_kill_interrupts_is_put_back_by_the_next_call(tmp_path, monkeypatch, at):
    write(tmp_path / "out")
    killed(tmp_path, monkeypatch, at=at)
    with pytest.raises(ZeroDivisionError), own_folder(tmp_path / "out", record=RECORD, what="an export"):
        assert (tmp_path / "out" / "model.json").read_text() == "1"
        1 / 0  # noqa: B018
    write(tmp_path / "out", "3")
    assert (tmp_path / "out" / "model.json").read_text() == "3"
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".tmp-")] == ["out"]


def test_what_only_looks_like_a_leftover_is_not_removed(tmp_path):
    (tmp_path / ".out.before").mkdir()
    (tmp_path / ".out.before" / "diary.txt").write_text("mine")
    with pytest.raises(UsageError, match="replaces nothing else"):
        write(tmp_path / "out")
    assert (tmp_path / ".out.before" / "diary.txt").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_known_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    worked = []
    inside = own_folder(tmp_path / "file" / "out", record=RECORD, what="an export")
    with pytest.raises(CannotGoOnError, match="cannot be written"), inside:
        worked.append(1)
    assert not worked


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_the_folder_where_we_are_is_not_moved_away(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="a folder of its own"):
        write(Path(place))
