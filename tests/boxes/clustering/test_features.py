from pathlib import Path

import numpy as np
import pytest

from glauke.boxes._annotations import Annotations
from glauke.boxes.clustering._features import FEATURES, features
from glauke.errors import DataError, UnknownNameError

SIDES = [(20, 10), (10, 20), (np.nan, 5), (0, 7), (30, 30)]


def made(sides=SIDES, *, pictures=((100, 50), (60, 60)), kind="via2-region", weight=None):
    """Boxes in turn in the pictures, at the origin."""
    count = len(sides)
    boxes = np.zeros((count, 4))
    boxes[:, 2:] = np.array(sides, dtype=np.float64).reshape(-1, 2)
    sizes = np.array(pictures, dtype=np.int64)
    return Annotations(
        kind=kind,
        path=Path("boxes.json"),
        names=tuple(f"{i}.jpg" for i in range(len(pictures))),
        keys=tuple(str(i) for i in range(len(pictures))),
        byte_sizes=np.full(len(pictures), -1),
        widths=sizes[:, 0],
        heights=sizes[:, 1],
        image=np.arange(count) % len(pictures),
        region=np.arange(count) // len(pictures),
        boxes_xywh=boxes,
        shape=np.zeros(count, dtype=np.int8),
        label=np.zeros(count, dtype=np.int32),
        labels=("boots",),
        class_attribute="class",
        weight=None if weight is None else np.array(weight, dtype=np.int64),
    )


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("aspect-ratio", [[2.0], [0.5], [1.0]]),
        ("log-aspect-ratio", [[np.log(2)], [-np.log(2)], [0.0]]),
        ("relative-size", [[20 / 100, 10 / 50], [10 / 60, 20 / 60], [30 / 100, 30 / 50]]),
    ],
)
def test_regions_that_enclose_nothing_are_left_out(feature, expected):
    found = features(made(), feature=feature)

    assert found.values == pytest.approx(np.array(expected))
    assert found.rows.tolist() == [0, 1, 4]
    assert found.weights.tolist() == [1, 1, 1]
    assert (found.boxes, found.left_out) == (3, 2)


def test_counts_are_weights():
    found = features(made(kind="table", weight=[5, 2, 7, 1, 10**12]), feature="aspect-ratio")

    assert found.weights.tolist() == [5, 2, 10**12]
    assert (found.boxes, found.left_out) == (10**12 + 7, 8)


@pytest.mark.parametrize("sides", [(1e300, 1e-300), (1e-300, 1e300), (1e12, 1.0)])
def test_absurd_boxes_are_left_out(sides):
    for feature in FEATURES:
        found = features(made([sides, (2, 1)]), feature=feature)

        assert (len(found.values), found.left_out) == (1, 1)


def test_relative_sizes_need_the_size_of_every_picture_with_boxes():
    pictures = ((10, 10), (0, 10), (10, 0), (0, 0))
    with pytest.raises(DataError) as refused:
        features(made(pictures=pictures), feature="relative-size")

    assert str(refused.value) == (
        'boxes.json: the width and height of 1 of 2 pictures with boxes are not known, first of "1.jpg"; give the '
        "folder of the pictures with --images, or a CSV of filename,width,height with --sizes; if you did, "
        "`glauke boxes check` with the same options lists the pictures that are missing or damaged"
    )
    with pytest.raises(DataError, match=r'of 3 of 4 pictures with boxes are not known, first of "1.jpg"'):
        features(made([(1, 1)] * 4, pictures=pictures), feature="relative-size")
    # Ratios need none.
    assert len(features(made(pictures=pictures), feature="aspect-ratio").values) == 3


def test_a_count_table_has_no_relative_sizes():
    with pytest.raises(DataError, match="count table"):
        features(made(kind="table"), feature="relative-size")


def test_no_boxes_no_values():
    found = features(made([(0, 1)]), feature="relative-size")

    assert found.values.shape == (0, 2)
    assert (found.boxes, found.left_out) == (0, 1)


def test_an_unknown_feature_is_refused():
    with pytest.raises(UnknownNameError, match="aspect-ratio"):
        features(made(), feature="aspect")
