"""What speaks against the clusters that an elbow suggests, in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Int

from .._wording import counted, listed, quoted
from ._elbow import FEW_BOXES, Elbow, suggest_k
from ._exact import exact_curve
from ._features import Features

CLEARER = 0.1
"""The silhouette contradicts where it is so much higher elsewhere than at the suggested number of clusters."""
OUTLIERS = 5
RARE = 0.02
"""A cluster of fewer boxes than `OUTLIERS`, or of a smaller share than this, is told."""
MOST_VALUES = 2_000


def doubts_about(
    found: Features, *, elbow: Elbow, silhouettes: Sequence[float | None], max_k: int, counts: Int[np.ndarray, " k"]
) -> Iterator[str]:
    """Each that applies to these boxes, the most general first.

    Args:
        found: What was clustered.
        elbow: That of the curve.
        silhouettes: For k = 1, 2, ...; None where there is none.
        max_k: How far the curve was to go.
        counts: Boxes in each of the clusters that were chosen.
    """
    if found.boxes < FEW_BOXES:
        yield (
            f"{counted(found.boxes, 'box is', 'boxes are')} fewer than {FEW_BOXES}: "
            "one more or less can move the elbow and the centres"
        )
    yield from _silhouette(elbow, silhouettes, found.boxes)
    yield from _structureless(found, elbow, max_k)
    if found.boxes >= FEW_BOXES and len(counts) > 1:
        yield from _outliers(found.boxes, counts.tolist())


def doubts_of_labels(elbow: Elbow, by_label: Mapping[str, Elbow]) -> Iterator[str]:
    """Where the boxes of single labels bend elsewhere than all together."""
    others = [
        f"{quoted(name)} at {own.suggested_k}"
        for name, own in by_label.items()
        if own.by_range and own.suggested_k != elbow.suggested_k
    ]
    if others and elbow.by_range:
        yield (
            f"boxes of one label bend elsewhere than all together, which bend at {elbow.suggested_k}: {listed(others)}"
            "; the clusters of all boxes cut across labels and answer another question"
        )


def without_groups(found: Features) -> Float[np.ndarray, " n"] | None:
    """As many values as boxes, at most 2,000, that follow one bell as wide as these; None where none is fair.

    The reference is what Tibshirani, Walther and Hastie ("Estimating the number of clusters in a data set via the gap
    statistic", 2001) compare a curve with: data of the same spread and without groups. Theirs is uniform; ratios pile
    up in the middle, so here the logarithm of the ratio is normal, with the mean and the deviation of the boxes'.
    Evenly spaced quantiles take the place of draws. Widths and heights have none: no simple law ends where a picture
    does.
    """
    if found.values.shape[1] != 1:
        return None
    ratios = found.feature == "aspect-ratio"
    logarithms = np.log(found.values[:, 0]) if ratios else found.values[:, 0]
    mean = float(np.average(logarithms, weights=found.weights))
    deviation = float(np.sqrt(np.average((logarithms - mean) ** 2, weights=found.weights)))
    values = mean + deviation * _bell(min(found.boxes, MOST_VALUES))
    return np.exp(values) if ratios else values


@lru_cache(maxsize=64)
def _bell(count: int) -> Float[np.ndarray, " n"]:
    """Quantiles of the standard normal distribution at the middles of `count` equal parts."""
    return np.array([NormalDist().inv_cdf((i + 0.5) / count) for i in range(count)])


def _silhouette(elbow: Elbow, silhouettes: Sequence[float | None], boxes: int) -> Iterator[str]:
    # Many clusters of few boxes are a grid of whole pixels rather than groups.
    most = boxes // OUTLIERS
    known = {k: value for k, value in enumerate(silhouettes, 1) if value is not None and k <= most}
    taken = known.get(elbow.suggested_k)
    if taken is None:
        return
    best = max(known, key=lambda k: (known[k], -k))
    low, high = elbow.suggested_range
    if not low <= best <= high and known[best] > taken + CLEARER:
        yield (
            f"the silhouette is highest at {counted(best, 'cluster')} ({known[best]:.2f}, against {taken:.2f} at "
            f"{elbow.suggested_k}): look at the histogram before you take {elbow.suggested_k}"
        )


def _structureless(found: Features, elbow: Elbow, max_k: int) -> Iterator[str]:
    if found.boxes < FEW_BOXES or not elbow.by_range:
        return
    values = without_groups(found)
    if values is None:
        return
    curve = exact_curve(values, max_k=max_k)
    if suggest_k([part.k for part in curve], [part.inertia for part in curve]).suggested_k == elbow.suggested_k:
        yield (
            f"values without any groups, spread as wide as these, bend at {elbow.suggested_k} too, so the elbow says "
            "how many anchors pay, not how many kinds of boxes there are"
        )


def _outliers(boxes: int, counts: Sequence[int]) -> Iterator[str]:
    for count in counts:
        if count < OUTLIERS or count < RARE * boxes:
            what = "an outlier" if count == 1 else "outliers"
            what = f"{what} rather than a kind" if count < OUTLIERS else "a rare kind, or outliers"
            are, own = ("is", "its") if count == 1 else ("are", "their")
            yield f"{count:,} of the {boxes:,} boxes {are} a cluster of {own} own: {what}"
