"""The one value that every format is read into: pictures and regions as columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from ._findings import Finding

KINDS = (
    "via1-region",
    "via2-region",
    "via2-project",
    "via2-attributes",
    "via3-project",
    "via1-csv",
    "via2-csv",
    "via3-csv",
    "via-coco",
    "coco",
    "yolo",
    "voc",
    "table",
    "tiny-imagenet",
)
"""Every kind of file that is recognised, always by its content."""

SHAPES = (
    "rect",
    "circle",
    "ellipse",
    "polygon",
    "polyline",
    "point",
    "line",
    "extreme_rectangle",
    "extreme_circle",
    "unknown",
)
"""Shapes by the number that `Annotations.shape` holds; "unknown" is a shape that nothing can be made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute of regions, as the file declares or uses it."""

    name: str
    type: str | None
    """"text", "dropdown", "radio", "checkbox" or "image" where the file declares it, else None."""

    options: Mapping[str, str]
    """Description of each option by its id, in the file's order; empty where none are declared."""

    counts: Mapping[str, int]
    """How often each value (ids replaced by descriptions) is used, commonest first; at most 1,000 values."""

    regions: int
    """How many regions carry it, with a value that is not blank."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Annotations:
    """All pictures and regions of one file, in the order of the document.

    Nothing is dropped at reading: regions that enclose nothing, or carry no label, have their row. A row's box is NaN
    where no box can be made of the shape, and of width and height 0 for a point.
    """

    kind: str
    """One of `KINDS`."""

    path: Path | None
    """The file or folder that was read."""

    names: tuple[str, ...]
    """File name of each picture, as the file writes it; empty strings for a count table."""

    keys: tuple[str, ...]
    """How the document addresses each picture: the JSON key, the COCO id as text, else the name."""

    byte_sizes: Int[np.ndarray, " pictures"]
    """Size of each picture's file in bytes as VIA stores it, int64; -1 where the file does not say."""

    widths: Int[np.ndarray, " pictures"]
    """Width of each picture in pixels, int64; 0 where it is unknown. VIA itself stores none."""

    heights: Int[np.ndarray, " pictures"]
    """Height of each picture in pixels, int64; 0 where it is unknown."""

    image: Int[np.ndarray, " regions"]
    """Index of each region's picture, int64."""

    region: Int[np.ndarray, " regions"]
    """0-based number of each region within its picture, in the order of the document, int64."""

    boxes_xywh: Float[np.ndarray, "regions 4"]
    """Top-left corner, width and height of each region's enclosing box in pixels, float64."""

    shape: Int[np.ndarray, " regions"]
    """Index into `SHAPES`, int8."""

    label: Int[np.ndarray, " regions"]
    """Index into `labels`, int32; -1 where the region has no label."""

    labels: tuple[str, ...]
    """Class names: declared ones in the file's order, then others in order of appearance."""

    class_attribute: str | None
    """The region attribute that was taken for the class; None if there is none."""

    attributes: tuple[Attribute, ...] = ()
    """Every region attribute that is declared or used."""

    weight: Int[np.ndarray, " regions"] | None = None
    """How many boxes each row stands for, int64, in a count table; None is one each."""

    lines: Int[np.ndarray, " regions"] | None = None
    """1-based line of each region in a CSV or text file, int64; None for JSON."""

    findings: tuple[Finding, ...] = ()
    """What the reader itself met; `check` adds to them."""

    def __len__(self) -> int:
        """Number of regions (rows)."""
        return len(self.image)

    def __repr__(self) -> str:
        """In one line; the numbers are in the fields."""
        from ._cards import annotations_line

        return f"Annotations({annotations_line(self)})"

    def _repr_html_(self) -> str:
        from ._cards import annotations_card

        return annotations_card(self)

    @property
    def encloses(self) -> Bool[np.ndarray, " regions"]:
        """Which regions have a box with a positive, finite width and height."""
        width, height = self.boxes_xywh[:, 2], self.boxes_xywh[:, 3]
        finite = np.isfinite(self.boxes_xywh).all(axis=1)
        return finite & (width > 0) & (height > 0)

    def num_boxes(self) -> int:
        """Number of boxes; rows of a count table count as often as they say."""
        return len(self) if self.weight is None else int(self.weight.sum())

    def shape_counts(self) -> dict[str, int]:
        """How many regions of each shape, in the order of `SHAPES`, without zeros."""
        counts = np.bincount(self.shape, weights=self.weight, minlength=len(SHAPES)).astype(np.int64)
        return {name: int(count) for name, count in zip(SHAPES, counts, strict=True) if count}

    def label_counts(self) -> dict[str, int]:
        """How many regions carry each label, commonest first, ties in the order of `labels`."""
        weight = None if self.weight is None else self.weight[self.label >= 0]
        counts = np.bincount(self.label[self.label >= 0], weights=weight, minlength=len(self.labels)).astype(np.int64)
        order = np.argsort(-counts, kind="stable")
        return {self.labels[i]: int(counts[i]) for i in order}

    def num_unlabelled(self) -> int:
        """How many regions have no label."""
        rows = self.label < 0
        return int(rows.sum() if self.weight is None else self.weight[rows].sum())

    def name_of(self, row: int) -> str:
        """File name of the picture that a region lies in."""
        return self.names[self.image[row]]

    def label_of(self, row: int) -> str | None:
        """Label of a region, or None."""
        return self.labels[self.label[row]] if self.label[row] >= 0 else None
