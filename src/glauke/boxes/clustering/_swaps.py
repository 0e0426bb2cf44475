"""Out of a local optimum: a centre that is hardly missed goes where points cost much.

Lloyd's algorithm cannot move a centre from a group that has two to a group that has none; one swap can (Fränti,
"Efficiency of random swap clustering", Journal of Big Data 5/13, 2018).
"""

import numpy as np
from jaxtyping import Float

from ._lloyd import Points, draw, lloyd, nearest

_FRUITLESS = 2  # turns without a gain before the search ends
_LEAST_GAIN = 1e-6


def swapped(
    points: Points, centers: Float[np.ndarray, "k 2"], *, cost: float, chances: Float[np.ndarray, "turns tries"]
) -> tuple[Float[np.ndarray, "k 2"], float]:
    """Swap single centres as long as the best of several tries lowers the cost.

    Each turn takes out the centres that are missed least, one in each try, and puts one in by a draw of k-means++.
    """
    k = len(centers)
    if k in (1, len(points)):
        return centers, cost
    fruitless = 0
    for number, turn in enumerate(chances):
        without = _without_each(centers)
        _, missed = nearest(points.distance, points.x, points.y, without)
        order = np.argsort((missed * points.weight).sum(axis=1), kind="stable")
        tries = order[(number * len(turn) + np.arange(len(turn))) % k]
        drawn = draw(missed[tries] * points.weight, turn)
        added = np.stack([points.x[drawn], points.y[drawn]], axis=-1)[:, None]
        found, costs = lloyd(points, np.concatenate([without[tries], added], axis=1))
        best = int(costs.argmin())
        fruitless = 0 if costs[best] < cost * (1 - _LEAST_GAIN) else fruitless + 1
        if costs[best] < cost:
            centers, cost = found[best], float(costs[best])
        if fruitless == _FRUITLESS:
            break
    return centers, cost


def _without_each(centers: Float[np.ndarray, "k 2"]) -> Float[np.ndarray, "k k-1 2"]:
    """All centers but one, for every one."""
    k = len(centers)
    return centers[np.nonzero(~np.eye(k, dtype=bool))[1].reshape(k, k - 1)]
