"""What a run said about each held-out picture, read from its `predictions.csv`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glauke.errors import DataError
from glauke.files import read_csv

PREDICTIONS = "predictions.csv"
NEEDED = ("file", "label", "predicted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Which held-out pictures a run got right; by the picture's name, which is unique in its data."""

    right: frozenset[str]
    wrong: frozenset[str]

    def __len__(self) -> int:
        """How many pictures were asked."""
        return len(self.right) + len(self.wrong)

    @property
    def accuracy(self) -> float:
        """Fraction right."""
        return len(self.right) / len(self)


def read_answers(run: Path) -> Answers:
    """Read a run's `predictions.csv`.

    Right is what names its own class, whatever the column `correct` says.

    Raises:
        DataError: the file is missing or damaged, lacks a column or every row, or has a picture twice.
    """
    file = run / PREDICTIONS
    header, rows = read_csv(file)
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise DataError(f"the table has no column {' and no column '.join(missing)}", place=str(file))
    if not rows:
        raise DataError("the table has no picture", place=str(file))
    name, label, predicted = (header.index(column) for column in NEEDED)
    right = frozenset(row[name] for row in rows if row[label] == row[predicted])
    wrong = frozenset(row[name] for row in rows if row[label] != row[predicted])
    if len(right) + len(wrong) != len(rows) or right & wrong:
        raise DataError("a picture stands in the table more than once", place=str(file))
    return Answers(right=right, wrong=wrong)
