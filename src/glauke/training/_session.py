"""The epochs of a run, from wherever it stands to the end, to a wish to stop, or to an error."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from glauke.errors import NotFiniteError
from glauke.images import Augmentation, Batches, Pack, Split
from glauke.runs import EpochRow, RunRecord, Score, write, write_metrics

from ._checkpoint import Checkpoint, restore_random, save_checkpoint
from ._clock import Clock
from ._device import Precision
from ._events import EpochDone, Stage, Stepped, Watch
from ._facts import now, peak_memory_mib
from ._held_out import curve_part, write_predictions
from ._interrupt import Interrupt
from ._loop import Scores, Sums, evaluate, make_objective, train_step
from ._optimizer import make_optimizer, set_rate
from ._plan import Plan, make_plan, momentum_at, rate_at
from ._recipe import Recipe
from ._weights import save_weights

SECONDS_BETWEEN_CHECKPOINTS = 300.0  # an epoch may take an hour; no more than five minutes of work should be lost
TIMED_STEPS = 20  # steps after which the expected end can be told


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """What a session trains, with what, and where: everything that does not change while it runs."""

    recipe: Recipe
    plan: Plan
    pack: Pack
    split: Split
    folder: Path
    max_lr: float
    seed: int
    device: torch.device
    precision: Precision
    mirror: bool = False
    """Judge the held-out pictures together with their mirrored copies at the end."""

    def with_recipe(self, recipe: Recipe) -> "Setting":
        """The same with another recipe, laid out anew."""
        plan = make_plan(recipe, num_pictures=len(self.split.train), pack_size=self.pack.size)
        return replace(self, recipe=recipe, plan=plan)

    def train_batches(self, size: int) -> Batches:
        """The training pictures at a size, in the order and with the augmentation of the run's seed."""
        plan = Augmentation(pad=self.recipe.pad, flip=self.recipe.flip, cutout=self.recipe.cutout)
        return Batches(
            self.pack,
            self.split.train,
            batch_size=self.recipe.batch_size,
            size=size,
            device=self.device,
            shuffle=True,
            augmentation=plan,
            seed=self.seed,
        )

    def held_out_batches(self, count: int | None) -> Batches:
        """The held-out pictures, or the fixed part of them that the curve uses."""
        part = curve_part(self.pack, self.split.val, count)
        return Batches(
            self.pack,
            part,
            batch_size=max(self.recipe.batch_size, 256),
            size=self.plan.eval_size,
            device=self.device,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One evaluation: what was said to each picture, and the means (loss, top-1, top-5)."""

    scores: Scores
    means: tuple[float, float, float]
    pictures: int

    def score(self, epoch: int) -> Score:
        """The line that the record keeps of it."""
        loss, top1, top5 = self.means
        return Score(epoch=epoch, val_accuracy=top1, val_loss=loss, val_pictures=self.pictures, val_top5=top5)


class Session:
    """A model in training with all that belongs to it, in this process."""

    def __init__(self, setting: Setting, model: nn.Module, record: RunRecord, *, watch: Watch, began: float) -> None:
        self.setting, self.model, self.record, self.watch = setting, model, record, watch
        self.optimizer = make_optimizer(model, setting.recipe, lr=setting.max_lr)
        self.scaler = setting.precision.scaler()
        self.objective = make_objective(setting.recipe.label_smoothing)
        self.step = 0
        self.rows: list[EpochRow] = []
        self.best: Score | None = None
        self.sums = Sums.on(setting.device)
        self.clock = Clock()
        self.began = began
        self.seconds_before = record.seconds
        self.saved_at = time.perf_counter()
        self.whole: Judged | None = None
        self.pace: tuple[int, float] | None = None  # steps and seconds timed in this process, at this size

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take everything back from a checkpoint, to the bit."""
        state = checkpoint.state
        self.model.load_state_dict(checkpoint.model)
        self.optimizer.load_state_dict(checkpoint.optimizer)
        for parameter, values in self.optimizer.state.items():
            # Files hold plain strides; a buffer must lie in memory as its weights do.
            for key, value in values.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    values[key] = torch.empty_like(parameter).copy_(value)
        self.scaler.load_state_dict(state["scaler"])
        restore_random(checkpoint.random)
        self.step = checkpoint.step
        self.rows = [EpochRow(**row) for row in state["rows"]]
        self.best = Score(**state["best"]) if state["best"] else None
        self.sums.totals = torch.tensor(state["sums"], dtype=torch.float64, device=self.setting.device)
        self.clock.run, self.clock.epoch = state["seconds_by_part"], state["seconds_in_epoch"]
        self.seconds_before = state["seconds"]

    def run(
        self, interrupt: Interrupt, *, stop_after_steps: int | None = None, target: float | None = None
    ) -> RunRecord:
        """Train until the end, the target, the number of steps or a wish to stop; return the record, written."""
        self.model.train()
        plan = self.setting.plan
        batches: Batches | None = None
        # By the rows, not by the step: a run stopped after an epoch's last step has that epoch still to close.
        for epoch in range(len(self.rows), plan.epochs):
            with self.clock.counting("data"):
                if batches is None or batches.size != plan.sizes[epoch]:
                    batches = self.setting.train_batches(plan.sizes[epoch])
                    self.pace = None
            if not self._steps_of(epoch, batches, interrupt, stop_after_steps):
                return self._paused(interrupt, stop_after_steps)
            row = self._close(epoch)
            if target is not None and row.val_accuracy is not None and row.val_accuracy >= target:
                return self._finish(stopped=f"the target of {target:.2%} was reached after epoch {epoch + 1}")
        return self._finish()

    def save(self) -> None:
        """Write a checkpoint of this very moment."""
        state = {
            "rows": [asdict(row) for row in self.rows],
            "best": asdict(self.best) if self.best else None,
            "sums": self.sums.totals.tolist(),
            "seconds": self._seconds(),
            "seconds_by_part": self.clock.run,
            "seconds_in_epoch": self.clock.epoch,
        }
        with self.clock.counting("write"):
            save_checkpoint(
                self.setting.folder / "checkpoints",
                step=self.step,
                model=self.model,
                optimizer=self.optimizer,
                scaler=self.scaler,
                state=state,
            )
        self.saved_at = time.perf_counter()

    def _steps_of(self, epoch: int, batches: Batches, interrupt: Interrupt, stop_after_steps: int | None) -> bool:
        """Take what is left of an epoch's steps; False if the run is to pause here (its state is saved then)."""
        recipe, plan = self.setting.recipe, self.setting.plan
        first_step = self.step - epoch * plan.steps_per_epoch
        if first_step == 0:
            self.sums = Sums.on(self.setting.device)
        tick = time.perf_counter()
        for batch in batches.epoch(epoch, first_step=first_step):
            ready = time.perf_counter()
            lr = rate_at(self.step, recipe=recipe, plan=plan, max_lr=self.setting.max_lr)
            set_rate(self.optimizer, lr=lr, momentum=momentum_at(self.step, recipe=recipe, plan=plan))
            try:
                loss, logits = train_step(
                    self.model,
                    batch,
                    self.optimizer,
                    objective=self.objective,
                    precision=self.setting.precision,
                    scaler=self.scaler,
                    clip=recipe.clip,
                )
            except NotFiniteError as error:
                raise self._explained(error, lr, batch.samples) from error
            self.sums.add(logits, batch.labels)
            self.step += 1
            now_ = time.perf_counter()
            self.clock.add("data", ready - tick)
            self.clock.add("train", now_ - ready)
            self._tell_step(lr, loss, len(batch.labels), now_ - tick)
            reached = stop_after_steps is not None and self.step >= stop_after_steps
            if interrupt.signal_number is not None or (reached and self.step < plan.num_steps):
                self.save()
                return False
            if now_ - self.saved_at > SECONDS_BETWEEN_CHECKPOINTS:
                self.save()
            tick = time.perf_counter()
        return True

    def _close(self, epoch: int) -> EpochRow:
        """Judge the held-out pictures after an epoch, note its row, keep the best weights, save."""
        plan, recipe = self.setting.plan, self.setting.recipe
        last = epoch == plan.epochs - 1
        with self.clock.counting("eval"):
            judged = self._judge(None if last else recipe.eval_pictures)
        if last:
            self.whole = judged
        loss, top1, top5 = self.sums.means()
        score = judged.score(epoch + 1)
        is_best = self.best is None or score.val_accuracy > self.best.val_accuracy  # the earliest of equals stays
        if is_best:
            self.best = score
            with self.clock.counting("write"):
                save_weights(self.setting.folder / "best.safetensors", self.model, about=self._about())
        spent = self.clock.epoch
        row = EpochRow(
            epoch=epoch + 1,
            step=self.step,
            size=plan.sizes[epoch],
            lr=rate_at(self.step - 1, recipe=recipe, plan=plan, max_lr=self.setting.max_lr),
            momentum=momentum_at(self.step - 1, recipe=recipe, plan=plan),
            train_loss=loss,
            train_accuracy=top1,
            train_top5=top5,
            val_loss=score.val_loss,
            val_accuracy=score.val_accuracy,
            val_top5=score.val_top5,
            val_pictures=score.val_pictures,
            seconds=sum(spent.values()),
            seconds_data=spent["data"],
            seconds_train=spent["train"],
            seconds_eval=spent["eval"],
            seconds_write=spent["write"],
            images_per_second=len(self.setting.split.train) / max(spent["data"] + spent["train"], 1e-9),
        )
        self.rows.append(row)
        self.clock.next_epoch()  # before the checkpoint, whose own seconds count to the epoch that follows
        self.save()
        write_metrics(self.setting.folder / "metrics.csv", self.rows)
        self._write(status="running")
        self.watch(EpochDone(row=row, plan=plan, best=is_best))
        return row

    def _judge(self, count: int | None, *, mirror: bool = False) -> Judged:
        held_out, scores = self.setting.held_out_batches(count), Scores()
        done = iter(range(1, len(held_out) + 1))
        means = evaluate(
            self.model,
            held_out,
            precision=self.setting.precision,
            sums=Sums.on(self.setting.device),
            mirror=mirror,
            keep=scores,
            watch=lambda: self.watch(Stage(name="evaluation", done=next(done), total=len(held_out))),
        ).means()
        return Judged(scores, means, held_out.num_pictures)

    def _finish(self, *, stopped: str | None = None) -> RunRecord:
        """Judge every held-out picture with the last weights, once, and write what stays of the run."""
        folder = self.setting.folder
        with self.clock.counting("eval"):
            whole = self.whole or self._judge(None)
            mirrored = self._judge(None, mirror=True).means[1] if self.setting.mirror else None
        final = whole.score(len(self.rows))
        if mirrored is not None:
            final = replace(final, extra={"val_accuracy_mirrored": mirrored})
        with self.clock.counting("write"):
            save_weights(folder / "final.safetensors", self.model, about=self._about())
            write_predictions(folder, whole.scores, self.setting.pack)
            write_metrics(folder / "metrics.csv", self.rows)
        return self._write(status="stopped" if stopped else "done", final=final, stopped_reason=stopped, ended=now())

    def _paused(self, interrupt: Interrupt, stop_after_steps: int | None) -> RunRecord:
        if interrupt.signal_number is not None:
            return self._write(status="interrupted", stopped_reason=f"signal {interrupt.signal_number}")
        return self._write(status="stopped", stopped_reason=f"--stop-after-steps {stop_after_steps}")

    def _write(self, **changes: object) -> RunRecord:
        parts = {**self.record.seconds_by_part, **self.clock.run}
        train_seconds = self.clock.run["data"] + self.clock.run["train"]
        # By steps, since an interrupted run's seconds count the epoch that it is in.
        pictures = round(self.step / self.setting.plan.steps_per_epoch * len(self.setting.split.train))
        self.record = replace(
            self.record,
            best=self.best,
            seconds=self._seconds(),
            seconds_by_part={
                **parts,
                "other": max(self._seconds() - sum(v for k, v in parts.items() if k != "other"), 0.0),
            },
            images_per_second=pictures / train_seconds if pictures else None,
            peak_memory_mib=peak_memory_mib(self.setting.device),
            **changes,
        )
        write(self.setting.folder, self.record)
        return self.record

    def _seconds(self) -> float:
        return self.seconds_before + time.perf_counter() - self.began

    def _about(self) -> dict[str, object]:
        pack, recipe = self.setting.pack, self.setting.recipe
        return {
            "model": recipe.model,
            "stem": recipe.stem,
            "classes": list(pack.classes),
            "channels": pack.channels,
            "size": self.setting.plan.eval_size,
            "mean": list(pack.mean),
            "std": list(pack.std),
        }

    def _tell_step(self, lr: float, loss: float, pictures: int, seconds: float) -> None:
        steps, spent = self.pace or (0, 0.0)
        self.pace = (steps + 1, spent + seconds)
        left = None
        if self.pace[0] >= TIMED_STEPS:
            # Steps at another size cost by their area; what is left of this size goes by the clock.
            plan, here = (
                self.setting.plan,
                self.setting.plan.sizes[(self.step - 1) // self.setting.plan.steps_per_epoch],
            )
            ahead = sum(
                (size / here) ** 2 * min(max((i + 1) * plan.steps_per_epoch - self.step, 0), plan.steps_per_epoch)
                for i, size in enumerate(plan.sizes)
            )
            left = ahead * self.pace[1] / self.pace[0]
        self.watch(
            Stepped(
                step=self.step,
                plan=self.setting.plan,
                lr=lr,
                loss=loss,
                accuracy=lambda: self.sums.means()[1],
                pictures=pictures,
                seconds_left=left,
            )
        )

    def _explained(self, error: NotFiniteError, lr: float, samples: Tensor) -> NotFiniteError:
        names = [self.setting.pack.names[int(i)] for i in samples[:3].tolist()]
        return NotFiniteError(
            f"{error.message} at step {self.step + 1} of {self.setting.plan.num_steps}, at rate {lr:.4g}, on a batch "
            f"that begins with {', '.join(names)}; the weights were not changed by it",
            place=str(self.setting.folder),
            fix=f"begin again with --max-lr below {self.setting.max_lr:.4g}",
        )
