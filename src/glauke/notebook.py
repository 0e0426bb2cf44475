"""How a run goes on, in a notebook: a table with a row for every epoch and a bar, drawn anew twice a second at most.

    from glauke import notebook, training
    training.train(recipe, pack, split, folder, watch=notebook.Progress())

Outside a notebook the same words are lines on standard error.
"""

import math
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from glauke.markup import Child, card, element, table
from glauke.training import Began, EpochDone, Event, Note, Stage, Stepped

SECONDS_BETWEEN_DRAWINGS = 0.5  # what a redraw costs, a browser pays too; every epoch is drawn once more at its end
SHOWN = 20  # epochs; a notebook keeps what was drawn, and metrics.csv has them all
HEADER = ("Epoch", "Seconds", "Pictures/s", "Rate", "Loss", "Accuracy", "Val loss", "Val accuracy")


class Progress:
    """Shows the events of a run: hand it to `train` as `watch`. It draws itself where it is first called."""

    def __init__(self) -> None:
        self.title = "training"
        self.notes: list[str] = []
        self.rows: list[tuple[str, ...]] = []
        self.bar: tuple[str, int, int | None] | None = None
        self.update: Callable[[Any], object] | None = None
        self.drawn = -math.inf

    def __call__(self, event: Event) -> None:
        """Take note of one event, and draw if it is time."""
        match event:
            case Began():
                record = event.record
                self.title = f"{record.model} on {record.data.name}: {event.plan.epochs} epochs in {event.folder}"
                self._say(self.title)
            case Note():
                self.notes.append(event.text)
                self._say(event.text)
            case Stage():
                self.bar = (event.name, event.done, event.total) if event.done != event.total else None
            case Stepped():
                self.bar = _step(event) if self._due() else self.bar  # what it says waits for the device
            case EpochDone():
                self.bar = None
                self.rows.append(_row(event))
                self._say(", ".join(f"{name.lower()} {cell}" for name, cell in zip(HEADER, self.rows[-1], strict=True)))
        if self._due() or isinstance(event, EpochDone):
            self._draw()

    def _repr_html_(self) -> str:
        """What is drawn, as far as the run has come."""
        left_out = len(self.rows) - SHOWN
        shown = table(self.rows[-SHOWN:], caption="Epochs", header=HEADER, numeric=True) if self.rows else None
        return card(
            self.title,
            [element("p", note) for note in self.notes],
            element("p", f"{left_out:,} earlier epochs are in metrics.csv.") if left_out > 0 else None,
            shown,
            None if self.bar is None else _bar(*self.bar),
        )

    def _due(self) -> bool:
        return time.monotonic() - self.drawn >= SECONDS_BETWEEN_DRAWINGS

    def _draw(self) -> None:
        self.drawn = time.monotonic()
        display = _display()
        if display is None:
            return
        if self.update is None:
            self.update = display(self, display_id=True).update
        else:
            self.update(self)

    def _say(self, text: str) -> None:
        if _display() is None:
            print(text, file=sys.stderr, flush=True)


def _display() -> Callable[..., Any] | None:
    """IPython's way to draw something that changes; None where there is no notebook around us."""
    # Not imported: if there is a notebook, it is there.
    ipython: Any = sys.modules.get("IPython")
    if ipython is None or not hasattr(ipython.get_ipython(), "kernel"):
        return None
    return ipython.display.display


def _step(event: Stepped) -> tuple[str, int, int]:
    plan, epoch = event.plan, event.plan.epoch_of(event.step - 1)
    left = "" if event.seconds_left is None else f", {timedelta(seconds=round(event.seconds_left))} left"
    text = f"epoch {epoch + 1} of {plan.epochs}, rate {event.lr:.4g}, loss {event.loss:.4f}{left}"
    return text, event.step - plan.first_step(epoch), plan.steps[epoch]


def _bar(text: str, done: int, total: int | None) -> Child:
    counted = f"{done:,}" if total is None else f"{done:,} of {total:,}"
    bar = element("progress", value=str(done), max=str(max(total or 0, done, 1)), aria_label=text)
    return element("p", bar, f" {text}: {counted}")


def _row(event: EpochDone) -> tuple[str, ...]:
    row = event.row
    return (
        f"{row.epoch}/{event.plan.epochs}",
        f"{row.seconds:.1f}",
        f"{row.images_per_second:,.0f}",
        f"{row.lr:.4g}",
        f"{row.train_loss:.4f}",
        _share(row.train_accuracy),
        "–" if row.val_loss is None else f"{row.val_loss:.4f}",
        _share(row.val_accuracy) + (" best" if event.best else ""),
    )


def _share(fraction: float | None) -> str:
    return "–" if fraction is None else f"{fraction:.2%}"
