"""A picture file becomes pixels as a person sees them."""

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from glauke.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow's readers were seen to raise on files that are damaged or made to harm.
_FAILURES = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    EOFError,
    ArithmeticError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    Image.DecompressionBombError,
    struct.error,
    zlib.error,
)


def upright_picture(path: Path, *, turn: int = 1) -> Image.Image:
    """Decode a picture to 8 bits of grey or RGB, turned by the EXIF orientation `turn`, 1 (upright) to 8.

    Transparency is laid over white, 16-bit grey keeps its upper 8 bits, and an animation gives its first frame.

    Raises:
        DataError: it is no picture, is damaged, or has more than 179 million pixels; with the reason.
    """
    try:
        data = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever matters of an odd file is an error below
            image = Image.open(BytesIO(data), formats=FORMATS)
            image.load()
            if turn in _TURNS and image.format != "TIFF":  # which Pillow turns itself
                image = image.transpose(_TURNS[turn])
            return _in_eight_bits(image)
    except _FAILURES as error:
        raise DataError(str(error).strip() or type(error).__name__, place=str(path)) from error


def _in_eight_bits(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or ("transparency" in image.info and not image.mode.startswith("I")):
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image).astype(np.int64), 0, 65535) >> 8
        return Image.fromarray(grey.astype(np.uint8))
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")
