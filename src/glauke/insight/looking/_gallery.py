"""Pictures of a pack as files for a page, and contact sheets of them, drawn with Pillow: pixels need no axes."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from glauke.errors import UsageError

SMALL_PX = 96
"""Up to this side a picture is a PNG with every pixel as it is; above it a JPEG is a tenth of the bytes."""
BUDGET = 4_000_000
"""Bytes of all pictures of a page; as text within it they take a third more."""

_ENCODINGS = ((256, 85), (160, 80), (96, 75), (64, 60))  # JPEG: longest side in pixels, quality
_ACROSS, _CELL, _GAP, _LINE = 6, 148, 8, 17  # a contact sheet: cells side by side, pixels
_PAPER, _WORDS, _FAINT = (27, 29, 33), (240, 240, 240), (176, 180, 188)


def image_files(pictures: Sequence[UInt8[np.ndarray, "_ _ _"]], *, budget: int = BUDGET) -> list[bytes]:
    r"""Pictures for a page, as good as all of them fit into `budget` bytes together.

    Small ones as PNG, pixel by pixel; larger ones, or too many, as JPEG of 256 pixels and less on the longer side.
    They need not be of one size.

    >>> [file[:4] for file in image_files([np.zeros((8, 8, 3), np.uint8), np.zeros((99, 9, 1), np.uint8)])]
    [b'\x89PNG', b'\xff\xd8\xff\xe0']
    """
    images = [as_image(picture) for picture in pictures]
    files = [_png(image) if max(image.size) <= SMALL_PX else b"" for image in images]
    for longest, quality in _ENCODINGS:
        exact = files if longest == _ENCODINGS[0][0] else [b""] * len(images)
        files = [file or _jpeg(image, longest, quality) for file, image in zip(exact, images, strict=True)]
        if sum(map(len, files)) <= budget:
            break
    return files


def as_image(picture: UInt8[np.ndarray, "height width channels"]) -> Image.Image:
    """The picture for Pillow, grey or in colour."""
    channels = picture.shape[2]
    if channels not in (1, 3):
        raise UsageError(f"a picture has 1 or 3 channels to be shown, not {channels}")
    return Image.fromarray(np.ascontiguousarray(picture[:, :, 0] if channels == 1 else picture))


def shaded(
    picture: UInt8[np.ndarray, "height width channels"],
    heat: Float[np.ndarray, "map_height map_width"],
    *,
    colours: Float[np.ndarray, "256 3"],
) -> UInt8[np.ndarray, "height width 3"]:
    """The picture in grey under a map of 0 to 1 in a scale of 256 colours; the map is brought to the picture's size.

    More of the map than of the picture: the scale's own lightness says how high the map is, and edges stay visible.
    """
    height, width, _ = picture.shape
    grown = Image.fromarray(np.asarray(heat, np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    shades = colours[np.clip(np.asarray(grown) * 255, 0, 255).round().astype(np.int64)] * 255
    grey = np.asarray(as_image(picture).convert("L"), np.float64)[:, :, None]
    return np.clip(0.7 * shades + 0.3 * grey, 0, 255).round().astype(np.uint8)


def contact_sheet(entries: Sequence[tuple[np.ndarray, Sequence[str]]], *, font: Path) -> bytes:
    """PNG of pictures side by side, each with its lines of words below; a line that is too long loses its end.

    Raises:
        UsageError: there is nothing to show.
    """
    if not entries:
        raise UsageError("a contact sheet needs at least one picture")
    letters = ImageFont.truetype(font, 12, layout_engine=ImageFont.Layout.BASIC)
    words = max(len(lines) for _, lines in entries) * _LINE
    across, down = min(_ACROSS, len(entries)), -(-len(entries) // _ACROSS)
    step = _CELL + _GAP, _CELL + words + _GAP
    sheet = Image.new("RGB", (across * step[0] + _GAP, down * step[1] + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, (picture, lines) in enumerate(entries):
        left, top = _GAP + i % across * step[0], _GAP + i // across * step[1]
        shown = _fitted(as_image(picture).convert("RGB"))
        sheet.paste(shown, (left + (_CELL - shown.width) // 2, top + (_CELL - shown.height) // 2))
        for row, line in enumerate(lines):
            place = left, top + _CELL + 2 + row * _LINE
            draw.text(place, _cut(line, letters), font=letters, fill=_WORDS if row == 0 else _FAINT)
    return _png(sheet)


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, format="PNG", optimize=True)
    return out.getvalue()


def _jpeg(image: Image.Image, longest: int, quality: int) -> bytes:
    shown, out = image.copy(), BytesIO()
    shown.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    shown.save(out, format="JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _fitted(picture: Image.Image) -> Image.Image:
    """As large as a cell holds; small pictures by a whole factor, so that their pixels stay squares."""
    longest = max(picture.size)
    if longest <= _CELL:
        factor = _CELL // longest
        return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    picture.thumbnail((_CELL, _CELL), Image.Resampling.LANCZOS)
    return picture


def _cut(text: str, letters: ImageFont.FreeTypeFont) -> str:
    shown = "".join(c if c.isprintable() else "�" for c in text)
    if letters.getlength(shown) <= _CELL:
        return shown
    while shown and letters.getlength(f"{shown}…") > _CELL:
        shown = shown[:-1]
    return f"{shown}…"
