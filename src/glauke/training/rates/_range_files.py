"""A range test on disk: its curve as a table, the rest in the run's record."""

from pathlib import Path

from glauke.errors import DataError
from glauke.files import read_csv, write_csv
from glauke.runs import RunRecord

from ._range_test import RangeTest

NAME = "range_test.csv"
HEADER = ("rate", "loss", "smoothed_loss", "accuracy")


def write_range_test(folder: Path, test: RangeTest) -> None:
    """Write the curve: the rate, the loss as measured and smoothed, the accuracy as a fraction."""
    accuracies = test.accuracies or (None,) * len(test.rates)
    write_csv(folder / NAME, HEADER, zip(test.rates, test.losses, test.smoothed, accuracies, strict=True))


def range_test_facts(test: RangeTest) -> dict[str, object]:
    """What the table does not hold, for the run's record."""
    return {"ramp": test.ramp, "num_steps": test.num_steps, "ended": test.ended}


def read_range_test(folder: Path, record: RunRecord) -> RangeTest | None:
    """Read the range test of a run back; None if the run had none."""
    facts = record.extra.get("range_test")
    if not isinstance(facts, dict):
        return None
    header, rows = read_csv(folder / NAME)
    if header != list(HEADER):
        raise DataError(f"the columns are {', '.join(header)} instead of {', '.join(HEADER)}", place=str(folder / NAME))
    return RangeTest(
        rates=tuple(float(row[0]) for row in rows),
        losses=tuple(float(row[1]) for row in rows),
        accuracies=tuple(float(row[3]) for row in rows if row[3]),
        val_losses=(),
        ramp=str(facts["ramp"]),
        num_steps=int(facts["num_steps"]),
        ended=str(facts["ended"]),
    )
