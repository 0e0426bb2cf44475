"""One step of training and one pass of evaluation: the only file with a backward pass of its own run."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glauke.errors import NotFiniteError, UsageError

from .._device import Precision
from ..rates._gradients import largest_entry, parameters_of
from ..rates._preserved import evaluating
from ._step import Compute, Step, Totals

Objective = Callable[[Tensor, Tensor], Tensor]
"""From logits (batch, classes) and labels, (batch,) or shares (batch, classes), to a scalar loss."""


def make_objective(label_smoothing: float) -> Objective:
    """Cross-entropy with label smoothing (Szegedy et al., arXiv 1512.00567, section 7).

    Mixed pictures come with shares for labels: their loss is that of both labels, weighed by the shares.
    """
    return lambda logits, labels: F.cross_entropy(logits.float(), labels, label_smoothing=label_smoothing)


def train_step(
    model: nn.Module,
    batch: Any,
    optimizer: torch.optim.Optimizer,
    *,
    compute: Compute,
    precision: Precision,
    scaler: torch.amp.GradScaler,
    clip: float | None = None,
    before_apply: Callable[[], object] | None = None,
) -> tuple[float, Step]:
    """Take one step; return the loss and what was computed, both from before it.

    `before_apply` is called between the backward pass and the optimizer's step. `clip` bounds the norm of what the
    optimizer steps along. No gradient from before counts, and none is left, however the step ends.

    Raises `NotFiniteError` before the weights change if the loss is NaN or infinite, and on a CPU also if a gradient
    is. A GPU would have to be waited for; there, loss scaling skips such a step, and without it the next loss tells.
    """
    with _own_gradients(model, optimizer):
        with precision.autocast():
            step = compute(model, batch)
        value = _backward(step.loss, scaler)
        if before_apply is not None:
            before_apply()
        if step.loss.device.type == "cpu" and not scaler.is_enabled():
            _require_finite(largest_entry(parameters_of(optimizer)).item(), what="the gradient")
        if clip is not None:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(parameters_of(optimizer), clip)
        scaler.step(optimizer)
        scaler.update()
    return value, step


def evaluate(
    model: nn.Module,
    batches: Iterable[Any],
    *,
    compute: Compute,
    precision: Precision,
    totals: Totals,
    watch: Callable[[], object] | None = None,
) -> Totals:
    """Add every batch to `totals` with the network in evaluation mode, and put the mode back.

    `watch` is called after every batch.
    """
    with evaluating(model), torch.no_grad(), precision.autocast():
        for batch in batches:
            totals.add(compute(model, batch))
            if watch is not None:
                watch()
    return totals


@contextmanager
def _own_gradients(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """No gradients before and none afterwards, also of weights that the optimizer does not hold: they would pile up."""
    model.zero_grad(set_to_none=True)
    optimizer.zero_grad(set_to_none=True)
    try:
        yield
    finally:
        model.zero_grad(set_to_none=True)
        optimizer.zero_grad(set_to_none=True)


def _backward(loss: Tensor, scaler: torch.amp.GradScaler) -> float:
    """Compute the gradients of a loss and return its value."""
    if not loss.requires_grad:
        raise UsageError(
            "the loss depends on no weight that trains",
            fix="compute it from the outputs without detach() or item(), and let some weights require gradients",
        )
    arrival = _Arrival(loss)
    scaler.scale(loss).backward()
    # The copy was queued before the backward pass, so the host learns the loss while the device is still busy with the
    # backward pass and queues the next kernels in time: the check costs the device nothing.
    return _require_finite(arrival.value(), what="the loss")


def _require_finite(value: float, *, what: str) -> float:
    if not math.isfinite(value):
        raise NotFiniteError(f"{what} became {value}", fix="lower the learning rate (--max-lr)")
    return value


class _Arrival:
    """A scalar on its way from the device to the host."""

    def __init__(self, value: Tensor) -> None:
        self.event = None
        self.copy = value.detach()
        if value.is_cuda:
            self.copy = torch.empty((), dtype=value.dtype, pin_memory=True)
            self.copy.copy_(value.detach(), non_blocking=True)
            self.event = torch.cuda.Event()
            self.event.record()

    def value(self) -> float:
        if self.event is not None:
            self.event.synchronize()
        return float(self.copy)
