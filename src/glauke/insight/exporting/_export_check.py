"""Whether an exported network says what the original says, picture by picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from glauke.errors import CannotGoOnError
from glauke.runs import Score

TIE = 1e-3
"""Two logits nearer than this are a tie: other kernels sum in another order, and either class may come out first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A picture whose most probable class is another one after the export."""

    picture: str
    original: str
    """Id of the class that the original network puts first."""
    exported: str
    """Id of the class that the exported one puts first."""
    margin: float
    """How far apart the two lie in the original's logits."""

    @property
    def tie(self) -> bool:
        """Whether rounding alone explains it."""
        return self.margin < TIE


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An exported network against the original, on the same pictures."""

    pictures: int
    kind: str
    """What was shown: "held-out pictures", or "made pictures of noise" where the run's own are not at hand."""
    max_logit_difference: float
    """Largest absolute difference of any logit."""
    max_probability_difference: float
    """Largest absolute difference of any probability."""
    disagreements: tuple[Disagreement, ...]
    right: int | None = None
    """Pictures that the original calls by their label; None where they have none."""

    @property
    def agreeing(self) -> int:
        """Pictures with the same most probable class."""
        return self.pictures - len(self.disagreements)

    @property
    def fault(self) -> str | None:
        """Why the export must not be used; None if it may: at most one in 1,000 differs, and each is a tie."""
        apart = [each for each in self.disagreements if not each.tie]
        if not apart and len(self.disagreements) <= -(-self.pictures // 1000):
            return None
        worst = max(each.margin for each in self.disagreements)
        return (
            f"the exported network agrees with the original on {self.agreeing:,} of {self.pictures:,} {self.kind}, "
            f"and {len(apart):,} of the others are no ties (logits up to {worst:.3g} apart)"
        )

    def sentence(self) -> str:
        """All of it in one line for a person.

        >>> Agreement(
        ...     pictures=1000, kind="held-out pictures", max_logit_difference=1.2e-5,
        ...     max_probability_difference=3e-7, disagreements=(),
        ... ).sentence()
        'the same first class on 1,000 of 1,000 held-out pictures; logits at most 1.2e-05 apart, probabilities 3e-07'
        """
        ties = ", the others being ties" if self.disagreements else ""
        return (
            f"the same first class on {self.agreeing:,} of {self.pictures:,} {self.kind}{ties}; logits at most "
            f"{self.max_logit_difference:.2g} apart, probabilities {self.max_probability_difference:.2g}"
        )


def agreement(
    original: Float32[np.ndarray, "n classes"],
    exported: Float32[np.ndarray, "n classes"],
    *,
    names: Sequence[str],
    classes: tuple[str, ...],
    kind: str,
    labels: Int64[np.ndarray, " n"] | None = None,
) -> Agreement:
    """Compare two networks' logits of the same pictures, row by row; `labels` are indices into `classes`.

    Raises:
        CannotGoOnError: a logit is not a finite number.
    """
    for what, logits in (("original", original), ("exported", exported)):
        broken = int((~np.isfinite(logits)).any(axis=1).sum())
        if broken:
            raise CannotGoOnError(f"the {what} network gives logits that are not finite to {broken} of {len(logits)}")
    ours, theirs = original.astype(np.float64), exported.astype(np.float64)
    first, other = ours.argmax(axis=1), theirs.argmax(axis=1)
    disagreements = (
        Disagreement(
            picture=names[i],
            original=classes[first[i]],
            exported=classes[other[i]],
            margin=float(ours[i, first[i]] - ours[i, other[i]]),
        )
        for i in np.flatnonzero(first != other).tolist()
    )
    return Agreement(
        pictures=len(ours),
        kind=kind,
        max_logit_difference=float(np.abs(ours - theirs).max()),
        max_probability_difference=float(np.abs(_softmax(ours) - _softmax(theirs)).max()),
        disagreements=tuple(disagreements),
        right=None if labels is None else int((first == labels).sum()),
    )


def not_as_recorded(found: Agreement, score: Score, *, held_out: int) -> str | None:
    """Why these cannot be the weights that were judged; None if they may be, or if nobody can tell.

    The pictures shown and those of the score are samples of the `held_out` ones. Four standard errors of their
    difference (of samples without replacement) are chance; so are a point and a picture more, since the run may have
    computed in another precision.

    >>> shown = Agreement(pictures=500, kind="held-out pictures", max_logit_difference=0.0,
    ...                   max_probability_difference=0.0, disagreements=(), right=52)
    >>> not_as_recorded(shown, Score(epoch=3, val_accuracy=0.93, val_loss=0.3, val_pictures=539), held_out=539)
    "the weights recognise 10.40% of 500 held-out pictures, but the run's record says 93.00%"
    """
    if found.right is None or math.isnan(score.val_accuracy) or not score.val_pictures:
        return None
    said, measured = score.val_accuracy, found.right / found.pictures
    parts = (1 / count - 1 / max(held_out, count) for count in (found.pictures, score.val_pictures))
    allowed = 4 * math.sqrt(max(said * (1 - said), 0.0) * sum(parts)) + 0.01 + 1 / found.pictures
    if abs(measured - said) <= allowed:
        return None
    return (
        f"the weights recognise {measured:.2%} of {found.pictures:,} {found.kind}, but the run's record says {said:.2%}"
    )


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
