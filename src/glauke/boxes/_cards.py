"""What a notebook shows of annotations, clusters, an elbow and anchors."""

import math
from functools import partial

from glauke.markup import card, element, picture, table

from ._annotations import Annotations
from ._wording import counted, share, tally, visible
from .clustering._anchors import Anchors
from .clustering._cluster import Clusters
from .clustering._elbow import Elbow

MOST_LABELS = 20


def annotations_line(annotations: Annotations) -> str:
    """A file of annotations in a line."""
    pictures, boxes = counted(len(annotations.names), "picture"), counted(annotations.num_boxes(), "box", "boxes")
    labels = annotations.label_counts()
    said = f": {tally(labels, most=6, total=len(labels))}" if labels else ""
    return f"{annotations.kind}, {pictures}, {boxes}{said}"


def annotations_card(annotations: Annotations) -> str:
    """The labels with their numbers of boxes, and their bars."""
    from . import plots  # loads matplotlib, so not before a figure is to be shown

    total, counts = annotations.num_boxes(), annotations.label_counts()
    rows = [(visible(label), f"{n:,}", share(n, total)) for label, n in list(counts.items())[:MOST_LABELS]]
    if len(counts) > MOST_LABELS:
        rest = list(counts.values())[MOST_LABELS:]
        rows.append((counted(len(rest), "further label"), f"{sum(rest):,}", share(sum(rest), total)))
    if unlabelled := annotations.num_unlabelled():
        rows.append(("without a label", f"{unlabelled:,}", share(unlabelled, total)))
    found = counted(len(annotations.findings), "finding")
    return card(
        f"Annotations: {annotations_line(annotations)}",
        element("p", f"{found} while reading; check() says more.") if annotations.findings else None,
        table(rows, caption="Boxes by label", header=["Label", "Boxes", "Share"], numeric=True),
        picture(partial(plots.save_labels, annotations), alt=f"Boxes by label: {annotations_line(annotations)}"),
    )


def clusters_line(clusters: Clusters) -> str:
    """Clusters in a line: how many, by what, and their centres."""
    boxes = counted(clusters.boxes, "box", "boxes")
    return f"{clusters.k} of {boxes} by {clusters.feature}: {', '.join(_centers(clusters))}"


def clusters_card(clusters: Clusters) -> str:
    """The clusters with their centres and sizes, what the elbow says, and the curve."""
    from . import plots

    rows = [
        (str(i + 1), center, f"{count:,}", share(count, clusters.boxes))
        for i, (center, count) in enumerate(zip(_centers(clusters), clusters.counts.tolist(), strict=True))
    ]
    what = "Ratio" if clusters.borders is not None else "Width x height"
    return card(
        f"Clusters: {clusters_line(clusters)}",
        element("p", f"{clusters.elbow.reason}."),
        [element("p", note) for note in clusters.notes],
        table(rows, caption="Clusters", header=["Cluster", what, "Boxes", "Share"], numeric=True),
        picture(partial(plots.save_elbow, clusters), alt=f"Cost by number of clusters: {clusters.elbow.reason}"),
    )


def elbow_line(elbow: Elbow) -> str:
    """An elbow in a line."""
    low, high = elbow.suggested_range
    return f"{elbow.suggested_k}" + ("" if low == high else f" of {low} to {high}") + f": {elbow.reason}"


def elbow_card(elbow: Elbow) -> str:
    """The elbows, with the ranges that give each."""
    ranges: dict[int, list[str]] = {}
    for largest, k in elbow.by_range.items():
        ranges.setdefault(k, []).append(str(largest))
    rows = [(str(k), ", ".join(ranges[k])) for k in sorted(ranges)]
    return card(
        f"Elbow at {elbow_line(elbow)}.",
        table(rows, caption="Elbows by range", header=["Elbow", "Where the largest k is"]) if rows else None,
    )


def anchors_line(anchors: Anchors) -> str:
    """Anchors in a line: their sizes and how well they fit."""
    width, height = anchors.input_size
    return (
        f"{len(anchors)} at {width}x{height} px, mean IoU {anchors.mean_iou:.3f}, "
        f"best possible recall {anchors.best_possible_recall:.1%}: {', '.join(_sizes(anchors))}"
    )


def anchors_card(anchors: Anchors) -> str:
    """The anchors with the boxes that are nearest to each, and all of them to scale."""
    from . import plots

    rows = [
        (str(i + 1), size, f"{count:,}", share(count, anchors.boxes))
        for i, (size, count) in enumerate(zip(_sizes(anchors), anchors.counts.tolist(), strict=True))
    ]
    line = anchors_line(anchors)
    return card(
        f"Anchors: {line.rpartition(':')[0]}",
        table(rows, caption="Anchors", header=["Anchor", "Width x height", "Boxes", "Share"], numeric=True),
        picture(partial(plots.save_anchors, anchors), alt=f"Boxes and anchors: {line}"),
    )


def _centers(clusters: Clusters) -> list[str]:
    if clusters.borders is None:
        return [f"{width:.1%} x {height:.1%}" for width, height in clusters.centers.tolist()]
    logarithms = clusters.feature == "log-aspect-ratio"
    return [f"{math.exp(center) if logarithms else center:.3g}" for center in clusters.centers.tolist()]


def _sizes(anchors: Anchors) -> list[str]:
    return [f"{width:.0f}x{height:.0f}" for width, height in anchors.sizes.tolist()]
