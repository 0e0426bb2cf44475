"""What goes where in a figure of predictions and what its labels say: arithmetic and words, nothing is drawn here."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

MOST_NAMED = 30
"""Classes that can all be named beside a figure; of more, groups and extremes are."""

SHARES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Where the shades of a confusion matrix begin, as shares of a class's pictures: roughly logarithmic."""

_LIKE = 3.0  # a group's classes are confused this many times as often as two classes are on average
_LONGEST_NAME = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassGroup:
    """Neighbours in an order of classes that are taken for each other."""

    first: int
    """Place in the order."""
    last: int
    """Place of the last one, itself included."""
    named: tuple[int, ...]
    """Places of its members, the one that is most confused with the others first."""

    def __len__(self) -> int:
        """Members."""
        return self.last - self.first + 1


def class_name(name: str, *, most: int = _LONGEST_NAME) -> str:
    r"""A class as a figure can write it: one line, not too long, nothing invisible.

    >>> class_name("bow\x1btie"), class_name("German short-haired pointer")
    ('bow\\x1btie', 'German short-haired point…')
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def groups(counts: Int[np.ndarray, "k k"], *, smallest: int = 3) -> tuple[ClassGroup, ...]:
    """Runs of neighbours that are taken for each other, in a confusion matrix whose classes stand in order.

    Two neighbouring runs become one while the mean rate of confusion between them is at least three times the mean
    over all pairs of classes; what has fewer than `smallest` members is no group.

    >>> counts = np.array([[9, 3, 0, 0], [2, 9, 0, 0], [0, 0, 9, 0], [1, 0, 0, 9]])
    >>> [(group.first, group.last) for group in groups(counts, smallest=2)]
    [(0, 1)]
    """
    sizes = counts.sum(axis=1)
    rates = (counts + counts.T) / np.maximum(sizes[:, None] + sizes[None, :], 1)
    np.fill_diagonal(rates, 0.0)
    count = len(counts)
    least = _LIKE * rates.sum() / max(1, count * (count - 1))
    if least == 0:
        return ()
    starts = list(range(count + 1))
    while len(starts) > 2:
        between = [_between(rates, *starts[i : i + 3]) for i in range(len(starts) - 2)]
        best = int(np.argmax(between))
        if between[best] < least:
            break
        del starts[best + 1]
    runs = [(a, b) for a, b in pairwise(starts) if smallest <= b - a < count]
    return tuple(ClassGroup(first=a, last=b - 1, named=_by_likeness(rates, a, b)) for a, b in runs)


def group_label(group: ClassGroup, names: Sequence[str]) -> str:
    """Its two most typical classes and how many there are; `names` in the order of the matrix."""
    first, second = (class_name(names[place], most=20) for place in group.named[:2])
    more = len(group) - 2
    return f"{first}, {second}" + (f" +{more}" if more > 0 else "")


def readable_labels(places: Sequence[float | int], weights: Sequence[float | int], *, gap: float) -> list[int]:
    """Which labels can stand at their places at least `gap` apart: the weightiest first.

    >>> readable_labels([0.1, 0.15, 0.5], [1, 2, 1], gap=0.1)
    [1, 2]
    """
    kept: list[int] = []
    for i in sorted(range(len(places)), key=lambda i: (-weights[i], places[i])):
        if all(abs(places[i] - places[j]) >= gap for j in kept):
            kept.append(i)
    return sorted(kept)


def levels(counts: Int[np.ndarray, "k k"]) -> Int[np.ndarray, "k k"]:
    """The shade of each cell: 0 for none, then by share of the pictures of its row's class, see `SHARES`."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.where(counts > 0, np.digitize(shares, SHARES), 0)


def level_names() -> list[str]:
    """What each shade stands for in per cent, the lightest first."""
    starts = [f"{100 * share:g}" for share in SHARES]
    ends = [*starts[1:], "100"]
    return [f"<{ends[0]}", *(f"{a}–{b}" for a, b in zip(starts[1:], ends[1:], strict=True))]


def _between(rates: Float[np.ndarray, "k k"], start: int, middle: int, end: int) -> float:
    return float(rates[start:middle, middle:end].mean())


def _by_likeness(rates: Float[np.ndarray, "k k"], start: int, end: int) -> tuple[int, ...]:
    inside = rates[start:end, start:end].sum(axis=1)
    return tuple((start + np.argsort(-inside, kind="stable")).tolist())
