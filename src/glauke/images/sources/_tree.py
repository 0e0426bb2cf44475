"""A folder or an archive, seen the same way: names and bytes, nothing decoded and nothing written.

Whatever cannot be read, such as a FIFO, a dangling link or a file that vanished, is set aside with the reason
and never waited for.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from glauke import files
from glauke.errors import DataError

MAX_FILE_BYTES = 512 << 20
_HEAD_BYTES = 64 << 10
_HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX(?:/|$)|(?:thumbs\.db|desktop\.ini)$)", re.IGNORECASE)
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def hidden(name: str) -> bool:
    """Whether a system or an editor put it there: `.git/config`, `__MACOSX/._1.jpg`, `a/Thumbs.db`."""
    return _HIDDEN.search(name) is not None


def folders_above(name: str) -> list[str]:
    """Every folder that a file lies in.

    >>> folders_above("a/b/1.jpg")
    ['a', 'a/b']
    """
    steps = name.split("/")[:-1]
    return ["/".join(steps[: i + 1]) for i in range(len(steps))]


class FolderTree:
    """The files under a folder, in sorted order."""

    def __init__(self, path: Path, *, ignored: Callable[[str], bool] = hidden) -> None:
        self.path = path
        self.unreadable: dict[str, str] = {}
        """Reason by name; grows while files are read."""
        self._ignored = ignored
        self._listing: _Listing | None = None

    def identity(self) -> str:
        """Digest of every file's name, size and time of change, so that editing one picture in place is seen."""
        listing = self._listed()
        rows = [f"{name}\0{size}\0{time}" for name, size, time in listing.files]
        rows += [f"{name}/" for name in listing.folders]
        rows += [f"{name}\0{reason}" for name, reason in listing.unreadable.items()]
        text = "\n".join([str(self.path.resolve()), *sorted(rows)])
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()

    def names(self) -> list[str]:
        """Every file, relative to the folder, sorted."""
        return [name for name, _, _ in self._listed().files]

    def folders(self) -> list[str]:
        """Every folder, the empty ones too."""
        return self._listed().folders

    def read(self, wanted: Callable[[str], bool], *, heads: bool = False) -> Iterator[tuple[str, bytes]]:
        """The bytes of the files that are wanted; with `heads` only the first 64 KiB of each."""
        for name in self.names():
            if wanted(name):
                try:
                    yield name, _read(self.path / name, _HEAD_BYTES if heads else None)
                except OSError as error:
                    self.unreadable[name] = error.strerror or str(error)

    def _listed(self) -> "_Listing":
        if self._listing is None:
            self._listing = _Listing()
            _list(self.path, "", self._listing, self._ignored, ())
            self._listing.files.sort()
            self.unreadable.update(self._listing.unreadable)
        return self._listing


@dataclass(slots=True)
class _Listing:
    files: list[tuple[str, int, int]] = field(default_factory=list)  # (name, bytes, nanoseconds)
    folders: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


def _list(folder: Path, prefix: str, listing: _Listing, ignored: Callable[[str], bool], above: tuple[str, ...]) -> None:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        listing.unreadable[prefix.rstrip("/") or "."] = error.strerror or str(error)
        return
    for entry in found:
        name = prefix + entry.name
        if ignored(name):
            continue
        if not name.isascii() and not _is_text(entry.name):
            listing.unreadable[_spelled(name)] = "the name is not valid text; rename it"
            continue
        try:
            status = entry.stat()
        except OSError as error:
            reason = "a link to nothing" if entry.is_symlink() else error.strerror or str(error)
            listing.unreadable[name] = reason
            continue
        if stat.S_ISDIR(status.st_mode):
            real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
            if entry.is_symlink() and real in {os.path.realpath(step) for step in (*above, folder)}:
                listing.unreadable[name] = "a link to a folder that it lies in"
                continue
            listing.folders.append(name)
            _list(Path(entry.path), f"{name}/", listing, ignored, (*above, str(folder)))
        elif stat.S_ISREG(status.st_mode):
            listing.files.append((name, status.st_size, status.st_mtime_ns))
        else:
            listing.unreadable[name] = "neither a file nor a folder"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes of a POSIX file system that are not UTF-8
        return False
    return True


def _spelled(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _read(path: Path, limit: int | None) -> bytes:
    # Without blocking, and looked at again once open: it may have become a FIFO since it was listed.
    with os.fdopen(os.open(path, _FLAGS), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError("neither a file nor a folder")
        if status.st_size > MAX_FILE_BYTES and limit is None:
            raise OSError(f"{status.st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
        return file.read(-1 if limit is None else limit)


class ArchiveTree:
    """The files in an archive, in the order in which they lie there; `glauke.files` checks every one."""

    def __init__(self, path: Path, *, ignored: Callable[[str], bool] = hidden) -> None:
        self.path = path
        self.unreadable: dict[str, str] = {}
        self._ignored = ignored
        self._names: list[str] | None = None

    def identity(self) -> str:
        """Place, size and time of change of the archive."""
        status = self.path.stat()
        return f"{self.path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}"

    def names(self) -> list[str]:
        """Every file; reads a compressed tar to its end once."""
        if self._names is None:
            self._names = [member.name for member in files.list_members(self.path) if not self._ignored(member.name)]
        return self._names

    def folders(self) -> list[str]:
        """Every folder that holds something."""
        return sorted({above for name in self.names() for above in folders_above(name)})

    def read(self, wanted: Callable[[str], bool], *, heads: bool = False) -> Iterator[tuple[str, bytes]]:
        """The bytes of the files that are wanted, always whole."""
        ignored = self._ignored
        chosen = files.stream_members(self.path, wanted=lambda name: not ignored(name) and wanted(name))
        return ((member.name, data) for member, data in chosen)


def open_tree(path: Path, *, ignored: Callable[[str], bool] = hidden) -> FolderTree | ArchiveTree:
    """See a folder or an archive as a tree; anything else is a `DataError`."""
    if path.is_dir():
        return FolderTree(path, ignored=ignored)
    if not path.exists():
        raise DataError("there is no such file or folder", place=str(path))
    if not path.is_file() or not files.is_archive(path):
        raise DataError(
            "this is neither a folder nor a zip or tar archive",
            place=str(path),
            fix="name the folder that holds one folder of pictures per class, or an archive of it",
        )
    return ArchiveTree(path, ignored=ignored)
