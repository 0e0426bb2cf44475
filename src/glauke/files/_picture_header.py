"""What the first bytes of a picture say: its kind, its size and how it is turned. No decoder, nothing but arithmetic.

A browser shows a photograph turned as its EXIF says, and boxes were drawn on what the browser showed; the width and
height in the header are those of the sensor. File names are not looked at: a .jpg is often a PNG or a WebP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Literal

from glauke.errors import DataError

PictureKind = Literal["jpeg", "png", "webp", "gif", "bmp", "tiff"]

PICTURE_ENDINGS = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".pjpeg",
        ".pjp",
        ".png",
        ".apng",
        ".webp",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
    )
)
"""How names of picture files end, in lower case; a hint where to look, never a proof."""

_ORIENTATION = 0x112  # TIFF 6.0, section 8; EXIF has it from there
_EXIF = b"Exif\0\0"
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # JPEG markers without a length: TEM, RST0 to RST7
_START_OF_SCAN, _END = 0xDA, 0xD9
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # DHT, JPG and DAC lie in between
_MOST_SEGMENTS = 10_000  # a colour profile or a large preview takes hundreds
_MOST_ENTRIES = 1_000  # of one TIFF directory


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHeader:
    """Kind and size of one picture file."""

    kind: PictureKind
    """By content."""

    width: int
    """In pixels, as a person sees the picture: with the turn applied."""

    height: int
    """In pixels, with the turn applied."""

    turn: int = 1
    """EXIF orientation, 1 (upright) to 8; from 5 on, the stored width and height are exchanged."""


_Size = tuple[int, int, int]  # width and height as stored, and the turn


def picture_header(path: Path) -> PictureHeader | None:
    """Kind, size and turn of a JPEG, PNG, WebP, GIF, BMP or TIFF file; None if it is none, or its header is damaged.

    Reads a few kilobytes, wherever they lie in the file. Animations have the size of their canvas.

    Raises:
        DataError: there is no such file, or it may not be read.
    """
    try:
        if not path.is_file() and path.exists():  # opening a named pipe would wait for ever
            return None
        with path.open("rb") as file:
            return _header(file)
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error})", place=str(path)) from error


def _header(file: BufferedIOBase) -> PictureHeader | None:
    start = file.read(32)
    for kind, begins, read in _KINDS:
        if begins(start):
            try:
                width, height, turn = read(file, start)
            except _DamagedError:
                return None
            if width <= 0 or height <= 0:
                return None
            if turn >= 5:
                width, height = height, width
            return PictureHeader(kind=kind, width=width, height=height, turn=turn)
    return None


class _DamagedError(Exception):
    """The header breaks off, or says what cannot be."""


def _exactly(file: BufferedIOBase, num_bytes: int) -> bytes:
    data = file.read(num_bytes)
    if len(data) < num_bytes:
        raise _DamagedError
    return data


def _jpeg(file: BufferedIOBase, start: bytes) -> _Size:
    """Segment by segment to the frame header (ITU T.81, annex B): previews and profiles of megabytes may come first."""
    file.seek(2)
    turn = 1
    for _ in range(_MOST_SEGMENTS):
        marker = _marker(file)
        if marker in _STANDALONE:
            continue
        if marker in (_START_OF_SCAN, _END):
            break
        length = int.from_bytes(_exactly(file, 2)) - 2
        if length < 0:
            break
        if marker in _START_OF_FRAME:
            frame = _exactly(file, 5)
            return int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3]), turn
        if marker == 0xE1 and turn == 1:
            payload = _exactly(file, length)
            if payload.startswith(_EXIF):
                turn = _turn_in(payload[len(_EXIF) :])
        else:
            file.seek(length, 1)
    raise _DamagedError


def _marker(file: BufferedIOBase) -> int:
    if _exactly(file, 1) != b"\xff":
        raise _DamagedError
    while (code := _exactly(file, 1)[0]) == 0xFF:  # any number of fill bytes
        pass
    return code


def _png(file: BufferedIOBase, start: bytes) -> _Size:
    """IHDR comes first, eXIf somewhere before the pixels (PNG, third edition, sections 5.6 and 11.3.4.7)."""
    if start[12:16] != b"IHDR":
        raise _DamagedError
    width, height = int.from_bytes(start[16:20]), int.from_bytes(start[20:24])
    at = 8
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(8)
        length, name = int.from_bytes(head[:4]), head[4:]
        if name == b"eXIf":
            return width, height, _turn_in(file.read(min(length, 0xFFFF)))
        if len(head) < 8 or name in (b"IDAT", b"IEND"):
            break
        at += 12 + length
    return width, height, 1


def _webp(file: BufferedIOBase, start: bytes) -> _Size:
    """RFC 9649, sections 2.5 to 2.7: simple lossy, simple lossless, or extended."""
    name, body = start[12:16], start[20:]
    if name == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[i : i + 2], "little") & 0x3FFF for i in (6, 8))
        return width, height, 1
    if name == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), 1
    if name == b"VP8X" and len(body) >= 10:
        width, height = (1 + int.from_bytes(body[i : i + 3], "little") for i in (4, 7))
        return width, height, _webp_turn(file) if body[0] & 0x08 else 1
    raise _DamagedError


def _webp_turn(file: BufferedIOBase) -> int:
    at = 12
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"EXIF":
            return _turn_in(file.read(min(length, 0xFFFF)).removeprefix(_EXIF))  # some writers keep JPEG's prefix
        at += 8 + length + length % 2
    return 1


def _gif(file: BufferedIOBase, start: bytes) -> _Size:
    return int.from_bytes(start[6:8], "little"), int.from_bytes(start[8:10], "little"), 1


def _bmp(file: BufferedIOBase, start: bytes) -> _Size:
    if int.from_bytes(start[14:18], "little") == 12:  # OS/2
        return int.from_bytes(start[18:20], "little"), int.from_bytes(start[20:22], "little"), 1
    # A negative height says that the rows run from top to bottom.
    width, height = (int.from_bytes(start[i : i + 4], "little", signed=True) for i in (18, 22))
    return width, abs(height), 1


def _tiff(file: BufferedIOBase, start: bytes) -> _Size:
    tags = _tags(file)
    turn = tags.get(_ORIENTATION, 1)
    return tags.get(0x100, 0), tags.get(0x101, 0), turn if 1 <= turn <= 8 else 1


def _turn_in(exif: bytes) -> int:
    """EXIF is a small TIFF file; a broken one says nothing about the pixels."""
    try:
        turn = _tags(BytesIO(exif)).get(_ORIENTATION, 1)
    except _DamagedError:
        return 1
    return turn if 1 <= turn <= 8 else 1


def _tags(file: BufferedIOBase) -> dict[int, int]:
    """Tags of the first directory that hold a single SHORT or LONG (TIFF 6.0, section 2)."""
    file.seek(0)
    head = _exactly(file, 8)
    if head[:4] not in (b"II*\0", b"MM\0*"):
        raise _DamagedError
    order: Literal["little", "big"] = "little" if head[:1] == b"I" else "big"
    file.seek(int.from_bytes(head[4:], order))
    found = {}
    for _ in range(min(int.from_bytes(_exactly(file, 2), order), _MOST_ENTRIES)):
        entry = file.read(12)
        if len(entry) < 12:  # what came before it counts
            break
        tag, kind, count = (int.from_bytes(entry[a:b], order) for a, b in ((0, 2), (2, 4), (4, 8)))
        if count == 1 and kind in (3, 4):
            found[tag] = int.from_bytes(entry[8 : 10 if kind == 3 else 12], order)
    return found


_KINDS: tuple[tuple[PictureKind, Callable[[bytes], bool], Callable[[BufferedIOBase, bytes], _Size]], ...] = (
    ("jpeg", lambda start: start.startswith(b"\xff\xd8\xff"), _jpeg),
    ("png", lambda start: start.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    ("webp", lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP", _webp),
    ("gif", lambda start: start[:6] in (b"GIF87a", b"GIF89a") and len(start) >= 10, _gif),
    ("bmp", lambda start: start.startswith(b"BM") and len(start) >= 26 and start[15:18] == b"\0\0\0", _bmp),
    ("tiff", lambda start: start.startswith((b"II*\0", b"MM\0*")), _tiff),
)
