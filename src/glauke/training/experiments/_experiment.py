"""A run of a program's own model on its own loaders, as one value; `fit` trains it."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from inspect import isroutine
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim.lr_scheduler import ChainedScheduler, CyclicLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from glauke.errors import UnknownNameError, UsageError

from .._device import DEVICES, PRECISIONS
from .._recipe import AUTO
from ..loop._monitor import MODES, Monitor, mode_of
from ..loop._step import Compute
from ..rates._rates import Rate
from ..rates._schedules import ANNEALS, Number
from ..rates._suggestions import RULES

ONE_CYCLE = "one-cycle"
EVERY_STEP = (OneCycleLR, CyclicLR)
"""PyTorch's schedulers that its documentation steps after every batch; the others go by the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Experiment:
    """What to train, on what, how long and how. Making one checks the fields and does nothing.

    >>> model = nn.Linear(4, 2)
    >>> data = [(torch.zeros(8, 4), torch.zeros(8, dtype=torch.int64))]
    >>> Experiment(name="small", model=model, train=data, val=data, epochs=3).monitored
    Monitor(metric='val_accuracy', mode='max')
    """

    name: str
    """The run's name, and its folder in a group."""
    model: nn.Module
    """Trained in place; after a run that has ended it holds the best weights."""
    train: Iterable[Any]
    """Batches, and again from the first one when it is iterated again: a `DataLoader`, glauke's `Batches`, a list. They
    are (inputs, labels), or whatever `step` takes. Tensors in them are moved to the device."""
    val: Iterable[Any] | None = None
    """Held-out batches; None holds nothing out."""
    epochs: int
    """Passes over `train`."""
    steps_per_epoch: int | None = None
    """Batches that make an epoch, at most what `train` has; None is its length, or counts them in the first epoch."""

    loss: Callable[[Any, Any], Tensor] | None = None
    """From the model's outputs and the labels to the mean over the batch; None is cross-entropy."""
    step: Compute | None = None
    """A step of your own, from (model, batch) to a `Step`, in place of `loss`; evaluation calls it too."""
    optimizer: torch.optim.Optimizer | None = None
    """Over parameters of `model`; its groups keep their proportions. None is SGD with Nesterov momentum 0.9 and a
    weight decay of 5e-4 that spares norms and biases."""
    schedule: str | LRScheduler | Rate | None = None
    """"one-cycle", a PyTorch scheduler of `optimizer`, or a function from the 0-based step to the rate of the fastest
    group. None keeps the optimizer's rates; without an optimizer it is "one-cycle"."""
    every: str | None = None
    """"step" or "epoch": how often a PyTorch scheduler is stepped. None is by the step for `OneCycleLR` and `CyclicLR`
    and by the epoch for the others; `ReduceLROnPlateau` is given the monitored metric."""
    max_lr: Number | str | None = None
    """Rate of the fastest group: the peak of the cycle, or throughout. "auto" takes it from the LR range test. None is
    the optimizer's own rates, and "auto" without an optimizer."""
    peak_epoch: Number | None = None
    """Epoch at whose end the cycle has its peak; None is after 0.3 of them, as in PyTorch's `OneCycleLR`."""
    anneal: str = "linear"
    """"linear" or "cosine", both ways."""
    momenta: tuple[Number, Number] | None = None
    """Momentum, or first beta, at the ends and at the peak of the cycle, such as (0.95, 0.85); None leaves it alone."""
    lr_rule: str = "valley"
    """The rule by which the range test suggests the rate."""
    lr_range: tuple[Number, Number] = (1e-5, 1.0)
    """Where the range test, which climbs by equal ratios, begins and ends."""
    lr_steps: int = 100
    """Steps of the range test."""
    clip: Number | None = None
    """Largest norm of the gradient; None does not clip."""
    ema: float | None = None
    """Decay per step of an average of the weights, which is then what is judged and kept; None keeps none."""

    monitor: str = "val_accuracy"
    """Metric by which epochs are compared: train_ or val_ before a name that the step sums, loss, accuracy or top5."""
    mode: str | None = None
    """"max" or "min"; None takes it from the name of `monitor`, where that says it."""
    keep: int = 1
    """How many of the best epochs' weights are kept, the last ones apart."""

    device: str = AUTO
    """"auto", "cpu" or "cuda"."""
    precision: str = AUTO
    """"auto", "bf16", "fp16" or "fp32"; the step runs under autocast of it."""
    seed: int = 0
    """Of PyTorch's random state during the run, which dropout and a shuffling `DataLoader` draw from."""

    def __post_init__(self) -> None:
        """Refuse what no run can use."""
        self._check_numbers()
        self._check_parts()
        self._check_schedule()
        if self.mode not in (None, *MODES.values()):
            raise UnknownNameError(str(self.mode), kind="mode", known=MODES.values())
        if self.monitored.metric.startswith("val_") and self.val is None:
            raise _usage("nothing is held out", "monitor", 'give val, or monitor="train_loss"')

    @property
    def monitored(self) -> Monitor:
        """The metric by which epochs are compared, and which way of it is better."""
        return Monitor(metric=self.monitor, mode=self.mode or mode_of(self.monitor))

    @property
    def cycles(self) -> bool:
        """Whether the rate makes one cycle."""
        return self.schedule == ONE_CYCLE or (self.schedule is None and self.optimizer is None)

    @property
    def peak(self) -> Number | str | None:
        """The rate of the fastest group; "auto" to find it, None where the optimizer has it."""
        return AUTO if self.max_lr is None and self.optimizer is None else self.max_lr

    @property
    def scheduler(self) -> LRScheduler | None:
        """The PyTorch scheduler, if that is what the schedule is."""
        return self.schedule if isinstance(self.schedule, LRScheduler) else None

    @property
    def every_step(self) -> bool:
        """Whether the PyTorch scheduler is stepped after every step."""
        return self.every == "step" if self.every else isinstance(self.schedule, EVERY_STEP)

    def _check_numbers(self) -> None:
        if not self.name.strip() or Path(self.name).name != self.name or "\\" in self.name or self.name == "..":
            raise _usage(f"{self.name!r} cannot be the name of a folder", "name", "choose another")
        for field, least in (("epochs", 1), ("steps_per_epoch", 1), ("keep", 1), ("lr_steps", 2), ("seed", 0)):
            value = getattr(self, field)
            if value is None and field == "steps_per_epoch":
                continue
            if not isinstance(value, int):
                raise _usage(f"it must be a whole number, not {value!r}", field)
            if value < least:
                raise _usage(f"it must be at least {least}, not {value}", field)
        if self.ema is not None and not 0 < self.ema < 1:
            raise _usage(f"it must lie between 0 and 1, not {self.ema}", "ema")
        for field in ("max_lr", "clip"):
            value = getattr(self, field)
            if value not in (None, AUTO) and not (isinstance(value, int | float) and 0 < value < math.inf):
                raise _usage(f"it must be a number above 0, not {value!r}", field)
        start, end = self.lr_range
        if not 0 < start < end < math.inf:
            raise _usage(f"it must climb from above 0 to a number, not from {start} to {end}", "lr_range")
        high, low = self.momenta or (0.95, 0.85)
        if not 0 <= low <= high < 1:
            raise _usage(f"they must be below 1, the greater one first, not {high} and {low}", "momenta")
        for field, known in (("anneal", ANNEALS), ("lr_rule", RULES), ("precision", PRECISIONS)):
            if getattr(self, field) not in known:
                raise UnknownNameError(str(getattr(self, field)), kind=field, known=known)
        if self.device.partition(":")[0] not in DEVICES:
            raise UnknownNameError(self.device, kind="device", known=DEVICES)

    def _check_parts(self) -> None:
        for field in ("train", "val"):
            loader = getattr(self, field)
            if loader is not None and not hasattr(loader, "__iter__") and not hasattr(loader, "__getitem__"):
                what = "function" if isroutine(loader) else type(loader).__name__
                raise _usage(
                    f"it is a {what}, which cannot be iterated", field, "give a DataLoader or a list of batches"
                )
            if isinstance(loader, Iterator):
                raise _usage(
                    "it is an iterator, which is used up after one pass",
                    field,
                    "give what makes it, such as a DataLoader",
                )
        if self.loss is not None and self.step is not None:
            raise _usage("a loss has no use beside a step of your own", "loss", "give one of them")
        if any(is_lazy(parameter) for parameter in self.model.parameters()):
            raise _usage("it has parameters without a shape yet", "model", "show it one batch first")
        for field in ("optimizer", "schedule", "model"):
            if isinstance(getattr(self, field), type):
                raise _usage(f"it is the class {getattr(self, field).__name__}", field, "give an object of it")
        if self.optimizer is None:
            if not any(parameter.requires_grad for parameter in self.model.parameters()):
                raise _usage("none of its parameters requires a gradient, so nothing is learnt", "model", "thaw some")
            return
        if isinstance(self.optimizer, torch.optim.LBFGS):
            raise _usage("LBFGS looks at a batch several times in a step, which this loop does not", "optimizer")
        held = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        if held.isdisjoint(map(id, self.model.parameters())):
            raise _usage("it trains none of the model's parameters", "optimizer", "make it from model.parameters()")

    def _check_schedule(self) -> None:
        schedule = self.schedule
        if isinstance(schedule, str) and schedule != ONE_CYCLE:
            raise UnknownNameError(schedule, kind="schedule", known=(ONE_CYCLE,))
        if schedule not in (None, ONE_CYCLE) and self.max_lr is not None:
            raise _usage("the schedule has rates of its own", "max_lr", "leave one of them out")
        if not self.cycles and (self.peak_epoch is not None or self.momenta is not None):
            raise _usage("there is no cycle to have it", "peak_epoch and momenta", 'give schedule="one-cycle"')
        if self.peak_epoch is not None and not 0 < self.peak_epoch <= self.epochs:
            raise _usage(f"it must lie in the {self.epochs} epochs, not at {self.peak_epoch}", "peak_epoch")
        if self.every not in (None, "step", "epoch"):
            raise UnknownNameError(str(self.every), kind="value of every", known=("step", "epoch"))
        if self.scheduler is None:
            if self.every is not None:
                raise _usage("only PyTorch's schedulers are stepped", "every", "leave it out")
            return
        if self.scheduler.optimizer is not self.optimizer:
            raise _usage("the scheduler belongs to another optimizer", "schedule", "make it from the one given here")
        taken = max(each.last_epoch for each in _chained(self.scheduler))
        if taken != 0:
            raise _usage(f"the scheduler has taken {taken} steps already", "schedule", "make it anew")
        if not isinstance(self.scheduler, ReduceLROnPlateau):
            return
        if self.every_step:
            raise _usage("a plateau is seen by the epoch", "every", "leave it out")
        metric, mode = self.monitored.metric, self.monitored.mode
        if self.scheduler.mode != mode:
            raise _usage(
                f"the plateau looks for a {self.scheduler.mode}imum of {metric}, of which the {mode}imum is best",
                "schedule",
                f'make it with mode="{mode}", or monitor a metric whose {self.scheduler.mode}imum is best',
            )


def _chained(scheduler: LRScheduler) -> Iterator[LRScheduler]:
    """A scheduler, or those that a `ChainedScheduler`, which counts no steps itself, is made of."""
    if isinstance(scheduler, ChainedScheduler):
        for each in scheduler._schedulers:  # it has no other name for them
            yield from _chained(each)
    else:
        yield scheduler


def _usage(message: str, place: str, fix: str | None = None) -> UsageError:
    return UsageError(message, place=place, fix=fix)
