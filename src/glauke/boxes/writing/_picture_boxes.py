"""The regions of each picture together, as every format but a table wants them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from glauke.errors import DataError

from .._annotations import Annotations

Number = int | float
PictureBoxes = list[tuple[Number, Number, Number, Number, int]]
"""x, y, width, height and the index of the label (-1: none) of each region."""


def picture_boxes(annotations: Annotations) -> Iterator[tuple[int, PictureBoxes]]:
    """Index and regions of every picture, also of those without any, in the order of the document."""
    order = np.argsort(annotations.image, kind="stable")
    ends = np.cumsum(np.bincount(annotations.image, minlength=len(annotations.names))).tolist()
    boxes = [[plain(v) for v in box] for box in annotations.boxes_xywh[order].tolist()]
    labels = annotations.label[order].tolist()
    start = 0
    for i, end in enumerate(ends):
        yield i, [(*boxes[row], labels[row]) for row in range(start, end)]  # type: ignore[misc]
        start = end


def require_pictures(annotations: Annotations) -> None:
    """Refuse a table of counts."""
    if annotations.kind == "table":
        raise DataError(
            "a table of counts has no pictures that boxes could be written for",
            place=str(annotations.path),
            fix="give the annotations that the table was made from",
        )


def only_rows(annotations: Annotations, rows: Bool[np.ndarray, " regions"]) -> Annotations:
    """The regions that `rows` is true for; their numbers within the pictures stay as in the document."""
    return replace(
        annotations,
        image=annotations.image[rows],
        region=annotations.region[rows],
        boxes_xywh=annotations.boxes_xywh[rows],
        shape=annotations.shape[rows],
        label=annotations.label[rows],
        weight=None if annotations.weight is None else annotations.weight[rows],
        lines=None if annotations.lines is None else annotations.lines[rows],
    )


def plain(value: float | int) -> Number:
    """An int where nothing is lost by it, as VIA itself writes; floats otherwise read back exactly.

    >>> plain(12.0), plain(12.5), plain(-0.0)
    (12, 12.5, 0)
    """
    return int(value) if abs(value) < 2**53 and value == int(value) else value
