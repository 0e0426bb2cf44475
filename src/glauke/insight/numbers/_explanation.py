"""What a network gets right and wrong, as one value: all that the page and the tables of an explained run hold."""

from dataclasses import dataclass

import numpy as np

from glauke.runs import wilson

from ._calibration import Calibration, calibration
from ._confusion import ClassScore, ConfusedPair, Confusion, confusion, per_class
from ._mistakes import Mistake, mistakes
from ._predictions import Predictions
from ._suspects import LabelSuspects, label_suspects

JUDGES_LABELS = 0.7  # accuracy; a network that errs more often than this is no judge of labels


@dataclass(frozen=True, slots=True, kw_only=True)
class PairExamples:
    """Two classes that are taken for each other, and rows of the predictions that show it, the surest first."""

    pair: ConfusedPair
    first_as_second: tuple[int, ...]
    second_as_first: tuple[int, ...]
    first_right: tuple[int, ...]
    second_right: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """What follows from the predictions of pictures whose labels are known."""

    predictions: Predictions
    interval: tuple[float, float]
    """Of the accuracy: Wilson's, 95 %."""
    confusion: Confusion
    scores: tuple[ClassScore, ...]
    """Of every class, in order."""
    pairs: tuple[ConfusedPair, ...]
    """All pairs with a confusion, the most confused first."""
    examples: tuple[PairExamples, ...]
    """Of the first pairs."""
    calibration: Calibration | None
    """None where there is a single picture."""
    mistakes: tuple[Mistake, ...]
    """All of them, the largest loss first."""
    surest: tuple[Mistake, ...]
    """Those with the most confidence in the wrong class."""
    suspects: LabelSuspects
    """All pictures whose label may be wrong."""

    @property
    def judges_labels(self) -> bool:
        """Whether the network is right often enough for its doubts about labels to mean something."""
        return self.predictions.accuracy() >= JUDGES_LABELS

    def __repr__(self) -> str:
        """The answer in one line."""
        low, high = self.interval
        said = f"accuracy {self.predictions.accuracy():.2%} ({low:.2%} to {high:.2%})"
        return f"<Explanation of {len(self.predictions):,} pictures: {said}, {self.suspects.total:,} label suspects>"

    def _repr_html_(self) -> str:
        from .._cards import explanation_card

        return explanation_card(self)


def explain(predictions: Predictions, *, surest: int = 24, pairs: int = 6, examples_each: int = 4) -> Explanation:
    """Everything that `glauke explain` tells, from predictions alone.

    `pairs` are shown side by side with up to `examples_each` pictures each way; the tables hold all pairs.

    >>> said = Predictions(
    ...     logits=np.array([[2, 0], [1, 0], [0, 1]], np.float32), labels=np.array([0, 1, 1]),
    ...     samples=np.arange(3), names=("a", "b", "c"), classes=("cat", "dog"), readable=("cat", "dog"),
    ... )
    >>> explain(said)
    <Explanation of 3 pictures: accuracy 66.67% (20.77% to 93.85%), 0 label suspects>
    """
    count = len(predictions)
    counted = confusion(predictions)
    found = counted.pairs(max(1, len(predictions.classes) ** 2))
    return Explanation(
        predictions=predictions,
        interval=wilson(int((predictions.predicted == predictions.labels).sum()), count),
        confusion=counted,
        scores=per_class(predictions),
        pairs=found,
        examples=tuple(_examples(predictions, pair, count=examples_each) for pair in found[:pairs]),
        calibration=calibration(predictions) if count > 1 else None,
        mistakes=mistakes(predictions, by="loss", count=count),
        surest=mistakes(predictions, by="confidence", count=surest),
        suspects=label_suspects(predictions, count=count),
    )


def _examples(predictions: Predictions, pair: ConfusedPair, *, count: int) -> PairExamples:
    def surest(label: int, called: int) -> tuple[int, ...]:
        rows = np.flatnonzero((predictions.labels == label) & (predictions.predicted == called))
        return tuple(predictions.highest(predictions.confidence, among=rows, count=count))

    return PairExamples(
        pair=pair,
        first_as_second=surest(pair.first, pair.second),
        second_as_first=surest(pair.second, pair.first),
        first_right=surest(pair.first, pair.first),
        second_right=surest(pair.second, pair.second),
    )
