"""Where runs live: one folder each, never reused, never overwritten."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from glauke.errors import DataError, UsageError

from ._record import RunRecord, read

logger = logging.getLogger(__name__)


def new_run_folder(out: Path | None, *, name: str, now: datetime | None = None) -> Path:
    """Make the folder of a new run: `out` itself, or a fresh `./runs/2026-11-24_1412_<name>`.

    Two runs that begin in the same minute get different folders. `name` loses what a file system may refuse.
    `now` is the clock (local time), given only in tests.

    Raises:
        UsageError: `out` holds something already, is a file, or cannot be made.
    """
    if out is not None:
        return _given(out)
    stamp = f"{now or datetime.now():%Y-%m-%d_%H%M}"  # a person's own clock, as their file manager shows it
    for attempt in range(1, 10_000):
        folder = Path("runs") / (f"{stamp}_{_safe(name)}" + (f"-{attempt}" if attempt > 1 else ""))
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise UsageError(f"the folder cannot be made ({error.strerror})", place=str(folder)) from error
        return folder
    raise UsageError("10,000 runs began in this minute", place="runs", fix="give --out")


def moved_aside(folder: Path) -> Path | None:
    """Rename `folder` to the first free name of folder.1, folder.2 and so on, so that nothing in it is lost.

    Returns the new path; None if there is nothing, or nothing in it.

    Raises:
        UsageError: it cannot be renamed.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    try:
        return folder.rename(aside)
    except OSError as error:
        raise UsageError(f"it cannot be moved aside ({error.strerror})", place=str(folder)) from error


def list_runs(folder: Path, *, broken: Callable[[DataError], None] | None = None) -> list[RunRecord]:
    """Every run in `folder`, in its subfolders and in theirs (repeats lie inside one), oldest first.

    A run that cannot be read does not hide the others: it goes to `broken`, or is logged.

    Raises:
        DataError: `folder` does not exist.
    """
    if not folder.is_dir():
        raise DataError("there is no such folder", place=str(folder), fix="name the folder that holds the runs")
    records = []
    for pattern in ("run.json", "*/run.json", "*/*/run.json"):
        for file in sorted(folder.glob(pattern)):
            try:
                records.append(read(file))
            except DataError as error:
                (broken or _log)(error)
    return sorted(records, key=lambda record: (record.started, str(record.folder)))


def _given(out: Path) -> Path:
    if out.exists() and not out.is_dir():
        raise UsageError("--out is a file, and a run is a folder", place=str(out), fix="give another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        entries = sum(1 for _ in out.iterdir())
    except OSError as error:
        raise UsageError(f"the folder cannot be made ({error.strerror})", place=str(out)) from error
    if entries:
        raise UsageError(
            f"--out holds {entries} entries already, and a run never overwrites anything",
            place=str(out),
            fix="give another --out, or continue that run with --resume",
        )
    return out


def _safe(name: str) -> str:
    """`name` with only characters that every file system takes.

    >>> _safe("resnet18_my pictures/../x")
    'resnet18_my-pictures-..-x'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "run"


def _log(error: DataError) -> None:
    logger.warning("passed over a run that cannot be read: %s", error)
