"""A small network with everything a range test must put back, batches for it, and a loss that ends a test."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def make_model() -> nn.Sequential:
    """The same first weights each time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(9, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))


def batches(count: int = 4, size: int = 6, *, seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Three classes with a little noise."""
    gen = torch.Generator().manual_seed(seed)
    labels = torch.arange(size) % 3
    return [
        (torch.eye(3)[labels].repeat(1, 3) + 0.1 * torch.randn(size, 9, generator=gen), labels) for _ in range(count)
    ]


class BrokenError(RuntimeError):
    """What the loss raises, and nothing else does."""


class Ending:
    """A loss that lets the test end in one of five ways at its fifth call."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.calls = 0

    def __call__(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, as long as nothing is to happen."""
        self.calls += 1
        loss = F.cross_entropy(outputs.float(), labels)
        if self.calls < 5 or self.how == "complete":
            return loss
        if self.how == "exception":
            raise BrokenError("broken")
        if self.how == "interrupt":
            raise KeyboardInterrupt
        return loss * (math.nan if self.how == "not finite" else 1e3)
