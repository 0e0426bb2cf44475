from pathlib import Path

import numpy as np
import pytest

from glauke.boxes.formats._table import read_table
from glauke.errors import DataError

PATH = Path("sizes.csv")


def test_rows_are_sizes_with_counts():
    table = read_table(PATH, "width,height,count,label\n30,40,2,vest\n\n1.5,2e1,0,\n7,8,1000000,boots\n")

    assert (table.kind, table.names, table.keys) == ("table", ("",), ("",))
    assert table.boxes_xywh.tolist() == [[0, 0, 30, 40], [0, 0, 1.5, 20], [0, 0, 7, 8]]
    assert table.weight is not None and table.weight.tolist() == [2, 0, 1_000_000]
    assert table.num_boxes() == 1_000_002
    assert table.label_counts() == {"boots": 1_000_000, "vest": 2}
    assert table.num_unlabelled() == 0
    assert table.lines is not None and table.lines.tolist() == [2, 4, 5]
    assert table.shape_counts() == {"rect": 1_000_002}
    assert table.findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "count,more,Height, WIDTH\n2,x,40,30\n",
        "width;height;count\r\n30,0;40;2",
        "width\theight\tcount\r30\t40\t2",
        'width,height,count\n"30","40","2.0"',
    ],
)
def test_columns_in_any_order_and_any_separator(text):
    table = read_table(PATH, text)

    assert table.boxes_xywh.tolist() == [[0, 0, 30, 40]]
    assert table.num_boxes() == 2
    assert (table.labels, table.label.tolist()) == ((), [-1])


def test_a_label_keeps_its_commas():
    assert read_table(PATH, 'width;height;count;label\n1;2;3;"a, b;c"\n').labels == ("a, b;c",)


@pytest.mark.parametrize("size", ["-1", "x", "", "NaN", "inf", "1e999", "1_0", "0x1"])
def test_a_size_that_is_none_is_a_row_without_a_box(size):
    table = read_table(PATH, f"width,height,count\n{size},2,3\n4,5,6\n")

    assert np.isnan(table.boxes_xywh).all(axis=1).tolist() == [True, False]
    assert table.shape_counts() == {"rect": 6, "unknown": 3}
    assert [(f.rule, f.severity) for f in table.findings] == [("bad-shape", "error")]


@pytest.mark.parametrize("count", ["9223372036854775807", "1e30"])
def test_a_count_that_is_too_large_is_called_so(count):
    (finding,) = read_table(PATH, f"width,height,count\n1,2,{count}\n").findings

    assert finding.message.endswith("which is too large: at most 18 digits are read; it was left out")


@pytest.mark.parametrize("rest", ["2,-3", "2,x", "2,1.5", "2,", "2", '2,"3', "2,1e30"])
def test_a_row_without_a_count_is_left_out_and_named(rest):
    table = read_table(PATH, f"width,height,count\n1,{rest}\n4,5,6\n")

    assert table.num_boxes() == 6
    assert [f.rule for f in table.findings] == ["bad-row"]
    assert table.findings[0].message.startswith("line 2 has ") or "quote" in table.findings[0].message


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("filename,width,height", "it has a column filename, but a table of boxes has one line for each size"),
        ("width,height", "it has no column count, but a table of boxes"),
        ("width,width,height,count", "the column width stands there 2 times"),
        ("", "it has no column width and no column height and no column count"),
    ],
)
def test_what_is_no_table_is_refused(header, message):
    with pytest.raises(DataError, match=message) as refused:
        read_table(PATH, f"{header}\n1,2,3\n" if header else "")

    assert refused.value.place == "sizes.csv, line 1"
    assert refused.value.fix


def test_counts_that_cannot_be_added_are_refused():
    with pytest.raises(DataError, match="add up to 9,000,000,000,000,000,000"):
        read_table(PATH, "width,height,count\n" + "1,1,900000000000000000\n" * 10)
