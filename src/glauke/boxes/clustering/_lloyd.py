"""Lloyd's algorithm on weighted points in the plane, for many starts at once and two distances.

Starts are drawn by k-means++ (Arthur and Vassilvitskii, 2007): each next centre is a point, drawn in proportion to what
it costs so far. The distances:

- "euclidean": a point costs its squared distance, the centre of a cluster is its mean, every round lowers the cost.
- "iou": two points are the sizes of boxes that share a corner, and a point costs 1 - IoU (Redmon and Farhadi,
  "YOLO9000", 2017, section 2). The best centre has no formula; the median of each side comes nearer to it than the mean
  does, but a round can raise the cost: a start ends at its best round, and `polish` goes on from there.

1 - IoU is not squared: IoU is a kernel (Jaccard's), and in its space 1 - IoU already is half of a squared distance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from glauke.errors import UnknownNameError

Distance = Literal["euclidean", "iou"]
DISTANCES: tuple[Distance, ...] = ("euclidean", "iou")

_AT_ONCE = 1 << 14  # pairs of a point and a centre that are compared at once: they stay in a core's cache
_MOST_ROUNDS = 300
_LEAST_GAIN = 1e-5  # of the cost: a round that gains less is not worth another of the same step
STEPS = tuple(0.5**power for power in range(3, 13))  # of a side's length: 1/8 to 1/4096
SMALL_STEPS = STEPS[4:8]  # 1/128 to 1/1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Weighted points, distinct and ascending by x; positive for "iou"."""

    x: Float[np.ndarray, " m"]
    y: Float[np.ndarray, " m"]
    weight: Float[np.ndarray, " m"]
    by_y: Int[np.ndarray, " m"]
    """The points' numbers, ascending by y."""
    distance: Distance

    def __len__(self) -> int:
        """Number of distinct points."""
        return len(self.x)


def known_distance(name: str) -> Distance:
    """The distance of that name. Raises `UnknownNameError` if there is none."""
    for distance in DISTANCES:
        if distance == name:
            return distance
    raise UnknownNameError(name, kind="distance", known=DISTANCES)


def squared(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distance from (x, y) to (a, b)."""
    across, up = x - a, y - b
    return across * across + up * up


def inverse_overlap(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum of two areas over their intersection, for boxes that share a corner: 2 for equal ones, more for others.

    It orders as 1 - IoU does and costs less; IoU is 1 / (this - 1).
    """
    return (x * y + a * b) / (np.minimum(x, a) * np.minimum(y, b))


_COMPARED: dict[Distance, Callable[..., np.ndarray]] = {"euclidean": squared, "iou": inverse_overlap}


def cost_of(distance: Distance, x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """What a point at (x, y) costs with a centre at (a, b)."""
    compared = _COMPARED[distance](x, y, a, b)
    return compared if distance == "euclidean" else (compared - 2) / (compared - 1)


def nearest(
    distance: Distance, x: Float[np.ndarray, " m"], y: Float[np.ndarray, " m"], centers: Float[np.ndarray, "starts k 2"]
) -> tuple[Int[np.ndarray, "starts m"], Float[np.ndarray, "starts m"]]:
    """The centre that each point costs least with, the first of equal ones, and that cost; for every start."""
    shape = (len(centers), len(x))
    labels, costs = np.empty(shape, dtype=np.int16), np.empty(shape)
    for some in _stretches(len(x), max(1, _AT_ONCE // (len(centers) * centers.shape[1]))):
        compared = _COMPARED[distance](x[some], y[some], centers[:, :, :1], centers[:, :, 1:])
        labels[:, some], costs[:, some] = compared.argmin(axis=1), compared.min(axis=1)
    return labels, (costs - 2) / (costs - 1) if distance == "iou" else costs


def _stretches(length: int, size: int) -> Iterator[slice]:
    return (slice(first, first + size) for first in range(0, length, size))


def starts(points: Points, *, k: int, chances: Float[np.ndarray, "starts k"]) -> Float[np.ndarray, "starts k 2"]:
    """Draw centres by k-means++, one number between 0 and 1 for each."""
    chosen = np.empty(chances.shape, dtype=np.int64)
    least = np.full((len(chances), len(points)), np.inf)
    for i in range(k):
        spent = least * points.weight if i else np.broadcast_to(points.weight, least.shape)
        chosen[:, i] = draw(spent, chances[:, i])
        a, b = points.x[chosen[:, i]], points.y[chosen[:, i]]
        np.minimum(least, cost_of(points.distance, points.x, points.y, a[:, None], b[:, None]), out=least)
    return np.stack([points.x[chosen], points.y[chosen]], axis=-1)


def draw(spent: Float[np.ndarray, "starts m"], chances: Float[np.ndarray, " starts"]) -> Int[np.ndarray, " starts"]:
    """One point for each start, in proportion to what it costs."""
    drawn = []
    for total, chance in zip(np.cumsum(spent, axis=1), chances, strict=True):
        drawn.append(min(int(np.searchsorted(total, chance * total[-1], side="right")), len(total) - 1))
    return np.array(drawn, dtype=np.int64)


def lloyd(
    points: Points, centers: Float[np.ndarray, "starts k 2"], *, rounds: int = _MOST_ROUNDS, least_gain: float = 0.0
) -> tuple[Float[np.ndarray, "starts k 2"], Float[np.ndarray, " starts"]]:
    """Move centres and points in turn until a round no longer lowers the cost; the best centres and costs met.

    Rounds that lower it by a fraction of `least_gain` or less are not worth another. A centre that no point is nearest
    to goes to the point that costs most.
    """
    best, least = centers.copy(), np.full(len(centers), np.inf)
    going = np.arange(len(centers))
    for _ in range(rounds):
        centers, labels, cost = _occupied(points, centers)
        better = cost < least[going]
        best[going[better]] = centers[better]
        worthwhile = cost < least[going] * (1 - least_gain)
        least[going] = np.minimum(cost, least[going])
        going, centers, labels = going[worthwhile], centers[worthwhile], labels[worthwhile]
        if len(going) == 0:
            break
        centers = _middles(points, centers, labels)
    return best, least


def _occupied(
    points: Points, centers: Float[np.ndarray, "starts k 2"]
) -> tuple[np.ndarray, np.ndarray, Float[np.ndarray, " starts"]]:
    """Centres that all have points, the labels of the points, and the cost of each start."""
    k = centers.shape[1]
    while True:
        labels, costs = nearest(points.distance, points.x, points.y, centers)
        counts = np.bincount(_groups(labels, k).ravel(), minlength=len(centers) * k).reshape(-1, k)
        spent = costs * points.weight
        empty = np.argwhere(counts == 0)
        moved = False
        for start, cluster in empty:
            dearest = int(spent[start].argmax())
            if spent[start, dearest] <= 0:
                continue  # every point lies on a centre: some differ by less than the distance can tell
            centers[start, cluster] = points.x[dearest], points.y[dearest]
            spent[start, dearest] = 0.0
            moved = True
        if not moved:
            return centers, labels, spent.sum(axis=1)


def _groups(labels: np.ndarray, k: int) -> np.ndarray:
    """Number the clusters of all starts through."""
    return labels + k * np.arange(len(labels), dtype=np.int64)[:, None]


def _middles(points: Points, centers: np.ndarray, labels: np.ndarray) -> Float[np.ndarray, "starts k 2"]:
    """The means, or the medians of each side, of all clusters; a cluster without points keeps its centre."""
    middle = _means if points.distance == "euclidean" else _medians
    sides = ((points.x, np.arange(len(points))), (points.y, points.by_y))
    moved = np.stack([middle(values, order, points.weight, labels, centers.shape[1]) for values, order in sides], -1)
    return np.where(np.isnan(moved), centers, moved)


def _means(values: np.ndarray, _: np.ndarray, weight: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    groups, count = _groups(labels, k).ravel(), len(labels) * k
    mass = np.bincount(groups, weights=np.tile(weight, len(labels)), minlength=count)
    sums = np.bincount(groups, weights=np.tile(weight * values, len(labels)), minlength=count)
    with np.errstate(invalid="ignore"):
        return (sums / mass).reshape(-1, k)


def _medians(values: np.ndarray, order: np.ndarray, weight: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Between the lower and the upper weighted median, as `np.median` does."""
    groups = _groups(labels[:, order], k).ravel()
    count = len(labels) * k
    by_group = np.argsort(groups.astype(np.min_scalar_type(count)), kind="stable")  # small integers are sorted fastest
    sizes = np.bincount(groups, minlength=count)
    inside = order[by_group % len(values)]
    total = np.append(0.0, np.cumsum(weight[inside]))
    ends = np.cumsum(sizes)
    begins = ends - sizes
    half = (total[begins] + total[ends]) / 2
    low = np.searchsorted(total, half, side="left") - 1
    high = np.searchsorted(total, half, side="right") - 1
    filled = sizes > 0
    middles = np.full(count, np.nan)
    low, high = (np.clip(i, begins, ends - 1)[filled] for i in (low, high))
    middles[filled] = (values[inside[low]] + values[inside[high]]) / 2
    return middles.reshape(-1, k)


def polish(
    points: Points, centers: Float[np.ndarray, "k 2"], *, steps: tuple[float, ...] = STEPS
) -> Float[np.ndarray, "k 2"]:
    """Lower the cost of one start step by step: each centre tries a little more and a little less of each side.

    The steps shrink once none of them helps. Every round lowers the cost, so there is no going round in circles.
    """
    found, labels, cost = _occupied(points, centers[None])
    for step in steps:
        for _ in range(_MOST_ROUNDS):
            tried = _better(points, found[0], labels[0], step)
            tried, tried_labels, tried_cost = _occupied(points, tried[None])
            gained = float(cost[0] - tried_cost[0])
            if gained > 0:
                found, labels, cost = tried, tried_labels, tried_cost
            if gained <= _LEAST_GAIN * float(cost[0]):
                break
    return found[0]


def _better(points: Points, centers: np.ndarray, label: np.ndarray, step: float) -> np.ndarray:
    """Each centre, or the one of its four neighbours that costs its own points less."""
    k, best = len(centers), centers.copy()
    least = np.full(k, np.inf)
    for factors in ((1.0, 1.0), (1 + step, 1.0), (1 - step, 1.0), (1.0, 1 + step), (1.0, 1 - step)):
        moved = centers * np.array(factors)
        cost = np.empty(len(points))
        for some in _stretches(len(points), _AT_ONCE):
            a, b = (side.take(label[some]) for side in moved.T)
            cost[some] = cost_of(points.distance, points.x[some], points.y[some], a, b)
        spent = np.bincount(label, weights=cost * points.weight, minlength=k)
        better = spent < least
        best[better], least[better] = moved[better], spent[better]
    return best
