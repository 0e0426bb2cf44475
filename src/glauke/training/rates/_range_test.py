"""The result of an LR range test: a loss for every rate, and the rates that can be read from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glauke.errors import UnknownNameError, UsageError

from ._schedules import RAMPS, Number
from ._smoothing import smooth
from ._suggestions import RULES, suggest
from ._suggestions import Suggestion as Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeTest:
    """Loss against learning rate while the rate climbs, one point a step.

    What it says holds for the model, data, batch size, weight decay, augmentation and precision that it was
    run with, for networks trained from scratch by SGD with momentum; fine-tuning and transformers under Adam
    need far smaller rates than it suggests.
    """

    rates: tuple[float, ...]
    """Rate of each step, strictly increasing; with several parameter groups, that of the fastest."""

    losses: tuple[float, ...]
    """Training loss of each step's batch before the step; finite."""

    accuracies: tuple[float, ...]
    """Fraction of each step's batch that was right before the step; empty if nobody asked."""

    val_losses: tuple[float, ...]
    """Loss of one held-out batch after each step, in evaluation mode; empty if there were none."""

    ramp: str
    """"linear" or "exponential": what the rules take for the distance between two rates."""

    num_steps: int
    """Steps that were planned; there are fewer points if the test ended early."""

    ended: str
    """"complete", "diverged", "not finite", "interrupted" or "out of data"."""

    @classmethod
    def from_curve(
        cls, rates: Sequence[Number] | np.ndarray, losses: Sequence[Number] | np.ndarray, *, ramp: str
    ) -> "RangeTest":
        """Take a curve that was measured elsewhere, up to its first loss that is not finite.

        That the rates really climb as `ramp` says is left to the caller. Raises `UsageError` unless there are
        as many rates as losses and the rates are finite, strictly increasing and not negative (positive for
        an exponential ramp).

        >>> test = RangeTest.from_curve([0.01, 0.02, 0.03], [2.3, 2.2, float("nan")], ramp="linear")
        >>> test.losses, test.ended
        ((2.3, 2.2), 'not finite')
        """
        if ramp not in RAMPS:
            raise UnknownNameError(ramp, kind="ramp", known=RAMPS)
        x, y = np.asarray(rates, dtype=np.float64), np.asarray(losses, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            raise UsageError(f"a curve needs as many rates as losses, not {x.shape} and {y.shape}")
        least = 0 if ramp == "linear" else np.nextafter(0, 1)
        wrong = np.flatnonzero(~np.isfinite(x) | (x < least) | (np.diff(x, prepend=-np.inf) <= 0))
        if len(wrong):
            place = int(wrong[0])
            before = f" after {x[place - 1]:g}" if place else ""
            wanted = "finite, strictly increasing and " + ("not negative" if ramp == "linear" else "positive")
            raise UsageError(f"the rates must be {wanted}, but number {place} is {x[place]:g}{before}")
        finite = np.isfinite(y)
        count = len(y) if finite.all() else int(finite.argmin())
        return cls(
            rates=tuple(x[:count].tolist()),
            losses=tuple(y[:count].tolist()),
            accuracies=(),
            val_losses=(),
            ramp=ramp,
            num_steps=len(x),
            ended="complete" if count == len(x) else "not finite",
        )

    def __repr__(self) -> str:
        """In one line; the numbers are in the fields."""
        from .._cards import range_test_line

        return f"RangeTest({range_test_line(self)})"

    def _repr_html_(self) -> str:
        from .._cards import range_test_card

        return range_test_card(self)

    @property
    def smoothed(self) -> tuple[float, ...]:
        """The losses without their noise and without lag; as they are if there are fewer than six."""
        return tuple(smooth(np.asarray(self.losses, dtype=np.float64)).values.tolist())

    def suggest(self, rule: str = "steepest", *, held_out: bool = False) -> Suggestion:
        """Read a rate from the training losses, or from the held-out ones.

        - "steepest": where the loss falls fastest. Estimates a constant rate, usually below a good One Cycle
          peak.
        - "minimum": a tenth of where the loss is least. Estimates a One Cycle peak.
        - "valley": the middle of the longest decline. Estimates a One Cycle peak, on the cautious side.

        There is no safe suggestion, a rate of None, from fewer than six points, from a loss that stays flat
        within its noise or only rises, and where the answer lies at an end of the tested range; `reason` says
        which, and what to do. Raises `UnknownNameError` for another rule, `UsageError` for held-out losses
        that nobody measured.

        >>> rates = [10 ** (step / 20 - 6) for step in range(121)]
        >>> losses = [2 + 3 / (1 + (rate / 0.01) ** 2) for rate in rates]
        >>> round(RangeTest.from_curve(rates, losses, ramp="exponential").suggest("steepest").rate, 4)
        0.01
        """
        losses = self.val_losses if held_out else self.losses
        if held_out and len(losses) != len(self.rates):
            raise UsageError(
                f"there are {len(losses)} held-out losses for {len(self.rates)} rates",
                fix="give the test val_batches",
            )
        return suggest(
            rule,
            rates=np.asarray(self.rates, dtype=np.float64),
            losses=np.asarray(losses, dtype=np.float64),
            ramp=self.ramp,
            num_steps=self.num_steps,
            ended=self.ended,
        )

    def suggestions(self) -> dict[str, Suggestion]:
        """Every rule's reading of the training losses, by the rule's name."""
        return {rule: self.suggest(rule) for rule in RULES}
