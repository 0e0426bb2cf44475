"""A picture file becomes pixels as a person sees them."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from glauke.errors import DataError
from glauke.files import PILLOW_FAILURES, in_eight_bits, quiet_pillow, upright

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")


def upright_picture(path: Path, *, turn: int = 1) -> Image.Image:
    """Decode a picture to 8 bits of grey or RGB, turned by the EXIF orientation `turn`, 1 (upright) to 8.

    Transparency is laid over white, 16-bit grey keeps its upper 8 bits, and an animation gives its first frame.

    Raises:
        DataError: it is no picture, is damaged, or has more than 179 million pixels; with the reason.
    """
    try:
        data = path.read_bytes()
        with quiet_pillow():
            image = Image.open(BytesIO(data), formats=FORMATS)
            image.load()
            # Pillow turns a TIFF itself.
            return in_eight_bits(image if image.format == "TIFF" else upright(image, orientation=turn))
    except PILLOW_FAILURES as error:
        raise DataError(str(error).strip() or type(error).__name__, place=str(path)) from error
