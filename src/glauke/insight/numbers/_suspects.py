"""Pictures whose label may be wrong, by confident learning.

Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", 2021 (arXiv 1911.00068),
section 3.1: the thresholds and the confident joint; the rows off its diagonal are the suspects, ordered by the
normalised margin of section 3.2.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from glauke.errors import UsageError

from ._predictions import Predictions

ROUNDING = 1e-6  # a picture whose probability is the mean itself reaches it, whatever the last digits are


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One picture that looks more like another class than pictures of that class do on average."""

    sample: int
    """Index into the pack."""
    name: str
    """Where it lies in its source."""
    label: int
    """Index of the class that it has."""
    suggested: int
    """Index of the class that it may belong to."""
    label_probability: float
    suggested_probability: float
    margin: float
    """Probability of the label less that of the most likely other class, from -1 to 1; the lower, the more suspect."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelSuspects:
    """The suspects that were asked for, and what they were found by."""

    suspects: tuple[Suspect, ...]
    """The most suspect first."""
    total: int
    """How many there are, asked for or not."""
    thresholds: Float64[np.ndarray, " classes"]
    """Mean probability of each class over the pictures with its label; infinite for a class without pictures."""
    joint: Int64[np.ndarray, "label suggested"]
    """Pictures that reach a threshold, by their label and by the class that they look like."""


def label_suspects(predictions: Predictions, *, count: int) -> LabelSuspects:
    """Find pictures that look confidently like another class than their label says.

    A picture is confidently of a class if its probability reaches that class's mean over the pictures with that
    label: a class of which the network is never sure asks for less. Where it reaches several, the most likely of them
    counts. A suspect is a picture to look at, not a proven error, and only the first of the list say much where the
    network is weak: one that is right about 31 % of Tiny ImageNet suspects 19,985 of 33,000 pictures.

    The probabilities must come from a network that was not trained on these pictures, or it will have learnt the
    wrong labels too: give held-out pictures. Equally suspect ones come by name.

    >>> said = Predictions(
    ...     logits=np.log(np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]], np.float32)),
    ...     labels=np.array([0, 0, 0, 1, 1]), samples=np.arange(5), names=("a", "b", "c", "d", "e"),
    ...     classes=("cat", "dog"), readable=("cat", "dog"),
    ... )
    >>> [suspect.name for suspect in label_suspects(said, count=3).suspects]
    ['c']

    Raises:
        UsageError: `count` is below 1.
    """
    if count < 1:
        raise UsageError(f"the number of suspects must be at least 1, not {count}")
    probabilities, labels = predictions.probabilities, predictions.labels
    num_classes = len(predictions.classes)
    sums = np.bincount(labels, weights=predictions.label_probability, minlength=num_classes)
    counts = np.bincount(labels, minlength=num_classes)
    thresholds = np.divide(sums, counts, out=np.full(num_classes, np.inf), where=counts > 0)
    reached = np.where(probabilities >= thresholds - ROUNDING, probabilities, -1)
    looks_like = reached.argmax(axis=1)
    sure = reached.max(axis=1) >= 0
    joint = np.bincount(labels[sure] * num_classes + looks_like[sure], minlength=num_classes**2)
    suspected = np.flatnonzero(sure & (looks_like != labels))
    margins = _margins(predictions)
    return LabelSuspects(
        suspects=tuple(
            Suspect(
                sample=int(predictions.samples[row]),
                name=predictions.names[row],
                label=int(labels[row]),
                suggested=int(looks_like[row]),
                label_probability=float(predictions.label_probability[row]),
                suggested_probability=float(probabilities[row, looks_like[row]]),
                margin=float(margins[row]),
            )
            for row in predictions.highest(-margins, among=suspected, count=count)
        ),
        total=len(suspected),
        thresholds=thresholds,
        joint=joint.reshape(num_classes, num_classes).astype(np.int64),
    )


def _margins(predictions: Predictions) -> Float64[np.ndarray, " n"]:
    others = predictions.probabilities.copy()
    np.put_along_axis(others, predictions.labels[:, None], -1, axis=1)
    return predictions.label_probability - others.max(axis=1)
