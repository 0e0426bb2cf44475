"""Which classes are taken for which: the matrix, the pairs, the order that shows blocks, and each class's scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from glauke.errors import UsageError

from ._predictions import Predictions
from ._seriation import seriation


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusedPair:
    """Two classes that are taken for each other, in one direction or both."""

    first: int
    """Index of the class that is taken for the other more often; the smaller index where both are equal."""
    second: int
    first_as_second: int
    """Pictures of the first class that are called the second."""
    second_as_first: int
    first_share: float
    """Part of the first class's pictures that is called the second."""
    second_share: float

    @property
    def count(self) -> int:
        """Pictures in both directions."""
        return self.first_as_second + self.second_as_first


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """How one class fares; what has no denominator is None."""

    index: int
    id: str
    name: str
    """Readable."""
    count: int
    """Pictures with this label, also called the support."""
    predicted: int
    """Pictures that are called this class."""
    hits: int
    """Pictures of which both holds."""
    precision: float | None
    """hits / predicted."""
    recall: float | None
    """hits / count."""
    f1: float | None
    """Harmonic mean of the two: 2 * hits / (count + predicted)."""
    taken_for: int | None
    """The other class that this class's pictures are most often called; None if they never are."""
    taken_for_count: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confusion:
    """How often each class is called what."""

    matrix: Int64[np.ndarray, "true predicted"]
    classes: tuple[str, ...]
    readable: tuple[str, ...]

    def __repr__(self) -> str:
        """In one line; the numbers are in the fields."""
        from .._cards import confusion_line

        return f"Confusion({confusion_line(self)})"

    def _repr_html_(self) -> str:
        from .._cards import confusion_card

        return confusion_card(self)

    def pairs(self, count: int) -> tuple[ConfusedPair, ...]:
        """Up to `count` pairs of classes with the most confusions in both directions together.

        Equal ones come in the order of their classes.
        """
        if count < 1:
            raise UsageError(f"the number of pairs must be at least 1, not {count}")
        both = np.triu(self.matrix + self.matrix.T, k=1)
        rows, columns = np.nonzero(both)
        first_to_last = np.argsort(-both[rows, columns], kind="stable")[:count]
        return tuple(self._pair(int(rows[i]), int(columns[i])) for i in first_to_last)

    def order(self) -> Int64[np.ndarray, " classes"]:
        """The classes, those often taken for each other close together: `matrix[np.ix_(order, order)]` shows blocks.

        How alike two classes are is the mean of the shares of either that is called the other, so that a class with
        many pictures does not weigh more.
        """
        counts = self.matrix.sum(axis=1, keepdims=True)
        shares = self.matrix / np.maximum(counts, 1)
        return seriation((shares + shares.T) / 2)

    def _pair(self, a: int, b: int) -> ConfusedPair:
        first, second = (a, b) if self.matrix[a, b] >= self.matrix[b, a] else (b, a)
        there, back = int(self.matrix[first, second]), int(self.matrix[second, first])
        counts = np.maximum(self.matrix.sum(axis=1), 1)
        return ConfusedPair(
            first=first,
            second=second,
            first_as_second=there,
            second_as_first=back,
            first_share=there / int(counts[first]),
            second_share=back / int(counts[second]),
        )


def confusion(predictions: Predictions) -> Confusion:
    """Count for each label what its pictures are called.

    >>> said = Predictions(
    ...     logits=np.array([[2, 0], [1, 0], [0, 1]], np.float32), labels=np.array([0, 1, 1]),
    ...     samples=np.arange(3), names=("a", "b", "c"), classes=("cat", "dog"), readable=("cat", "dog"),
    ... )
    >>> confusion(said).matrix.tolist()
    [[1, 0], [1, 1]]
    """
    size = len(predictions.classes)
    flat = np.bincount(predictions.labels * size + predictions.predicted, minlength=size * size)
    return Confusion(
        matrix=flat.reshape(size, size).astype(np.int64),
        classes=predictions.classes,
        readable=predictions.readable,
    )


def per_class(said: Predictions | Confusion) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of every class, in the order of the classes."""
    counted = said if isinstance(said, Confusion) else confusion(said)
    matrix = counted.matrix
    wrong = matrix - np.diag(np.diag(matrix))
    scores = []
    for i, (identity, name) in enumerate(zip(counted.classes, counted.readable, strict=True)):
        count, predicted, hits = int(matrix[i].sum()), int(matrix[:, i].sum()), int(matrix[i, i])
        rival = int(wrong[i].argmax())
        scores.append(
            ClassScore(
                index=i,
                id=identity,
                name=name,
                count=count,
                predicted=predicted,
                hits=hits,
                precision=hits / predicted if predicted else None,
                recall=hits / count if count else None,
                f1=2 * hits / (count + predicted) if count + predicted else None,
                taken_for=rival if wrong[i, rival] else None,
                taken_for_count=int(wrong[i, rival]),
            )
        )
    return tuple(scores)


def worst_classes(scores: Sequence[ClassScore], count: int) -> tuple[ClassScore, ...]:
    """Up to `count` classes with the lowest recall, the lower F1 first where it is equal, then in their own order.

    Classes without pictures have no place on the list.
    """
    if count < 1:
        raise UsageError(f"the number of classes must be at least 1, not {count}")
    judged = [score for score in scores if score.count]
    return tuple(sorted(judged, key=lambda score: (score.recall, score.f1, score.index))[:count])
