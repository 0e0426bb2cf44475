from pathlib import Path

import numpy as np
import pytest

from glauke.boxes._annotations import Annotations
from glauke.boxes.clustering._anchors import anchors, anchors_as_dict


def made(sides, *, pictures=None):
    """Boxes of given widths and heights, in pictures of 100 x 100 pixels: all in one, or as `pictures` says."""
    count = len(sides)
    image = np.zeros(count, dtype=np.int64) if pictures is None else np.array(pictures)
    num_pictures = int(image.max()) + 1
    boxes = np.zeros((count, 4))
    boxes[:, 2:] = sides
    return Annotations(
        kind="via2-region",
        path=Path("boxes.json"),
        names=tuple(f"{i}.jpg" for i in range(num_pictures)),
        keys=tuple(f"{i}.jpg1" for i in range(num_pictures)),
        byte_sizes=np.ones(num_pictures, dtype=np.int64),
        widths=np.full(num_pictures, 100),
        heights=np.full(num_pictures, 100),
        image=image,
        region=np.arange(count),
        boxes_xywh=boxes,
        shape=np.zeros(count, dtype=np.int8),
        label=np.zeros(count, dtype=np.int32),
        labels=("boots",),
        class_attribute="class",
    )


def scattered(count):
    rng = np.random.default_rng(0)
    return made(np.exp(rng.normal(3, 0.6, (count, 2))), pictures=rng.integers(0, 8, count))


def test_the_other_pictures_judge_by_hand():
    """Pictures 0 and 2 hold 10 x 10, 1 and 3 hold 10 x 20: each half's anchor shares half of the other's boxes."""
    boxes = made([(10, 10), (10, 20), (10, 10), (10, 20)], pictures=[0, 1, 2, 3])

    found = anchors(boxes, count=1, input_size=100)

    assert found.mean_iou_held_out == pytest.approx(0.5)
    assert anchors_as_dict(found)["mean_iou_held_out"] == pytest.approx(0.5)


def test_halves_are_even_in_all_but_chance():
    found = anchors(scattered(300), count=5)

    assert found.mean_iou_held_out is not None
    assert found.mean_iou - 0.1 < found.mean_iou_held_out < found.mean_iou
    assert found.mean_iou_held_out == anchors(scattered(300), count=5).mean_iou_held_out


@pytest.mark.parametrize(
    ("sides", "pictures", "count"),
    [
        ([(10, 10), (10, 20), (20, 10), (20, 20)], [0, 1, 2, 2], 1),  # three pictures
        ([(10, 10), (10, 20), (20, 10), (20, 20)], [0, 1, 2, 3], 3),  # two sizes in each half
    ],
)
def test_too_few_pictures_or_boxes_hold_nothing_out(sides, pictures, count):
    assert anchors(made(sides, pictures=pictures), count=count).mean_iou_held_out is None


def test_boxes_that_no_anchor_shares_half_with():
    found = anchors(made([(10, 10)] * 9 + [(10, 30)]), count=1, input_size=100)

    assert found.below_half == pytest.approx(0.1)
    assert anchors_as_dict(found)["below_half"] == pytest.approx(0.1)


def test_more_anchors_fit_better_and_the_asked_number_is_among_them():
    found = anchors(scattered(200), count=4, input_size=100, other_counts=True)
    counts, overlaps = zip(*found.iou_by_count, strict=True)

    assert counts == (1, 3, 4, 6, 9, 12, 15)
    assert (np.diff(overlaps) > 0).all()
    assert dict(found.iou_by_count)[4] == found.mean_iou
    assert dict(found.iou_by_count)[9] == pytest.approx(anchors(scattered(200), count=9).mean_iou, abs=0.005)
    assert anchors(scattered(200), count=4).iou_by_count == ()


def test_no_more_anchors_than_different_sizes_are_tried():
    found = anchors(made([(10, 10), (10, 20), (20, 10), (20, 20)]), count=2, other_counts=True)

    assert [count for count, _ in found.iou_by_count] == [1, 2, 3]


def test_anchors_for_a_few_boxes_are_told():
    few = anchors(made([(10, 10)] * 12 + [(50, 50)] * 3), count=2)
    enough = anchors(made([(10, 10)] * 12 + [(50, 50)] * 10), count=2)

    assert (few.boxes_per_anchor, enough.boxes_per_anchor, enough.notes) == (3, 10, ())
    assert few.notes == (
        "1 of 2 anchors stands for fewer than 10 boxes (it has 3): such an anchor follows single boxes; "
        "ask for fewer anchors, or annotate more boxes",
    )
    assert (
        "2 of 2 anchors stand for fewer than 10 boxes (the fewest is 3)"
        in (anchors(made([(10, 10)] * 5 + [(50, 50)] * 3), count=2).notes[0])
    )
