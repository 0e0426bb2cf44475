"""One picture file becomes one square of pixels.

Worker processes import this file: it needs NumPy and Pillow and nothing heavier. What a file is, its content
says and never its name. `LOAD_TRUNCATED_IMAGES` stays off: it would turn damage into grey pixels with a
label.
"""

from io import BytesIO

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from glauke.errors import DataError
from glauke.files import PILLOW_FAILURES, in_eight_bits, upright

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
MAX_PIXELS = 50_000_000

_KNOWN_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM")
_STRANGERS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<svg", "an SVG drawing"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
)
_TURN_KEYS = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"})
_ORIENTATION = 0x0112


class UndecodableError(DataError):
    """A file that gives no pixels; carries the rule of the finding it becomes."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        """One of "empty", "not-a-picture", "damaged" and "too-large"."""


def measure(data: bytes) -> tuple[int, int] | None:
    """Width and height as a person sees the picture, from the beginning of its file; None if that is not enough."""
    try:
        image = _opened(data)
    except UndecodableError:
        return _webp_size(data)
    width, height = image.size
    return (height, width) if _orientation(image) >= 5 else (width, height)


def decode(data: bytes, *, size: int, channels: int) -> UInt8[np.ndarray, "size size channels"]:
    """Decode a whole picture file to `size` x `size` pixels, or raise `UndecodableError` with the reason.

    The shorter side becomes `size` and the middle of the longer one is kept. Resizing is bicubic with
    antialiasing (Pillow's: the filter widens with the scale, so that no pixel is skipped): sharper than a
    box, and without the rings of Lanczos around hard edges; a picture that has the size already is not
    touched. JPEGs of at least four times the size are decoded at a half, quarter or eighth, never below twice
    the size. The turn in EXIF is applied, transparency is laid over white, 16-bit grey keeps its upper 8
    bits, and an animation gives its first frame. Colour profiles are not applied.
    """
    if not data:
        raise UndecodableError("empty", "the file is empty")
    image = _opened(data)
    try:
        if min(image.size) >= 4 * size:
            image.draft(None, (2 * size, 2 * size))  # only JPEG listens
        image.load()
        image = _squared(_in_mode(_turned(image), channels), size)
    except PILLOW_FAILURES as error:
        raise UndecodableError("damaged", _reason(error)) from error
    # Half the time of np.asarray(image), which asks for the bytes in a roundabout way.
    return np.frombuffer(image.tobytes(), np.uint8).reshape(size, size, channels)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """From the header (RFC 9649, section 2.5 to 2.7), since Pillow opens a WebP file whole or not at all."""
    kind = data[12:16] if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else b""
    if kind == b"VP8X" and len(data) >= 30:
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(data) >= 30:
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return None


def _opened(data: bytes) -> Image.Image:
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise UndecodableError("too-large", _reason(error)) from error
    except UnidentifiedImageError as error:
        if data.startswith(_KNOWN_STARTS) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
            raise UndecodableError("damaged", "the beginning of the file is damaged") from error
        raise UndecodableError("not-a-picture", _kind(data)) from error
    except PILLOW_FAILURES as error:
        raise UndecodableError("damaged", _reason(error)) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        megapixels = width * height / 1e6
        message = f"{width} x {height} pixels are {megapixels:.1f} megapixels; at most 50 are read"
        raise UndecodableError("too-large", message)
    return image


def _kind(data: bytes) -> str:
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, kind in _STRANGERS:
        if start.startswith(magic.lower()):
            return f"it is {kind}, not a JPEG, PNG, WebP, BMP or GIF picture"
    return "its content is not a JPEG, PNG, WebP, BMP or GIF picture"


def _reason(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return "not enough memory to decode it" if isinstance(error, MemoryError) else text


def _orientation(image: Image.Image) -> int:
    if _TURN_KEYS.isdisjoint(image.info):
        return 1
    try:
        turn = image.getexif().get(_ORIENTATION, 1)
    except PILLOW_FAILURES:  # broken EXIF says nothing about the pixels
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _turned(image: Image.Image) -> Image.Image:
    return upright(image, orientation=_orientation(image))


def _in_mode(image: Image.Image, channels: int) -> Image.Image:
    mode = "RGB" if channels == 3 else "L"
    image = in_eight_bits(image)
    return image if image.mode == mode else image.convert(mode)


def _squared(image: Image.Image, size: int) -> Image.Image:
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    if side != size:
        # The box goes into the resizing, so that a ribbon of 1 x 10,000 pixels is never blown up whole.
        return image.resize((size, size), Image.Resampling.BICUBIC, box=box)
    return image if width == height else image.crop(box)
