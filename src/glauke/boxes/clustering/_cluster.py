"""Boxes in clusters: the curve over all numbers of clusters, the elbow that it suggests, and the clusters of one k.

Ratios are clustered exactly (`_exact`): there is nothing to be lucky with. Sizes are clustered from several starts
(`_plane`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from glauke.errors import DataError, UsageError

from .._annotations import Annotations
from .._wording import counted, listed, quoted
from ._doubts import doubts_about, doubts_of_labels
from ._elbow import Elbow, suggest_k
from ._exact import MAX_K, exact_curve
from ._features import Features, features
from ._lloyd import Distance, known_distance
from ._plane import kmeans_curve
from ._silhouette import mean_silhouettes
from ._unread import unread


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """What is known about one number of clusters."""

    k: int
    inertia: float
    """Sum of squared distances to the own centre; for "iou" the sum of 1 - IoU."""
    mean_iou: float | None
    """IoU of a box with the centre that it overlaps most, on average; None for ratios."""
    silhouette: float | None
    """Mean silhouette, on a sample of at most 2,000 boxes; None where it says nothing, as for k=1."""
    gain: float | None
    """How much `mean_iou` is above that of one cluster fewer; None for ratios and for k=1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clusters:
    """The curve of one feature, and the clusters of one k."""

    feature: str
    distance: str
    boxes: int
    """Boxes that were clustered; rows of a count table count as often as they say."""
    left_out: int
    """Boxes without a feature, for their regions enclose nothing."""
    curve: tuple[CurvePoint, ...]
    """From k=1 on; shorter than asked where there are no more different values."""
    k: int
    elbow: Elbow
    """What the curve suggests, whether or not `k` follows it."""
    centers: Float[np.ndarray, "..."]
    """(k,) in ascending order, or (k, 2) smallest area first; in the feature's unit, so logarithms for logarithms."""
    counts: Int[np.ndarray, " k"]
    """Boxes in each cluster, int64."""
    borders: Float[np.ndarray, " k-1"] | None
    """Smallest value of each cluster but the first; None in the plane."""
    exact: bool
    """Whether the clusters are the best there are, and not only the best that was found."""
    assignment: Int[np.ndarray, " n"]
    """Cluster of each of `rows`, int64."""
    rows: Int[np.ndarray, " n"]
    """The clustered regions, as rows of `Annotations`, int64."""
    by_label: Mapping[str, "Clusters"] = field(default_factory=lambda: MappingProxyType({}))
    """The same for the boxes of each label alone, commonest label first; empty unless asked for."""
    notes: tuple[str, ...] = ()
    """What of the file could not be read, and which labels have no clusters of their own, and why."""
    doubts: tuple[str, ...] = ()
    """What speaks against the suggested number of clusters, and against the chosen clusters, in sentences."""

    def __repr__(self) -> str:
        """In one line; the numbers are in the fields."""
        from .._cards import clusters_line

        return f"Clusters({clusters_line(self)})"

    def _repr_html_(self) -> str:
        from .._cards import clusters_card

        return clusters_card(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Division:
    """One point of the curve, with its clusters."""

    inertia: float
    mean_iou: float | None
    centers: np.ndarray
    counts: np.ndarray
    borders: np.ndarray | None
    assignment: np.ndarray


def cluster(
    annotations: Annotations,
    *,
    feature: str = "aspect-ratio",
    distance: str = "euclidean",
    k: Literal["auto"] | int = "auto",
    by_label: bool = False,
    max_k: int = MAX_K,
) -> Clusters:
    """Divide boxes into clusters by shape or size, for every k from 1 to `max_k`; `k` "auto" takes the elbow.

    Regions that enclose nothing are left out. The answer depends neither on the order of the boxes nor on chance.

    Raises:
        UnknownNameError: there is no such feature or distance.
        UsageError: "iou" without relative sizes, or `k` below 1 or above the number of different values.
        DataError: there are no boxes, or picture sizes are needed and not known.
    """
    measure, found = known_distance(distance), features(annotations, feature=feature)
    if measure == "iou" and feature != "relative-size":
        raise UsageError(f"distance iou compares widths and heights, and {feature} has none", fix="use relative-size")
    if max_k < 1 or (k != "auto" and k < 1):
        raise UsageError(
            f"the number of clusters must be at least 1, not {max_k if max_k < 1 else k}",
            place="--k" if max_k >= 1 else None,
            fix="give auto or a number from 1 on" if max_k >= 1 else None,
        )
    if found.boxes == 0:
        none = f"none of {counted(found.left_out, 'region')} encloses anything"
        raise DataError(
            f"there are no boxes to cluster: {none if found.left_out else 'the file has no regions'}",
            place=None if annotations.path is None else str(annotations.path),
            fix="look at the file with `glauke boxes check`",
        )
    most, values = max(max_k, 1 if k == "auto" else k), _different(found)
    if k != "auto" and k > values:
        plural = f"different values of {feature}"
        raise UsageError(
            f"k={k} is more than the {counted(values, f'different value of {feature}', plural)} of "
            f"{counted(found.boxes, 'box', 'boxes')}",
            place="--k",
            fix=f"ask for at most {values}",
        )
    labels, notes = _by_label(annotations, found, measure, k, most) if by_label else ({}, [])
    notes = (*unread(annotations), *notes)
    return _clusters(found, distance=measure, k=k, max_k=most, by_label=labels, notes=notes)


def clusters_as_dict(clusters: Clusters) -> dict[str, object]:
    """The object that `glauke boxes cluster --json` prints; what is not known has no key."""
    described: dict[str, object] = {
        "feature": clusters.feature,
        "distance": clusters.distance,
        "boxes": clusters.boxes,
        "curve": [_point(point) for point in clusters.curve],
        "k": clusters.k,
        "suggested_k": clusters.elbow.suggested_k,
        "suggested_range": list(clusters.elbow.suggested_range),
        "reason": clusters.elbow.reason,
        "centers": clusters.centers.tolist(),
        "counts": clusters.counts.tolist(),
        "exact": clusters.exact,
        "by_range": {str(largest): k for largest, k in clusters.elbow.by_range.items()},
        "doubts": list(clusters.doubts),
        "left_out": clusters.left_out,
    }
    if clusters.borders is not None:
        described["borders"] = clusters.borders.tolist()
    if clusters.feature == "log-aspect-ratio":
        described["ratios"] = np.exp(clusters.centers).tolist()
    if clusters.by_label:
        described["by_label"] = {label: clusters_as_dict(inner) for label, inner in clusters.by_label.items()}
    if clusters.notes:
        described["notes"] = list(clusters.notes)
    return described


def _point(point: CurvePoint) -> dict[str, object]:
    known = {"k": point.k, "inertia": point.inertia, "mean_iou": point.mean_iou, "silhouette": point.silhouette}
    known["gain"] = point.gain
    return {name: value for name, value in known.items() if value is not None}


def _by_label(
    annotations: Annotations, found: Features, distance: Distance, k: Literal["auto"] | int, max_k: int
) -> tuple[dict[str, Clusters], list[str]]:
    clusters: dict[str, Clusters] = {}
    without: list[str] = []
    needed = 2 if k == "auto" else max(k, 2)
    label = annotations.label[found.rows]
    for name in annotations.label_counts():
        own = _chosen(found, label == annotations.labels.index(name))
        if own.boxes and _different(own) >= needed:
            clusters[name] = _clusters(own, distance=distance, k=k, max_k=max_k)
        else:
            without.append(f"{quoted(name)} ({counted(own.boxes, 'box', 'boxes') if own.boxes else 'no box'})")
    notes = []
    if without:
        told = "a label has" if len(without) == 1 else f"{len(without)} labels have"
        notes.append(
            f"{told} no clusters, for fewer than {needed} different values of {found.feature}: "
            f"{listed(without, most=10)}"
        )
    unlabelled = int(found.weights[label < 0].sum())
    if unlabelled:
        belong = "belongs" if unlabelled == 1 else "belong"
        notes.append(f"{counted(unlabelled, 'box', 'boxes')} without a label {belong} to no label's clusters")
    return clusters, notes


def _chosen(found: Features, chosen: np.ndarray) -> Features:
    return Features(
        feature=found.feature,
        values=found.values[chosen],
        weights=found.weights[chosen],
        rows=found.rows[chosen],
        left_out=0,
    )


def _different(found: Features) -> int:
    """How many different values there are."""
    if found.values.shape[1] == 1:
        return len(np.unique(found.values))
    ascending = found.values[np.lexsort(found.values.T)]
    return 1 + int((ascending[1:] != ascending[:-1]).any(axis=1).sum())


def _clusters(
    found: Features,
    *,
    distance: Distance,
    k: Literal["auto"] | int,
    max_k: int,
    by_label: Mapping[str, Clusters] | None = None,
    notes: tuple[str, ...] = (),
) -> Clusters:
    line = found.values.shape[1] == 1
    divisions = _on_the_line(found, max_k) if line else _in_the_plane(found, distance, max_k)
    curve = _curve(found, distance, divisions)
    elbow = suggest_k([point.k for point in curve], [point.inertia for point in curve], boxes=found.boxes)
    chosen = elbow.suggested_k if k == "auto" else k
    division = divisions[chosen - 1]
    counts = np.rint(division.counts).astype(np.int64)
    silhouettes = [point.silhouette for point in curve]
    doubts = doubts_about(found, elbow=elbow, silhouettes=silhouettes, max_k=max_k, counts=counts)
    of_labels = doubts_of_labels(elbow, {name: own.elbow for name, own in (by_label or {}).items()})
    return Clusters(
        feature=found.feature,
        distance=distance,
        boxes=found.boxes,
        left_out=found.left_out,
        curve=curve,
        k=chosen,
        elbow=elbow,
        centers=division.centers,
        counts=counts,
        borders=division.borders,
        exact=line,
        assignment=division.assignment.astype(np.int64),
        rows=found.rows,
        by_label=MappingProxyType(dict(by_label or {})),
        notes=notes,
        doubts=(*doubts, *of_labels),
    )


def _on_the_line(found: Features, max_k: int) -> list[_Division]:
    values = found.values[:, 0]
    return [
        _Division(
            inertia=part.inertia,
            mean_iou=None,
            centers=part.centers,
            counts=part.counts,
            borders=part.borders,
            assignment=np.searchsorted(part.borders, values, side="right").astype(np.int16),
        )
        for part in exact_curve(values, weights=found.weights, max_k=max_k)
    ]


def _in_the_plane(found: Features, distance: Distance, max_k: int) -> list[_Division]:
    return [
        _Division(
            inertia=plane.inertia,
            mean_iou=plane.mean_iou,
            centers=plane.centers,
            counts=plane.counts,
            borders=None,
            assignment=plane.assignment,
        )
        for plane in kmeans_curve(found.values, weights=found.weights, distance=distance, max_k=max_k)
    ]


def _curve(found: Features, distance: Distance, divisions: list[_Division]) -> tuple[CurvePoint, ...]:
    silhouettes = mean_silhouettes(
        found.values, assignments=[d.assignment for d in divisions], weights=found.weights, distance=distance
    )
    overlaps = [division.mean_iou for division in divisions]
    gains = [None, *(None if b is None or a is None else b - a for a, b in pairwise(overlaps))]
    return tuple(
        CurvePoint(k=i + 1, inertia=d.inertia, mean_iou=d.mean_iou, silhouette=silhouettes[i], gain=gains[i])
        for i, d in enumerate(divisions)
    )
