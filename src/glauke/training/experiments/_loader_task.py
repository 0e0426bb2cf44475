"""The task of an experiment: a program's loaders, its step, and the rates of its optimizer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from glauke.errors import DataError, UsageError
from glauke.images import Batches
from glauke.runs import EpochRow

from .._device import Precision
from .._plan import Plan
from ..loop._loop import evaluate
from ..loop._step import Compute, Model, Step, Totals, classification
from ..loop._task import Judged, Told
from ..rates._pairs import on_device
from ..rates._preserved import generators_in
from ..rates._rates import Rates
from ._experiment import Experiment


class LoaderTask:
    """A `Task` whose batches come in an order that only their loader knows, so that whole epochs are taken up again."""

    def __init__(
        self, experiment: Experiment, *, plan: Plan | None, rates: Rates, device: torch.device, precision: Precision
    ) -> None:
        self.experiment, self.rates_of_steps = experiment, rates
        self.device, self.precision = device, precision
        self.plan = plan or loader_plan(experiment, 1)
        self.counted = plan is not None
        self.monitor, self.keep, self.clip = experiment.monitored, experiment.keep, experiment.clip
        self.whole_epochs = True
        self.compute = compute_of(experiment)

    def begin(self, model: nn.Module, epoch: int) -> None:
        """Nothing: a program's own network has one form."""

    def batches(self, epoch: int, *, first_step: int) -> Iterator[Any]:
        """The loader's batches on the device; the first epoch counts them where the loader does not tell."""
        assert first_step == 0, "checkpoints are written between epochs only"
        taken, most = 0, self.plan.steps[epoch] if self.counted else None
        for batch in islice(begun(self.experiment.train, epoch), most):
            taken += 1
            if not self.counted and taken > self.plan.steps[0]:
                self.plan = loader_plan(self.experiment, taken)
            yield on_device(batch, self.device)
        if taken == 0:
            raise DataError("it gives no batches", place="train", fix="give what can be iterated again and again")
        if most is not None and taken < most:
            raise UsageError(
                f"epoch {epoch + 1} has {taken} batches instead of {most}",
                place="train",
                fix=f"give equally many each time, or steps_per_epoch={taken}",
            )
        self.counted = True

    def set_rates(self, optimizer: torch.optim.Optimizer, step: int, rows: Sequence[EpochRow]) -> None:
        """The rates of the experiment's schedule."""
        self.rates_of_steps.put(optimizer, step, rows)

    def rates(self, optimizer: torch.optim.Optimizer, step: int) -> tuple[float, float]:
        """As the optimizer has them."""
        return self.rates_of_steps.now(optimizer)

    def restored(self, optimizer: torch.optim.Optimizer, step: int, rows: Sequence[EpochRow]) -> None:
        """Take the schedule up where it was."""
        self.rates_of_steps.take_up(optimizer, step, rows)

    def judge(self, model: nn.Module, *, last: bool, told: Told) -> Judged | None:
        """Evaluate on every held-out batch, after every epoch."""
        held_out = self.experiment.val
        if held_out is None:
            return None
        done = iter(range(1, 2**63))
        total = length(held_out)

        def watch() -> None:
            number = next(done)
            told(number, total or number)

        totals = evaluate(
            model,
            (on_device(batch, self.device) for batch in begun(held_out, 0)),
            compute=self.compute,
            precision=self.precision,
            totals=Totals(self.device),
            watch=watch,
        )
        if totals.count == 0:
            raise DataError("it gives no batches", place="val", fix="give what can be iterated again and again")
        return Judged(means=totals.means(), count=totals.count)

    def further(self, model: nn.Module, *, told: Told) -> Mapping[str, float]:
        """Nothing: what is measured, the step sums."""
        return {}

    def write(self, folder: Path, judged: Judged) -> None:
        """Nothing: nobody knows what the examples are called."""

    def about(self) -> Mapping[str, object]:
        """The class of the model; the program knows how to make it."""
        return {"model": type(self.experiment.model).__name__, "experiment": self.experiment.name}

    def describe(self, batch: Any) -> str:
        """Nothing: nobody knows what the examples are called."""
        return ""


def compute_of(experiment: Experiment) -> Compute:
    """The experiment's step: its own, or a classifier's by its loss."""
    if experiment.step is not None:
        return _checked(experiment.step)
    if experiment.loss is not None:
        return _checked(classification(experiment.loss, plain=False))
    return classification(lambda logits, labels: F.cross_entropy(logits.float(), labels))


def _checked(compute: Compute) -> Compute:
    def checked(model: Model, batch: Any) -> Step:
        step = compute(model, batch)
        if not isinstance(step, Step):
            raise UsageError(f"it gave a {type(step).__name__}", place="step", fix="let it return glauke.training.Step")
        if step.count < 1:
            raise UsageError(f"it counted {step.count} examples", place="step", fix="let count be those of the batch")
        if step.loss.numel() != 1:
            raise UsageError(
                f"the loss has the shape {tuple(step.loss.shape)}", place="loss", fix="let it be a mean over the batch"
            )
        return replace(step, loss=step.loss.reshape(()))

    return checked


def loader_plan(experiment: Experiment, steps: int) -> Plan:
    """The plan of so many steps an epoch; sizes and batches, which nobody told, are 0."""
    epochs = experiment.epochs
    peak_epoch = experiment.peak_epoch or 0.3 * epochs
    return Plan(
        epochs=epochs,
        batch_sizes=(0,) * epochs,
        steps=(steps,) * epochs,
        peak_step=max(round(peak_epoch * steps, 6) - 1.0, 0.0),
        sizes=(0,) * epochs,
        eval_size=0,
    )


def length(loader: Iterable[Any]) -> int | None:
    """The batches of a loader, if it tells."""
    try:
        return len(loader) if isinstance(loader, Sized) else None
    except TypeError:  # a DataLoader over a stream has a __len__ that raises
        return None


def begun(loader: Iterable[Any], epoch: int) -> Iterator[Any]:
    """Iterate a loader for an epoch: samplers that are told the epoch are told, as are glauke's `Batches`."""
    if isinstance(loader, Batches):
        return loader.epoch(epoch)
    for part in (loader, getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None)):
        set_epoch = getattr(part, "set_epoch", None)
        if callable(set_epoch):
            set_epoch(epoch)
    return iter(loader)


def learnt_loss(experiment: Experiment) -> nn.Module | None:
    """The loss, if it is a module with something to save."""
    loss = experiment.loss
    return loss if isinstance(loss, nn.Module) and loss.state_dict() else None


def generators_of(experiment: Experiment) -> list[torch.Generator]:
    """PyTorch's random generators that the loaders hold, whose state belongs to the run's."""
    held = [*generators_in(experiment.train), *generators_in(experiment.val)]
    return list({id(each): each for each in held if isinstance(each, torch.Generator)}.values())
