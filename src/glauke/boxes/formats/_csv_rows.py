"""Rows of a CSV that many hands have been in: each has its line, and none is lost to a quote that another left open."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_QUOTED = r'[ \t]*+"([^"]*+(?:""[^"]*+)*+)"[ \t]*+'
_USUAL = re.compile(rf'(?:{_QUOTED}|[^",]*+)(?:,(?:{_QUOTED}|[^",]*+))*+')
_USUAL_CELL = re.compile(rf'(?:\A|,)(?:{_QUOTED}|([^",]*+))')
_CELL = re.compile(rf"{_QUOTED}(?=,|\Z)|([^,]*+)")
_OPEN = re.compile(r'[ \t]*+"[^"]*+(?:""[^"]*+)*+\Z')
# The first quote of a line that is not doubled, and whether it ends a cell.
_CLOSE = re.compile(r'[^"]*+(?:""[^"]*+)*+"([ \t]*+(?:,|\Z))?')
_MOST_REOPENED = 16
_MOST_JOINED = 1_000
"""How many lines a single cell may go over; a quote that is open for longer was never closed."""


class CsvRow(NamedTuple):
    """One row of a CSV; a tuple, because there may be millions."""

    line: int
    """1-based number of the line that it begins in."""

    text: str
    """The row as it stands in the file."""

    cells: tuple[str, ...]
    """Its values without quotes; empty where `unclosed`."""

    unclosed: bool = False
    """Whether it opens a quote that no line closes."""

    def joined(self, count: int) -> str:
        """The first `count` cells as one, with the commas between them, as they stand in the file."""
        at = 0
        for _ in range(count):
            found = _CELL.match(self.text, at)
            assert found is not None  # a cell may be empty
            at = found.end() + 1
        return self.text[: at - 1]


def csv_rows(text: str) -> Iterator[CsvRow]:
    r"""All rows that are not blank. Lines end with \n, \r\n or \r; quotes are doubled inside of quotes.

    A quoted cell may hold line ends. Where a quote is never closed, its line is one `unclosed` row, and the next row
    begins in the next line: what follows is not swallowed. A quote in the middle of a cell is an ordinary character.

    >>> [row.cells for row in csv_rows('a,"b, ""c"" "\n\nd"e,')]
    [('a', 'b, "c" '), ('d"e', '')]
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = 0
    while at < len(lines):
        line, number = lines[at], at + 1
        at += 1
        if not line or line.isspace():
            continue
        row = _row(line, number)
        if row.unclosed:
            row, at = _continued(row, lines, at)
        if row.unclosed or "".join(row.cells).strip():
            yield row


def _row(text: str, line: int) -> CsvRow:
    if '"' not in text:
        return CsvRow(line, text, tuple(text.split(",")))
    if _USUAL.fullmatch(text):
        found = _USUAL_CELL.findall(text)
        return CsvRow(line, text, tuple([quoted.replace('""', '"') if quoted else plain for quoted, plain in found]))
    cells = []
    at = 0
    while at <= len(text):
        match = _CELL.match(text, at)
        assert match is not None  # a cell may be empty
        quoted, plain = match.groups()
        if quoted is None and '"' in plain and _OPEN.match(text, at):
            return CsvRow(line, text, (), unclosed=True)
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        at = match.end() + 1
    return CsvRow(line, text, tuple(cells))


def _continued(row: CsvRow, lines: list[str], at: int) -> tuple[CsvRow, int]:
    """The row with as many of the following lines as close its quotes, and where the next begins; itself if none do."""
    reopened = 0
    for number in range(at, min(at + _MOST_JOINED, len(lines))):
        found = _CLOSE.match(lines[number])
        if found is None:
            continue
        # A quote in front of a word closes nothing: it opens a cell of the next row.
        if found[1] is None or reopened == _MOST_REOPENED:
            break
        whole = _row("\n".join([row.text, *lines[at : number + 1]]), row.line)
        if not whole.unclosed:
            return whole, number + 1
        reopened += 1
    return row, at
