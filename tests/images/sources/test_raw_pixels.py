"""Pixels go into a file and come out of it unchanged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glauke.images.packing._decode import decode
from glauke.images.sources._raw_pixels import as_file

SHAPES = st.integers(1, 9).flatmap(lambda side: st.sampled_from([(side, side), (side, side, 3)]))


@given(arrays.arrays(np.uint8, SHAPES))
def test_every_pixel_comes_back(pixels):
    channels = 1 if pixels.ndim == 2 else 3
    again = decode(as_file(pixels), size=len(pixels), channels=channels)
    assert np.array_equal(again, pixels.reshape(*pixels.shape[:2], channels))


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3)])
def test_a_view_with_strides_of_its_own_comes_back_too(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)[::-1]
    again = decode(as_file(pixels), size=shape[0], channels=1 if len(shape) == 2 else 3)
    assert np.array_equal(again.squeeze(), pixels)
