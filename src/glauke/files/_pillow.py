"""What every reader of pictures needs beside Pillow: its failures, its silence, and pixels as a person sees them."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

PILLOW_FAILURES = (
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
"""What Pillow's readers were seen to raise on files that are damaged or made to harm."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence Pillow's warnings on odd files: whatever matters of them is refused with a reason instead."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def upright(image: Image.Image, *, orientation: int) -> Image.Image:
    """Turn a picture by its EXIF orientation (Exif 2.32, section 4.6.4, tag 274); what is not 2 to 8 turns nothing."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def in_eight_bits(image: Image.Image) -> Image.Image:
    """Bring a picture of any mode to 8 bits of grey ("L") or colour ("RGB").

    Transparency is laid over white, and 16-bit grey keeps its upper 8 bits, where Pillow's own conversion cuts it off.
    """
    if image.mode in ("RGBA", "LA", "PA") or ("transparency" in image.info and not image.mode.startswith("I")):
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image).astype(np.int64), 0, 65535) >> 8
        return Image.fromarray(grey.astype(np.uint8))
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")
