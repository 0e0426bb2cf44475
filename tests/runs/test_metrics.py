"""metrics.csv gives back the very same numbers."""

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glauke.errors import DataError
from glauke.runs import EpochRow, read_metrics, write_metrics

NUMBERS = st.floats(allow_nan=False)
ROWS = st.builds(
    EpochRow,
    **{
        f.name: st.integers(0, 10**12) if f.type == "int" else NUMBERS if f.type == "float" else st.none() | NUMBERS
        for f in fields(EpochRow)
        if f.name != "extra"
    },
    extra=st.dictionaries(st.sampled_from(["train_mae", "val_mae", "val_dice, mean"]), NUMBERS),
)
ROW = EpochRow(
    epoch=1,
    step=137,
    size=64,
    lr=0.1,
    momentum=0.95,
    train_loss=4.5,
    train_accuracy=0.1,
    train_top5=0.3,
    val_loss=None,
    val_accuracy=None,
    val_top5=None,
    val_pictures=0,
    seconds=10.0,
    seconds_data=1.0,
    seconds_train=7.0,
    seconds_optimizer=1.0,
    seconds_eval=0.5,
    seconds_write=0.25,
    images_per_second=7777.7,
)


def exact(row):
    return repr(replace(row, extra=dict(sorted(row.extra.items()))))


@given(st.lists(ROWS, max_size=5))
def test_rows_survive_to_the_last_bit(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("metrics") / "metrics.csv"
    write_metrics(path, rows)

    back = read_metrics(path)
    assert back == rows
    assert [exact(row) for row in back] == [exact(row) for row in rows]  # -0.0 == 0.0, but not here


def test_an_epoch_that_looked_at_nothing_has_empty_cells(tmp_path):
    write_metrics(tmp_path / "metrics.csv", [ROW])

    line = (tmp_path / "metrics.csv").read_text(encoding="utf-8").splitlines()[1]
    assert line == "1,137,64,0.1,0.95,4.5,0.1,0.3,,,,0,10.0,1.0,7.0,1.0,0.5,0.25,7777.7"
    assert read_metrics(tmp_path / "metrics.csv") == [ROW]


def test_a_loss_that_is_not_a_number_survives(tmp_path):
    write_metrics(tmp_path / "metrics.csv", [replace(ROW, train_loss=math.nan, lr=math.inf)])

    (row,) = read_metrics(tmp_path / "metrics.csv")
    assert math.isnan(row.train_loss)
    assert row.lr == math.inf


def test_columns_of_a_later_version_and_another_order_are_fine(tmp_path):
    path = tmp_path / "metrics.csv"
    write_metrics(path, [ROW])
    head, line = path.read_text().splitlines()
    path.write_text(f"watts,{head}\n400,{line}\n")

    assert read_metrics(path) == [ROW]


def test_a_table_from_before_the_optimizer_was_timed_is_read(tmp_path):
    path = tmp_path / "metrics.csv"
    write_metrics(path, [ROW])
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = lines[0].index("seconds_optimizer")
    path.write_text("".join(",".join(cells[:place] + cells[place + 1 :]) + "\n" for cells in lines))

    assert read_metrics(path) == [replace(ROW, seconds_optimizer=0.0)]


def test_a_programs_own_metrics_are_columns_behind_the_others(tmp_path):
    rows = [replace(ROW, extra={"val_mae": 0.5}), replace(ROW, epoch=2, extra={"val_mae": 0.25, "train_mae": 0.125})]
    write_metrics(tmp_path / "metrics.csv", rows)

    header, first, _ = (tmp_path / "metrics.csv").read_text().splitlines()
    assert header.endswith(",images_per_second,val_mae,train_mae") and first.endswith(",7777.7,0.5,")
    assert read_metrics(tmp_path / "metrics.csv") == rows


def test_what_is_wrong_is_named(tmp_path):
    path = tmp_path / "metrics.csv"
    with pytest.raises(DataError, match="cannot be read"):
        read_metrics(path)

    path.write_text("epoch,step\n1,2\n")
    with pytest.raises(DataError, match="16 of 19 columns are missing: size"):
        read_metrics(path)

    write_metrics(path, [ROW])
    path.write_text(path.read_text().replace("4.5", "four"))
    with pytest.raises(DataError, match=r"metrics.csv, row 1: column train_loss holds 'four'"):
        read_metrics(path)

    write_metrics(path, [ROW])
    path.write_text(path.read_text().replace("137", ""))
    with pytest.raises(DataError, match="column step holds '', which is not a whole number"):
        read_metrics(path)
