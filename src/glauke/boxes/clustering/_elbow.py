"""Where a falling curve bends most, and how much that depends on how far the curve is drawn.

The elbow is Kneedle's (Satopää et al., "Finding a 'Kneedle' in a Haystack", 2011): with both axes scaled to 0..1, the
point farthest below the line from the first point to the last. Since the last point is part of that line, another
largest k can give another elbow: it has no deeper justification (Schubert, "Stop using the elbow criterion for
k-means", 2023), so the answer is given for every range together with how far it moves.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

Cost = float | int

RANGES = range(6, 21)
"""Largest k that a curve is drawn to; below 6 there is hardly room for a bend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elbow:
    """The elbow of one curve, read over several ranges."""

    by_range: Mapping[int, int]
    """The elbow by the largest k of the range; without ranges that have none."""
    suggested_k: int
    """The commonest of them, the smaller of equally common ones."""
    suggested_range: tuple[int, int]
    """The least and the largest of them."""
    reason: str
    """A sentence with the numbers that led here."""


def elbow(ks: Sequence[int], costs: Sequence[Cost]) -> int | None:
    """The k whose cost lies farthest below the straight line between the ends, the smaller of equal ones.

    None for fewer than three points, and where no point lies below the line.

    >>> elbow([1, 2, 3, 4, 5], [100, 40, 12, 10, 9])
    3

    Raises:
        ValueError: not as many costs as ks, ks that do not ascend, or costs that are not finite.
    """
    x, y = np.asarray(ks, dtype=np.float64), np.asarray(costs, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"a curve needs as many costs as ks, not {y.size} and {x.size}")
    if (np.diff(x) <= 0).any() or not np.isfinite(y).all():
        raise ValueError("ks must ascend and costs be finite")
    if len(x) < 3 or y[0] <= y[-1]:
        return None
    below = (y[0] - y) / (y[0] - y[-1]) - (x - x[0]) / (x[-1] - x[0])
    near = below >= below.max() - 1e-12  # equal but for rounding
    return ks[int(near.argmax())] if below.max() > 1e-9 else None


def suggest_k(ks: Sequence[int], costs: Sequence[Cost], *, ranges: Iterable[int] = RANGES) -> Elbow:
    """Read the elbow of a curve for every largest k in `ranges`, as far as the curve goes, and say how sure it is.

    A curve that ends before the first of them, for lack of different values, is read once as a whole.
    """
    if not ks:
        raise ValueError("the curve has no points")
    by_range: dict[int, int] = {}
    used = [largest for largest in ranges if largest in ks]
    for largest in used:
        end = ks.index(largest) + 1
        found = elbow(ks[:end], costs[:end])
        if found is not None:
            by_range[largest] = found
    if not used:
        return _short(ks, costs)
    if not by_range:
        return _without_bend(ks, f"the cost falls evenly or not at all from k={ks[0]} to {used[-1]}")
    times = Counter(by_range.values())
    suggested = min(times, key=lambda k: (-times[k], k))
    between = (min(times), max(times))
    return Elbow(
        by_range=MappingProxyType(by_range),
        suggested_k=suggested,
        suggested_range=between,
        reason=_reason(used, suggested, times[suggested], between),
    )


def _reason(used: Sequence[int], suggested: int, times: int, between: tuple[int, int]) -> str:
    if len(used) == 1:
        return f"the elbow lies at {suggested} for the one range of k that there is, up to {used[0]}"
    whole = f"largest k from {used[0]} to {used[-1]}"
    if times == len(used):
        return f"the elbow lies at {suggested} for every {whole}"
    told = f"the elbow lies at {suggested} for {times} of {len(used)} {whole}"
    if between[0] == between[1]:
        return f"{told} and there is none for the others"
    a, b = between
    return f"{told} and between {a} and {b} for all: it moves with the range, so read {suggested} as one of {a} to {b}"


def _short(ks: Sequence[int], costs: Sequence[Cost]) -> Elbow:
    """For fewer points than any range has."""
    last = ks[-1]
    told = f"the curve ends at k={last}, for there are no more different values"
    if len(ks) < 3:
        return _only(last, f"{told}: each of them is a cluster")
    found = elbow(ks, costs)
    if found is None:
        return _without_bend(ks, f"{told}, and the cost falls evenly or not at all")
    reason = f"{told}: over all of it the elbow lies at {found}, which {len(ks)} points hardly tell"
    return Elbow(
        by_range=MappingProxyType({last: found}), suggested_k=found, suggested_range=(found, found), reason=reason
    )


def _without_bend(ks: Sequence[int], told: str) -> Elbow:
    return _only(ks[0], f"{told}: there is no elbow, and {ks[0]} is used until something else speaks for more")


def _only(k: int, reason: str) -> Elbow:
    return Elbow(by_range=MappingProxyType({}), suggested_k=k, suggested_range=(k, k), reason=reason)
