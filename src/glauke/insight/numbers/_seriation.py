"""An order in which things that are alike stand close together.

The start is spectral (Atkins, Boman and Hendrickson, "A spectral algorithm for seriation and the consecutive ones
problem", 1998): along the eigenvector of the graph's second smallest eigenvalue. It sorts the large groups well and
mixes what is inside them, so things are then moved one by one while that brings those that are alike closer together.
On the confusions of a network that was right about 31 % of Tiny ImageNet's held-out pictures, the spectral order alone
has 26 % of the likeness within ten places, this one 37 %; average linkage with optimal leaf order has 37 % too, but
with the groups themselves in no order (mean distance 41 instead of 34 places).
"""

import numpy as np
from jaxtyping import Float64, Int64

ROUNDS = 100
LEAST = 1e-12  # a gain below this share of all cost is rounding


def seriation(likeness: Float64[np.ndarray, "n n"]) -> Int64[np.ndarray, " n"]:
    """Order n things so that the distance of any two, weighted by their likeness, is small; not always the smallest.

    `likeness` is symmetric and not negative; its diagonal has no effect. Groups that share nothing stay apart, the
    largest first, and things that are like no other come last in their own order. Of an order and its reverse it is
    the one that begins with the smaller number. The same likeness gives the same order.

    >>> seriation(np.array([[0, 0, 9, 0], [0, 0, 1, 9], [9, 1, 0, 0], [0, 9, 0, 0.0]])).tolist()
    [0, 2, 1, 3]
    """
    weights = np.array(likeness, np.float64)
    np.fill_diagonal(weights, 0)
    groups = sorted(_groups(weights), key=lambda group: (-len(group), group[0]))
    return np.concatenate([_one_group(group, weights) for group in groups])


def _groups(weights: np.ndarray) -> list[Int64[np.ndarray, " size"]]:
    """Indices of the things that are alike directly or through others."""
    left = np.ones(len(weights), bool)
    groups = []
    while left.any():
        inside = np.zeros(len(weights), bool)
        inside[left.argmax()] = True
        reached = 0
        while reached != inside.sum():
            reached = inside.sum()
            inside |= (weights[inside] > 0).any(axis=0)
        groups.append(np.flatnonzero(inside))
        left &= ~inside
    return groups


def _one_group(group: np.ndarray, weights: np.ndarray) -> Int64[np.ndarray, " size"]:
    if len(group) < 3:
        return group
    inside = weights[np.ix_(group, group)]
    inside /= inside.max()
    laplacian = np.diag(inside.sum(axis=1)) - inside
    along = np.linalg.eigh(laplacian)[1][:, 1]
    order = np.argsort(np.round(along, 9), kind="stable")  # equal but for rounding: in their own order
    order = _improved(order, inside)
    return group[order if order[0] < order[-1] else order[::-1]]


def _improved(order: np.ndarray, weights: np.ndarray) -> Int64[np.ndarray, " n"]:
    """Move one thing after the other to its best place, until none has a better one."""
    least = LEAST * len(order) * weights.sum()
    total = weights.sum(axis=1)
    earlier = np.empty(len(order))  # likeness of each thing to those that stand before it
    earlier[order] = np.tril(weights[np.ix_(order, order)]).sum(axis=1)
    for _ in range(ROUNDS):
        moved = False
        for thing in range(len(order)):
            place = int((order == thing).argmax())
            others = np.delete(order, place)
            own = weights[thing, others]
            behind = np.where(np.arange(len(others)) < place, 0, own)
            # Likeness across each gap between the others: what stands before it joins with what comes after.
            across = _sums_before(total[others] - own - 2 * (earlier[others] - behind))
            costs = _reach(own) + across
            best = int(costs.argmin())
            if costs[best] < costs[place] - least:
                order = np.insert(others, best, thing)
                earlier[others] += np.where(np.arange(len(others)) < best, 0, own) - behind
                earlier[thing] = own[:best].sum()
                moved = True
        if not moved:
            break
    return order


def _reach(own: np.ndarray) -> Float64[np.ndarray, " gaps"]:
    """Distance from each gap between the others to all of them, weighted by their likeness to the thing in it."""
    before, before_at = _sums_before(own), _sums_before(own * np.arange(len(own)))
    gap = np.arange(len(own) + 1)
    return gap * before - before_at + (before_at[-1] - before_at) + (1 - gap) * (before[-1] - before)


def _sums_before(values: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(values)])
