"""A run's events on the screen."""

import math
import time
from collections.abc import Mapping

from glauke.models import has_stems
from glauke.runs import EpochRow
from glauke.training import Began, EpochDone, Event, Note, Stage, Stepped

from ._output import amount, clock
from ._screen import Screen


class ProgressView:
    """Shows the events of a run: call it with each."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.told_end = False
        self.counted, self.counted_since = 0, time.monotonic()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Stepped):
            self._step(event)
        elif isinstance(event, EpochDone):
            self.screen.line(epoch_line(event))
        elif isinstance(event, Note):
            self.screen.line(event.text)
        elif isinstance(event, Stage):
            self.screen.show_stage(event.name, event.done, event.total)
            self._count_anew()
        elif isinstance(event, Began):
            self.screen.line(first_line(event))
            self._count_anew()

    def _step(self, event: Stepped) -> None:
        self.counted += event.pictures
        if not self.told_end and event.seconds_left is not None:
            self.told_end = True
            ends = time.strftime("%H:%M", time.localtime(time.time() + event.seconds_left))
            self.screen.line(f"expected end at {ends}, in {clock(event.seconds_left)}")
        plan = event.plan
        epoch = plan.epoch_of(event.step - 1)
        done, steps = event.step - plan.first_step(epoch), plan.steps[epoch]
        if not self.screen.due(force=done == steps):
            return
        rate = self.counted / max(time.monotonic() - self.counted_since, 1e-9)
        left = "" if event.seconds_left is None else f" - {clock(event.seconds_left)} left"
        self.screen.draw(
            f"Epoch {epoch + 1}/{plan.epochs}",
            done,
            steps,
            f"{done}/{steps} - {rate:.0f} images/s - lr {_rate(event.lr)} - loss {event.loss:.4f}"
            f"{_measured(event)}{left}",
        )

    def _count_anew(self) -> None:
        # A pause of training, for an evaluation say, must not look like slow training.
        self.counted, self.counted_since = 0, time.monotonic()


def first_line(event: Began) -> str:
    """What is about to be trained, in one line."""
    plan, record = event.plan, event.record
    sizes, steps = ("-".join(str(each) for each in dict.fromkeys(values)) for values in (plan.sizes, plan.steps))
    where = f" at {sizes} px" if sizes != "0" else ""
    stem = f"{record.stem} stem, " if has_stems(record.model) else ""
    peak = "" if record.max_lr is None else f", peak rate {record.max_lr:.4g}"
    return (
        f"{record.model} ({stem}{record.parameters:,} parameters), {amount(plan.epochs, 'epoch')} of "
        f"{steps} {'step' if steps == '1' else 'steps'}{where}{peak}, {record.device} {record.precision}"
    )


def epoch_line(event: EpochDone) -> str:
    """One epoch in one line, in the form that users of Keras and Athena know, with where its time went."""
    row, plan = event.row, event.plan
    trained = {"loss": row.train_loss, "accuracy": row.train_accuracy, **_own(row, "train_")}
    held_out = {"val loss": row.val_loss, "val accuracy": row.val_accuracy, **_own(row, "val_")}
    seen = f" (of {row.val_pictures:,})" if row.val_pictures else ""
    return (
        f"Epoch {row.epoch}/{plan.epochs} - {amount(plan.steps[row.epoch - 1], 'step')} - {row.seconds:.0f} s - "
        f"{row.images_per_second:.0f} images/s{f' - {row.size} px' if row.size else ''} - lr {_rate(row.lr)}"
        f"{_numbers(trained)}{_numbers(held_out)}{seen}{' best' if event.best else ''} - {time_split(row)}"
    )


def _rate(value: float) -> str:
    """Four decimals, or three digits of a rate that they would show as nothing: the cycle ends far below its peak."""
    return f"{value:.4f}" if value == 0 or value >= 0.001 else f"{value:.2e}"


def time_split(row: EpochRow) -> str:
    """The shares of an epoch's time."""
    parts = ("data", "train", "optimizer", "eval", "write")
    whole = max(row.seconds, 1e-9)
    return " - ".join(f"{part} {getattr(row, f'seconds_{part}') / whole:.0%}" for part in parts)


def _measured(event: Stepped) -> str:
    """The means of the epoch so far; those of a program's own metrics in place of an accuracy that nobody measures."""
    accuracy = event.accuracy()
    if not math.isnan(accuracy):
        return f" - accuracy {accuracy:.4f}"
    return _numbers({name: value for name, value in event.metrics().items() if name != "loss"})


def _own(row: EpochRow, side: str) -> dict[str, float]:
    before = side.removeprefix("train_").replace("_", " ")
    return {before + name.removeprefix(side): value for name, value in row.extra.items() if name.startswith(side)}


def _numbers(values: Mapping[str, float | None]) -> str:
    return "".join(f" - {name.replace('_', ' ')} {value:.4f}" for name, value in values.items() if value is not None)
