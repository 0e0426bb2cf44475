"""The folder of an export: whole or not there, and never in the place of anything that an export did not write."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glauke.errors import DataError, UsageError
from glauke.files import new_folder, read_json, sha256

EXPORT = "export.json"


@contextmanager
def export_folder(target: Path) -> Iterator[Path]:
    """Fill a fresh folder; at the end it takes the name `target`, in the place of an earlier export of ours.

    If the block raises, the fresh folder is removed and the earlier export stays as it was.

    Raises:
        UsageError: `target` holds something that no export wrote, or that was changed since.
    """
    _require_ours(target)
    aside = target.with_name(f".tmp-{uuid.uuid4().hex}")  # the name lets a sweep finish what a kill interrupts
    try:
        with new_folder(target) as fresh:
            yield fresh
            if target.exists():
                target.rename(aside)
    except BaseException:
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def files_in(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder` by its name, the export's own record left out."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return {name: sha256(folder / name) for name in names if name != EXPORT}


def _require_ours(target: Path) -> None:
    if not os.path.lexists(target):
        return
    if target.is_dir() and not target.is_symlink() and not any(target.iterdir()):
        return
    written = _written(target)
    if written is None:
        raise UsageError(
            "this is not the folder of an export, and an export overwrites nothing else",
            place=str(target),
            fix="give another --out",
        )
    found = files_in(target)
    changed = sorted(name for name in found if written.get(name) != found[name])
    if changed:
        raise UsageError(
            f"{len(changed)} of {len(found)} files were changed or added since the export ({', '.join(changed[:3])})",
            place=str(target),
            fix="give another --out, or move the folder away",
        )


def _written(target: Path) -> dict[str, str] | None:
    """What the export's record says of its files; None if there is no such record."""
    if target.is_symlink() or not (target / EXPORT).is_file():
        return None
    try:
        record = read_json(target / EXPORT)
    except DataError:
        return None
    files = record.get("files") if isinstance(record, dict) else None
    return files if isinstance(files, dict) else None
