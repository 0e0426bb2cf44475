"""Event files for TensorBoard from a run's own events; the files of the run stay the record, whatever happens here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from glauke.errors import UsageError
from glauke.runs import EpochRow

from .._events import Began, EpochDone, Event, Note, Stepped, Watch

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"
MOST_STEPS = 2000  # a curve on a screen has no more points; each costs tens of microseconds
FAULTS = (OSError, RuntimeError, ValueError)  # what its writer, which works in a thread of its own, has for a bad disk


@contextmanager
def tensorboard(watch: Watch) -> Iterator[Watch]:
    """Watch with `watch`, and write the scalars of each run into its folder `tensorboard` as well.

    A fault there is told once, as a note, and ends the writing, never the training. A run that is taken up again hides
    what it had written after its checkpoint.

    Raises:
        UsageError: TensorBoard is not installed.
    """
    require_tensorboard()
    writing = _Writing(watch)
    try:
        yield writing
    finally:
        writing.close()


def require_tensorboard() -> None:
    """Say so, before anything else is done, if TensorBoard is wanted and not installed.

    Raises:
        UsageError: with the command that installs it.
    """
    if find_spec("tensorboard") is None:
        raise UsageError("TensorBoard is not installed", place="--tensorboard", fix="pip install 'glauke[tensorboard]'")


class _Writing:
    """An open event file, and the watch that hears every event first."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.writer: SummaryWriter | None = None

    def __call__(self, event: Event) -> None:
        self.watch(event)
        try:
            self._write(event)
        except FAULTS as error:
            self.writer = None  # not closed: its thread may be what failed
            self.watch(Note(f"TensorBoard's event file could not be written ({error}); training goes on without it"))

    def close(self) -> None:
        writer, self.writer = self.writer, None
        try:
            if writer is not None:
                writer.close()
        except FAULTS as error:
            self.watch(Note(f"TensorBoard's event file could not be closed ({error})"))

    def _write(self, event: Event) -> None:
        if isinstance(event, Began):
            self.close()
            self.writer = _opened(event)
        if self.writer is None:
            return
        if isinstance(event, Stepped):
            if event.step % max(1, event.plan.num_steps // MOST_STEPS) == 0:
                self._add({"step/loss": event.loss, "step/lr": event.lr}, step=event.step)
        elif isinstance(event, EpochDone):
            self._add(scalars_of(event.row), step=event.row.step)
            self.writer.flush()

    def _add(self, scalars: Mapping[str, float], *, step: int) -> None:
        assert self.writer is not None
        for name, value in scalars.items():
            self.writer.add_scalar(name, value, step)


def scalars_of(row: EpochRow) -> dict[str, float]:
    """What an epoch measured, by TensorBoard's names: "loss/val", so that both sides of a metric share a chart."""
    measured = {
        "loss/train": row.train_loss,
        "loss/val": row.val_loss,
        "accuracy/train": row.train_accuracy,
        "accuracy/val": row.val_accuracy,
        "top5/train": row.train_top5,
        "top5/val": row.val_top5,
        "epoch/epoch": float(row.epoch),
        "epoch/size": float(row.size),
        "epoch/lr": row.lr,
        "epoch/momentum": row.momentum,
        "epoch/seconds": row.seconds,
        "epoch/images_per_second": row.images_per_second,
    }
    for name, value in row.extra.items():
        side, _, metric = name.partition("_")
        measured[f"{metric}/{side}"] = value
    return {name: value for name, value in measured.items() if value is not None}


def _opened(event: Began) -> "SummaryWriter":
    from torch.utils.tensorboard import SummaryWriter

    resumed = event.record.resumed_from_steps
    writer = SummaryWriter(event.folder / FOLDER, purge_step=resumed[-1] + 1 if resumed else None)
    writer.add_text("run", f"    {event.record.command or event.record.name}")  # indented: code, in Markdown
    return writer
