"""One row of numbers per epoch, and the `metrics.csv` that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
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
    """Side of the training pictures in pixels; 0 where a program's own loaders were trained on."""
    lr: float
    """Learning rate of the epoch's last step."""
    momentum: float
    """Momentum (or first beta) of the epoch's last step."""
    train_loss: float
    """Mean over the pictures of the epoch, each seen while the weights were still moving."""
    train_accuracy: float | None
    """Fraction right, augmented as in training; None where a program's own step measures no accuracy."""
    train_top5: float | None
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
    """Forward and backward."""
    seconds_optimizer: float = 0.0
    """The optimizer's step; in rows of earlier versions it is part of `seconds_train`."""
    seconds_eval: float
    """Looking at held-out pictures."""
    seconds_write: float
    """Writing checkpoints and tables."""
    images_per_second: float
    """Training pictures per second of `seconds_data + seconds_train + seconds_optimizer`."""
    extra: Mapping[str, float] = field(default_factory=dict)
    """Means of a program's own metrics, `train_x` and `val_x` of its x; columns of their own in the file."""


COLUMNS = tuple(field.name for field in fields(EpochRow) if field.name != "extra")
WHOLE = frozenset({"epoch", "step", "size", "val_pictures"})
MAY_BE_EMPTY = frozenset({"train_accuracy", "train_top5", "val_loss", "val_accuracy", "val_top5"})
MAY_BE_MISSING = frozenset({"seconds_optimizer"})
OWN = ("train_", "val_")
"""How the columns of a program's own metrics begin."""


def write_metrics(path: Path, rows: Iterable[EpochRow]) -> None:
    """Replace `path` by these rows, durably; `read_metrics` gives back equal numbers, to the last bit."""
    rows = list(rows)
    own = list(dict.fromkeys(name for row in rows for name in row.extra))
    cells = [[*(getattr(row, name) for name in COLUMNS), *(row.extra.get(name) for name in own)] for row in rows]
    write_csv(path, [*COLUMNS, *own], cells)


def read_metrics(path: Path) -> list[EpochRow]:
    """Rows of a `metrics.csv`, in the file's order; columns of later versions are passed over.

    Raises:
        DataError: the file is missing, a column is missing, or a cell is not a number.
    """
    header, rows = read_csv(path)
    missing = [name for name in COLUMNS if name not in header and name not in MAY_BE_MISSING]
    if missing:
        raise DataError(f"{len(missing)} of {len(COLUMNS)} columns are missing: {', '.join(missing)}", place=str(path))
    own = [name for name in header if name not in COLUMNS and name.startswith(OWN)]
    return [_row(dict(zip(header, row, strict=True)), own, place=f"{path}, row {i}") for i, row in enumerate(rows, 1)]


def _row(cells: dict[str, str], own: list[str], *, place: str) -> EpochRow:
    known = {name: _number(cells[name], name=name, place=place) for name in COLUMNS if name in cells}
    extra = {name: _number(cells[name], name=name, place=place) for name in own if cells[name]}
    return EpochRow(**known, extra=extra)


def _number(cell: str, *, name: str, place: str) -> Any:
    if not cell and name in MAY_BE_EMPTY:
        return None
    try:
        return int(cell) if name in WHOLE else float(cell)
    except ValueError as error:
        kind = "a whole number" if name in WHOLE else "a number"
        raise DataError(f"column {name} holds {cell!r}, which is not {kind}", place=place) from error
