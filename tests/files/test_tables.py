"""Report tables: formulas are neutral, numbers exact, text comes back as it was."""

import csv

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glauke.errors import DataError
from glauke.files import read_csv, write_csv

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-1+1",
    "-3.5",  # text that looks like a number is still text
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "   @x",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b-1",
    "\u200f+1",
    "＝1+1",  # noqa: RUF001
    "＋1",  # noqa: RUF001
    "－1",  # noqa: RUF001
    "＠SUM(1)",  # noqa: RUF001
]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("place", ["header", "first", "last"])
def test_no_spreadsheet_sees_a_formula(tmp_path, text, place):
    path = tmp_path / "table.csv"
    header = [text if place == "header" else "name", "other"]
    row = [text if place == "first" else "a", text if place == "last" else "b"]
    write_csv(path, header, [row])

    with path.open(encoding="utf-8", newline="") as stream:
        cells = [cell for line in csv.reader(stream) for cell in line]
    assert all(cell.startswith("'") for cell in cells if text in cell)
    assert not any(cell == text for cell in cells)
    assert read_csv(path) == (header, [row])


@pytest.mark.parametrize("text", ['x",=1+1', "x\n=1+1,2", "x\r=1+1", 'a"b', "a,b", "", "plain.jpg", "n01443537"])
def test_text_cannot_leave_its_cell(tmp_path, text):
    write_csv(tmp_path / "t.csv", ["name", "n"], [[text, 1]])

    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream))[1] == [text, "1"]


@given(st.lists(st.lists(ANY_TEXT, min_size=2, max_size=2)), st.lists(ANY_TEXT, min_size=2, max_size=2))
@example([["'", "''=1"]], ["a", "'b"])
def test_every_text_comes_back(tmp_path_factory, rows, header):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    write_csv(path, header, rows)

    assert read_csv(path) == (header, rows)


@given(st.lists(ANY_TEXT, min_size=1))
def test_a_single_column_keeps_its_empty_cells(tmp_path_factory, column):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    write_csv(path, ["name"], [[text] for text in column])

    assert read_csv(path)[1] == [[text] for text in column]


def test_numbers_are_never_guarded_and_keep_every_digit(tmp_path):
    write_csv(tmp_path / "t.csv", ["a", "b", "c", "d", "e"], [[-3.5, -7, 0.1 + 0.2, None, True]])

    assert (tmp_path / "t.csv").read_text() == "a,b,c,d,e\n-3.5,-7,0.30000000000000004,,true\n"


def test_a_name_that_is_not_unicode_does_not_stop_the_table(tmp_path):
    write_csv(tmp_path / "t.csv", ["name"], [["a\udce9.jpg"]])

    assert read_csv(tmp_path / "t.csv")[1] == [["a\\udce9.jpg"]]


def test_ragged_rows_are_refused_on_both_sides(tmp_path):
    path = tmp_path / "t.csv"
    with pytest.raises(ValueError, match="row 2 has 1 cells but the header has 2"):
        write_csv(path, ["a", "b"], [[1, 2], [3]])
    assert not path.exists()

    path.write_text("a,b\n1,2\n3\n")
    with pytest.raises(DataError, match="line 3 has 1 cells but the header has 2"):
        read_csv(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a\xff,b\n", "not UTF-8 .byte 1."), (b"", "empty"), (b'a,b\n"x,1\n', "line 2 is not CSV")],
)
def test_a_damaged_table_is_one_sentence(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)

    with pytest.raises(DataError, match=message):
        read_csv(tmp_path / "t.csv")
