"""Exact k-means in one dimension, for every number of clusters at once.

On a line the clusters of an optimal solution are stretches of the sorted values, so that the least cost of the first i
values in k clusters is `min over j of cost(first j values in k-1 clusters) + cost(values j..i in one)`: a dynamic
program (Wang and Song, "Ckmeans.1d.dp", The R Journal 3/2, 2011). Filling its last row for `max_k` fills all others,
which is the whole curve that an elbow is read from. The best j never moves back as i grows, so a row is filled from
coarse to fine: values in the middle of two that are known search only between the two answers (Grønlund et al.,
arXiv 1701.07204, section 2.2). That takes m log m steps a row for m distinct values, all of a level at once.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ._distinct import distinct
from ._exact_compiled import compiled_row

MAX_K = 20
COMPILED_FROM = 20_000
"""Distinct values from which the compiled form gains more than the second that it takes to load."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Partition:
    """The best division of values into `k` clusters."""

    k: int
    inertia: float
    """Sum of squared distances to the own cluster's centre, in the square of the values' unit."""
    centers: Float[np.ndarray, " k"]
    """Weighted means, ascending."""
    counts: Float[np.ndarray, " k"]
    """Sum of weights in each cluster."""
    borders: Float[np.ndarray, " k-1"]
    """Smallest value of each cluster but the first."""


def exact_curve(
    values: Float[np.ndarray, " n"], *, weights: Float[np.ndarray, " n"] | None = None, max_k: int = MAX_K
) -> tuple[Partition, ...]:
    """The optimal clusters of numbers for every k from 1 to `max_k`, or to the number of distinct values.

    No seed and no start: the same values in any order give the same answer, and of two equally good divisions the one
    with the smaller index. With the extra `fast`, many values are divided by compiled code.

    >>> [round(p.inertia, 2) for p in exact_curve(np.array([1.0, 2.0, 8.0, 9.0, 9.5]), max_k=3)]
    [66.2, 1.67, 0.62]

    Raises:
        ValueError: no values, values beyond 1e150 or not finite, weights that are negative or not finite, or `max_k`
            below 1.
    """
    if max_k < 1:
        raise ValueError(f"max_k={max_k} must be at least 1")
    points, weight = distinct(values[:, None], weights)
    ascending = points[:, 0]
    firsts = _first_of_last_cluster(ascending, weight, min(max_k, len(ascending)))
    return tuple(_partition(ascending, weight, _starts(firsts, k)) for k in range(1, len(firsts) + 1))


def _partition(values: np.ndarray, weight: np.ndarray, starts: np.ndarray) -> Partition:
    mass = np.add.reduceat(weight, starts)
    # From the distances themselves: the program's own sums lose digits where clusters are tight.
    sizes, first = np.diff(np.append(starts, len(values))), values[starts]
    centers = first + np.add.reduceat(weight * (values - np.repeat(first, sizes)), starts) / mass
    away = values - np.repeat(centers, sizes)
    return Partition(
        k=len(starts),
        inertia=float((weight * away**2).sum()),
        centers=centers,
        counts=mass,
        borders=values[starts[1:]],
    )


def _starts(firsts: Int[np.ndarray, "rows m"], k: int) -> Int[np.ndarray, " k"]:
    """Walk back from the last value: where each of `k` clusters begins."""
    starts, end = [], firsts.shape[1] - 1
    for row in range(k - 1, -1, -1):
        starts.append(int(firsts[row, end]))
        end = starts[-1] - 1
    return np.array(starts[::-1], dtype=np.int64)


def _first_of_last_cluster(values: np.ndarray, weight: np.ndarray, max_k: int) -> Int[np.ndarray, "rows m"]:
    """For k = 1.. and each i: where the last of k clusters of the values 0..i begins, int32."""
    middle = np.average(values, weights=weight)
    scale = float(np.abs(values - middle).max()) or 1.0
    x = (values - middle) / scale  # around 0 and within 1, so that sums of squares neither cancel nor overflow
    mass = np.concatenate(([0.0], np.cumsum(weight)))
    first = np.concatenate(([0.0], np.cumsum(weight * x)))
    second = np.concatenate(([0.0], np.cumsum(weight * x * x)))
    fill = (compiled_row() if len(x) >= COMPILED_FROM else None) or _row
    firsts = np.zeros((max_k, len(x)), dtype=np.int32)
    cost = second[1:] - first[1:] ** 2 / mass[1:]
    for k in range(1, max_k):
        cost = fill(cost, mass, first, second, firsts[k - 1], firsts[k], k)
    return firsts


def _row(
    cost: np.ndarray,
    mass: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    before: np.ndarray,
    best: np.ndarray,
    k: int,
) -> np.ndarray:
    """Fill `best` (row k, 0-based) from `cost` of row k - 1; return the costs of row k.

    Candidate j says that the last cluster begins at value j: at least at k, so that the others have one value each, and
    not before where it begins with one cluster fewer.
    """
    n = len(cost)
    least = np.zeros(n)
    held = np.concatenate(([0.0], cost[:-1])) - second[:-1]  # what does not depend on the end of the last cluster
    best[:k] = np.arange(k)  # fewer values than clusters: never asked for, but a bound for their neighbours
    stride = 1 << n.bit_length()
    while stride > 1:
        half = stride // 2
        nodes = np.arange(half - 1, n, stride)
        nodes = nodes[nodes >= k]
        if len(nodes):
            low = np.maximum(np.maximum(best[np.maximum(nodes - half, 0)], before[nodes]), k)
            after = nodes + half
            high = np.minimum(np.where(after < n, best[np.minimum(after, n - 1)], nodes), nodes)
            _search(nodes, low, np.maximum(high, low), held, mass, first, best, least)
        stride = half
    return least + second[1:]


def _search(
    nodes: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    held: np.ndarray,
    mass: np.ndarray,
    first: np.ndarray,
    best: np.ndarray,
    least: np.ndarray,
) -> None:
    """For each node i, try every j in low..high and keep the first that is least."""
    lengths = high - low + 1
    begins = np.cumsum(lengths) - lengths
    owner = np.repeat(np.arange(len(nodes)), lengths)
    j = np.arange(len(owner)) + (low - begins)[owner]
    end = nodes[owner] + 1
    tried = held[j] - (first[end] - first[j]) ** 2 / (mass[end] - mass[j])
    lowest = np.minimum.reduceat(tried, begins)
    hits = np.flatnonzero(tried == lowest[owner])
    firsts = hits[np.searchsorted(owner[hits], np.arange(len(nodes)))]
    best[nodes], least[nodes] = j[firsts], lowest
