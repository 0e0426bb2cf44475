"""Archives from strangers, read member by member without ever writing to disk.

Zip and tar (plain, gzip, xz, bzip2), told apart by content. Only files and folders with harmless names come
through; everything else is refused, never repaired, and the error names the archive and the member.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path

from glauke.errors import DataError

from . import _zip
from ._decompressed import MAGIC, Decompressed
from ._members import Limits, Member, Register
from ._tar import BLOCK_BYTES, is_tar_header, tar_members

_KINDS = "zip, tar, tar.gz, tar.xz and tar.bz2"


def is_archive(path: Path) -> bool:
    """Whether `path` is a regular file that begins as a zip or a (compressed) tar does, whatever its name.

    A damaged archive still is one; reading it says what is wrong. An archive of a kind that we do not read is
    none.
    """
    try:
        with _opened(path) as file:
            return _kind(file, path) is not None
    except DataError:
        return False


def list_members(path: Path, *, limits: Limits | None = None) -> list[Member]:
    """All regular files in the order of the archive; a tar is read once from beginning to end.

    Raises:
        DataError: as `stream_members`.
    """
    return [member for member, _ in _members(path, wanted=lambda name: False, limits=limits or Limits())]


def stream_members(
    path: Path, *, wanted: Callable[[str], bool], limits: Limits | None = None
) -> Iterator[tuple[Member, bytes]]:
    """Every regular file whose name is `wanted`, with its bytes, in the order of the archive.

    What comes may be kept for good only when the iterator has ended: a truncated or damaged archive is often
    noticed at its end, and so is a bad name behind the last wanted file. An archive in the archive is a file.

    Raises:
        DataError: `path` is no archive, is damaged or cut short, or breaks a rule on names, kinds or sizes.
    """
    for member, data in _members(path, wanted=wanted, limits=limits or Limits()):
        if data is not None:
            yield member, data


def _members(path: Path, *, wanted: Callable[[str], bool], limits: Limits) -> Iterator[tuple[Member, bytes | None]]:
    register = Register(path, limits)
    with _opened(path) as file:
        kind = _kind(file, path)
        if kind is None:
            raise DataError("it is not an archive", place=str(path), fix=f"what can be read: {_KINDS}")
        file.seek(0)
        if kind == "zip":
            yield from _zip.zip_members(file, register, wanted)
        else:
            yield from tar_members(Decompressed(file, kind, register), register, wanted)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    try:
        if not path.is_file():  # opening a named pipe would wait for ever
            reason = "it is not a file" if path.exists() else "there is no such file"
            raise DataError(reason, place=str(path))
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error})", place=str(path)) from error


def _kind(file: BufferedIOBase, path: Path) -> str | None:
    """Which archive it is: "zip", how a tar is compressed ("" if it is not), or None."""
    start = file.read(BLOCK_BYTES)
    if start.startswith(_zip.MAGIC):
        return "zip"
    compression = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), "")
    if compression:
        file.seek(0)
        register = Register(path, Limits())
        start = Decompressed(file, compression, register, chunk_bytes=BLOCK_BYTES).read(BLOCK_BYTES)
    return compression if is_tar_header(start) else None
