"""Annotations made for the tests of clusters."""

from pathlib import Path

import numpy as np

from glauke.boxes._annotations import Annotations


def made(sides, labels=None, *, weight=None):
    """Boxes in one picture of 100 x 100; a label of None is none."""
    count = len(sides)
    labels = ["boots"] * count if labels is None else labels
    names = tuple(sorted({label for label in labels if label is not None}))
    boxes = np.zeros((count, 4))
    boxes[:, 2:] = np.array(sides, dtype=np.float64).reshape(-1, 2)
    return Annotations(
        kind="via2-region",
        path=Path("boxes.json"),
        names=("a.jpg",),
        keys=("a.jpg1",),
        byte_sizes=np.array([1]),
        widths=np.array([100]),
        heights=np.array([100]),
        image=np.zeros(count, dtype=np.int64),
        region=np.arange(count),
        boxes_xywh=boxes,
        shape=np.zeros(count, dtype=np.int8),
        label=np.array([-1 if label is None else names.index(label) for label in labels], dtype=np.int32),
        labels=names,
        class_attribute="class",
        weight=None if weight is None else np.array(weight, dtype=np.int64),
    )
