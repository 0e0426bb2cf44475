"""Equal points become one point with the sum of their weights, in an order that does not depend on the input's."""

import numpy as np
from jaxtyping import Float

Number = float | int


def distinct(
    points: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"] | None
) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
    """Distinct points in ascending order, by the first coordinate first, and how much each weighs.

    Points of weight 0 are left out; no weights are weights of 1.

    Raises:
        ValueError: there is nothing to cluster, a number is not finite, or a weight is negative; with the numbers.

    >>> distinct(np.array([[2.0], [1.0], [2.0]]), None)[1].tolist()
    [1.0, 2.0]
    """
    weights = np.ones(len(points)) if weights is None else weights
    _check(points, weights)
    points, weights = points[weights > 0] + 0.0, weights[weights > 0]  # -0.0 becomes 0.0
    if len(points) == 0:
        raise ValueError("all weights are 0")
    order = np.lexsort((weights, *points.T[::-1]))  # by weight as well: sums of floats depend on their order
    points, weights = points[order], weights[order]
    first = np.flatnonzero(np.append(True, (points[1:] != points[:-1]).any(axis=1)))
    return points[first], np.add.reduceat(weights, first)


def _check(points: np.ndarray, weights: np.ndarray) -> None:
    if len(points) == 0:
        raise ValueError("there are no values to cluster")
    wrong = ~(np.abs(points) <= 1e150)  # the squares of larger ones are not finite
    if wrong.any():
        raise ValueError(f"{int(wrong.any(axis=1).sum())} of {len(points)} values are not finite or beyond 1e150")
    if len(weights) != len(points) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("weights must be as many as the values, finite and not negative")
