"""What goes where in a figure of boxes and what its labels say: arithmetic and words, nothing is drawn here."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from ._annotations import Annotations
from ._cluster import Clusters
from ._wording import bare, number

MAX_POINTS = 1500
"""More dots than this in a scatter are a blot, and a page of megabytes."""

MOST_LABELS = 30
"""Bars; the rest of the labels become one."""

_LONGEST_LABEL = 28
_FAR = 3.0  # times the 99th percentile: what is farther out would leave no room for the rest


def spread(places: Sequence[float], *, gap: float) -> list[float]:
    """Ascending places within 0..1 moved to be `gap` apart; closer, but even, where there is no room for that.

    >>> spread([0.1, 0.5, 0.55], gap=0.1), spread([0.95, 0.98], gap=0.1)
    ([0.1, 0.5, 0.6], [0.9, 1.0])
    """
    gap = min(gap, 1 / max(1, len(places) - 1))
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap) if moved else max(place, 0.0))
    limit = 1.0
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - gap
    return [round(place, 9) for place in moved]


def ratio_words(ratio: float | int) -> str:
    """A ratio of width to height as an axis says it.

    >>> ratio_words(0.25), ratio_words(2), ratio_words(1.5)
    ('1:4', '2:1', '1.5:1')
    """
    return f"{number(ratio)}:1" if ratio >= 1 else f"1:{number(1 / ratio)}"


def ratio_ticks(low: float | int, high: float | int) -> list[float]:
    """Ratios to write on a logarithmic axis from `low` to `high`: powers of two, thinned or filled in to be 3 to 9.

    >>> ratio_ticks(0.2, 5)
    [0.25, 0.5, 1.0, 2.0, 4.0]
    """
    first, last = math.ceil(math.log2(low) - 1e-9), math.floor(math.log2(high) + 1e-9)
    step = max(1, math.ceil((last - first + 1) / 9))
    ticks = [2.0**power for power in range(first, last + 1) if power % step == 0]
    if len(ticks) >= 3:
        return ticks
    for denominator in (2, 4, 10, 20, 100):
        parts = range(1, 4 * denominator)
        fine = sorted({*(1 + p / denominator for p in parts), *(1 / (1 + p / denominator) for p in parts), 1.0, *ticks})
        fine = [ratio for ratio in fine if low <= ratio <= high]
        if len(fine) >= 3:
            return fine[:: math.ceil(len(fine) / 7)]
    return [math.sqrt(low * high)]


def ratios(annotations: Annotations, rows: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Width over height of some boxes."""
    sides = annotations.boxes_xywh[rows, 2:]
    return sides[:, 0] / sides[:, 1]


def weights(annotations: Annotations, rows: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """How many boxes each of some rows stands for."""
    if annotations.weight is None:
        return np.ones(len(rows))
    return annotations.weight[rows].astype(np.float64)


def is_by_ratio(clusters: Clusters) -> bool:
    """Whether the clusters are intervals of the ratio, and not regions of the plane."""
    return clusters.borders is not None


def ratio_centers(clusters: Clusters) -> list[float]:
    """Centres of clusters by ratio, as ratios also where logarithms were clustered."""
    return _as_ratios(clusters, clusters.centers)


def ratio_borders(clusters: Clusters) -> list[float]:
    """Between two clusters by ratio, halfway between their centres; as ratios also where logarithms were clustered."""
    return _as_ratios(clusters, (clusters.centers[1:] + clusters.centers[:-1]) / 2)


def thinned(points: Float[np.ndarray, "n 2"]) -> Int[np.ndarray, " m"]:
    """Which of the points a scatter shows: every so manieth in the order of the file."""
    return np.unique(np.linspace(0, len(points) - 1, min(len(points), MAX_POINTS)).astype(np.int64))


def frame(points: Float[np.ndarray, "n 2"]) -> tuple[float, float]:
    """Where a scatter's two axes end: at the largest values, unless a few would squeeze all others into a corner."""
    ends = []
    for values in points.T:
        usual = _FAR * float(np.quantile(values, 0.99))
        ends.append(1.04 * min(float(values.max()), usual))
    # A frame of one to scale, and not a strip.
    return max(ends[0], ends[1] / 3), max(ends[1], ends[0] / 3)


def label_bars(annotations: Annotations) -> list[tuple[str, int]]:
    """Name and number of boxes for each bar, commonest label first; the rest and the unlabelled last."""
    counts = [(label, n) for label, n in annotations.label_counts().items() if n]
    bars = [(bare(label, most=_LONGEST_LABEL), n) for label, n in counts[:MOST_LABELS]]
    if len(counts) > MOST_LABELS:
        rest = counts[MOST_LABELS:]
        bars.append((f"({len(rest):,} more labels)", sum(n for _, n in rest)))
    if unlabelled := annotations.num_unlabelled():
        bars.append(("(no label)", unlabelled))
    return bars


def relative_centers(annotations: Annotations) -> Float[np.ndarray, "n 2"]:
    """Centre of each box as a part of its picture's width and height; only where both are known."""
    if annotations.kind == "table":  # its boxes all lie in one corner of no picture
        return np.empty((0, 2))
    sizes = np.stack([annotations.widths, annotations.heights], axis=1)[annotations.image]
    known = annotations.encloses & (sizes > 0).all(axis=1)
    boxes = annotations.boxes_xywh[known]
    return (boxes[:, :2] + boxes[:, 2:] / 2) / sizes[known]


def _as_ratios(clusters: Clusters, values: np.ndarray) -> list[float]:
    return (np.exp(values) if clusters.feature == "log-aspect-ratio" else values).tolist()
