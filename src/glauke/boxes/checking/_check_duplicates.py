"""Regions that were drawn, pasted or imported twice."""

from itertools import repeat

import numpy as np
from jaxtyping import Bool, Float, Int

from .._annotations import Annotations
from .._wording import quoted
from ._check_boxes import has_area
from ._near_boxes import near_boxes, overlap
from ._placed import Placed, of_rows

NEAR_IOU = 0.9
"""Overlap from which two boxes of one picture are taken for one object."""


def check_duplicates(
    annotations: Annotations,
    *,
    boxes_xywh: Float[np.ndarray, "regions 4"],
    label: Int[np.ndarray, " regions"],
    gone: Bool[np.ndarray, " regions"],
    skip: set[int],
) -> list[Placed]:
    """Find regions whose box another one of the picture has too, or nearly.

    `boxes_xywh` and `label` are those after mending, and `gone` says which regions will be set aside for something
    else: such a one never makes a sound region a duplicate. Regions of `skip` were found by the reader.
    """
    finite = np.isfinite(boxes_xywh).all(axis=1)
    # Of lines nothing is known but the box around them, and two diagonals share one.
    rows = np.flatnonzero(finite & (has_area(annotations) | (boxes_xywh[:, 2:] == 0).all(axis=1)))
    if skip:
        rows = rows[~np.isin(rows, list(skip))]
    first = _equal(annotations, rows, boxes_xywh, label, gone)
    again = first != rows
    rows, same, copied = rows[again], first[again], rows[~again]
    found = [
        of_rows(
            annotations,
            rows,
            rule="duplicate",
            severity="warning",
            messages=[
                f"the same box and label ({_said(text)}) as region {region}"
                for region, text in zip(annotations.region[same].tolist(), _labels(annotations, rows), strict=True)
            ],
            fixes=repeat("delete one of the two"),
            whats=repeat("drop-region"),
        )
    ]
    solid = copied[(boxes_xywh[copied, 2:] > 0).all(axis=1)]
    near = near_boxes(boxes_xywh[solid], group=annotations.image[solid], unwanted=gone[solid], least_iou=NEAR_IOU)
    late = np.flatnonzero(near >= 0)
    found.append(_near(annotations, solid[late], solid[near[late]], boxes_xywh))
    return found


def _equal(
    annotations: Annotations, rows: np.ndarray, boxes: np.ndarray, label: np.ndarray, gone: np.ndarray
) -> Int[np.ndarray, " n"]:
    """For each of `rows` the first row with the same picture, shape, label and box, sound ones before others."""
    first = rows.copy()
    # Numbers that are equal for equal regions leave few to be compared in earnest.
    mixed = annotations.image[rows] * 1_000_003 + label[rows] * 8191 + annotations.shape[rows]
    with np.errstate(over="ignore"):
        for column in (boxes[rows] + 0.0).T:  # -0.0 is 0.0
            mixed = mixed * 6364136223846793005 + np.ascontiguousarray(column).view(np.int64)
            mixed ^= mixed >> 29
    order = np.argsort(mixed, kind="stable")
    twin = np.zeros(len(rows), np.bool_)
    equal = mixed[order][1:] == mixed[order][:-1]
    twin[order[1:][equal]] = twin[order[:-1][equal]] = True
    at = np.flatnonzero(twin)
    some = rows[at]
    columns = (some, gone[some], *(boxes[some] + 0.0).T, annotations.shape[some], label[some], annotations.image[some])
    order = np.lexsort(columns)
    same = np.ones(max(len(some) - 1, 0), np.bool_)
    for column in columns[2:]:
        same &= column[order][1:] == column[order][:-1]
    starts = np.concatenate(([True], ~same)) if len(some) else np.zeros(0, np.bool_)
    leader = np.flatnonzero(starts)[np.cumsum(starts) - 1]
    first[at[order]] = some[order[leader]]
    return first


def _near(annotations: Annotations, rows: np.ndarray, others: np.ndarray, boxes: np.ndarray) -> Placed:
    columns = zip(
        annotations.region[others].tolist(),
        overlap(boxes[rows], boxes[others]).tolist(),
        _labels(annotations, rows),
        _labels(annotations, others),
        strict=True,
    )
    return of_rows(
        annotations,
        rows,
        rule="near-duplicate",
        severity="warning",
        messages=[
            f"overlaps region {region} by IoU {iou:.2f}, and "
            + (f"both are {_said(mine)}" if mine == other else f"is {_said(mine)}, while that is {_said(other)}")
            for region, iou, mine, other in columns
        ],
        fixes=repeat("delete the worse one of the two"),
        whats=repeat("drop-region"),
    )


def _labels(annotations: Annotations, rows: np.ndarray) -> list[str | None]:
    texts = [*annotations.labels, None]
    return [texts[i] for i in annotations.label[rows].tolist()]


def _said(label: str | None) -> str:
    return "unlabelled" if label is None else quoted(label)
