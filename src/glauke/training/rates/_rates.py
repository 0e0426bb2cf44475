"""The rates of a program's own optimizer, step by step: constant, by a function, by one cycle, or by its scheduler."""

import warnings
from collections.abc import Callable, Sequence

import torch
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from glauke.runs import EpochRow

from ..loop._monitor import Monitor
from ._groups import momentum_of, put_settings, ratios, set_momentum, set_rates, settings_of

Rate = Callable[[int], float | int]
"""From a 0-based step to the rate of the fastest parameter group, or to a momentum."""


class Rates:
    """Puts the rates of each step into an optimizer whose groups keep their proportions.

    A function of the step is asked for each step; without one, and without a scheduler, the optimizer's own rates stay.
    A PyTorch scheduler holds state, which its `state_dict` does not always survive as plain values; so it is not saved:
    it is stepped as often as the steps or epochs that are over demand, from where it stood, which is also how a resumed
    run gets back to where it was.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        *,
        rate: Rate | None = None,
        momentum: Rate | None = None,
        scheduler: LRScheduler | None = None,
        every_step: bool = False,
        monitor: Monitor | None = None,
    ) -> None:
        self.rate, self.momentum, self.scheduler = rate, momentum, scheduler
        self.every_step, self.monitor = every_step, monitor
        self.parts, self.settings = ratios(optimizer), settings_of(optimizer)
        self.taken = 0  # steps of the scheduler

    def put(self, optimizer: torch.optim.Optimizer, step: int, rows: Sequence[EpochRow]) -> None:
        """Set what `step` is taken with, `rows` being the epochs that are over."""
        if self.rate is not None:
            set_rates(optimizer, self.rate(step), self.parts)
        if self.momentum is not None:
            set_momentum(optimizer, self.momentum(step))
        while self.scheduler is not None and self.taken < (step if self.every_step else len(rows)):
            self._advance(self.scheduler, rows)

    def take_up(self, optimizer: torch.optim.Optimizer, step: int, rows: Sequence[EpochRow]) -> None:
        """Set the same after the optimizer got its state from a checkpoint, with rates from somewhere in the run."""
        put_settings(optimizer, self.settings)
        with warnings.catch_warnings():
            # PyTorch cannot know that the optimizer's steps were taken in another process.
            warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step", category=UserWarning)
            self.put(optimizer, step, rows)

    def now(self, optimizer: torch.optim.Optimizer) -> tuple[float, float]:
        """The largest rate of the groups, and the momentum."""
        return max(float(group["lr"]) for group in optimizer.param_groups), momentum_of(optimizer)

    def _advance(self, scheduler: LRScheduler, rows: Sequence[EpochRow]) -> None:
        if isinstance(scheduler, ReduceLROnPlateau):
            assert self.monitor is not None
            value = self.monitor.value(rows[self.taken])
            # An epoch that did not measure it is no improvement.
            scheduler.step(float("nan") if value is None else value)
        else:
            scheduler.step()
        self.taken += 1
