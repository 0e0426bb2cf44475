"""A folder of results: whole, and never in the place of anything that was not written here."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glauke.errors import DataError, UsageError

from ._durable import disk_errors, new_folder, sha256
from ._strict_json import read_json

OTHER = "give another --out"


@contextmanager
def own_folder(target: Path, *, record: str, what: str) -> Iterator[Path]:
    """Fill a fresh folder; at the end it takes the name `target`, in the place of an earlier one of ours.

    Ours is what holds nothing but the files in its `record`, unchanged: a JSON object whose "files" are those of
    `files_in`, which the block writes last. `what` names it for a person ("an export"). If the block raises, the fresh
    folder is removed and the earlier one stays as it was.

    The new folder is complete and on the disk before the two change places. A process that is killed just between the
    two renames leaves both under other names; the next call puts the earlier one back before it begins.

    Raises:
        UsageError: `target` holds something else, or something that was changed since.
        CannotGoOnError: it cannot be written there; known before the block begins.
    """
    whole = target.absolute()
    if whole.name in ("", "..") or whole == Path.cwd():
        raise UsageError(f"{what} needs a folder of its own, and this one is in use", place=str(target), fix=OTHER)
    aside, ready = (whole.with_name(f".{whole.name}.{state}") for state in ("before", "ready"))
    for folder in (target, aside, ready):
        _require_ours(folder, record=record, what=what)
    with disk_errors(target):
        if os.path.lexists(aside) and not os.path.lexists(target):
            aside.rename(target)
    for leftover in (aside, ready):
        shutil.rmtree(leftover, ignore_errors=True)
    with new_folder(ready) as fresh:
        yield fresh
    with disk_errors(target):
        if os.path.lexists(target):
            target.rename(aside)
        try:
            ready.rename(target)
        except OSError:
            if aside.exists():
                aside.rename(target)
            raise
    shutil.rmtree(aside, ignore_errors=True)


def files_in(folder: Path, *, record: str) -> dict[str, str]:
    """SHA-256 of every file below `folder` by its name, the record left out."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return {name: sha256(folder / name) for name in names if name != record}


def _require_ours(folder: Path, *, record: str, what: str) -> None:
    if not os.path.lexists(folder):
        return
    if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
        return
    written = _written(folder, record)
    if written is None:
        raise UsageError(
            f"this is not the folder of {what}, and {what} replaces nothing else",
            place=str(folder),
            fix=OTHER,
        )
    found = files_in(folder, record=record)
    changed = sorted(name for name in found if written.get(name) != found[name])
    if changed:
        raise UsageError(
            f"{len(changed)} of {len(found)} files were changed or added since {what} wrote it "
            f"({', '.join(changed[:3])})",
            place=str(folder),
            fix=f"{OTHER}, or move the folder away",
        )


def _written(folder: Path, record: str) -> dict[str, str] | None:
    """What the record says of the folder's files; None if there is no such record."""
    if folder.is_symlink() or not (folder / record).is_file():
        return None
    try:
        value = read_json(folder / record)
    except DataError:
        return None
    files = value.get("files") if isinstance(value, dict) else None
    return files if isinstance(files, dict) else None
