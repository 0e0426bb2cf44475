"""CSV files that a person opens in a spreadsheet: exact numbers, and text that can never become a formula."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from glauke.errors import DataError

from ._csv import neutral
from ._durable import write_bytes

Cell = str | int | float | bool | None


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a table that a spreadsheet can open safely; `read_csv` gives back the very same text.

    Text that a spreadsheet would run as a formula gets a leading apostrophe, and so does text that already
    begins with one, so that nothing is lost. Numbers are never touched: floats are written by `repr`
    (they read back exactly), `None` as an empty cell. UTF-8, lines end with a single newline.

    Raises:
        ValueError: a row has another number of cells than the header.
    """
    lines = [_line([_guarded(name) for name in header])]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} cells but the header has {len(header)}")
        lines.append(_line([_text(cell) for cell in row]))
    # A lone surrogate (a file name that is not UTF-8) would make the whole table unwritable.
    write_bytes(path, "".join(lines).encode("utf-8", errors="backslashreplace"))


def read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table that `write_csv` wrote, as text, without the guarding apostrophes.

    Raises:
        DataError: the file is missing, is not UTF-8 CSV, or a row is longer or shorter than the header.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"the table cannot be read ({error.strerror})", place=str(path)) from error
    except UnicodeDecodeError as error:
        raise DataError(f"the table is not UTF-8 (byte {error.start})", place=str(path)) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, [cell.removeprefix("'") for cell in row]) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"line {reader.line_num} is not CSV ({error})", place=str(path)) from error
    if not lines:
        raise DataError("the table is empty, not even a header", place=str(path))
    header = lines[0][1]
    for line_number, row in lines[1:]:
        if len(row) != len(header):
            raise DataError(
                f"line {line_number} has {len(row)} cells but the header has {len(header)}", place=str(path)
            )
    return header, [row for _, row in lines[1:]]


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith("'") else neutral(text)


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):  # NumPy's float64 too, whose own repr is not a number
        return "nan" if math.isnan(cell) else repr(float(cell))
    if isinstance(cell, int):
        return str(cell)
    return _guarded(cell)


def _line(cells: list[str]) -> str:
    # Not csv.writer: up to Python 3.12 it leaves a lone "\r" unquoted, and its reader then sees a new row.
    return ",".join(_quoted(cell) for cell in cells) + "\n" if cells != [""] else '""\n'


def _quoted(cell: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"' if any(mark in cell for mark in ',"\r\n') else cell
