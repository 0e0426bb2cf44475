"""Text files from strangers: UTF-8 and nothing else, and where they are not, the line and column of the first fault."""

import codecs
from pathlib import Path

from glauke.errors import DataError

MOST_BYTES = 512 * 1024**2
"""The largest file that is read whole."""

_SAVE = "save it as UTF-8"
# UTF-32 first: its little-endian mark begins as that of UTF-16 does.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_text(path: Path, *, most_bytes: int = MOST_BYTES) -> str:
    """The text of a UTF-8 file, without a byte order mark, its line ends as they are.

    Raises:
        DataError: the file is missing, too large, in another encoding, or holds a NUL; with line and column.
    """
    text = decoded(read_whole(path, most_bytes=most_bytes), place=str(path))
    at = text.find("\0")
    if at >= 0:
        raise DataError("a NUL character stands in the text", place=spot(text, at, place=str(path)), fix="remove it")
    return text


def read_whole(path: Path, *, most_bytes: int) -> bytes:
    """All bytes of a regular file; a larger one than allowed is refused before anything is read."""
    try:
        if not path.is_file():  # opening a named pipe would wait for ever
            raise DataError("it is not a file" if path.exists() else "there is no such file", place=str(path))
        num_bytes = path.stat().st_size
        if num_bytes > most_bytes:
            raise DataError(
                f"it has {num_bytes:,} bytes; at most {most_bytes:,} are read",
                place=str(path),
                fix="split it into smaller files",
            )
        return path.read_bytes()
    except ValueError as error:  # a NUL in the name
        raise DataError(f"it cannot be read ({error})", place=repr(str(path))) from error
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error})", place=str(path)) from error


def decoded(data: bytes, *, place: str) -> str:
    """UTF-8 as text, strictly, without one byte order mark.

    Raises:
        DataError: the bytes are UTF-16, UTF-32 or something else; with line and column.
    """
    if encoding := _wide_encoding(data):
        raise DataError(f"it is {encoding}, not UTF-8", place=f"{place}, line 1 column 1", fix=_SAVE)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        where = spot(before, len(before), place=place)
        if error.reason == "unexpected end of data":
            raise DataError(
                "it ends in the middle of a character", place=where, fix="it was cut short: copy or export it again"
            ) from error
        raise DataError(
            f"byte 0x{data[error.start]:02X} is not UTF-8 (it may be Latin-1 or Windows-1252)", place=where, fix=_SAVE
        ) from error
    return text.removeprefix("\ufeff")


def spot(text: str, offset: int, *, place: str) -> str:
    r"""`place` with the 1-based line and column of `offset`; lines end with \n, \r\n or \r, columns are characters.

    >>> spot("a\r\nbcd", 5, place="x.json")
    'x.json, line 2 column 3'
    """
    ends = text.count("\n", 0, offset) + text.count("\r", 0, offset) - text.count("\r\n", 0, offset)
    column = offset - max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset))
    return f"{place}, line {ends + 1} column {column}"


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 by its mark or, without one, by where the NULs of its first characters stand."""
    if name := next((name for mark, name in _MARKS.items() if data.startswith(mark)), None):
        return name
    zeros = [byte == 0 for byte in data[:4]]
    if zeros in ([False, True, True, True], [True, True, True, False]):
        return "UTF-32"
    if zeros in ([False, True, False, True], [True, False, True, False]):
        return "UTF-16"
    return None
