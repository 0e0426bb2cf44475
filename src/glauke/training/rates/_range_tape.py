"""The points of a range test as they come in, and the two ways in which they end it."""

import math
from dataclasses import dataclass, field
from statistics import median

import torch
from torch import Tensor


@dataclass(slots=True, kw_only=True, eq=False)
class Tape:
    """The points of a test: those read, and those of the last few steps that are still on the device."""

    stop_factor: float | int
    every: int
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    val_losses: list[float] = field(default_factory=list)
    best: float = math.inf
    """Least median of three losses so far."""
    waiting: list[Tensor] = field(default_factory=list)

    def add(self, point: Tensor) -> str | None:
        """Note a point; say how the test ended if it has."""
        self.waiting.append(point)
        return self.read() if len(self.waiting) >= self.every else None

    def read(self) -> str | None:
        """Read what waits, up to the point at which the test ended, and say how it did if it did."""
        rows = torch.stack(self.waiting).tolist() if self.waiting else []
        self.waiting.clear()
        return next(filter(None, (self._take(*row) for row in rows)), None)

    def _take(self, loss: float, size: float, accuracy: float, val_loss: float) -> str | None:
        if not all(map(math.isfinite, (loss, size, val_loss))):
            return "not finite"
        self.losses.append(loss)
        self.accuracies.append(accuracy)
        self.val_losses.append(val_loss)
        level = median(self.losses[-3:])
        if len(self.losses) >= 3 and level > self.best + (self.stop_factor - 1) * abs(self.losses[0]):
            return "diverged"
        self.best = min(self.best, level)
        return None
