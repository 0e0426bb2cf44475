"""Pixels as a person sees them, whatever mode and turn a file has."""

import warnings

import numpy as np
import pytest
from PIL import Image

from glauke.files import in_eight_bits, quiet_pillow, upright


def test_transparency_is_laid_over_white():
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (255, 0, 0, 255))
    assert np.asarray(in_eight_bits(image)).tolist() == [[[255, 255, 255], [255, 0, 0]]]


def test_sixteen_bit_grey_keeps_its_upper_bits():
    image = Image.fromarray(np.array([[0, 255, 256, 65535]], dtype=np.uint16))
    assert np.asarray(in_eight_bits(image)).tolist() == [[0, 0, 1, 255]]


@pytest.mark.parametrize(("mode", "becomes"), [("1", "L"), ("L", "L"), ("P", "RGB"), ("CMYK", "RGB"), ("RGB", "RGB")])
def test_every_mode_becomes_grey_or_colour(mode, becomes):
    assert in_eight_bits(Image.new(mode, (3, 2))).mode == becomes


def test_grey_and_colour_are_not_copied():
    image = Image.new("RGB", (3, 2))
    assert in_eight_bits(image) is image


@pytest.mark.parametrize("orientation", range(9))
def test_turns_agree_with_pillows_own(orientation):
    from PIL import ImageOps

    image = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    marked = image.copy()
    marked.getexif()[0x0112] = orientation
    wanted = ImageOps.exif_transpose(marked) if orientation else image
    assert np.array_equal(np.asarray(upright(image, orientation=orientation)), np.asarray(wanted))


def test_silence_ends_with_the_block():
    with quiet_pillow():
        warnings.warn("a picture with odd metadata", stacklevel=1)
    with pytest.warns(UserWarning, match="odd"):
        warnings.warn("odd again", stacklevel=1)
