"""What a network said to pictures whose labels are known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, Int64

from glauke.errors import DataError, UsageError

ROWS = 8192  # pictures whose probabilities are computed at once: 13 MB for 200 classes


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """The logits of every picture, and what follows from them, computed when it is first asked for.

    Row i of everything belongs to one picture: `samples[i]` is its index in the pack, `names[i]` its file.

    Raises:
        UsageError: there are no pictures, or arrays that do not fit each other.
        DataError: logits that are not finite, or labels that are none of the classes.

    >>> said = Predictions(
    ...     logits=np.array([[2, 0], [1, 0]], np.float32), labels=np.array([0, 1]), samples=np.array([0, 1]),
    ...     names=("a.png", "b.png"), classes=("cat", "dog"), readable=("cat", "dog"),
    ... )
    >>> said.predicted.tolist(), said.ranks.tolist(), said.accuracy()
    ([0, 0], [1, 2], 0.5)
    """

    logits: Float32[np.ndarray, "n classes"]
    labels: Int64[np.ndarray, " n"]
    """Index into `classes`."""
    samples: Int64[np.ndarray, " n"]
    """Index into the pack."""
    names: Sequence[str]
    """Where each picture lies in its source."""
    classes: tuple[str, ...]
    """Ids, in the order of the logits."""
    readable: tuple[str, ...]
    """Names for people, in the same order."""

    def __post_init__(self) -> None:
        count, num_classes = self.logits.shape
        if count == 0:
            raise UsageError("there are no pictures to say anything about")
        lengths = (len(self.labels), len(self.samples), len(self.names), len(self.classes), len(self.readable))
        if lengths != (count, count, count, num_classes, num_classes):
            raise UsageError(
                f"logits of {count} pictures and {num_classes} classes do not go with {lengths[0]} labels, "
                f"{lengths[1]} samples, {lengths[2]} names, {lengths[3]} classes and {lengths[4]} readable names"
            )
        broken = int((~np.isfinite(self.logits).all(axis=1)).sum())
        if broken:
            raise DataError(f"the network gives values that are not finite to {broken} of {count} pictures")
        if self.labels.min() < 0 or self.labels.max() >= num_classes:
            lowest, highest = self.labels.min(), self.labels.max()
            raise DataError(f"the labels go from {lowest} to {highest}, but the classes from 0 to {num_classes - 1}")

    def __len__(self) -> int:
        """Pictures."""
        return len(self.labels)

    def __repr__(self) -> str:
        """In one line; the numbers are in the fields."""
        from .._cards import predictions_line

        return f"Predictions({predictions_line(self)})"

    def _repr_html_(self) -> str:
        from .._cards import predictions_card

        return predictions_card(self)

    @cached_property
    def probabilities(self) -> Float32[np.ndarray, "n classes"]:
        """Softmax of the logits."""
        found = np.empty_like(self.logits)
        for rows, logs in self._log_probabilities():
            found[rows] = np.exp(logs)
        return found

    @cached_property
    def predicted(self) -> Int64[np.ndarray, " n"]:
        """The most likely class; the first of equally likely ones."""
        return self.logits.argmax(axis=1).astype(np.int64)

    @cached_property
    def confidence(self) -> Float64[np.ndarray, " n"]:
        """Probability of the predicted class."""
        return self._probability_of(self.predicted)

    @cached_property
    def label_probability(self) -> Float64[np.ndarray, " n"]:
        """Probability of the label."""
        return self._probability_of(self.labels)

    @cached_property
    def losses(self) -> Float64[np.ndarray, " n"]:
        """Cross-entropy of each picture in nats."""
        return -self._log_of(self.labels)

    @cached_property
    def ranks(self) -> Int64[np.ndarray, " n"]:
        """Place of the label among all classes, 1 if it is predicted; of equal classes the first comes first."""
        picked = np.take_along_axis(self.logits, self.labels[:, None], axis=1)
        higher = (self.logits > picked).sum(axis=1)
        earlier = np.arange(self.logits.shape[1]) < self.labels[:, None]
        return (higher + ((self.logits == picked) & earlier).sum(axis=1) + 1).astype(np.int64)

    def accuracy(self, *, top: int = 1) -> float:
        """Share of the pictures whose label is among the `top` most likely classes."""
        if top < 1:
            raise UsageError(f"the label can be among the first 1 or more classes, not among {top}")
        return float((self.ranks <= top).mean())

    def highest(self, values: Float64[np.ndarray, " n"], *, among: Int64[np.ndarray, " rows"], count: int) -> list[int]:
        """Up to `count` rows of those in `among` whose values are highest, equal ones by name, then by index."""
        if len(among) > count:  # no need to order, or to read the names of, what cannot be among them
            among = among[values[among] >= np.partition(values[among], -count)[-count]]
        return sorted(among.tolist(), key=lambda row: (-values[row], self.names[row], row))[:count]

    def _log_probabilities(self) -> Iterator[tuple[slice, Float64[np.ndarray, "rows classes"]]]:
        """Logarithms of the probabilities, some thousand rows at a time, each block with its place."""
        for start in range(0, len(self), ROWS):
            rows = slice(start, start + ROWS)
            logits = self.logits[rows].astype(np.float64)
            logits -= logits.max(axis=1, keepdims=True)
            yield rows, logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def _log_of(self, classes: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        found = np.empty(len(self), np.float64)
        for rows, logs in self._log_probabilities():
            found[rows] = np.take_along_axis(logs, classes[rows, None], axis=1)[:, 0]
        return found

    def _probability_of(self, classes: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        return np.exp(self._log_of(classes))
