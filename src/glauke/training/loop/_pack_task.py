"""The task of a run from a pack by a recipe: resident batches, the recipe's objective and its one cycle."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from glauke.images import Batch, Batches
from glauke.models import set_shallow
from glauke.runs import EpochRow

from .._plan import Plan, momentum_at, rate_at
from ..saving._held_out import Scores, write_predictions
from ._loop import evaluate, make_objective
from ._monitor import Monitor
from ._optimizer import set_rate
from ._setting import Setting
from ._step import Compute, Model, Step, Totals, classification
from ._task import Judged, Told


class PackTask:
    """A `Task` whose batches depend on (seed, epoch, step) alone, so that it goes on from any step."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.monitor = Monitor()
        self.keep = 1
        self.clip = setting.recipe.clip
        self.counted, self.whole_epochs = True, False
        self.compute = classification(make_objective(setting.recipe.label_smoothing))
        self.pictures: Batches | None = None
        self.held_out: Batches | None = None
        self.held_out_count: int | None = None
        """How many held-out pictures were asked for in `held_out`; None is all."""

    @property
    def plan(self) -> Plan:
        """The recipe laid out over the pictures."""
        return self.setting.plan

    def begin(self, model: nn.Module, epoch: int) -> None:
        """Shallow or whole, by the plan."""
        set_shallow(model, epoch < self.plan.shallow_epochs)

    def batches(self, epoch: int, *, first_step: int) -> Iterator[Batch]:
        """The pictures of an epoch, brought to its size once for all epochs of that size."""
        size = self.plan.sizes[epoch]
        if self.pictures is None or self.pictures.size != size:
            # Before the new ones are made: memory need not hold both, nor streaming be chosen for want of it.
            self.pictures = None
            self.pictures = self.setting.train_batches(size)
        return self.pictures.epoch(epoch, first_step=first_step, batch_size=self.plan.batch_sizes[epoch])

    def set_rates(self, optimizer: torch.optim.Optimizer, step: int, rows: Sequence[EpochRow]) -> None:
        """The rate and the momentum of the recipe's cycle."""
        lr, momentum = self.rates(optimizer, step)
        set_rate(optimizer, lr=lr, momentum=momentum)

    def rates(self, optimizer: torch.optim.Optimizer, step: int) -> tuple[float, float]:
        """As arithmetic, which asks no optimizer."""
        recipe, plan = self.setting.recipe, self.plan
        lr = rate_at(step, recipe=recipe, plan=plan, max_lr=self.setting.max_lr)
        return lr, momentum_at(step, recipe=recipe, plan=plan)

    def restored(self, optimizer: torch.optim.Optimizer, step: int, rows: Sequence[EpochRow]) -> None:
        """Nothing: the rates of a step are arithmetic."""

    def judge(self, model: nn.Module, *, last: bool, told: Told) -> Judged:
        """Evaluate on the fixed part of the held-out pictures that the curve uses, or on all."""
        return self._judge(model, None if last else self.setting.recipe.eval_pictures, told=told)

    def further(self, model: nn.Module, *, told: Told) -> Mapping[str, float]:
        """The accuracy with mirrored copies averaged in, where that was asked for."""
        if not self.setting.mirror:
            return {}
        return {"val_accuracy_mirrored": self._judge(model, None, mirror=True, told=told).means["accuracy"]}

    def write(self, folder: Path, judged: Judged) -> None:
        """Write predictions.csv."""
        assert judged.scores is not None
        write_predictions(folder, judged.scores, self.setting.pack)

    def about(self) -> Mapping[str, object]:
        """The network and what its input and output mean: enough to use the weights without the run."""
        pack, recipe = self.setting.pack, self.setting.recipe
        return {
            "model": recipe.model,
            "stem": recipe.stem,
            "classes": list(pack.classes),
            "readable": list(pack.readable),
            "channels": pack.channels,
            "size": self.plan.eval_size,
            "pack_size": pack.size,
            "mean": list(pack.mean),
            "std": list(pack.std),
        }

    def describe(self, batch: Batch) -> str:
        """The files of the batch's first pictures."""
        return ", ".join(self.setting.pack.names[int(i)] for i in batch.samples[:3].tolist())

    def _judge(self, model: nn.Module, count: int | None, *, mirror: bool = False, told: Told) -> Judged:
        held_out, scores = self._held_out(count), Scores()
        done = iter(range(1, len(held_out) + 1))
        totals = evaluate(
            model,
            held_out,
            compute=scored(classification(make_objective(0.0)), scores, mirror=mirror),
            precision=self.setting.precision,
            totals=Totals(self.setting.device),
            watch=lambda: told(next(done), len(held_out)),
        )
        return Judged(means=totals.means(), count=totals.count, scores=scores)

    def _held_out(self, count: int | None) -> Batches:
        """The pictures of the curve, or all, made once for all judgements in a row that ask for the same."""
        if self.held_out is None or self.held_out_count != count:
            self.held_out = None
            self.held_out, self.held_out_count = self.setting.held_out_batches(count), count
        return self.held_out


def scored(compute: Compute, scores: Scores, *, mirror: bool = False) -> Compute:
    """The same, with the logits of every picture kept in `scores`.

    With `mirror` they are averaged with those of the mirrored picture (test-time augmentation).
    """

    def kept(model: Model, batch: Batch) -> Step:
        def logits_of(images: Tensor) -> Tensor:
            logits = model(images).float()
            if mirror:
                logits = (logits + model(images.flip(-1)).float()) / 2
            scores.add(batch, logits)
            return logits

        return compute(logits_of, batch)

    return kept
