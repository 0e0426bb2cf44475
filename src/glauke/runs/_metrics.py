"""One row of numbers per epoch, and the `metrics.csv` that holds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from glauke.errors import DataError
from glauke.files import read_csv, write_csv


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRow:
    """What one epoch did. Accuracies are fractions; times are wall-clock seconds."""

    epoch: int
    """1 for the first epoch."""
    step: int
    """Optimizer steps since the beginning of the run, this epoch included."""
    size: int
    """Side of the training pictures in pixels."""
    lr: float
    """Learning rate of the epoch's last step."""
    momentum: float
    """Momentum (or first beta) of the epoch's last step."""
    train_loss: float
    """Mean over the pictures of the epoch, each seen while the weights were still moving."""
    train_accuracy: float
    """Fraction right, augmented as in training."""
    train_top5: float
    """Fraction whose class was among the five most probable."""
    val_loss: float | None
    """Mean over the held-out pictures looked at; None if this epoch looked at none."""
    val_accuracy: float | None
    """Fraction right of the held-out pictures looked at."""
    val_top5: float | None
    """Fraction whose class was among the five most probable."""
    val_pictures: int
    """How many held-out pictures were looked at; between epochs this may be only a part of them."""
    seconds: float
    """The whole epoch."""
    seconds_data: float
    """Waiting for batches."""
    seconds_train: float
    """Forward, backward and the optimizer's step."""
    seconds_eval: float
    """Looking at held-out pictures."""
    seconds_write: float
    """Writing checkpoints and tables."""
    images_per_second: float
    """Training pictures per second of `seconds_data + seconds_train`."""


COLUMNS = tuple(field.name for field in fields(EpochRow))
WHOLE = frozenset({"epoch", "step", "size", "val_pictures"})
MAY_BE_EMPTY = frozenset({"val_loss", "val_accuracy", "val_top5"})


def write_metrics(path: Path, rows: Iterable[EpochRow]) -> None:
    """Replace `path` by these rows, durably; `read_metrics` gives back equal numbers, to the last bit."""
    write_csv(path, COLUMNS, [[getattr(row, name) for name in COLUMNS] for row in rows])


def read_metrics(path: Path) -> list[EpochRow]:
    """Rows of a `metrics.csv`, in the file's order; columns of later versions are passed over.

    Raises:
        DataError: the file is missing, a column is missing, or a cell is not a number.
    """
    header, rows = read_csv(path)
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise DataError(f"{len(missing)} of {len(COLUMNS)} columns are missing: {', '.join(missing)}", place=str(path))
    return [
        EpochRow(**{name: _number(row[header.index(name)], name=name, place=f"{path}, row {i}") for name in COLUMNS})
        for i, row in enumerate(rows, start=1)
    ]


def _number(cell: str, *, name: str, place: str) -> Any:
    if not cell and name in MAY_BE_EMPTY:
        return None
    try:
        return int(cell) if name in WHOLE else float(cell)
    except ValueError as error:
        kind = "a whole number" if name in WHOLE else "a number"
        raise DataError(f"column {name} holds {cell!r}, which is not {kind}", place=place) from error
