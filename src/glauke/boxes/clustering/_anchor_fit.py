"""How well anchors fit: the boxes that they were found for, those of other pictures, and with other numbers of them."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from .._annotations import Annotations
from .._wording import counted
from ._distinct import distinct
from ._features import Features
from ._plane import kmeans

COUNTS = (1, 3, 6, 9, 12, 15)
"""How many anchors `anchors(..., other_counts=True)` tries."""

FEW_BOXES = 10
"""An anchor for fewer boxes than this follows single boxes."""

_LEAST_PICTURES = 4
_FEWER_RESTARTS = 3


def fit(
    points: Float[np.ndarray, "n 2"], sizes: Float[np.ndarray, "k 2"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """The largest IoU of each box with any anchor, and its smallest largest ratio of sides to any, not less than 1."""
    width, height = np.ascontiguousarray(points.T)
    overlap, ratio = np.zeros(len(points)), np.full(len(points), math.inf)
    for a, b in sizes.tolist():
        shared = np.minimum(width, a) * np.minimum(height, b)
        np.maximum(overlap, shared / (width * height + a * b - shared), out=overlap)
        wide, high = width / a, height / b
        worst = np.maximum(np.maximum(wide, 1 / wide), np.maximum(high, 1 / high))
        np.minimum(ratio, worst, out=ratio)
    return overlap, ratio


def held_out(
    annotations: Annotations, found: Features, points: Float[np.ndarray, "n 2"], *, count: int, seed: int
) -> float | None:
    """Mean IoU with anchors from the other half of the pictures."""
    pictures = annotations.image[found.rows]
    order = sorted(set(pictures.tolist()), key=lambda i: (annotations.names[i], i))
    if len(order) < _LEAST_PICTURES:
        return None
    odd = np.isin(pictures, order[1::2])
    summed = 0.0
    for chosen in (odd, ~odd):
        half, weights = points[chosen], found.weights[chosen]
        if len(distinct(half, weights)[0]) < count:
            return None
        sizes = kmeans(half, k=count, weights=weights, distance="iou", restarts=_FEWER_RESTARTS, seed=seed).centers
        summed += float(found.weights[~chosen] @ fit(points[~chosen], sizes)[0])
    return summed / float(found.weights.sum())


def overlap_by_count(
    points: Float[np.ndarray, "n 2"], weights: Float[np.ndarray, " n"], *, known: tuple[int, float], seed: int
) -> tuple[tuple[int, float], ...]:
    """Number of anchors and mean IoU for each of `COUNTS`, as far as there are different sizes, and for the `known`."""
    different = len(distinct(points, weights)[0])
    overlaps = dict([known])
    for count in COUNTS:
        if count <= different and count not in overlaps:
            found = kmeans(points, k=count, weights=weights, distance="iou", restarts=_FEWER_RESTARTS, seed=seed)
            overlaps[count] = 1 - found.inertia / float(weights.sum())
    return tuple(sorted(overlaps.items()))


def doubts_about_anchors(counts: Int[np.ndarray, " k"]) -> Iterator[str]:
    """A sentence where an anchor stands for few boxes."""
    few = int((counts < FEW_BOXES).sum())
    if few:
        stand, fewest = ("stands", "it has") if few == 1 else ("stand", "the fewest is")
        yield (
            f"{few} of {counted(len(counts), 'anchor')} {stand} for fewer than {FEW_BOXES} boxes ({fewest} "
            f"{int(counts.min())}): such an anchor follows single boxes; ask for fewer anchors, or annotate more boxes"
        )
