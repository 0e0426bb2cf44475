"""What a session trains, as its loop sees it: a pack by a recipe, or a program's own loaders, are two of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from glauke.runs import EpochRow

from .._plan import Plan
from ..saving._held_out import Scores
from ._monitor import Monitor
from ._step import Compute

Told = Callable[[int, int], object]
"""Called after each batch of an evaluation with the batches done and in all."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """One evaluation: the mean of each metric, over how many examples, and what was said to each of them."""

    means: Mapping[str, float]
    count: int
    scores: Scores | None = None
    """None where nobody keeps them."""


@runtime_checkable
class Task(Protocol):
    """Batches, what is computed of them, and the rates by which it is learnt; the loop is the session's."""

    @property
    def plan(self) -> Plan:
        """The steps of the run, as far as they are known."""
        ...

    @property
    def counted(self) -> bool:
        """Whether the plan is final: a loader may not tell how many batches it has."""
        ...

    @property
    def monitor(self) -> Monitor:
        """How the best epoch is found."""
        ...

    @property
    def keep(self) -> int:
        """How many of the best epochs' weights are kept."""
        ...

    @property
    def clip(self) -> float | None:
        """Largest norm of the gradient."""
        ...

    @property
    def whole_epochs(self) -> bool:
        """Whether an epoch can be taken up again only at its beginning."""
        ...

    @property
    def compute(self) -> Compute:
        """What is computed of a training batch."""
        ...

    def begin(self, model: nn.Module, epoch: int) -> None:
        """Bring the model into the form that this epoch trains."""
        ...

    def batches(self, epoch: int, *, first_step: int) -> Iterator[Any]:
        """The batches of an epoch on the device, from one of its steps on."""
        ...

    def set_rates(self, optimizer: torch.optim.Optimizer, step: int, rows: Sequence[EpochRow]) -> None:
        """Put the rates of a step into the optimizer.

        Steps come in their order; `rows` are the epochs that are over.
        """
        ...

    def rates(self, optimizer: torch.optim.Optimizer, step: int) -> tuple[float, float]:
        """The rate and the momentum of the step that was last set, to tell people of."""
        ...

    def restored(self, optimizer: torch.optim.Optimizer, step: int, rows: Sequence[EpochRow]) -> None:
        """Take up the rates before a step, after the optimizer got its state back from a checkpoint."""
        ...

    def judge(self, model: nn.Module, *, last: bool, told: Told) -> Judged | None:
        """Evaluate the model on the held-out examples, on all of them after the last epoch; None without any."""
        ...

    def further(self, model: nn.Module, *, told: Told) -> Mapping[str, float]:
        """What else the record says of the final weights."""
        ...

    def write(self, folder: Path, judged: Judged) -> None:
        """Write what was said to each held-out example at the end."""
        ...

    def about(self) -> Mapping[str, object]:
        """What a file of weights says about itself."""
        ...

    def describe(self, batch: Any) -> str:
        """Which examples a batch begins with, for a message; empty where nobody knows."""
        ...
