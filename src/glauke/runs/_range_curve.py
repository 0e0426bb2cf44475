"""What a figure or a page needs to know of a range test, so that neither has to import torch for it."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class RateSuggestion(Protocol):
    """A learning rate that one rule reads from a range test."""

    @property
    def rule(self) -> str:
        """Name of the rule."""
        ...

    @property
    def rate(self) -> float | None:
        """None if the curve does not carry a suggestion by this rule."""
        ...

    @property
    def reason(self) -> str:
        """Why, as a sentence with the numbers."""
        ...

    @property
    def estimates(self) -> str:
        """What the rate is good for: "one-cycle peak" or "constant rate"."""
        ...


@runtime_checkable
class RangeCurve(Protocol):
    """Loss against learning rate; `glauke.training.RangeTest` is one."""

    @property
    def rates(self) -> tuple[float, ...]:
        """Rate of each step."""
        ...

    @property
    def losses(self) -> tuple[float, ...]:
        """Training loss of each step's batch."""
        ...

    @property
    def smoothed(self) -> tuple[float, ...]:
        """The losses, smoothed without lag."""
        ...

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Fraction right of each step's batch, or empty."""
        ...

    @property
    def val_losses(self) -> tuple[float, ...]:
        """Held-out loss after each step, or empty."""
        ...

    @property
    def ramp(self) -> str:
        """How the rate grew: "linear" or "exponential"."""
        ...

    @property
    def num_steps(self) -> int:
        """Planned steps; fewer if it ended early."""
        ...

    @property
    def ended(self) -> str:
        """Why it ended: "complete", "diverged", "not finite", "interrupted" or "out of data"."""
        ...

    def suggestions(self) -> Mapping[str, RateSuggestion]:
        """Every rule's suggestion, by the rule's name."""
        ...
