"""The epochs of a run, from wherever it stands to the end, to a wish to stop, or to an error."""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glauke.errors import NotFiniteError
from glauke.runs import EpochRow, RunRecord, Score, decode, encode, write, write_metrics

from .._device import Precision
from .._events import EpochDone, Stage, Stepped, Watch
from ..rates._preserved import in_training
from ..saving._checkpoint import KEPT, Checkpoint, restore_random, save_checkpoint
from ..saving._facts import now, peak_memory_mib
from ..saving._weights import save_weights
from ._clock import Clock
from ._ema import Average
from ._interrupt import Interrupt
from ._limits import speed_facts
from ._loop import train_step
from ._monitor import keep_weights, score_of
from ._pace import Pace
from ._step import LOSS, Totals
from ._task import Judged, Task

SECONDS_BETWEEN_CHECKPOINTS = 300.0  # an epoch may take an hour; no more than five minutes of work should be lost
USUAL = (LOSS, "accuracy", "top5")
"""Metrics that have columns of their own; all others are a program's own and stand in `extra`."""


class Session:
    """A model in training with all that belongs to it, in this process."""

    def __init__(
        self,
        task: Task,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        record: RunRecord,
        *,
        folder: Path,
        device: torch.device,
        precision: Precision,
        ema: float | None,
        loss: nn.Module | None = None,
        generators: Sequence[torch.Generator] = (),
        watch: Watch,
        began: float,
    ) -> None:
        self.task, self.model, self.optimizer, self.record = task, model, optimizer, record
        self.folder, self.device, self.precision, self.watch = folder, device, precision, watch
        self.scaler = precision.scaler()
        self.loss, self.generators = loss, generators
        self.average = Average(model, decay=ema) if ema is not None else None
        self.step = self.pictures = 0
        self.rows: list[EpochRow] = []
        self.totals = Totals(device)
        self.clock = Clock(device)
        self.pace = Pace()
        self.began, self.seconds_before = began, record.seconds
        self.saved_at = time.perf_counter()
        self.saved: list[Path] = []
        """Checkpoints that this session wrote and read back."""
        self.whole: Judged | None = None

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take everything back from a checkpoint, to the bit."""
        state = checkpoint.state
        self.model.load_state_dict(checkpoint.model)
        self.optimizer.load_state_dict(checkpoint.optimizer)
        for parameter, values in self.optimizer.state.items():
            # Files hold plain strides; a buffer must lie in memory as its weights do. A count of steps that the
            # optimizer keeps with the host stays there: on a GPU, reading it would make the host wait for every step.
            for key, value in values.items():
                if not isinstance(value, Tensor) or value.shape != parameter.shape or value.device != parameter.device:
                    continue
                if value.stride() != parameter.stride():
                    values[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
        self.scaler.load_state_dict(state["scaler"])
        if self.loss is not None and checkpoint.loss is not None:
            self.loss.load_state_dict(checkpoint.loss)
        if self.average is not None and checkpoint.average is not None:
            self.average.load(checkpoint.average, updates=state["averaged"])
        self.step = checkpoint.step
        self.rows = [decode(EpochRow, row, place=f"checkpoint of step {self.step}") for row in state["rows"]]
        self.totals.load(state["sums"])
        self.pictures = state["pictures"]
        self.clock.run |= state["seconds_by_part"]
        self.clock.epoch |= state["seconds_in_epoch"]
        self.seconds_before = state["seconds"]
        self.task.restored(self.optimizer, self.step, self.rows)
        restore_random(checkpoint.random, generators=self.generators)

    def run(
        self, interrupt: Interrupt, *, stop_after_steps: int | None = None, target: float | None = None
    ) -> RunRecord:
        """Train until the end, the target, the number of steps or a wish to stop; return the record, written.

        Parts of the model that are in evaluation mode while the model is not, such as frozen norms, stay so, and
        afterwards every part has its mode again.
        """
        with in_training(self.model):
            return self._epochs(interrupt, stop_after_steps=stop_after_steps, target=target)

    def _epochs(self, interrupt: Interrupt, *, stop_after_steps: int | None, target: float | None) -> RunRecord:
        # By the rows, not by the step: a run stopped after an epoch's last step has that epoch still to close.
        for epoch in range(len(self.rows), self.task.plan.epochs):
            self.task.begin(self.model, epoch)
            if not self._steps_of(epoch, interrupt, stop_after_steps):
                return self._paused(interrupt, stop_after_steps)
            row = self._close(epoch)
            if target is not None and row.val_accuracy is not None and row.val_accuracy >= target:
                return self._finish(stopped=f"the target of {target:.2%} was reached after epoch {epoch + 1}")
        return self._finish()

    def save(self) -> None:
        """Write a checkpoint of this very moment."""
        state = {
            "rows": [encode(row) for row in self.rows],
            "sums": self.totals.state(),
            "pictures": self.pictures,
            "averaged": self.average.updates if self.average else 0,
            "seconds": self._seconds(),
            "seconds_by_part": self.clock.run,
            "seconds_in_epoch": self.clock.epoch,
        }
        with self.clock.counting("write"):
            path = save_checkpoint(
                self.folder / "checkpoints",
                step=self.step,
                model=self.model,
                optimizer=self.optimizer,
                scaler=self.scaler,
                state=state,
                average=self.average.shadow if self.average else None,
                loss=self.loss,
                generators=self.generators,
                sound=self.saved,
            )
        self.saved = [path, *(each for each in self.saved if each != path)][:KEPT]
        self.saved_at = time.perf_counter()

    def _steps_of(self, epoch: int, interrupt: Interrupt, stop_after_steps: int | None) -> bool:
        """Take what is left of an epoch's steps; False if the run is to pause here, its state saved."""
        first_step = self.step - self.task.plan.first_step(epoch)
        if first_step == 0:
            self.totals = Totals(self.device)
        self.clock.begin()
        for batch in self.task.batches(epoch, first_step=first_step):
            self._take(batch)
            reached = stop_after_steps is not None and self.step >= stop_after_steps
            if interrupt.signal_number is not None or (reached and self.step < self.task.plan.num_steps):
                if not self.task.whole_epochs:
                    self.save()
                return False
            if not self.task.whole_epochs and time.perf_counter() - self.saved_at > SECONDS_BETWEEN_CHECKPOINTS:
                self.save()
            self.clock.begin()
        return True

    def _take(self, batch: Any) -> None:
        """Train on a batch and tell it."""
        started = self.clock.since
        self.clock.mark("data")
        self.task.set_rates(self.optimizer, self.step, self.rows)
        lr, _ = self.task.rates(self.optimizer, self.step)
        try:
            loss, step = train_step(
                self.model,
                batch,
                self.optimizer,
                compute=self.task.compute,
                precision=self.precision,
                scaler=self.scaler,
                clip=self.task.clip,
                before_apply=lambda: self.clock.mark("train"),
            )
        except NotFiniteError as error:
            raise self._explained(error, lr, batch) from error
        if self.average is not None:
            self.average.update()
        self.totals.add(step)
        self.clock.mark("optimizer")
        self.step += 1
        self.pictures += step.count
        left = self.pace.seconds_left(time.perf_counter() - started, step=self.step, plan=self.task.plan)
        self.watch(
            Stepped(
                step=self.step,
                plan=self.task.plan,
                lr=lr,
                loss=loss,
                accuracy=lambda: self.totals.means().get("accuracy", math.nan),
                metrics=self.totals.means,
                pictures=step.count,
                seconds_left=left if self.task.counted else None,
            )
        )

    def _close(self, epoch: int) -> EpochRow:
        """Judge the held-out pictures after an epoch, note its row, keep the best weights, save."""
        last = epoch == self.task.plan.epochs - 1
        with self._judged_weights():
            with self.clock.counting("eval"):
                judged = self.task.judge(self.model, last=last, told=self._told)
            if last:
                self.whole = judged
            self.rows.append(self._row(epoch, judged))
            with self.clock.counting("write"):
                is_best = keep_weights(
                    self.folder,
                    self.model,
                    self.rows,
                    monitor=self.task.monitor,
                    keep=self.task.keep,
                    about=self.task.about(),
                )
        row = self.rows[-1] = self._timed(self.rows[-1])
        self.clock.next_epoch()  # before the checkpoint, whose own seconds count to the epoch that follows
        self.save()
        write_metrics(self.folder / "metrics.csv", self.rows)
        self._write(status="running")
        self.watch(EpochDone(row=row, plan=self.task.plan, best=is_best))
        return row

    def _row(self, epoch: int, judged: Judged | None) -> EpochRow:
        """The epoch's numbers, its times still missing."""
        trained, held_out = self.totals.means(), dict(judged.means) if judged else {}
        lr, momentum = self.task.rates(self.optimizer, self.step - 1)
        both = (("train", trained), ("val", held_out))
        own = {f"{side}_{name}": means[name] for side, means in both for name in means if name not in USUAL}
        return EpochRow(
            epoch=epoch + 1,
            step=self.step,
            size=self.task.plan.sizes[epoch],
            lr=lr,
            momentum=momentum,
            train_loss=trained[LOSS],
            train_accuracy=trained.get("accuracy"),
            train_top5=trained.get("top5"),
            val_loss=held_out.get(LOSS),
            val_accuracy=held_out.get("accuracy"),
            val_top5=held_out.get("top5"),
            val_pictures=judged.count if judged else 0,
            seconds=0.0,
            seconds_data=0.0,
            seconds_train=0.0,
            seconds_eval=0.0,
            seconds_write=0.0,
            images_per_second=0.0,
            extra=own,
        )

    def _timed(self, row: EpochRow) -> EpochRow:
        spent = self.clock.epoch
        training = spent["data"] + spent["train"] + spent["optimizer"]
        return replace(
            row,
            seconds=sum(spent.values()),
            **{f"seconds_{part}": seconds for part, seconds in spent.items()},
            images_per_second=self.totals.count / max(training, 1e-9),
        )

    def _finish(self, *, stopped: str | None = None) -> RunRecord:
        """Judge every held-out picture with the last weights, once, and write what stays of the run."""
        # In the form of the last epoch, also where a run is taken up after all of its epochs.
        self.task.begin(self.model, max(len(self.rows) - 1, 0))
        with self._judged_weights():
            with self.clock.counting("eval"):
                whole = self.whole or self.task.judge(self.model, last=True, told=self._told)
                further = self.task.further(self.model, told=self._told)
            with self.clock.counting("write"):
                save_weights(self.folder / "final.safetensors", self.model, about=self.task.about())
                if whole is not None:
                    self.task.write(self.folder, whole)
                write_metrics(self.folder / "metrics.csv", self.rows)
        final = score_of(self._row(len(self.rows) - 1, whole))
        final = replace(final, extra={**final.extra, **further})
        self.record = replace(self.record, extra={**self.record.extra, "speed": self._speed()})
        return self._write(status="stopped" if stopped else "done", final=final, stopped_reason=stopped, ended=now())

    def _paused(self, interrupt: Interrupt, stop_after_steps: int | None) -> RunRecord:
        if interrupt.signal_number is not None:
            return self._write(status="interrupted", stopped_reason=f"signal {interrupt.signal_number}")
        return self._write(status="stopped", stopped_reason=f"--stop-after-steps {stop_after_steps}")

    def _write(self, **changes: object) -> RunRecord:
        parts = {**self.record.seconds_by_part, **self.clock.run}
        training = self.clock.run["data"] + self.clock.run["train"] + self.clock.run["optimizer"]
        known = sum(seconds for part, seconds in parts.items() if part != "other")
        self.record = replace(
            self.record,
            best=self._best(),
            seconds=self._seconds(),
            seconds_by_part={**parts, "other": max(self._seconds() - known, 0.0)},
            images_per_second=self.pictures / training if self.pictures and training else None,
            steps_per_epoch=self.task.plan.steps_per_epoch,
            steps=self.task.plan.num_steps,
            peak_memory_mib=peak_memory_mib(self.device),
            **changes,
        )
        write(self.folder, self.record)
        return self.record

    def _best(self) -> Score | None:
        best = self.task.monitor.ranked(self.rows)[:1]
        return score_of(best[0]) if best else None

    def _speed(self) -> Mapping[str, float]:
        """How near the run came to what its machine can do; nothing for a program's own loaders."""
        channels = self.task.about().get("channels")
        return speed_facts(
            self.model,
            sizes=[row.size for row in self.rows] if isinstance(channels, int) else [],
            shallow_epochs=self.task.plan.shallow_epochs,
            channels=channels if isinstance(channels, int) else 0,
            images_per_second=self.record.images_per_second,
            seconds=self.clock.run["train"],
            device=self.device,
            precision=self.precision,
        )

    def _seconds(self) -> float:
        return self.seconds_before + time.perf_counter() - self.began

    def _judged_weights(self) -> AbstractContextManager[None]:
        """Inside, the model holds the weights that are judged and kept: the averages, where the run has them."""
        return self.average.in_place() if self.average is not None else nullcontext()

    def _told(self, done: int, total: int) -> None:
        self.watch(Stage(name="evaluation", done=done, total=total))

    def _explained(self, error: NotFiniteError, lr: float, batch: Any) -> NotFiniteError:
        names, plan = self.task.describe(batch), self.task.plan
        where = f", on a batch that begins with {names}" if names else ""
        peak = "" if self.record.max_lr is None else f" below {self.record.max_lr:.4g}"
        sound = all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters())
        return NotFiniteError(
            f"{error.message} at step {self.step + 1} of {plan.num_steps}, at rate {lr:.4g}{where}; "
            + ("the weights were not changed by it" if sound else "the weights were no longer finite before it"),
            place=str(self.folder),
            fix=f"begin again with a peak rate{peak} (--max-lr, or max_lr in a program)",
        )
