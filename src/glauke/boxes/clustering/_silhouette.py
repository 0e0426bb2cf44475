"""Mean silhouette: how much nearer points are to their own cluster than to the next (Rousseeuw, 1987).

The same number as scikit-learn's `silhouette_score`, but with weights as repetitions, which that has not, the distances
computed once for all numbers of clusters, and without the seconds that its import takes.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from ._lloyd import Distance, cost_of

SAMPLE = 2_000
"""With more points, the silhouettes of this many are looked at: their distances grow with the square."""


def mean_silhouette(
    points: Float[np.ndarray, "n d"],
    *,
    assignment: Int[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"] | None = None,
    distance: Distance = "euclidean",
) -> float | None:
    """`mean_silhouettes` of one division."""
    return mean_silhouettes(points, assignments=[assignment], weights=weights, distance=distance)[0]


def mean_silhouettes(
    points: Float[np.ndarray, "n d"],
    *,
    assignments: Sequence[Int[np.ndarray, " n"]],
    weights: Float[np.ndarray, " n"] | None = None,
    distance: Distance = "euclidean",
) -> tuple[float | None, ...]:
    """Mean silhouette, from -1 to 1, of each division of the same points.

    Of more than 2,000 points a sample is taken, evenly by weight from the sorted points: the same one every time.
    None where there is only one cluster, or where every point is one.

    >>> mean_silhouette(np.array([[0.0], [1.0], [9.0]]), assignment=np.array([0, 0, 1]))
    0.5879629629629629
    """
    rows, weight = _sample(points, np.ones(len(points)) if weights is None else weights)
    apart = _distances(points[rows], distance)
    return tuple(_mean(apart, weight, assignment[rows]) for assignment in assignments)


def _sample(points: np.ndarray, weights: np.ndarray) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """Some rows, and how often each is taken."""
    order = np.lexsort((weights, *points.T[::-1]))
    if len(points) <= SAMPLE:
        order = order[weights[order] > 0]
        return order, weights[order]
    total = np.cumsum(weights[order])
    places = (np.arange(SAMPLE) + 0.5) * (total[-1] / SAMPLE)
    taken, times = np.unique(np.searchsorted(total, places, side="right"), return_counts=True)
    return order[taken], times.astype(np.float64)


def _distances(points: Float[np.ndarray, "m d"], distance: Distance) -> Float[np.ndarray, "m m"]:
    if distance == "iou":
        x, y = (points / points.max(axis=0)).T
        return cost_of("iou", x, y, x[:, None], y[:, None])
    return np.sqrt(sum((values - values[:, None]) ** 2 for values in points.T))


def _mean(apart: np.ndarray, weight: np.ndarray, assignment: np.ndarray) -> float | None:
    clusters, own = np.unique(assignment, return_inverse=True)
    if not 1 < len(clusters) < weight.sum():
        return None
    mass = np.bincount(own, weights=weight)
    members = np.zeros((len(own), len(clusters)))
    members[np.arange(len(own)), own] = weight
    to_each = apart @ members  # summed distances to the points of each cluster
    each = np.arange(len(own))
    with np.errstate(divide="ignore", invalid="ignore"):
        within = to_each[each, own] / (mass[own] - 1)
        to_each /= mass
        to_each[each, own] = np.inf
        outside = to_each.min(axis=1)
        silhouette = (outside - within) / np.maximum(outside, within)
    silhouette[(mass[own] <= 1) | ~np.isfinite(silhouette)] = 0.0  # alone in a cluster, or on top of all others
    return float(np.average(silhouette, weights=weight))
