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

from .._wording import counted

Cost = float | int

RANGES = range(6, 21)
"""Largest k that a curve is drawn to; below 6 there is hardly room for a bend."""

FEW_BOXES = 30
"""With fewer, a box more or less can move the elbow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elbow:
    """The elbow of one curve, read over several ranges."""

    by_range: Mapping[int, int]
    """The elbow by the largest k of the range; without ranges that have none."""
    suggested_k: int
    """The commonest of them, the smaller of equally common ones."""
    suggested_range: tuple[int, int]
    """The least and the largest of them: how far the elbow moves with the range, and not where the truth must lie."""
    reason: str
    """A sentence with the numbers that led here."""

    def __repr__(self) -> str:
        """In one line; the numbers are in the fields."""
        from .._cards import elbow_line

        return f"Elbow({elbow_line(self)})"

    def _repr_html_(self) -> str:
        from .._cards import elbow_card

        return elbow_card(self)


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


def suggest_k(
    ks: Sequence[int], costs: Sequence[Cost], *, ranges: Iterable[int] = RANGES, boxes: int | None = None
) -> Elbow:
    """Read the elbow of a curve for every largest k in `ranges`, as far as the curve goes, and say how sure it is.

    A curve that ends before the first of them, for lack of different values, is read once as a whole. The reason says
    when the curve is that of too few `boxes`.
    """
    if not ks:
        raise ValueError("the curve has no points")
    used = [largest for largest in ranges if largest in ks]
    if not used:
        return _short(ks, costs, boxes)
    by_range: dict[int, int] = {}
    for largest in used:
        end = ks.index(largest) + 1
        found = elbow(ks[:end], costs[:end])
        if found is not None:
            by_range[largest] = found
    if not by_range:
        return _only(ks[0], f"the curve falls evenly or not at all, drawn to {_spans(used)} clusters", boxes)
    times = Counter(by_range.values())
    suggested = min(times, key=lambda k: (-times[k], k))
    return Elbow(
        by_range=MappingProxyType(by_range),
        suggested_k=suggested,
        suggested_range=(min(times), max(times)),
        reason=_reason(used, by_range, suggested, boxes),
    )


def _reason(used: Sequence[int], by_range: Mapping[int, int], suggested: int, boxes: int | None) -> str:
    """The answer, what else it could be, and how far the curve is drawn for each."""
    times = Counter(by_range.values())
    others = sorted(times.keys() - {suggested})
    answer = counted(suggested, "cluster") + (f", perhaps {_or(others)}" if others else "")
    if len(times) == 1 and len(by_range) == len(used):
        far = f"however far it is drawn, to {used[0]} clusters or to {used[-1]}"
        far = far if len(used) > 1 else f"drawn to {used[0]} clusters"
        return f"{_few(boxes)}{answer}: the curve bends at {suggested} {far}"
    at: dict[str, list[int]] = {}
    for largest in used:
        at.setdefault(f"at {by_range[largest]}" if largest in by_range else "nowhere", []).append(largest)
    first, *more = (f"{_spans(drawn)}{{}} {place}" for place, drawn in at.items())
    told = ", to ".join([f"the curve drawn to {first.format(' clusters bends')}", *(each.format("") for each in more)])
    tied = sorted(k for k in times if times[k] == times[suggested])
    if len(tied) > 1:
        told += f"; {_and(tied)} are equally common, and the {'smaller' if len(tied) == 2 else 'smallest'} is taken"
    return f"{_few(boxes)}{answer}: {told}"


def _short(ks: Sequence[int], costs: Sequence[Cost], boxes: int | None) -> Elbow:
    """For fewer points than any range has."""
    last = ks[-1]
    if len(ks) < 3:
        whole = "all values are the same" if last == 1 else "each different value is a cluster"
        cut = f"the curve ends at {counted(last, 'cluster')}, before it can bend"
        return _only(last, whole if costs[-1] == 0 else cut, boxes)
    found = elbow(ks, costs)
    if found is None:
        return _only(ks[0], f"the curve, which ends at {last} clusters, falls evenly or not at all", boxes)
    told = f"the curve bends at {found} and ends at {last} already, which is too early to tell"
    return Elbow(
        by_range=MappingProxyType({last: found}),
        suggested_k=found,
        suggested_range=(found, found),
        reason=f"{_few(boxes)}{counted(found, 'cluster')}: {told}",
    )


def _only(k: int, told: str, boxes: int | None) -> Elbow:
    """Without an elbow."""
    reason = f"{_few(boxes)}{counted(k, 'cluster')}, for there is no elbow: {told}"
    return Elbow(by_range=MappingProxyType({}), suggested_k=k, suggested_range=(k, k), reason=reason)


def _few(boxes: int | None) -> str:
    if boxes is None or boxes >= FEW_BOXES:
        return ""
    return f"{counted(boxes, 'box is', 'boxes are')} too few to tell; "


def _spans(numbers: Sequence[int]) -> str:
    """Ascending numbers, neighbours as one: 6, 8-10 and 12."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return _joined([str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs], "and")


def _or(numbers: Sequence[int]) -> str:
    return _joined([str(number) for number in numbers], "or")


def _and(numbers: Sequence[int]) -> str:
    return _joined([str(number) for number in numbers], "and")


def _joined(words: Sequence[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
