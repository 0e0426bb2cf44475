"""k-means in the plane: widths and heights of boxes, with straight-line distance or by their overlap.

There is no exact answer in reasonable time, so several starts are drawn and the best is kept; how far the others ended
from it is part of the answer. The seed is fixed and points are sorted and merged first, so the same points in any order
give the same clusters.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from glauke.errors import UsageError

from ._distinct import distinct
from ._lloyd import SMALL_STEPS, STEPS, Distance, Points, known_distance, lloyd, nearest, polish, starts
from ._swaps import swapped

SAMPLE = 10_000
"""With more distinct points, the starts run on this many of them."""

_SMALLEST = 1e-150  # of the largest side: products of two smaller ones would be 0
_TURNS = 10
_ROUNDS_ON_ALL = 30
_GAIN_ON_ALL = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneClusters:
    """The best of several divisions of points into `k` clusters."""

    k: int
    centers: Float[np.ndarray, "k 2"]
    """Smallest area first."""
    counts: Float[np.ndarray, " k"]
    """Sum of weights in each cluster."""
    inertia: float
    """Sum of squared distances to the own centre; for "iou" the sum of 1 - IoU."""
    mean_iou: float | None
    """IoU of a box with the centre that it overlaps most, on average; None unless all sides are positive."""
    spread: tuple[float, float]
    """Inertia that the worst and the best start ended at, before the best was improved; of the sample where there is
    one, scaled to all points."""
    assignment: Int[np.ndarray, " n"]
    """Cluster of each point, int16, in the order of the input."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scaled:
    """Points in the unit that is computed in, and the way back."""

    values: Float[np.ndarray, "m 2"]
    """The distinct points in the caller's unit."""
    distinct: Points
    sample: Points
    """At most `SAMPLE` of the distinct ones."""
    given: Float[np.ndarray, "n 2"]
    """All points in the order of the input, for the assignment."""
    middle: Float[np.ndarray, " 2"]
    unit: Float[np.ndarray, " 2"]
    positive: bool


def kmeans(
    points: Float[np.ndarray, "n 2"],
    *,
    k: int,
    weights: Float[np.ndarray, " n"] | None = None,
    distance: str = "euclidean",
    restarts: int = 10,
    seed: int = 0,
) -> PlaneClusters:
    """The best of `restarts` runs of Lloyd's algorithm from k-means++ starts.

    With more than 10,000 distinct points the runs see a sample of that many, taken evenly by weight from the sorted
    points, and the best of them goes on with all. For "iou" the points are widths and heights, centres start as medians
    and are then moved to where the overlap is largest, which ends at or above the usual result of medians or means.

    >>> kmeans(np.array([[1.0, 1], [1, 2], [9, 9]]), k=2).assignment.tolist()
    [0, 0, 1]

    Raises:
        UnknownNameError: there is no such distance.
        UsageError: `k` is below 1 or above the number of distinct points, or there are no restarts.
        ValueError: no points, or points or weights that are not finite; sides that are not positive for "iou".
    """
    scaled = _scaled(points, weights, known_distance(distance))
    if not 1 <= k <= len(scaled.distinct):
        raise UsageError(
            f"k={k} must be between 1 and {len(scaled.distinct)}, the number of different points",
            fix="ask for fewer clusters or give more boxes",
        )
    if restarts < 1:
        raise UsageError(f"there must be at least 1 restart, not {restarts}")
    return _clusters(scaled, k=k, restarts=restarts, seed=seed)


def kmeans_curve(
    points: Float[np.ndarray, "n 2"],
    *,
    weights: Float[np.ndarray, " n"] | None = None,
    distance: str = "euclidean",
    max_k: int = 20,
    restarts: int = 10,
    seed: int = 0,
) -> tuple[PlaneClusters, ...]:
    """`kmeans` for every k from 1 to `max_k`, or to the number of distinct points.

    One more centre never makes things worse: where the starts found nothing better than the clusters before, these and
    one centre more are a further start.
    """
    scaled = _scaled(points, weights, known_distance(distance))
    curve: list[PlaneClusters] = []
    for k in range(1, min(max_k, len(scaled.distinct)) + 1):
        found = _clusters(scaled, k=k, restarts=restarts, seed=seed)
        if curve and found.inertia > curve[-1].inertia:
            found = _one_more(scaled, curve[-1], found)
        curve.append(found)
    return tuple(curve)


def mean_overlap(
    points: Float[np.ndarray, "n 2"],
    *,
    centers: Float[np.ndarray, "k 2"],
    weights: Float[np.ndarray, " n"] | None = None,
) -> float:
    """IoU of each box with the centre that it overlaps most, as if all shared a corner, on average; all sides positive.

    >>> mean_overlap(np.array([[2.0, 2.0], [2.0, 4.0]]), centers=np.array([[2.0, 2.0]]))
    0.75
    """
    weight = np.ones(len(points)) if weights is None else weights
    unit = np.maximum(points.max(axis=0), centers.max(axis=0))
    x, y = np.maximum(points / unit, _SMALLEST).T
    _, costs = nearest("iou", x, y, np.maximum(centers / unit, _SMALLEST)[None])
    return 1 - float((costs[0] * weight).sum()) / float(weight.sum())


def _scaled(points: np.ndarray, weights: np.ndarray | None, distance: Distance) -> _Scaled:
    values, weight = distinct(points, weights)
    positive = bool((values > 0).all())
    if distance == "iou":
        if not positive:
            raise ValueError(f"{int((values <= 0).any(axis=1).sum())} of {len(values)} points have a side <= 0")
        middle, unit = np.zeros(2), values.max(axis=0)  # IoU does not change when a side is measured in another unit
    else:
        # From the middle: sums of large numbers that differ little would lose what they differ by.
        middle = np.average(values - values[0], axis=0, weights=weight) + values[0]
        unit = np.full(2, float(np.abs(values - middle).max()) or 1.0)
    everything = _points(_moved(values, middle, unit, distance), weight, distance)
    return _Scaled(
        values=values,
        distinct=everything,
        sample=_sample(everything),
        given=_moved(points, middle, unit, distance),
        middle=middle,
        unit=unit,
        positive=positive,
    )


def _moved(values: np.ndarray, middle: np.ndarray, unit: np.ndarray, distance: Distance) -> np.ndarray:
    moved = (values - middle) / unit
    return np.maximum(moved, _SMALLEST) if distance == "iou" else moved


def _points(values: np.ndarray, weight: np.ndarray, distance: Distance) -> Points:
    x, y = np.ascontiguousarray(values.T)
    return Points(x=x, y=y, weight=weight, by_y=np.argsort(y, kind="stable"), distance=distance)


def _sample(points: Points) -> Points:
    """Points at even steps of the summed weight; they are sorted, so every region has its share."""
    if len(points) <= SAMPLE:
        return points
    total = np.cumsum(points.weight)
    places = (np.arange(SAMPLE) + 0.5) * (total[-1] / SAMPLE)
    drawn, times = np.unique(np.searchsorted(total, places, side="right"), return_counts=True)
    values = np.stack([points.x[drawn], points.y[drawn]], axis=1)
    return _points(values, times * (total[-1] / SAMPLE), points.distance)


def _clusters(scaled: _Scaled, *, k: int, restarts: int, seed: int) -> PlaneClusters:
    draws = np.random.default_rng((seed, k))
    sample = scaled.sample if k <= len(scaled.sample) else scaled.distinct
    centers, costs = lloyd(sample, starts(sample, k=k, chances=draws.random((restarts, k))))
    best = int(costs.argmin())
    best, _ = swapped(sample, centers[best], cost=float(costs[best]), chances=draws.random((_TURNS, restarts)))
    if sample is not scaled.distinct:
        best = _polished(sample, best)
    return _finished(scaled, _improved(scaled, best), spread=(float(costs.max()), float(costs.min())))


def _improved(scaled: _Scaled, centers: Float[np.ndarray, "k 2"]) -> Float[np.ndarray, "k 2"]:
    """Go on from `centers` with all points; at worst they stay."""
    centers = lloyd(scaled.distinct, centers[None], rounds=_ROUNDS_ON_ALL, least_gain=_GAIN_ON_ALL)[0][0]
    return _polished(scaled.distinct, centers, steps=STEPS if scaled.sample is scaled.distinct else SMALL_STEPS)


def _polished(points: Points, centers: np.ndarray, *, steps: tuple[float, ...] = STEPS) -> np.ndarray:
    # Where Lloyd's algorithm ends by straight-line distance, no small step of a centre helps.
    return polish(points, centers, steps=steps) if points.distance == "iou" else centers


def _one_more(scaled: _Scaled, before: PlaneClusters, found: PlaneClusters) -> PlaneClusters:
    centers = _moved(before.centers, scaled.middle, scaled.unit, scaled.distinct.distance)
    _, costs = _nearest(scaled.distinct, centers)
    dearest = int((costs * scaled.distinct.weight).argmax())
    added = np.array([[scaled.distinct.x[dearest], scaled.distinct.y[dearest]]])
    centers = _improved(scaled, np.concatenate([centers, added]))
    return replace(_finished(scaled, centers, spread=(0.0, 0.0)), spread=found.spread)


def _finished(scaled: _Scaled, centers: Float[np.ndarray, "k 2"], *, spread: tuple[float, float]) -> PlaneClusters:
    """Put clusters into the caller's units and in order of their area, and count them."""
    sides = centers * scaled.unit + scaled.middle
    order = np.lexsort((sides[:, 0], sides.prod(axis=1)))
    centers, sides = centers[order], sides[order]
    weight, overlap = scaled.distinct.weight, scaled.distinct.distance == "iou"
    labels, costs = _nearest(scaled.distinct, centers)
    iou = mean_overlap(scaled.values, centers=sides, weights=weight) if scaled.positive else None
    square = 1.0 if overlap else float(scaled.unit[0]) ** 2
    return PlaneClusters(
        k=len(centers),
        centers=sides,
        counts=np.bincount(labels, weights=weight, minlength=len(centers)),
        inertia=float((costs * weight).sum()) * square,
        mean_iou=iou,
        spread=(spread[0] * square, spread[1] * square),
        assignment=nearest(scaled.distinct.distance, scaled.given[:, 0], scaled.given[:, 1], centers[None])[0][0],
    )


def _nearest(points: Points, centers: Float[np.ndarray, "k 2"]) -> tuple[np.ndarray, np.ndarray]:
    labels, costs = nearest(points.distance, points.x, points.y, centers[None])
    return labels[0], costs[0]
