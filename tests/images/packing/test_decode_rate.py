"""How fast pictures are decoded, measured on made ones."""

import numpy as np
import pytest

from glauke.images import decode, decode_rate
from glauke.images.packing._decode_rate import made_jpegs


def test_the_made_pictures_are_jpegs_like_photographs():
    files = made_jpegs(8, size=64)
    assert len(set(files)) == 8 and all(data.startswith(b"\xff\xd8\xff") for data in files)
    assert all(800 < len(data) < 6000 for data in files)  # those of Tiny ImageNet have 1.9 kB on average
    pixels = np.stack([decode(data, size=64, channels=3) for data in files])
    assert pixels.std() > 30
    assert made_jpegs(8, size=64) == files


@pytest.mark.parametrize("num_workers", [None, 1, 2])
def test_a_rate_is_measured_with_and_without_processes(num_workers):
    assert decode_rate(seconds=0.01, size=16, num_workers=num_workers) > 0
