"""A run's events on the screen."""

import time

from glauke.training import Began, EpochDone, Event, Note, Stage, Stepped

from ._output import clock
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
        done = (event.step - 1) % plan.steps_per_epoch + 1
        if not self.screen.due(force=done == plan.steps_per_epoch):
            return
        rate = self.counted / max(time.monotonic() - self.counted_since, 1e-9)
        left = "" if event.seconds_left is None else f" - {clock(event.seconds_left)} left"
        self.screen.draw(
            f"Epoch {(event.step - 1) // plan.steps_per_epoch + 1}/{plan.epochs}",
            done,
            plan.steps_per_epoch,
            f"{done}/{plan.steps_per_epoch} - {rate:.0f} images/s - lr {event.lr:.4f} - loss {event.loss:.4f} - "
            f"accuracy {event.accuracy():.4f}{left}",
        )

    def _count_anew(self) -> None:
        # A pause of training, for an evaluation say, must not look like slow training.
        self.counted, self.counted_since = 0, time.monotonic()


def first_line(event: Began) -> str:
    """What is about to be trained, in one line."""
    plan, record = event.plan, event.record
    sizes = "-".join(str(size) for size in dict.fromkeys(plan.sizes))
    return (
        f"{record.model} ({record.stem} stem, {record.parameters:,} parameters), {plan.epochs} epochs of "
        f"{plan.steps_per_epoch} steps at {sizes} px, peak rate {record.max_lr:.4g}, {record.device} {record.precision}"
    )


def epoch_line(event: EpochDone) -> str:
    """One epoch in one line, in the form that users of Keras and Athena know."""
    row, plan = event.row, event.plan
    held_out = ""
    if row.val_loss is not None and row.val_accuracy is not None:
        held_out = f" - val loss {row.val_loss:.4f} - val accuracy {row.val_accuracy:.4f}"
        held_out += f" (of {row.val_pictures:,})" + (" best" if event.best else "")
    return (
        f"Epoch {row.epoch}/{plan.epochs} - {plan.steps_per_epoch} steps - {row.seconds:.0f} s - "
        f"{row.images_per_second:.0f} images/s - {row.size} px - lr {row.lr:.4f} - loss {row.train_loss:.4f} - "
        f"accuracy {row.train_accuracy:.4f}{held_out}"
    )
