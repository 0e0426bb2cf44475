"""The LR range test on a model: train for a hundred steps while the rate climbs, then put everything back."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from glauke.errors import UnknownNameError, UsageError

from ._gradients import largest_entry, parameters_of
from ._groups import ratios, set_rates
from ._pairs import endless, hits, on_device, pair
from ._preserved import evaluating, preserved
from ._range_tape import Tape
from ._range_test import RangeTest
from ._schedules import RAMPS, Number

Autocast = Callable[[], AbstractContextManager[Any]]

MAX_SKIPS = 25
"""Steps in a row that loss scaling may skip before the test ends; by then the scale has shrunk by 2^25."""

_END = object()
_CHECK_EVERY = 8  # steps; on an accelerator, where reading a loss makes the host wait for it


def range_test(
    model: nn.Module,
    batches: Iterable[Any],
    optimizer: torch.optim.Optimizer,
    loss: Callable[[Any, Any], Tensor] | None,
    *,
    start: Number = 1e-4,
    end: Number = 1.0,
    num_steps: int = 100,
    ramp: str = "linear",
    stop_factor: Number = 3.0,
    autocast: Autocast | None = None,
    val_batches: Iterable[Any] | None = None,
    accuracy: bool = True,
    clip: Number | None = None,
    step: Callable[[Tensor], bool | None] | None = None,
    scaler: torch.amp.GradScaler | None = None,
    also: Sequence[object] = (),
    stop: Callable[[], bool] | None = None,
) -> RangeTest:
    """Train while the learning rate climbs from `start` to `end`; afterwards nothing has changed, to the bit.

    Smith, "Cyclical Learning Rates", arXiv 1506.01186, section 3.3. `batches` is any iterable of (inputs,
    labels); it begins again when it is used up, and so does `val_batches`, of which one is looked at after
    every step, in evaluation mode. A model in evaluation mode is tested in training mode; submodules in
    evaluation mode inside a training model stay so.

    The parameter group with the largest rate gets the ramp's; the others keep their ratio to it. Momentum and
    weight decay stay. Where `loss` is None, `model` gets each batch whole and returns the loss itself, as a
    Lightning module's `training_step` does; there is no accuracy then. Tensors of an own kind (fastai's) are
    shown as plain ones. `autocast` opens the context of the forward pass and the loss. `clip` bounds the norm
    of the gradient. With `scaler`, a step that it skips is taken again at the same rate with the next batch.
    `step(loss)` replaces the backward pass and the step altogether; False from it means skipped. `also` names
    further objects that `preserved` shall put back.

    The test ends early, and says so in `ended`,

    - "not finite": a loss or gradient is NaN or infinite. It is found before the weights change, and the
      point does not count. On an accelerator losses are read a few steps late, so as not to wait for each;
      the result is the same.
    - "diverged": the median of the last three losses is above the best such median by more than `stop_factor
      - 1` times the first loss. A median has no lag and forgives a bad batch; measured by the first loss,
      which is that of the untouched model, a loss near 0 may treble without harm. `stop_factor=inf` never
      stops.
    - "out of data": a one-shot iterator came to its end.
    - "interrupted": `stop()`, asked before every step, said True. An exception, Ctrl-C among them, is passed
      on instead.

    Raises `UsageError` for numbers that make no ramp and for batches that are not pairs, `UnknownNameError`
    for a ramp.
    """
    if ramp not in RAMPS:
        raise UnknownNameError(ramp, kind="ramp", known=RAMPS)
    if not stop_factor > 1:
        raise UsageError(f"stop_factor must be above 1, not {stop_factor}")
    if clip is not None and not clip > 0:
        raise UsageError(f"gradients cannot be clipped to a norm of {clip}", fix="give a positive norm or None")
    # At least one call, so that a count of 0 is refused too.
    rates = [RAMPS[ramp](i, num_steps=num_steps, start=start, end=end) for i in range(max(num_steps, 1))]
    scaler = scaler if scaler is not None and scaler.is_enabled() else None
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    eager = _waits_anyway(device, scaler)
    trial = _Trial(
        model=model,
        optimizer=optimizer,
        loss=loss,
        device=device,
        eager=eager,
        autocast=autocast or nullcontext,
        accuracy=accuracy and loss is not None,
        clip=clip,
        step=step,
        scaler=scaler,
    )
    tape = Tape(stop_factor=stop_factor, every=1 if eager else _CHECK_EVERY)
    others = [thing for thing in (loss, scaler) if isinstance(thing, nn.Module | torch.amp.GradScaler)]
    others += [thing for thing in (batches, val_batches) if thing is not None]
    with preserved(model, optimizer, *others, *also):
        if not model.training:
            model.train()
        with (
            closing(endless(batches)) as source,
            closing(endless(() if val_batches is None else val_batches)) as held_out,
        ):
            ended = _run(trial, tape, rates, source, held_out if val_batches is not None else None, stop)
    count = len(tape.losses)
    return RangeTest(
        rates=tuple(rates[:count]),
        losses=tuple(tape.losses),
        accuracies=tuple(tape.accuracies) if trial.accuracy else (),
        val_losses=tuple(tape.val_losses) if val_batches is not None else (),
        ramp=ramp,
        num_steps=num_steps,
        ended=ended,
    )


def _run(
    trial: "_Trial",
    tape: Tape,
    rates: Sequence[float],
    source: Iterator[Any],
    held_out: Iterator[Any] | None,
    stop: Callable[[], bool] | None,
) -> str:
    """Fill the tape; say how it ended."""
    parts = ratios(trial.optimizer)
    index = skips = 0
    while index < len(rates):
        if stop is not None and stop():
            return tape.read() or "interrupted"
        batch = next(source, _END)
        seen = None if held_out is None else next(held_out, _END)
        if batch is _END or seen is _END:
            return tape.read() or "out of data"
        set_rates(trial.optimizer, rates[index], parts)
        point = trial.advance(batch, seen)
        if point is None:
            skips += 1
            if skips == MAX_SKIPS:
                return "not finite"
            continue
        skips = 0
        index += 1
        if ended := tape.add(point):
            return ended
    return tape.read() or "complete"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Trial:
    """How one step is taken."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[[Any, Any], Tensor] | None
    device: torch.device
    eager: bool
    """Look at the loss and the gradient before the step, instead of some steps later."""
    autocast: Autocast
    accuracy: bool
    clip: Number | None
    step: Callable[[Tensor], bool | None] | None
    scaler: torch.amp.GradScaler | None

    def advance(self, batch: Any, seen: Any | None) -> Tensor | None:
        """Take a step: loss, size of the gradient, accuracy and held-out loss; None if it was skipped."""
        inputs, labels = self._taken(batch)
        outputs, loss = self._forward(inputs, labels)
        nothing = torch.zeros((), device=self.device)
        wide = torch.float32 if self.device.type == "mps" else torch.float64
        right = hits(outputs, labels).to(wide) / len(labels) if self.accuracy else nothing
        size = held_out = nothing
        if not self.eager or math.isfinite(loss.item()):
            took, size = self._step(loss, inputs, labels)
            if not took:
                return None
            # After a step that was not taken for its gradient there is nothing new to see.
            if seen is not None and (not self.eager or math.isfinite(size.item())):
                held_out = self._held_out(seen)
        return torch.stack([x.detach().to(self.device, wide) for x in (loss, size, right, held_out)])

    def _taken(self, batch: Any) -> tuple[Any, Any]:
        """Inputs and labels, or the whole batch where the model itself knows its loss."""
        return (on_device(batch, self.device), None) if self.loss is None else pair(batch, self.device)

    def _forward(self, inputs: Any, labels: Any) -> tuple[Any, Tensor]:
        with self.autocast():
            outputs = self.model(inputs)
            loss = outputs if self.loss is None else self.loss(outputs, labels)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise UsageError(
                f"the loss has the shape {tuple(loss.shape)}"
                if isinstance(loss, Tensor)
                else f"the loss is a {type(loss).__name__}",
                fix="let it be one number, a mean over the batch",
            )
        return outputs, loss.reshape(())

    def _step(self, loss: Tensor, inputs: Any, labels: Any) -> tuple[bool, Tensor]:
        """Whether the step was taken, and the size of the gradient where it is known."""
        unknown = torch.zeros((), device=self.device)
        if self.step is not None:
            return self.step(loss) is not False, unknown
        if self.scaler is not None:
            return self._scaled_step(self.scaler, loss), unknown
        size = self._backward(loss)
        if self.eager and not math.isfinite(size.item()):
            return True, size  # nobody looks at the weights again: the point ends the test

        def again() -> Tensor:
            _, loss = self._forward(inputs, labels)
            self._backward(loss)
            return loss

        if isinstance(self.optimizer, torch.optim.LBFGS):
            self.optimizer.step(again)  # a line search looks at the same batch several times
        else:
            self.optimizer.step()
        return True, size

    def _backward(self, loss: Tensor) -> Tensor:
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip is not None:
            return nn.utils.clip_grad_norm_(parameters_of(self.optimizer), self.clip)
        return largest_entry(parameters_of(self.optimizer))

    def _scaled_step(self, scaler: torch.amp.GradScaler, loss: Tensor) -> bool:
        self.optimizer.zero_grad()
        scaler.scale(loss).backward()
        if self.clip is not None:
            scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(parameters_of(self.optimizer), self.clip)
        before = scaler.get_scale()
        scaler.step(self.optimizer)
        scaler.update()
        return scaler.get_scale() >= before  # it halves the scale where it found the gradient not finite

    def _held_out(self, batch: Any) -> Tensor:
        inputs, labels = self._taken(batch)
        with evaluating(self.model), torch.no_grad():
            return self._forward(inputs, labels)[1]


def _waits_anyway(device: torch.device, scaler: torch.amp.GradScaler | None) -> bool:
    """Whether looking at every loss before its step costs nothing, because the host waits for the step."""
    return device.type == "cpu" or scaler is not None
