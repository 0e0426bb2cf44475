"""What is worth telling about columns of annotations: counts per picture, extremes, examples."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from .._annotations import SHAPES, Annotations


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summary:
    """Counts and the regions that serve as examples."""

    per_picture: Int[np.ndarray, " pictures"]
    """Regions in each picture."""

    bare: Int[np.ndarray, " bare"]
    """Pictures without regions."""

    busiest: int | None
    """The picture with most regions."""

    example: int | None
    """The region that explanations take apart: the first labelled rectangle, else whatever encloses something."""

    twins: tuple[int, int] | None
    """The first two regions of one picture with the same label; such with boxes, if there are any."""

    twin_pictures: int
    """In how many pictures a label occurs more than once."""

    smallest: int | None
    median: int | None
    """The box in the middle when all are sorted by area (the lower of two)."""
    largest: int | None

    label_pictures: Int[np.ndarray, " labels"]
    """In how many pictures each label occurs."""


def summarise(annotations: Annotations) -> Summary:
    """Count and choose examples; quick for millions of regions."""
    a = annotations
    per_picture = np.bincount(a.image, minlength=len(a.names))
    smallest, median, largest = _by_area(a)
    twin_pictures, label_pictures = _label_pictures(a)
    return Summary(
        per_picture=per_picture,
        bare=np.flatnonzero(per_picture == 0),
        busiest=int(per_picture.argmax()) if len(a) else None,
        example=_example(a),
        twins=_twins(a),
        twin_pictures=twin_pictures,
        smallest=smallest,
        median=median,
        largest=largest,
        label_pictures=label_pictures,
    )


def labels_in(annotations: Annotations, picture: int) -> dict[str, int]:
    """How often each label occurs in a picture, commonest first; unlabelled regions under "(no label)"."""
    codes = annotations.label[annotations.image == picture].tolist()
    return dict(Counter(annotations.labels[c] if c >= 0 else "(no label)" for c in codes).most_common())


def areas(annotations: Annotations) -> Float[np.ndarray, " regions"]:
    """Width times height of every region, NaN where there is no box."""
    with np.errstate(over="ignore"):
        return annotations.boxes_xywh[:, 2] * annotations.boxes_xywh[:, 3]


def _example(a: Annotations) -> int | None:
    encloses = a.encloses
    rectangle = a.shape == SHAPES.index("rect")
    for rows in (encloses & rectangle & (a.label >= 0), encloses & rectangle, encloses):
        if rows.any():
            return int(rows.argmax())
    return None


def _by_area(a: Annotations) -> tuple[int | None, int | None, int | None]:
    rows = np.flatnonzero(a.encloses)
    if not len(rows):
        return None, None, None
    rows = rows[np.argsort(areas(a)[rows], kind="stable")]
    weight = np.ones(len(rows), dtype=np.int64) if a.weight is None else a.weight[rows]
    passed = np.cumsum(weight)
    middle = int(np.searchsorted(passed, (passed[-1] + 1) // 2))
    return int(rows[0]), int(rows[min(middle, len(rows) - 1)]), int(rows[-1])


def _label_pictures(a: Annotations) -> tuple[int, Int[np.ndarray, " labels"]]:
    """In how many pictures some label occurs more than once, and in how many each label occurs."""
    if not len(a.labels):
        return 0, np.zeros(0, dtype=np.int64)
    pairs, counts = np.unique(_pairs(a)[a.label >= 0], return_counts=True)
    label_pictures = np.bincount(pairs % len(a.labels), minlength=len(a.labels))
    return len(np.unique(pairs[counts > 1] // len(a.labels))), label_pictures


def _twins(a: Annotations) -> tuple[int, int] | None:
    labelled = a.label >= 0
    boxed = labelled & np.isfinite(a.boxes_xywh).all(axis=1)
    return _first_twins(a, np.flatnonzero(boxed)) or _first_twins(a, np.flatnonzero(labelled))


def _first_twins(a: Annotations, rows: Int[np.ndarray, " some"]) -> tuple[int, int] | None:
    pair = _pairs(a)[rows]
    order = np.argsort(pair, kind="stable")
    again = 1 + np.flatnonzero(pair[order[1:]] == pair[order[:-1]])
    if not len(again):
        return None
    second = again[np.argmin(rows[order[again]])]
    return int(rows[order[second - 1]]), int(rows[order[second]])


def _pairs(a: Annotations) -> Int[np.ndarray, " regions"]:
    """One number for picture and label of each region; that of a region without a label says nothing."""
    return a.image.astype(np.int64) * len(a.labels) + a.label
