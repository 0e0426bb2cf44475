"""Writing that survives a crash: a file is the old one or the new one, whole, whatever happens in between.

The protocol is the same everywhere: write under a temporary name in the same folder (never `$TMPDIR`, which
may be another disk), flush, fsync, rename over the target, fsync the folder. A process killed in the middle
leaves a `.tmp-*` that nobody reads and that `sweep` removes.
"""

import errno
import hashlib
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from glauke.errors import CannotGoOnError, DiskFullError

TEMPORARY_PREFIX = ".tmp-"
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
# What fsync answers for a folder on file systems that have no such thing (some network and FUSE mounts).
_NO_FOLDER_FSYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
_TARGET_EXISTS = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the content of `path` by `data`, durably; on any failure the old file is still there, whole.

    The folder must exist. A link at `path` is replaced, not followed.

    Raises:
        DiskFullError: no room, or over quota.
        CannotGoOnError: the system refuses for another reason (permission, read-only, I/O error).
    """
    temporary = _temporary_beside(path)
    with disk_errors(path):
        try:
            # "x": never through something that already carries the name.
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            fsync_folder(path.parent)
        finally:
            with suppress(OSError):  # the failure that brought us here is the one to report
                temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text: UTF-8, line ends as they are in `text` on every system."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object, *, indent: int | None = 2) -> None:
    r"""`write_bytes` for JSON: keys in the order given, readable letters kept, one newline at the end.

    NaN and infinity are refused with a `ValueError`: they are not JSON, and other readers stumble over them.
    """
    text = json.dumps(value, indent=indent, allow_nan=False, ensure_ascii=False) + "\n"
    # A file name that is not UTF-8 reaches us with lone surrogates; `\udc80` is also how JSON writes them.
    write_bytes(path, text.encode(errors="backslashreplace"))


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, 64 lower-case hexadecimal digits; reads it in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def new_folder(target: Path, *, keep_existing: bool = False) -> Iterator[Path]:
    """Fill a fresh folder beside `target`; it appears under that name complete and synced, or not at all.

    Missing parents are made. If the block raises, the fresh folder is removed and `target` untouched; a full
    disk inside the block becomes `DiskFullError`.

    Args:
        target: The final name.
        keep_existing: What to do if `target` exists at the end, because another process was faster: drop our
            folder silently, or raise `FileExistsError`. An existing target is never replaced.
    """
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = _temporary_beside(target)
        fresh.mkdir()
    try:
        with disk_errors(target, only_full=True):
            yield fresh
        with disk_errors(target):
            _fsync_tree(fresh)
            named = _rename_to_new(fresh, target)
            fsync_folder(target.parent)
        if not named and not keep_existing:
            raise FileExistsError(errno.EEXIST, "already exists", str(target))
    finally:
        shutil.rmtree(fresh, ignore_errors=True)  # nothing is left of it after the rename


def sweep(folder: Path, *, older_than_seconds: float = 86_400.0) -> None:
    """Remove the `.tmp-*` that killed processes left directly in `folder`.

    Younger ones may belong to a process at work and stay: the age is that of the newest thing inside. What
    cannot be removed is left for the next time.
    """
    limit = time.time() - older_than_seconds
    for leftover in folder.glob(f"{TEMPORARY_PREFIX}*"):
        with suppress(OSError):  # another process may sweep at the same moment
            if _newest_change(leftover) > limit:
                continue
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


def require_space(folder: Path, num_bytes: int) -> None:
    """Raise `DiskFullError` unless `num_bytes` fit on the disk of `folder`, which need not exist yet.

    A quota is not seen here, and others may fill the disk afterwards: writing can still fail.
    """
    existing = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < num_bytes:
        raise DiskFullError(
            f"{num_bytes:,} bytes are needed and {free:,} are free",
            place=str(folder),
            fix="free some space or choose another disk",
        )


@contextmanager
def disk_errors(path: Path, *, only_full: bool = False) -> Iterator[None]:
    """Turn what the system says while writing `path` into a sentence; `only_full`: only a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise DiskFullError(
                f"the disk is full ({error.strerror})",
                place=str(path),
                fix="free some space and start the same command again",
            ) from error
        if only_full:
            raise
        reason = error.strerror or str(error)
        raise CannotGoOnError(f"it cannot be written ({reason})", place=str(path)) from error


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` durable; does nothing where a system cannot (Windows, some mounts)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FOLDER_FSYNC:
            raise
    finally:
        os.close(handle)


def fsync_file(path: Path) -> None:
    """Make the content of a closed file durable."""
    with path.open("r+b" if os.name == "nt" else "rb") as file:  # Windows syncs only what is open for writing
        os.fsync(file.fileno())


def _temporary_beside(path: Path) -> Path:
    return path.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}"


def _fsync_tree(top: Path) -> None:
    for folder, _, names in os.walk(top, topdown=False):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                fsync_file(path)
        fsync_folder(Path(folder))


def _rename_to_new(fresh: Path, target: Path) -> bool:
    """False if `target` exists; POSIX would silently replace an empty folder, hence the question first."""
    if os.path.lexists(target):
        return False
    try:
        fresh.rename(target)
    except OSError as error:
        if error.errno in _TARGET_EXISTS and os.path.lexists(target):
            return False
        raise
    return True


def _newest_change(path: Path) -> float:
    """Seconds since 1970 of the last change to `path` or anything below it; follows no links."""
    entry = path.lstat()
    if not stat.S_ISDIR(entry.st_mode):
        return entry.st_mtime
    return max([entry.st_mtime, *(_newest_change(child) for child in path.iterdir())])
