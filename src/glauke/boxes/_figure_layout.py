"""What goes where in a figure of boxes and what its labels say: arithmetic and words, nothing is drawn here."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from ._annotations import Annotations
from ._wording import bare, counted
from .clustering._anchors import Anchors
from .clustering._cluster import Clusters

MAX_POINTS = 1500
"""More dots than this in a scatter are a blot, and a page of megabytes."""

LEAST_POINTS = 20
"""So many of each cluster are among them."""

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
    """Width over height as axes, legends and tables say it.

    >>> ratio_words(0.25), ratio_words(2), ratio_words(1.4142), ratio_words(2048)
    ('0.25', '2', '1.41', '2,048')
    """
    return f"{ratio:,.0f}" if ratio >= 1000 else f"{ratio:.3g}"


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


def ratio_bars(
    annotations: Annotations, clusters: Clusters
) -> tuple[Float[np.ndarray, " b"], Float[np.ndarray, "k n"]]:
    """Edges of a histogram of width over height, even on a logarithmic axis, and the boxes of each cluster in it.

    Clusters that are not by ratio are one layer.
    """
    width, height = annotations.boxes_xywh[clusters.rows, 2:].T
    ratios = width / height
    weights = np.ones(len(ratios)) if annotations.weight is None else annotations.weight[clusters.rows] * 1.0
    low, high = float(ratios.min()), float(ratios.max())
    middle = math.sqrt(low * high)
    low, high = min(low, middle / 1.25) / 1.05, max(high, middle * 1.25) * 1.05
    edges = np.geomspace(low, high, 1 + int(np.clip(2 * math.sqrt(len(ratios)), 12, 60)))
    members = [clusters.assignment == i for i in range(len(clusters.centers))] if is_by_ratio(clusters) else [...]
    layers = [np.histogram(ratios[own], bins=edges, weights=weights[own])[0] for own in members]
    return edges, np.stack(layers)


def is_by_ratio(clusters: Clusters) -> bool:
    """Whether the clusters are intervals of the ratio, and not regions of the plane."""
    return clusters.borders is not None


def ratio_centers(clusters: Clusters) -> list[float]:
    """Centres of clusters by ratio, as ratios also where logarithms were clustered."""
    return _as_ratios(clusters, clusters.centers)


def ratio_borders(clusters: Clusters) -> list[float]:
    """Between two clusters by ratio, halfway between their centres; as ratios also where logarithms were clustered."""
    return _as_ratios(clusters, (clusters.centers[1:] + clusters.centers[:-1]) / 2)


def cluster_points(annotations: Annotations, clusters: Clusters) -> tuple[Float[np.ndarray, "n 2"], str]:
    """Width and height of the clustered boxes in the clusters' own unit, and its name."""
    sides = annotations.boxes_xywh[clusters.rows, 2:]
    if is_by_ratio(clusters):
        return sides, "px"
    pictures = annotations.image[clusters.rows]
    return sides / np.stack([annotations.widths[pictures], annotations.heights[pictures]], axis=1), "of the picture"


def center_names(clusters: Clusters) -> list[str]:
    """What each centre is called in a legend, with the number of boxes of its cluster."""
    if is_by_ratio(clusters):
        names = [ratio_words(center) for center in ratio_centers(clusters)]
    else:
        names = [f"{100 * width:.0f}% × {100 * height:.0f}%" for width, height in clusters.centers.tolist()]
    return _with_counts(names, clusters.counts.tolist())


def anchor_names(anchors: Anchors) -> list[str]:
    """Each anchor with the number of its boxes, for a legend."""
    names = [f"{width:.0f} × {height:.0f}" for width, height in anchors.sizes.tolist()]
    return _with_counts(names, anchors.counts.tolist())


def thinned(points: Float[np.ndarray, "n 2"], assignment: Int[np.ndarray, " n"]) -> Int[np.ndarray, " m"]:
    """Which of the points a scatter shows: every so manieth of each group, in the order of the file.

    A small group keeps `LEAST_POINTS`, or all that it has, so that none is without its dots.
    """
    if len(points) <= MAX_POINTS:
        return np.arange(len(points))
    groups = [np.flatnonzero(assignment == i) for i in range(int(assignment.max()) + 1)]
    kept = []
    for rows in groups:
        room = max(min(len(rows), LEAST_POINTS), MAX_POINTS * len(rows) // len(points))
        kept.append(rows[np.linspace(0, len(rows) - 1, room).astype(np.int64)] if room else rows)
    return np.sort(np.concatenate(kept))


def frame(points: Float[np.ndarray, "n 2"], *, also: Float[np.ndarray, "k 2"] | None = None) -> tuple[float, float]:
    """Where a scatter's two axes end: at the largest values, unless a few would squeeze all others into a corner.

    What is in `also` is within the frame in any case.
    """
    ends = []
    for i, values in enumerate(points.T):
        end = min(float(values.max()), _FAR * float(np.quantile(values, 0.99)))
        ends.append(1.04 * (end if also is None else max(end, float(also[:, i].max()))))
    # A frame to scale of any shape would be a strip sometimes.
    return max(ends[0], ends[1] / 3), max(ends[1], ends[0] / 3)


def shown_note(points: Float[np.ndarray, "n 2"], *, shown: int, width: float | int, height: float | int) -> str:
    """What is not to be seen in a scatter, to go on from the name of its axis."""
    outside = int((points > (width, height)).any(axis=1).sum())
    parts = [f"{shown:,} of {len(points):,} shown"] if shown < len(points) else []
    return "; ".join(["", *parts, *([f"{outside:,} larger outside"] if outside else [])])


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


def position_cells(points: Float[np.ndarray, "n 2"]) -> tuple[Float[np.ndarray, " e"], Float[np.ndarray, "c c"]]:
    """Edges of the cells of a heat map, on both axes the same, and the number of points in each, top row first.

    What lies outside the picture counts in the cell nearest to it.
    """
    edges = np.linspace(0, 1, 1 + int(np.clip(math.sqrt(len(points) / 2), 8, 24)))
    x, y = np.clip(points, 0, 1).T
    return edges, np.histogram2d(y, x, bins=[edges, edges])[0]


def usual_shape(annotations: Annotations) -> float:
    """Height over width of the median picture, not beyond 2 or its inverse."""
    known = (annotations.widths > 0) & (annotations.heights > 0)
    return float(np.clip(np.median(annotations.heights[known] / annotations.widths[known]), 0.5, 2.0))


def level_starts(most: int) -> list[int]:
    """The least count of each level of a heat map, at most nine from 0 to `most`, and one more than `most`.

    >>> level_starts(3), level_starts(100)
    ([0, 1, 2, 3, 4], [0, 1, 13, 26, 39, 51, 63, 76, 89, 101])
    """
    levels = min(8, most)
    return [0, *(1 + round(i * most / levels) for i in range(levels)), most + 1] if levels else [0, 1]


def level_names(starts: Sequence[int]) -> list[str]:
    """What each level of a heat map stands for.

    >>> level_names([0, 1, 3, 4])
    ['0', '1–2', '3']
    """
    return [f"{a:,}" if b == a + 1 else f"{a:,}–{b - 1:,}" for a, b in pairwise(starts)]


def _as_ratios(clusters: Clusters, values: np.ndarray) -> list[float]:
    return (np.exp(values) if clusters.feature == "log-aspect-ratio" else values).tolist()


def _with_counts(names: Sequence[str], counts: Sequence[int]) -> list[str]:
    return [f"{name} ({counted(n, 'box', 'boxes')})" for name, n in zip(names, counts, strict=True)]
