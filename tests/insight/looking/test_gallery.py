"""Pictures for a page keep their pixels while they are small, and fit together however many they are."""

import io
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from glauke.errors import UsageError
from glauke.insight import image_files, plots
from glauke.insight.looking._gallery import as_image, contact_sheet

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def noise(side: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, channels), dtype=np.uint8)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_picture_comes_back_pixel_by_pixel(channels):
    picture = noise(64, channels)
    (file,) = image_files([picture])

    assert opened(file).format == "PNG"
    assert np.array_equal(np.asarray(opened(file)).reshape(picture.shape), picture)


def test_a_large_picture_is_a_smaller_jpeg():
    (file,) = image_files([noise(400)])

    assert opened(file).format == "JPEG"
    assert opened(file).size == (256, 256)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([8, 60, 120]), min_size=1, max_size=4), st.integers(6_000, 60_000))
def test_all_fit_into_the_budget_where_they_can(sides, budget):
    files = image_files([noise(side) for side in sides], budget=budget)

    assert len(files) == len(sides)
    smallest = sum(map(len, image_files([noise(side) for side in sides], budget=0)))
    assert sum(map(len, files)) <= max(budget, smallest)


def test_too_many_small_pictures_become_jpeg():
    files = image_files([noise(64, seed=i) for i in range(5)], budget=20_000)

    assert {opened(file).format for file in files} == {"JPEG"}
    assert {opened(file).size for file in files} == {(64, 64)}


def test_a_picture_is_not_written_to():
    picture = noise(300)
    before = picture.copy()
    image_files([picture], budget=1)
    contact_sheet([(picture, ("a",))], font=FONT)

    assert np.array_equal(picture, before)


def test_two_channels_are_no_picture():
    with pytest.raises(UsageError, match="1 or 3 channels to be shown, not 2"):
        as_image(noise(8, 2))


def test_a_sheet_shows_small_pixels_as_squares():
    red = np.zeros((10, 10, 3), np.uint8)
    red[:5, :, 0] = 255
    sheet = np.asarray(opened(contact_sheet([(red, ("cat 90%", "label: dog"))], font=FONT)).convert("RGB")).astype(int)

    inside = np.flatnonzero((sheet[:, 80] == (255, 0, 0)).all(axis=1))
    assert len(inside) == 5 * (148 // 10)  # every pixel is 14 by 14, none is mixed


def test_a_sheet_grows_by_rows_and_long_words_are_cut():
    one = opened(contact_sheet([(noise(8), ("word " * 50,))], font=FONT)).size
    seven = opened(contact_sheet([(noise(8), ("a\x1b\u202e", "b"))] * 7, font=FONT)).size

    assert one[0] < 200
    assert seven[0] > 5 * one[0] and seven[1] > 2 * one[1]


def test_a_sheet_needs_a_picture():
    with pytest.raises(UsageError, match="at least one picture"):
        plots.gallery_sheet([])
