"""Anchors: the few box sizes from which a detector starts, chosen so that every box overlaps one of them well."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Int

from glauke.errors import DataError, UnknownNameError, UsageError

from .._annotations import Annotations
from .._wording import counted
from ._anchor_fit import doubts_about_anchors, fit, held_out, overlap_by_count
from ._distinct import distinct
from ._features import Features, features
from ._plane import kmeans
from ._unread import unread

Resize = Literal["stretch", "letterbox", "shortest-edge"]
RESIZES: Mapping[Resize, str] = {
    "stretch": "pictures are stretched to the input size",
    "letterbox": "pictures keep their shape and are padded to the input size",
    "shortest-edge": "pictures keep their shape; the input size bounds their shorter and their longer side",
}
"""How a detector brings a picture to its input size, in words.

- "stretch": width and height each by their own factor, as darknet trains YOLOv2, v3 and v4.
- "letterbox": both by the factor at which the picture fits into the input size, the rest is grey, as YOLOv5 and v7.
- "shortest-edge": both by the factor at which the longer side fits the larger number and the shorter one the smaller,
  portrait or landscape, as MMDetection (`keep_ratio=True`) and torchvision. With a square input the same as letterbox.
"""

COVERED = 4.0
"""A box is covered if neither side is this many times that of an anchor, or less than its inverse: YOLOv5's `anchor_t`,
by which it gives boxes to anchors in training. Boxes that no anchor covers are never learned."""

MOST_ANCHORS = 100
MOST_LISTED = 1_000
"""So many of the boxes that no anchor covers are listed, the worst first."""

_LARGEST_INPUT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFit:
    """How well the anchors fit the boxes of one label."""

    boxes: int
    mean_iou: float
    recall: float
    """Share of the boxes that some anchor covers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """A box that no anchor covers."""

    row: int
    """In the columns of `Annotations`."""
    image: str
    region: int
    label: str | None
    width: float
    """At the input size, in pixels; as is the height."""
    height: float
    ratio: float
    """How many times a side of the box is that of the nearest anchor, or the other way round; at least `COVERED`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anchors:
    """Box sizes in pixels at the input size of a detector, and how well they fit."""

    sizes: Float[np.ndarray, "k 2"]
    """Width and height of each anchor in pixels at the input size, smallest area first, not rounded."""

    counts: Int[np.ndarray, " k"]
    """How many boxes overlap each anchor most, int64."""

    input_size: tuple[int, int]
    """Width and height of the detector's input in pixels."""

    resize: Resize

    mean_iou: float
    """IoU of a box with the anchor that it overlaps most, centres aligned, on average over all boxes."""

    spread: tuple[float, float]
    """Mean IoU of the worst and of the best start before the best was improved: what one run by itself may give."""

    best_possible_recall: float
    """Share of boxes that some anchor covers, as YOLOv5 defines it: its largest ratio of sides is below 4."""

    by_label: Mapping[str, LabelFit]
    """Commonest label first; boxes without a label count in the totals only."""

    num_uncovered: int
    uncovered: tuple[Uncovered, ...]
    """The boxes that no anchor covers, worst first, at most `MOST_LISTED`."""

    boxes: int
    left_out: int
    """Regions that enclose nothing, which have no say."""

    labels: tuple[str, ...]
    """All classes that a detector would tell apart, in the order of the annotations."""

    points: Float[np.ndarray, "n 2"]
    """Width and height of each box at the input size, in pixels."""

    rows: Int[np.ndarray, " n"]
    """The row of `Annotations` of each."""

    assignment: Int[np.ndarray, " n"]
    """The anchor that each overlaps most."""

    below_half: float
    """Share of boxes whose IoU is below 0.5 with every anchor: half of the box or of the anchor is not shared."""

    mean_iou_held_out: float | None
    """Mean IoU on pictures that had no part in the search: anchors from every other picture, by name, are judged on the
    rest, both ways. They come from half of the boxes, so it errs on the low side; pictures that show nearly the same
    make it too high. None for fewer than 4 pictures with boxes, or a half with fewer different sizes than anchors."""

    iou_by_count: tuple[tuple[int, float], ...] = ()
    """Number of anchors and mean IoU for each of `COUNTS` that the boxes have different sizes for, and for the number
    that was asked for; empty unless `other_counts` was asked for."""

    notes: tuple[str, ...] = ()
    """What is doubtful about these anchors, in sentences."""

    @property
    def boxes_per_anchor(self) -> int:
        """The fewest boxes that any anchor stands for."""
        return int(self.counts.min())

    def __len__(self) -> int:
        """Number of anchors."""
        return len(self.sizes)

    def __repr__(self) -> str:
        """In one line; the numbers are in the fields."""
        from .._cards import anchors_line

        return f"Anchors({anchors_line(self)})"

    def _repr_html_(self) -> str:
        from .._cards import anchors_card

        return anchors_card(self)


def anchors(
    annotations: Annotations,
    *,
    count: int = 9,
    input_size: int | tuple[int, int] = 416,
    resize: str = "stretch",
    seed: int = 0,
    other_counts: bool = False,
) -> Anchors:
    """Find `count` box sizes that the boxes of the annotations overlap as well as possible, on average.

    Boxes become pixels at the input size as the detector itself resizes pictures; its augmentation is not imitated.
    The search is `kmeans` by overlap. `RESIZES` says what the three ways to resize are, and `resize_of` which detector
    has which.

    Args:
        annotations: With the size of every picture that has boxes.
        count: How many anchors, 1 to 100; YOLOv2 has 5, YOLOv3 to v7 have 9.
        input_size: Side of a square, or width and height.
        resize: "stretch", "letterbox" or "shortest-edge".
        seed: Of the starts.
        other_counts: Also find what fewer and more anchors give, as `Anchors.iou_by_count`.

    Raises:
        UnknownNameError: there is no such way to resize.
        UsageError: a count or a size that cannot be, or more anchors than different boxes.
        DataError: there are no boxes, or the size of a picture with boxes is not known.
    """
    if resize not in get_args(Resize):
        raise UnknownNameError(resize, kind="way to resize", known=get_args(Resize))
    size = input_size_of(input_size, count=count)
    found = features(annotations, feature="relative-size")
    if not found.boxes:
        none = f"none of {counted(annotations.num_boxes(), 'region')} encloses anything"
        raise DataError(
            f"there is no box to find anchors for: {none if annotations.num_boxes() else 'the file has no regions'}",
            place=_place(annotations),
        )
    points = _at_input_size(annotations, found, size, resize)
    different = len(distinct(points, found.weights)[0])
    if count > different:
        raise UsageError(
            f"{count} anchors were asked for, and the boxes have {counted(different, 'different size')}",
            place="--count",
            fix=f"ask for at most {different}, or annotate more boxes",
        )
    clusters = kmeans(points, k=count, weights=found.weights, distance="iou", seed=seed)
    overlap, ratio = fit(points, clusters.centers)
    total = float(found.weights.sum())
    counts = np.rint(clusters.counts).astype(np.int64)
    mean_iou = float(found.weights @ overlap) / total
    open_rows = np.flatnonzero(ratio >= COVERED)
    return Anchors(
        sizes=clusters.centers,
        counts=counts,
        input_size=size,
        resize=resize,  # type: ignore[arg-type]  # it is one of them, as the door has seen
        mean_iou=mean_iou,
        spread=(1 - clusters.spread[0] / total, 1 - clusters.spread[1] / total),
        best_possible_recall=float(found.weights @ (ratio < COVERED)) / total,
        by_label=_by_label(annotations, found, overlap, ratio),
        num_uncovered=int(found.weights[open_rows].sum()),
        uncovered=_uncovered(annotations, found, points, ratio),
        boxes=found.boxes,
        left_out=found.left_out,
        labels=annotations.labels,
        points=points,
        rows=found.rows,
        assignment=clusters.assignment,
        below_half=float(found.weights @ (overlap < 0.5)) / total,
        mean_iou_held_out=held_out(annotations, found, points, count=count, seed=seed),
        iou_by_count=overlap_by_count(points, found.weights, known=(count, mean_iou), seed=seed)
        if other_counts
        else (),
        notes=(*unread(annotations), *doubts_about_anchors(counts)),
    )


def anchors_as_dict(anchors: Anchors) -> dict[str, object]:
    """Everything but the single boxes, as plain values for JSON."""
    return {
        "count": len(anchors),
        "input_size": list(anchors.input_size),
        "resize": anchors.resize,
        "sizes": anchors.sizes.tolist(),
        "counts": anchors.counts.tolist(),
        "mean_iou": anchors.mean_iou,
        "mean_iou_held_out": anchors.mean_iou_held_out,
        "mean_iou_of_starts": list(anchors.spread),
        "below_half": anchors.below_half,
        "best_possible_recall": anchors.best_possible_recall,
        "boxes": anchors.boxes,
        "left_out": anchors.left_out,
        "labels": list(anchors.labels),
        "by_label": {
            label: {"boxes": fit.boxes, "mean_iou": fit.mean_iou, "recall": fit.recall}
            for label, fit in anchors.by_label.items()
        },
        "num_uncovered": anchors.num_uncovered,
        "uncovered": [
            {
                "image": one.image,
                "region": one.region,
                "label": one.label,
                "width": one.width,
                "height": one.height,
                "ratio": one.ratio,
            }
            for one in anchors.uncovered
        ],
        "iou_by_count": [list(each) for each in anchors.iou_by_count],
        "notes": list(anchors.notes),
    }


def input_size_of(size: int | tuple[int, int], *, count: int = 1) -> tuple[int, int]:
    """Width and height of a detector's input, after a look at it and at the number of anchors.

    Raises:
        UsageError: the count or the size cannot be.
    """
    if not 1 <= count <= MOST_ANCHORS:
        raise UsageError(
            f"{count} anchors were asked for; 1 to {MOST_ANCHORS} are possible",
            place="--count",
            fix="most detectors have 9",
        )
    width, height = (size, size) if isinstance(size, int) else size
    if not (1 <= width <= _LARGEST_INPUT and 1 <= height <= _LARGEST_INPUT):
        raise UsageError(
            f"the input size is {width}x{height} pixels; 1 to {_LARGEST_INPUT:,} are possible",
            place="--input-size",
            fix="give the side of a square, as 416, or width and height, as 640x480",
        )
    return width, height


def _at_input_size(
    annotations: Annotations, found: Features, size: tuple[int, int], resize: str
) -> Float[np.ndarray, "n 2"]:
    """Width and height of each box after its picture was resized."""
    if resize == "stretch":
        return found.values * np.array(size, dtype=np.float64)
    pictures = annotations.image[found.rows]
    sides = np.stack([annotations.widths[pictures], annotations.heights[pictures]], axis=1).astype(np.float64)
    limits = np.array(size, dtype=np.float64)
    if resize == "shortest-edge":
        sides, limits = np.sort(sides, axis=1), np.sort(limits)
    factor = (limits / sides).min(axis=1)
    return annotations.boxes_xywh[found.rows, 2:] * factor[:, None]


def _by_label(annotations: Annotations, found: Features, overlap: np.ndarray, ratio: np.ndarray) -> dict[str, LabelFit]:
    label = annotations.label[found.rows].astype(np.int64) + 1  # the unlabelled come first, and go
    boxes, overlaps, covered = (
        np.bincount(label, weights=found.weights * each, minlength=len(annotations.labels) + 1)[1:].tolist()
        for each in (np.ones(len(label)), overlap, ratio < COVERED)
    )
    order = sorted((i for i, count in enumerate(boxes) if count), key=lambda i: -boxes[i])
    return {
        annotations.labels[i]: LabelFit(
            boxes=int(boxes[i]), mean_iou=overlaps[i] / boxes[i], recall=covered[i] / boxes[i]
        )
        for i in order
    }


def _uncovered(
    annotations: Annotations, found: Features, points: np.ndarray, ratio: np.ndarray
) -> tuple[Uncovered, ...]:
    open_ones = np.flatnonzero(ratio >= COVERED)
    worst = open_ones[np.argsort(-ratio[open_ones], kind="stable")][:MOST_LISTED]
    return tuple(
        Uncovered(
            row=row,
            image=annotations.name_of(row),
            region=int(annotations.region[row]),
            label=annotations.label_of(row),
            width=float(points[i, 0]),
            height=float(points[i, 1]),
            ratio=float(ratio[i]),
        )
        for i, row in zip(worst.tolist(), found.rows[worst].tolist(), strict=True)
    )


def _place(annotations: Annotations) -> str | None:
    return None if annotations.path is None else str(annotations.path)
