"""What boxes are clustered by: the shape or the size of each, as numbers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from glauke.errors import DataError, UnknownNameError

from .._annotations import Annotations
from .._wording import counted, quoted

FEATURES = ("aspect-ratio", "log-aspect-ratio", "relative-size")

_LARGEST = 1e9
"""Beyond it, or below its inverse, a ratio or a size is an accident: no picture has a billion pixels on a side."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """One number or one pair of numbers for every box."""

    feature: str
    """One of `FEATURES`."""
    values: Float[np.ndarray, "n d"]
    """One column for ratios; width and height as parts of the picture's for relative sizes."""
    weights: Float[np.ndarray, " n"]
    """How many boxes each row stands for."""
    rows: Int[np.ndarray, " n"]
    """The region of each, as a row of `Annotations`, int64."""
    left_out: int
    """Boxes without a feature: their region encloses nothing, or is a billion times as long as wide."""

    @property
    def boxes(self) -> int:
        """Number of boxes that have a feature."""
        return int(self.weights.sum())


def features(annotations: Annotations, *, feature: str) -> Features:
    """Width over height, its natural logarithm, or (width, height) over those of the picture, for every box.

    By ratio, 2:1 is as far from 1:1 as 3:1 from 2:1; by logarithm, as far as 1:2 is.

    Raises:
        UnknownNameError: there is no such feature.
        DataError: a relative size is asked for and the size of a picture with boxes is not known.
    """
    if feature not in FEATURES:
        raise UnknownNameError(feature, kind="feature", known=FEATURES)
    rows = np.flatnonzero(annotations.encloses)
    sides = annotations.boxes_xywh[rows, 2:]
    if feature == "relative-size":
        values = sides / _picture_sizes(annotations, rows)
    else:
        with np.errstate(over="ignore"):
            values = sides[:, :1] / sides[:, 1:]
    usable = ((values >= 1 / _LARGEST) & (values <= _LARGEST)).all(axis=1)
    weights = np.ones(len(annotations)) if annotations.weight is None else annotations.weight.astype(np.float64)
    usable &= weights[rows] > 0
    rows, values = rows[usable], values[usable]
    return Features(
        feature=feature,
        values=np.log(values) if feature == "log-aspect-ratio" else values,
        weights=weights[rows],
        rows=rows.astype(np.int64),
        left_out=annotations.num_boxes() - int(weights[rows].sum()),
    )


def _picture_sizes(annotations: Annotations, rows: np.ndarray) -> Float[np.ndarray, "n 2"]:
    """Width and height of the picture that each box lies in."""
    if annotations.kind == "table":
        raise DataError(
            "a count table does not say which picture a box lies in, so there are no relative sizes",
            place=_place(annotations),
            fix="cluster by aspect-ratio or log-aspect-ratio, or give the annotations themselves",
        )
    pictures = annotations.image[rows]
    sizes = np.stack([annotations.widths[pictures], annotations.heights[pictures]], axis=1)
    unknown = np.unique(pictures[(sizes <= 0).any(axis=1)])
    if len(unknown):
        first, boxed = quoted(annotations.names[int(unknown[0])]), len(np.unique(pictures))
        raise DataError(
            f"the width and height of {len(unknown):,} of {counted(boxed, 'picture')} with boxes are not known, first "
            f"of {first}",
            place=_place(annotations),
            fix="give the folder of the pictures with --images, or a CSV of filename,width,height with --sizes; if you "
            "did, `glauke boxes check` with the same options lists the pictures that are missing or damaged",
        )
    return sizes.astype(np.float64)


def _place(annotations: Annotations) -> str | None:
    return None if annotations.path is None else str(annotations.path)
