"""Which epoch of a run is the best one, and the weights that are kept of the best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from glauke.errors import UsageError
from glauke.runs import EpochRow, Score

from ..saving._weights import save_weights

BEST = "best.safetensors"
TOP = "top"
"""Folder of the weights of the best epochs, where a run keeps more than one."""
COLUMNS = ("train_loss", "train_accuracy", "train_top5", "val_loss", "val_accuracy", "val_top5")
MODES = {"loss": "min", "error": "min", "accuracy": "max", "top5": "max"}
"""Words of a metric's name that say which way is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """The number by which epochs are compared."""

    metric: str = "val_accuracy"
    """A column of metrics.csv."""
    mode: str = "max"
    """"max" if more is better, "min" if less is."""

    def value(self, row: EpochRow) -> float | None:
        """The metric after an epoch; None if the epoch did not measure it.

        Raises `UsageError` for a metric that no epoch of this run has.
        """
        measured = {name: value for name in COLUMNS if (value := getattr(row, name)) is not None} | dict(row.extra)
        if self.metric not in (*COLUMNS, *row.extra):
            raise UsageError(
                f"the run measures no {self.metric!r}", place="monitor", fix=f"choose one of: {', '.join(measured)}"
            )
        return measured.get(self.metric)

    def ranked(self, rows: Sequence[EpochRow]) -> list[EpochRow]:
        """The epochs that measured it, best first, the earlier one of equals first; NaN is never among them."""
        sign = -1 if self.mode == "max" else 1
        values = [(value, row) for row in rows if (value := self.value(row)) is not None and not math.isnan(value)]
        return [row for _, row in sorted(values, key=lambda pair: (sign * pair[0], pair[1].epoch))]


def mode_of(metric: str) -> str:
    """Say which way of a metric is better, where its name says it.

    Only whole words count, and two that disagree do not: guessing from a part of a name keeps the worst epochs of every
    metric that is named another way.

    >>> mode_of("val_loss"), mode_of("val_accuracy")
    ('min', 'max')
    """
    found = {MODES[word] for word in metric.split("_") if word in MODES}
    if len(found) != 1:
        raise UsageError(
            f"the name {metric!r} does not say whether more of it is better",
            place="monitor",
            fix='give mode="max" or "min"',
        )
    return found.pop()


def keep_weights(
    folder: Path,
    model: nn.Module,
    rows: Sequence[EpochRow],
    *,
    monitor: Monitor,
    keep: int,
    about: Mapping[str, object],
) -> bool:
    """Write the weights after the last of `rows` if they are among the best `keep`; say whether they are the best.

    What is no longer among the best goes after that, so that there are never fewer.
    """
    best, last = monitor.ranked(rows)[:keep], rows[-1]
    is_best = bool(best) and best[0] is last
    if is_best:
        save_weights(folder / BEST, model, about=about)
    if keep > 1:
        names = [top_name(row) for row in best]
        if any(row is last for row in best):
            (folder / TOP).mkdir(exist_ok=True)
            save_weights(folder / TOP / top_name(last), model, about=about)
        for file in (folder / TOP).glob("epoch-*.safetensors"):
            if file.name not in names:
                file.unlink()
    return is_best


def top_name(row: EpochRow) -> str:
    """The file of an epoch's weights in the folder `TOP`."""
    return f"epoch-{row.epoch:04d}.safetensors"


def score_of(row: EpochRow) -> Score:
    """What the record says of an epoch; its training loss too where nothing was held out."""
    seen = {} if row.val_loss is not None else {"train_loss": row.train_loss}
    return Score(
        epoch=row.epoch,
        val_accuracy=math.nan if row.val_accuracy is None else row.val_accuracy,
        val_loss=math.nan if row.val_loss is None else row.val_loss,
        val_pictures=row.val_pictures,
        val_top5=row.val_top5,
        extra=seen | dict(row.extra),
    )
