import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glauke.boxes.formats._csv_rows import csv_rows
from glauke.boxes.formats._json_cells import parsed_cell, parsed_cells
from glauke.errors import DataError


def cells(text: str) -> list[tuple[int, tuple[str, ...] | None]]:
    return [(row.line, None if row.unclosed else row.cells) for row in csv_rows(text)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_have_their_lines_whatever_ends_them(end):
    assert cells(end.join(["a,b", "", '"c, ""d""",e', " , ", "f,g"])) == [
        (1, ("a", "b")),
        (3, ('c, "d"', "e")),
        (5, ("f", "g")),
    ]


def test_a_quoted_cell_may_go_over_lines():
    assert cells('a,"b\r\n""c""\nd",e\nf') == [(1, ("a", 'b\n"c"\nd', "e")), (4, ("f",))]
    assert cells('"a\nb","c\nd"\ne') == [(1, ("a\nb", "c\nd")), (4, ("e",))]


def test_a_quote_that_is_never_closed_swallows_nothing():
    assert cells('a,"b\nc,"{""d"":1}"\ne,f') == [(1, None), (2, ("c", '{"d":1}')), (3, ("e", "f"))]
    assert cells('a,"b\n' + "c,d\n" * 3) == [(1, None), *((line, ("c", "d")) for line in (2, 3, 4))]


def test_a_quote_within_a_cell_is_a_character():
    assert cells('a"b,"c"d,"e" ,f') == [(1, ('a"b', '"c"d', "e", "f"))]


@given(st.lists(st.lists(st.text(st.sampled_from('a,"\n {'), max_size=5), min_size=2, max_size=4), max_size=4))
def test_what_the_standard_library_writes_reads_back(rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    expected = [tuple(row) for row in rows if any(cell.strip() for cell in row)]

    assert [row.cells for row in csv_rows(text.getvalue())] == expected


@given(st.text(st.sampled_from('a,"\n\r {}'), max_size=60))
def test_any_text_is_read_and_lines_go_upwards(text):
    lines = [row.line for row in csv_rows(text)]

    assert lines == sorted(set(lines))


@pytest.mark.parametrize("text", ['a,"b\n' * 20_000, '"",\n"' * 20_000, 'x,"' + '"",' * 50_000, '"' * 100_001])
def test_no_text_takes_long(text):
    begin = time.perf_counter()
    rows = sum(1 for _ in csv_rows(text))

    assert rows > 0
    assert time.perf_counter() - begin < 10


def test_json_cells_are_read_at_once_and_one_by_one():
    assert parsed_cells(['{"a":1}', "", " ", "[2]"]) == [{"a": 1}, {}, {}, [2]]
    assert parsed_cell("") == ({}, False)


@pytest.mark.parametrize("cells", [["1,2", "3"], ['{"a":[{}', "{}]}"], ['{"a":1,"a":2}'], ["NaN"], ['{"a":undefined}']])
def test_cells_that_are_no_json_by_themselves_are_not_read_at_once(cells):
    assert parsed_cells(cells) is None


def test_undefined_is_a_key_that_is_not_there():
    assert parsed_cell('{"a": undefined,"b":"\\"c\\": undefined","d":null}') == (
        {"b": '"c": undefined', "d": None},
        True,
    )
    with pytest.raises(DataError):
        parsed_cell("{undefined}")
