"""The pictures that a network gets most wrong."""

from dataclasses import dataclass

import numpy as np

from glauke.errors import UnknownNameError, UsageError

from ._predictions import Predictions

ORDERS = ("loss", "confidence")
"""What the worst mistakes can be the worst by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One picture whose predicted class is not its label."""

    sample: int
    """Index into the pack."""
    name: str
    """Where it lies in its source."""
    label: int
    """Index of the class that it has."""
    predicted: int
    """Index of the class that it is given."""
    confidence: float
    """Probability of the predicted class."""
    label_probability: float
    loss: float
    """Cross-entropy in nats."""
    rank: int
    """Place of the label among the classes; 2 is a near miss."""


def mistakes(predictions: Predictions, *, by: str = "loss", count: int) -> tuple[Mistake, ...]:
    """Up to `count` wrongly classified pictures, the worst first, equal ones by name; always the same ones.

    By "loss" those come first whose label the network thinks least likely, by "confidence" those whose wrong class it
    is surest of.

    Raises:
        UnknownNameError: another order.
        UsageError: `count` is below 1.
    """
    if by not in ORDERS:
        raise UnknownNameError(by, kind="order of mistakes", known=ORDERS)
    if count < 1:
        raise UsageError(f"the number of mistakes must be at least 1, not {count}")
    badness = predictions.losses if by == "loss" else predictions.confidence
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    return tuple(
        Mistake(
            sample=int(predictions.samples[row]),
            name=predictions.names[row],
            label=int(predictions.labels[row]),
            predicted=int(predictions.predicted[row]),
            confidence=float(predictions.confidence[row]),
            label_probability=float(predictions.label_probability[row]),
            loss=float(predictions.losses[row]),
            rank=int(predictions.ranks[row]),
        )
        for row in predictions.highest(badness, among=wrong, count=count)
    )
