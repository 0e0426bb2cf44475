from pathlib import Path

import numpy as np
import pytest

from glauke.boxes._annotations import Annotations
from glauke.boxes.clustering._anchors import Anchors, anchors
from glauke.boxes.clustering._pyramid import USUAL_RATIOS, best_pyramid, pyramid

STRIDES = (8, 16, 32, 64, 128)


def found(sides: np.ndarray) -> Anchors:
    """One anchor for boxes of these sides, at a size of 1000 pixels that changes nothing."""
    n = len(sides)
    boxes = Annotations(
        kind="coco",
        path=Path("boxes.json"),
        names=("1.jpg",),
        keys=("1",),
        byte_sizes=np.array([-1]),
        widths=np.array([1000]),
        heights=np.array([1000]),
        image=np.zeros(n, np.int64),
        region=np.arange(n),
        boxes_xywh=np.concatenate([np.zeros((n, 2)), sides], axis=1),
        shape=np.zeros(n, np.int8),
        label=np.zeros(n, np.int32),
        labels=("vest",),
        class_attribute=None,
    )
    return anchors(boxes, count=1, input_size=1000)


def test_boxes_of_one_shape_are_met_exactly():
    sides = np.repeat([[32.0, 64.0], [64.0, 128.0]], 5, axis=0)

    best = best_pyramid(found(sides), strides=STRIDES, octaves=1)

    assert best.ratios == (2,)
    assert best.mean_iou > 0.9
    assert [len(level) for level in best.sizes()] == [1] * 5


def test_the_usual_anchors_overlap_as_computed_by_hand():
    # The anchor of 32 pixels and ratio 1 lies within: 32 * 32 / (32 * 64).
    usual = pyramid(found(np.array([[32.0, 64.0]])), strides=(8,), octaves=1, scale=4, ratios=(1.0,))

    assert usual.mean_iou == pytest.approx(0.5)
    assert usual.sizes() == ((32,),)


def test_scales_of_one_octave_double_on_the_next_level():
    usual = pyramid(found(np.array([[32.0, 64.0]])), strides=(8, 16), octaves=3, scale=4, ratios=USUAL_RATIOS)

    first, second = usual.sizes()
    assert first == pytest.approx((32, 40.32, 50.8), abs=0.01)
    assert second == pytest.approx([2 * side for side in first])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("octaves", [1, 3])
def test_never_worse_than_the_usual_ratios_at_their_best_known_scale(seed, octaves):
    rng = np.random.default_rng(seed)
    some = found(np.exp(rng.normal(3 + seed / 2, 0.9, (200, 2))).clip(1, 900))

    best = best_pyramid(some, strides=STRIDES, octaves=octaves)

    usual = pyramid(some, strides=STRIDES, octaves=octaves, scale=4, ratios=USUAL_RATIOS)
    assert best.mean_iou >= usual.mean_iou - 0.001  # scales are rounded to three digits
    assert list(best.ratios) == sorted(best.ratios)
