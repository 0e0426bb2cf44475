"""A table of box sizes with counts, as a database makes it of annotations that are too many for one file."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from glauke.errors import DataError
from glauke.files import collector_paused

from .._annotations import Annotations
from .._findings import Finding
from ._csv_rows import CsvRow, csv_rows
from ._gathered import RECT, UNKNOWN, LabelIndex
from ._shapes import MOST_PIXELS
from ._via_document import shortened

_WHAT = "a table of boxes has one line for each size, with the columns width, height and count, and label if you like"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_MOST_IN_ALL = 2**62
_NAMES = ("filename", "file_name", "image", "image_id")
_LABELS = ("label", "class")


def read_table(path: Path, text: str) -> Annotations:
    r"""A count table: each row is one size of box and says how many there are.

    Separated by commas, semicolons (then 1,5 is a number as well) or tabs; more columns are allowed. There is one
    picture without a name, and all boxes lie in its corner, since the table says nothing of either.

    >>> read_table(Path("t.csv"), "width,height,count\n30,40,7\n").num_boxes()
    7

    Raises:
        DataError: the columns are not those of such a table, or the counts are too large to be added.
    """
    separator = max(",;\t", key=(text.lstrip().splitlines() or [""])[0].count)
    swap = str.maketrans({separator: ",", ",": separator})
    swapped = text if separator == "," else text.translate(swap)
    rows = csv_rows(swapped)
    columns = _columns(next(rows, None), path)
    findings: list[Finding] = []
    labels = LabelIndex()
    sizes: list[tuple[float, float]] = []
    counts: list[int] = []
    label: list[int] = []
    lines: list[int] = []
    number = _number if separator == "," else _number_with_comma(separator)
    with collector_paused():
        for row in rows:
            count = _count(row, columns, number, findings)
            if count is None:
                continue
            sizes.append(_size(row, columns, number, findings))
            counts.append(count)
            text_of_label = row.cells[columns["label"]] if "label" in columns else ""
            label.append(labels[text_of_label if separator == "," else text_of_label.translate(swap)])
            lines.append(row.line)
    if sum(counts) > _MOST_IN_ALL:
        message = f"the counts add up to {sum(counts):,}; at most {_MOST_IN_ALL:,} boxes can be counted"
        raise DataError(message, place=str(path), fix="correct the column count")
    boxes = np.zeros((len(sizes), 4))
    boxes[:, 2:] = np.array(sizes, dtype=np.float64).reshape(-1, 2)
    unknown = np.isnan(boxes).any(axis=1)
    boxes[unknown] = np.nan
    return Annotations(
        kind="table",
        path=path,
        names=("",),
        keys=("",),
        byte_sizes=np.array([-1]),
        widths=np.zeros(1, dtype=np.int64),
        heights=np.zeros(1, dtype=np.int64),
        image=np.zeros(len(sizes), dtype=np.int64),
        region=np.arange(len(sizes)),
        boxes_xywh=boxes,
        shape=np.where(unknown, UNKNOWN, RECT).astype(np.int8),
        label=np.array(label, dtype=np.int32),
        labels=tuple(labels),
        class_attribute=None,
        weight=np.array(counts, dtype=np.int64),
        lines=np.array(lines, dtype=np.int64),
        findings=tuple(findings),
    )


def _columns(header: CsvRow | None, path: Path) -> dict[str, int]:
    names = [cell.strip().lower() for cell in header.cells] if header else []
    place = f"{path}, line {header.line if header else 1}"
    if named := [name for name in _NAMES if name in names]:
        raise DataError(
            f"it has a column {named[0]}, but {_WHAT}",
            place=place,
            fix="count the boxes of each size; picture sizes are given with --sizes",
        )
    if missing := [name for name in ("width", "height", "count") if name not in names]:
        raise DataError(
            f"it has no column {' and no column '.join(missing)}, but {_WHAT}",
            place=place,
            fix="for example SELECT width, height, count(*) AS count FROM boxes GROUP BY width, height",
        )
    columns = {name: names.index(name) for name in ("width", "height", "count")}
    for name in columns:
        if names.count(name) > 1:
            raise DataError(f"the column {name} stands there {names.count(name)} times", place=place, fix="keep one")
    labels = [name for name in _LABELS if name in names]
    return columns | ({"label": names.index(labels[0])} if labels else {})


def _count(
    row: CsvRow, columns: dict[str, int], number: Callable[[str], float | None], findings: list[Finding]
) -> int | None:
    """How many boxes a row stands for; None, and a finding, where it does not say."""
    if row.unclosed:
        what = "opens a quote that is never closed"
    elif len(row.cells) <= max(columns.values()):
        what = f"has only {len(row.cells)} cells"
    else:
        text = row.cells[columns["count"]]
        if text.isascii() and text.isdigit() and len(text) <= 18:
            return int(text)
        value = number(text)
        if value is not None and 0 <= value < 2**53 and value == int(value):
            return int(value)
        large = value is not None and value >= 2**53
        why = "too large: at most 18 digits are read" if large else "no whole number from 0 on"
        what = f"has the count {shortened(text)!r}, which is {why}"
    message, fix = f"line {row.line} {what}; it was left out", "correct the line"
    findings.append(Finding(rule="bad-row", severity="error", message=message, fix=fix))
    return None


def _size(
    row: CsvRow, columns: dict[str, int], number: Callable[[str], float | None], findings: list[Finding]
) -> tuple[float, float]:
    """Width and height; NaN, and a finding, where one is no size."""
    values = []
    for name in ("width", "height"):
        text = row.cells[columns[name]]
        value = number(text)
        if value is None or not 0 <= value <= MOST_PIXELS:
            message = f"line {row.line} has the {name} {shortened(text)!r}, which no box can have"
            findings.append(Finding(rule="bad-shape", severity="error", message=message, fix="correct the line"))
            value = float("nan")
        values.append(value)
    return values[0], values[1]


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text.strip()) else None


def _number_with_comma(separator: str) -> Callable[[str], float | None]:
    # The commas of decimals have changed places with the separators.
    return lambda text: _number(text.replace(separator, "."))
