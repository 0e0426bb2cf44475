"""What the figures of boxes show, in sentences with the numbers in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from glauke.boxes import Anchors, Annotations, Clusters

from ._words import amount, count, percent, short

FEATURES = {
    "aspect-ratio": "width / height",
    "log-aspect-ratio": "the logarithm of width / height",
    "relative-size": "the boxes' parts of their pictures' width and height",
}
RESIZED = {
    "stretch": "as darknet stretches pictures",
    "letterbox": "as YOLOv5 fits pictures into it",
    "shortest-edge": "as MMDetection and torchvision fit pictures into it",
}


def ratio(clusters: Clusters, value: float) -> float:
    """A value of clusters by ratio as a ratio, also where logarithms were clustered."""
    return math.exp(value) if clusters.feature == "log-aspect-ratio" else value


def ratio_words(value: float) -> str:
    """Width over height with three digits, as the figures write it.

    >>> ratio_words(0.8021), ratio_words(2.0)
    ('0.802', '2')
    """
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def enumerated(words: Sequence[str], *, last: str = "and") -> str:
    """Words with commas, and `last` before the last one.

    >>> enumerated(["a", "b", "c"]), enumerated(["a"])
    ('a, b and c', 'a')
    """
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def centers(clusters: Clusters) -> list[str]:
    """Each centre as a reader wants it: a ratio, or width and height in per cent of the picture."""
    if clusters.borders is not None:
        return [ratio_words(ratio(clusters, value)) for value in clusters.centers.tolist()]
    return [f"{percent(w, digits=1)} × {percent(h, digits=1)}" for w, h in clusters.centers.tolist()]


def box_captions(annotations: Annotations, *, clusters: Clusters | None, anchors: Anchors | None) -> dict[str, str]:
    """What each figure of boxes shows, by its name."""
    captions = {"labels": _labels(annotations), "positions": _positions(annotations)}
    if clusters is not None:
        captions |= {"elbow": _elbow(clusters), "ratios": _ratios(clusters), "clusters": _scatter(clusters)}
    if anchors is not None:
        captions["anchors"] = _anchors(anchors)
    return captions


def _labels(annotations: Annotations) -> str:
    total, counts = annotations.num_boxes(), annotations.label_counts()
    used = sum(n > 0 for n in counts.values())
    text = f"{amount(total, 'box', 'boxes')} of {amount(used, 'label')}"
    if used > 1:
        most, *_ = counts.values()
        least = min(n for n in counts.values() if n)
        text += f"; the commonest has {count(most)}, the rarest {count(least)}"
    if unlabelled := annotations.num_unlabelled():
        text += f"; {count(unlabelled)} without a label"
    return f"{text}."


def _elbow(clusters: Clusters) -> str:
    first, last = clusters.curve[0], clusters.curve[-1]
    if first is last:
        return "All boxes have the same value: one cluster is all there is."
    cost = "sum of 1 − IoU" if clusters.distance == "iou" else "sum of squared distances to the own centre"
    marks = (
        "The ring is the elbow, the shade all elbows that shorter and longer curves give."
        if clusters.elbow.by_range
        else f"It has no elbow; the ring is {clusters.elbow.suggested_k}, which is used."
    )
    return (
        f"The {cost} falls from {short(first.inertia)} with {amount(first.k, 'cluster')} to {short(last.inertia)} "
        f"with {last.k}. {marks}{_silhouette(clusters)}"
    )


def _silhouette(clusters: Clusters) -> str:
    """What the panel below the curve shows."""
    known = {point.k: point.silhouette for point in clusters.curve if point.silhouette is not None}
    if not known:
        return ""
    best = max(known, key=lambda k: (known[k], -k))
    same = "as the elbow has it" if best == clusters.elbow.suggested_k else "another way to choose, and another answer"
    return (
        " Below it the silhouette: how much farther a box lies from the next cluster than from its own, on average; 1 "
        f"is far apart, 0 touching. It is highest with {amount(best, 'cluster')}, {same}."
    )


def _ratios(clusters: Clusters) -> str:
    text = f"Width / height of {amount(clusters.boxes, 'box', 'boxes')}, on an axis on which 0.5 lies as far out as 2"
    if clusters.borders is None:
        return f"{text}. The clusters are by size and not by shape, so they have no borders here."
    return f"{text}. Dashed lines are the borders between clusters, marks above their centres."


def _scatter(clusters: Clusters) -> str:
    if clusters.borders is None:
        return "Each dot is a box, as a part of its picture; rectangles are the centres of the clusters, to scale."
    return (
        "Each dot is a box in pixels; on a line through the corner the ratio is the same, so lines are the centres, "
        "with their markers outside the frame."
    )


def _anchors(anchors: Anchors) -> str:
    width, height = anchors.input_size
    uncovered = anchors.num_uncovered
    none = "no box is" if not uncovered else f"{amount(uncovered, 'box is', 'boxes are')}"
    return (
        f"{amount(len(anchors), 'anchor')} and {amount(anchors.boxes, 'box', 'boxes')} in pixels of a {width} × "
        f"{height} input, {RESIZED.get(anchors.resize, anchors.resize)}. Mean IoU {anchors.mean_iou:.3f}; {none} four "
        f"times larger or smaller than every anchor."
    )


def _positions(annotations: Annotations) -> str:
    return f"Centres of boxes over all pictures laid on each other, of {amount(annotations.num_boxes(), 'region')}."
