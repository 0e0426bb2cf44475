import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glauke.boxes._annotations import Annotations
from glauke.boxes._pictures import picture_folder
from glauke.boxes._sizes import sizes_from_pictures, with_sizes
from glauke.boxes.clustering._anchors import MOST_LISTED, anchors, anchors_as_dict
from glauke.boxes.formats._columns import annotations_from_via
from glauke.boxes.formats._via_document import recognise_via, via_document
from glauke.errors import DataError, UnknownNameError, UsageError
from glauke.files import read_json


def annotations(
    sides: object, *, labels: object = None, pictures: tuple[tuple[int, int], ...] = ((100, 100),), image: object = None
) -> Annotations:
    """Boxes of given widths and heights, in pictures of given sizes."""
    sides = np.array(sides, np.float64).reshape(-1, 2)
    n = len(sides)
    image = np.zeros(n, np.int64) if image is None else np.array(image, np.int64)
    return Annotations(
        kind="via2-region",
        path=Path("boxes.json"),
        names=tuple(f"{i}.jpg" for i in range(len(pictures))),
        keys=tuple(f"{i}.jpg-1" for i in range(len(pictures))),
        byte_sizes=np.full(len(pictures), -1),
        widths=np.array([w for w, _ in pictures], np.int64),
        heights=np.array([h for _, h in pictures], np.int64),
        image=image,
        region=np.arange(n, dtype=np.int64),
        boxes_xywh=np.concatenate([np.zeros((n, 2)), sides], axis=1),
        shape=np.zeros(n, np.int8),
        label=np.zeros(n, np.int32) if labels is None else np.array(labels, np.int32),
        labels=("hardhat", "vest", "mask"),
        class_attribute="class",
    )


def random_annotations(n: int, *, seed: int = 0) -> Annotations:
    rng = np.random.default_rng(seed)
    pictures = tuple((int(w), int(h)) for w, h in rng.integers(200, 900, (7, 2)))
    return annotations(
        np.exp(rng.normal(3.5, 0.8, (n, 2))).round(1) + 1,
        labels=rng.integers(-1, 3, n),
        pictures=pictures,
        image=rng.integers(0, 7, n),
    )


def test_two_kinds_of_boxes_are_two_anchors():
    boxes = annotations([(10, 20)] * 3 + [(50, 50)], labels=[0, 0, 1, -1])

    found = anchors(boxes, count=2, input_size=(200, 100))

    assert np.allclose(found.sizes, [[20, 20], [100, 50]])
    assert found.counts.tolist() == [3, 1]
    assert (found.mean_iou, found.best_possible_recall) == (pytest.approx(1), 1)
    assert (found.boxes, found.left_out, found.uncovered) == (4, 0, ())
    assert {label: fit.boxes for label, fit in found.by_label.items()} == {"hardhat": 2, "vest": 1}
    assert found.assignment.tolist() == [0, 0, 0, 1]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("resize", "input_size", "picture", "expected"),
    [
        ("stretch", 200, (400, 200), (50, 50)),
        ("letterbox", 200, (400, 200), (50, 25)),
        ("shortest-edge", 200, (400, 200), (50, 25)),
        ("letterbox", (300, 150), (200, 400), (37.5, 18.75)),
        ("shortest-edge", (300, 150), (200, 400), (75, 37.5)),
        ("shortest-edge", (150, 300), (400, 200), (75, 37.5)),
    ],
)
def test_boxes_are_resized_as_the_detector_resizes_pictures(resize, input_size, picture, expected):
    found = anchors(annotations([(100, 50)], pictures=(picture,)), count=1, input_size=input_size, resize=resize)

    assert np.allclose(found.sizes, [expected])


def test_measures_are_those_of_yolo9000_and_yolov5():
    boxes = random_annotations(300)

    found = anchors(boxes, count=5, input_size=640)

    wh = boxes.boxes_xywh[:, 2:] * 640 / np.stack([boxes.widths, boxes.heights], axis=1)[boxes.image]
    shared = np.minimum(wh[:, None], found.sizes).prod(axis=2)
    iou = shared / (wh.prod(axis=1)[:, None] + found.sizes.prod(axis=1) - shared)
    assert found.mean_iou == pytest.approx(iou.max(axis=1).mean())
    assert found.assignment.tolist() == iou.argmax(axis=1).tolist()
    ratio = wh[:, None] / found.sizes
    best = np.minimum(ratio, 1 / ratio).min(axis=2).max(axis=1)
    assert found.best_possible_recall == pytest.approx((best > 1 / 4).mean())
    assert found.num_uncovered == (best <= 1 / 4).sum() > 0
    assert sorted(one.row for one in found.uncovered) == np.flatnonzero(best <= 1 / 4).tolist()
    for i, label in enumerate(boxes.labels):
        rows = boxes.label == i
        fit = found.by_label[label]
        assert fit.boxes == rows.sum()
        assert fit.mean_iou == pytest.approx(iou.max(axis=1)[rows].mean())
        assert fit.recall == pytest.approx((best > 1 / 4)[rows].mean())
    assert found.spread[0] <= found.spread[1] <= found.mean_iou + 1e-9


def test_what_no_anchor_covers_is_named_worst_first():
    boxes = annotations([(20, 20)] * 20 + [(80, 20), (79, 20), (2, 20)], labels=[0] * 20 + [1, 1, -1])

    found = anchors(boxes, count=1, input_size=100)

    assert np.allclose(found.sizes, [[20, 20]], rtol=0.01)
    far, near = found.uncovered
    assert (far.row, far.image, far.region, far.label, far.width, far.height) == (22, "0.jpg", 22, None, 2, 20)
    assert (near.row, near.label, near.ratio) == (20, "vest", pytest.approx(4, rel=0.01))
    assert far.ratio == pytest.approx(10, rel=0.01)
    assert found.by_label["vest"].recall == 0.5


def test_a_list_of_misfits_ends():
    boxes = annotations(np.concatenate([np.full((5000, 2), 10.0), np.full((MOST_LISTED + 5, 2), 90.0)]))

    found = anchors(boxes, count=1, input_size=100)

    assert (found.num_uncovered, len(found.uncovered)) == (MOST_LISTED + 5, MOST_LISTED)


def test_order_of_boxes_does_not_matter():
    boxes = random_annotations(200)
    order = np.random.default_rng(1).permutation(200)
    shuffled = replace(
        boxes,
        image=boxes.image[order],
        boxes_xywh=boxes.boxes_xywh[order],
        label=boxes.label[order],
    )

    assert np.array_equal(anchors(boxes, count=6).sizes, anchors(shuffled, count=6).sizes)


def test_overlap_does_not_depend_on_the_input_size():
    boxes = random_annotations(200)

    small, large = anchors(boxes, input_size=320), anchors(boxes, input_size=(640, 1280))

    assert small.mean_iou == pytest.approx(large.mean_iou)
    assert np.allclose(small.sizes * [2, 4], large.sizes)


def test_regions_without_an_area_have_no_say():
    sides = [(10, 20), (0, 0), (np.nan, 5), (50, 50)]

    found = anchors(annotations(sides), count=2, input_size=100)

    assert (found.boxes, found.left_out, found.rows.tolist()) == (2, 2, [0, 3])


@pytest.mark.parametrize("count", [0, -1, 101])
def test_a_count_that_cannot_be_is_refused(count):
    with pytest.raises(UsageError, match=f"{count} anchors were asked for; 1 to 100"):
        anchors(annotations([(10, 20)]), count=count)


def test_more_anchors_than_boxes_are_refused_with_both_numbers():
    with pytest.raises(UsageError, match="9 anchors were asked for, and the boxes have 2 different sizes"):
        anchors(annotations([(10, 20), (10, 20), (30, 30)]), count=9)


@pytest.mark.parametrize("size", [0, (416, -1), (10**6, 416)])
def test_an_input_size_that_cannot_be_is_refused(size):
    with pytest.raises(UsageError, match="the input size is"):
        anchors(annotations([(10, 20)]), count=1, input_size=size)


def test_unknown_way_to_resize_is_refused():
    with pytest.raises(UnknownNameError, match="'letterbox'"):
        anchors(annotations([(10, 20)]), count=1, resize="leterbox")


def test_no_boxes_are_refused():
    with pytest.raises(DataError, match="no box to find anchors for: none of 1 region encloses anything"):
        anchors(annotations([(0, 0)]), count=1)


def test_pictures_of_unknown_size_are_refused():
    with pytest.raises(DataError, match=r"0\.jpg.*--images"):
        anchors(annotations([(10, 20)], pictures=((0, 0),)), count=1)


def test_json_has_every_measure():
    found = anchors(random_annotations(100), count=3)

    value = json.loads(json.dumps(anchors_as_dict(found), allow_nan=False))

    assert value["input_size"] == [416, 416]
    assert value["count"] == len(value["sizes"]) == len(value["counts"]) == 3
    assert value["mean_iou"] == found.mean_iou
    assert set(value["by_label"]) == {"hardhat", "vest", "mask"}
    assert len(value["uncovered"]) == value["num_uncovered"]


@pytest.mark.parametrize(("count", "published"), [(4, 0.6583), (9, 0.7548)])
def test_overlap_on_real_boxes_is_at_least_that_of_median_clustering(datasets, count, published):
    path = datasets / "ppe" / "via_region_data.json"
    document = read_json(path)
    boxes = annotations_from_via(via_document(document, kind=recognise_via(document), path=path))
    boxes = with_sizes(boxes, sizes_from_pictures(boxes, picture_folder(path.parent)))

    found = anchors(boxes, count=count)

    assert found.boxes == 401
    assert found.mean_iou >= published
    assert found.best_possible_recall > 0.99
