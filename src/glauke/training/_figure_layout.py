"""What goes where in a figure and what its labels say: arithmetic and words, nothing is drawn here."""

import itertools
from collections.abc import Sequence
from statistics import fmean

import numpy as np

from glauke.runs import EpochRow, RangeCurve

ENDINGS = {
    "complete": "all {planned} steps",
    "diverged": "diverged at {rate} after {done} of {planned} steps",
    "not finite": "loss not finite at {rate} after {done} of {planned} steps",
    "interrupted": "interrupted at {rate} after {done} of {planned} steps",
    "out of data": "out of data at {rate} after {done} of {planned} steps",
}
MAX_POINTS = 1500  # more than a figure has pixels across
MAX_TRIED = 4  # five lines have 100,000 arrangements


def apart(places: Sequence[float], *, gap: float) -> list[float]:
    """Places at least `gap` apart, in the same order, moved as little as that needs (pooled neighbours).

    >>> apart([0.5, 0.5], gap=0.2), apart([0.9, 0.1], gap=0.2)
    ([0.4, 0.6], [0.9, 0.1])
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    pools: list[list[float]] = []  # of wanted places, each less its rank times the gap
    for rank, i in enumerate(order):
        pools.append([places[i] - rank * gap])
        while len(pools) > 1 and fmean(pools[-2]) > fmean(pools[-1]):
            above = pools.pop()
            pools[-1] += above
    moved = [fmean(pool) for pool in pools for _ in pool]
    result = [0.0] * len(places)
    for rank, i in enumerate(order):
        result[i] = round(moved[rank] + rank * gap, 12)
    return result


def rows_above(places: Sequence[float], widths: Sequence[float]) -> list[tuple[int, bool]]:
    """For each vertical line a row for its label, from below, and whether the label stands to its right.

    A line reaches up to its own label, so a label may only lie over lines that end in lower rows. All in axes
    fractions, from left to right, for the handful of lines that a figure has: arrangements are tried, those
    with fewer rows and more labels on the right first.

    >>> rows_above([0.1, 0.2, 0.7], [0.25, 0.25, 0.25])
    [(1, True), (0, True), (0, True)]
    """
    count = len(places)
    for top in range(count if count <= MAX_TRIED else 0):
        for rights in sorted(itertools.product((True, False), repeat=count), reverse=True):
            spans = [
                (x, x + width) if right else (x - width, x)
                for x, width, right in zip(places, widths, rights, strict=True)
            ]
            if any(low < 0 or high > 1 for low, high in spans):
                continue
            for rows in sorted(itertools.product(range(top, -1, -1), repeat=count), key=sum):
                if not any(_collide(places, spans, rows, i, j) for i, j in itertools.permutations(range(count), 2)):
                    return list(zip(rows, rights, strict=True))
    # Too many labels, or too narrow a frame: all to the right, the leftmost highest, which never collides.
    return [(count - 1 - i, True) for i in range(count)]


def _collide(
    places: Sequence[float], spans: Sequence[tuple[float, float]], rows: Sequence[int], i: int, j: int
) -> bool:
    """Whether label i lies over line j, or beside label j in one row without room between."""
    if rows[i] == rows[j]:
        return spans[i][0] < spans[j][1] and spans[j][0] < spans[i][1]
    return rows[i] < rows[j] and spans[i][0] < places[j] < spans[i][1]


def loss_limits(losses: np.ndarray, smoothed: np.ndarray) -> tuple[float, float]:
    """Limits that show the fall; what explodes after it may leave the frame."""
    finite = smoothed[np.isfinite(smoothed)]
    if not len(finite):
        return 0.0, 1.0
    raw = losses[np.isfinite(losses)]
    low = float(min(finite.min(), np.quantile(raw, 0.02)))
    start = float(np.median(finite[: max(1, len(finite) // 10)]))
    high = float(min(max(finite.max(), raw.max()), start + 0.5 * (start - low)))
    span = max(high - low, 0.02 * max(abs(high), 1.0))  # a flat curve is shown flat, not as its rounding errors
    return low - 0.06 * span, max(high, start) + 0.08 * span


def rate_label(test: RangeCurve) -> str:
    done, rate = len(test.rates), f"{test.rates[-1]:.3g}"
    ending = ENDINGS.get(test.ended, f"{test.ended} at {{rate}} after {{done}} of {{planned}} steps")
    return f"learning rate, {test.ramp} ramp; {ending.format(rate=rate, done=done, planned=test.num_steps)}"


def part_note(rows: Sequence[EpochRow]) -> str:
    """Says so where some epochs looked at a part of the held-out pictures only."""
    total = max(row.val_pictures for row in rows)
    parts = [row.val_pictures for row in rows if 0 < row.val_pictures < total]
    if not parts:
        return ""
    whole = [row.epoch for row in rows if row.val_pictures == total]
    where = f"epoch {whole[0]}" if len(whole) == 1 else f"{len(whole)} of the epochs"
    return f" (held-out: {max(parts):,} pictures each, {total:,} at {where})"


def time_unit(seconds: float) -> tuple[float, str]:
    if seconds < 180:
        return 1.0, "seconds"
    return (60.0, "minutes") if seconds < 3 * 3600 else (3600.0, "hours")


def changes(sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs (first step, side) at which the side really changes; none at all if it never does.

    >>> changes([(0, 32), (100, 32), (200, 64)]), changes([(0, 64), (100, 64)])
    ([(0, 32), (200, 64)], [])
    """
    kept = [(first, side) for i, (first, side) in enumerate(sizes) if i == 0 or side != sizes[i - 1][1]]
    return kept if len(kept) > 1 else []


def thinned(count: int, *, also: int) -> np.ndarray:
    """Indices of `count` values, no more than a figure can show, with both ends and the index `also` among them."""
    return np.unique([*np.linspace(0, count - 1, min(count, MAX_POINTS)).astype(int), also])
