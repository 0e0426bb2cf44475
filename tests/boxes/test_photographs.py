"""Pictures with their boxes, and contact sheets: pictures as they are seen, names that cover no other."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glauke.boxes import Annotations, picture_folder, plots
from glauke.boxes._photographs import _free_place


def made(boxes: np.ndarray, *, names: tuple[str, ...], sizes: list[tuple[int, int]], image: np.ndarray, **changes):
    """Regions in pictures of these names, widths and heights."""
    value = Annotations(
        kind="via2-region",
        path=Path("boxes.json"),
        names=names,
        keys=names,
        byte_sizes=np.full(len(names), -1),
        widths=np.array([width for width, _ in sizes]),
        heights=np.array([height for _, height in sizes]),
        image=image,
        region=np.arange(len(boxes)),
        boxes_xywh=boxes,
        shape=np.zeros(len(boxes), np.int8),
        label=np.zeros(len(boxes), np.int32),
        labels=("hardhat", "$\\vest <b>"),
        class_attribute="class",
    )
    return replace(value, **changes)


RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A picture that is stored lying on its side, one that is upright, and one that is damaged."""
    upright = Image.new("RGB", (120, 200), "white")
    upright.paste(RED, (10, 120, 50, 160))
    turned = upright.transpose(Image.Transpose.ROTATE_90)  # to be turned back by 90 degrees clockwise: orientation 6
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    plain = Image.new("RGB", (100, 80), "white")
    plain.paste(BLUE, (20, 20, 60, 60))
    plain.save(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])
    return tmp_path


def in_pictures(boxes: list[tuple[int, float, float, float, float, int]]) -> Annotations:
    """Rows of (picture, x, y, width, height, label) in a.jpg, b.png, c.png and one that is missing."""
    rows = np.array(boxes, np.float64)
    return made(
        rows[:, 1:5],
        names=("a.jpg", "b.png", "c.png", "missing.png"),
        sizes=[(120, 200), (100, 80), (100, 80), (100, 80)],
        image=rows[:, 0].astype(np.int64),
        label=rows[:, 5].astype(np.int32),
    )


def opened(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).astype(int)


BOXES = [
    (0, 10, 120, 40, 40, 0),
    (1, 20, 20, 40, 40, 1),
    (1, -1e12, -50, 3e12, 1e9, -1),
    (1, 500, 500, 10, 10, 1),
    (2, 1, 1, 9, 9, 0),
    (3, 1, 1, 9, 9, 0),
]


def test_boxes_are_drawn_on_pictures_as_they_are_seen(folder):
    photographs = plots.photographs(in_pictures(BOXES), picture_folder(folder))

    assert [caption for caption, _ in photographs] == [
        "b.png: 3 regions, $\\vest <b> (2), (no label) (1).",
        "a.jpg: 1 region, hardhat (1).",
    ]
    turned = opened(photographs[1][1])
    assert turned.shape == (200, 120, 3)
    assert np.abs(turned[150, 30] - RED).max() < 30  # still red inside
    assert np.abs(turned[135, 10] - (0, 0x72, 0xB2)).max() < 60  # and outlined


def test_the_fullest_and_the_first_pictures_are_shown(tmp_path):
    for i in range(12):
        Image.new("RGB", (40, 30)).save(tmp_path / f"{i:02d}.png")
    names = tuple(f"{i:02d}.png" for i in range(12))
    image = np.array([*range(12), 9, 9, 11, 11, 11, 10])
    boxes = np.full((len(image), 4), 5.0)
    annotations = made(boxes, names=names, sizes=[(40, 30)] * 12, image=image)
    captions = [caption[:2] for caption, _ in plots.photographs(annotations, picture_folder(tmp_path))]

    assert captions == ["11", "09", "10", "00", "01", "02"]


def test_names_of_boxes_cover_no_other_name():
    """Two boxes with the same left upper corner, and one right above them."""
    place = _free_place((40.0, 40.0, 90.0, 90.0), (20.0, 10.0), within=(200, 200), tags=[], boxes=[])
    second = _free_place((40.0, 40.0, 80.0, 80.0), (20.0, 10.0), within=(200, 200), tags=[place], boxes=[])
    below_another = _free_place(
        (40.0, 40.0, 90.0, 90.0), (20.0, 10.0), within=(200, 200), tags=[], boxes=[(30.0, 0.0, 100.0, 39.0)]
    )
    whole = _free_place((0.0, 0.0, 200.0, 200.0), (20.0, 10.0), within=(200, 200), tags=[], boxes=[])

    assert place == (40, 30, 60, 40)  # above, from the left edge on
    assert second[0] >= 60 or second[1] >= 40
    assert below_another == (40, 90, 60, 100)
    assert min(whole) >= 0 and whole[2] <= 200 and whole[3] <= 200


def test_a_contact_sheet_has_the_crops_of_its_label(folder):
    (first, sheet), (second, other) = plots.contact_sheets(in_pictures(BOXES), picture_folder(folder))

    assert (first, second) == ("hardhat: 1 of 3 boxes.", "$\\vest <b>: 1 of 2 boxes.")
    assert np.abs(opened(sheet)[80, 80] - RED).max() < 40
    assert np.abs(opened(other)[80, 80] - BLUE).max() < 40
    assert opened(sheet).shape == opened(other).shape  # as wide as one of many, so that crops are of one scale


def test_a_sheet_of_too_many_takes_them_through_the_file(folder):
    annotations = in_pictures([(1, 20 + i % 9, 20, 30, 30, 0) for i in range(200)])
    ((caption, sheet),) = plots.contact_sheets(annotations, picture_folder(folder))

    assert caption == "hardhat: 60 of 200 boxes, evenly through the file."
    assert len(sheet) < 500_000


def test_without_a_picture_there_is_nothing_to_show(tmp_path):
    (tmp_path / "other.png").write_bytes(b"no picture")

    assert plots.photographs(in_pictures(BOXES), picture_folder(tmp_path)) == ()
    assert plots.contact_sheets(in_pictures(BOXES), picture_folder(tmp_path)) == ()
