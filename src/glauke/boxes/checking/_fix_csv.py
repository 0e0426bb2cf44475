"""Changes in the CSV of VIA 1 and 2: rows that do not change stay as they are, to the letter."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from glauke.errors import DataError

from .._annotations import Annotations
from .._findings import Finding
from ..formats._csv_rows import CsvRow, csv_rows
from ..formats._json_cells import parsed_cell, parsed_cells
from ..formats._via_csv import Header, aligned_cells, header_of
from ._cut_shapes import cut_shape
from ._fix_via import with_label
from ._json_style import json_bytes, json_style
from ._plan import Applied, Plan

_LINE = re.compile(r"line (\d+) ")
_JSON = ("file_attributes", "region_shape_attributes", "region_attributes")
_CHUNK = 1_000  # rows whose JSON is read in one go
_REPEATED_HEADER = -2


@dataclass(slots=True, kw_only=True)
class _Record:
    """One row of the table below its header."""

    row: CsvRow
    cells: list[str] | None
    """By column, without quotes; None for a row that the reader could not read either."""

    image: int = -1
    region: int | None = None
    """Row of `Annotations`; None for a picture without regions."""

    is_changed: bool = False


def change_csv(
    text: str, annotations: Annotations, plan: Plan, findings: Sequence[Finding]
) -> tuple[str, list[Applied]]:
    """Carry out a plan in the text of a CSV; rows that cannot be read are left out, and listed."""
    ends = re.search(r"\r\n|\r|\n", text)
    newline = ends[0] if ends else "\n"
    rows = csv_rows(text)
    first = next(rows, None)
    header = header_of(first, place=str(annotations.path))
    assert first is not None
    records = list(_records(rows, header, annotations))
    about = {int(found[1]): f for f in findings if f.rule == "bad-row" and (found := _LINE.match(f.message))}
    kept: dict[int, int] = {}
    for record in records:
        if record.region is not None and record.region not in plan.dropped_rows:
            kept[record.image] = kept.get(record.image, 0) + 1
    dropped = {int(annotations.image[row]) for row in plan.dropped_rows}
    lines, applied = [first.text], []
    written: dict[int, int] = {}
    for record in records:
        finding = about.get(record.row.line)
        if record.cells is None:
            if record.image != _REPEATED_HEADER and finding is not None:
                applied.append(Applied(finding=finding, message=f"line {record.row.line} was left out"))
            else:
                lines.append(record.row.text)
            continue
        if record.image in plan.dropped_pictures:
            continue
        number = written.get(record.image, 0)
        if record.region in plan.dropped_rows:
            if number or kept.get(record.image):
                continue
            _empty(record, header)
        elif record.image in dropped:
            _set(record, header, "region_count", str(kept[record.image]))
            _set(record, header, "region_id", str(number))
        written[record.image] = number + 1
        if finding is not None and record.is_changed:
            applied.append(Applied(finding=finding, message=f"line {record.row.line}: what nobody chose was taken out"))
        _change(record, header, annotations, plan)
        lines.append(_text(record, header) if record.is_changed else record.row.text)
    ending = "\n" if text.endswith(("\n", "\r")) else ""
    return newline.join(line.replace("\n", newline) for line in [*lines, ""][: len(lines) + len(ending)]), applied


def _records(rows: Iterator[CsvRow], header: Header, annotations: Annotations) -> Iterator[_Record]:
    """Rows with what they are about, which follows from their order as it does for the reader."""
    assert annotations.lines is not None
    region_of_line = {line: row for row, line in enumerate(annotations.lines.tolist())}
    images: dict[tuple[str, str], int] = {}
    while chunk := list(islice(rows, _CHUNK)):
        aligned = [None if row.unclosed or row.cells == header.cells else aligned_cells(row, header) for row in chunk]
        is_clean = parsed_cells([cell for cells in aligned for cell in _json_cells(cells, header)]) is not None
        for row, cells in zip(chunk, aligned, strict=True):
            if row.cells == header.cells:
                yield _Record(row=row, cells=None, image=_REPEATED_HEADER)
                continue
            unset = {} if is_clean or cells is None else _undefined(cells, header)
            if cells is None or unset is None:
                yield _Record(row=row, cells=None)
                continue
            size = cells[header.at["file_size"]].strip() if "file_size" in header.at else ""
            image = images.setdefault((cells[header.at["filename"]], size), len(images))
            record = _Record(row=row, cells=list(cells), image=image, region=region_of_line.get(row.line))
            for name, value in unset.items():
                _set_json(record, header, name, value)
            yield record


def _json_cells(cells: Sequence[str] | None, header: Header) -> list[str]:
    return [] if cells is None else [cells[header.at[name]] for name in _JSON if name in header.at]


def _undefined(cells: Sequence[str], header: Header) -> dict[str, object] | None:
    """The values of cells that hold JavaScript's `undefined`, without it; None if some cell holds no JSON."""
    found: dict[str, object] = {}
    try:
        for name in _JSON:
            if name in header.at:
                value, unset = parsed_cell(cells[header.at[name]])
                if unset:
                    found[name] = value
    except DataError:
        return None
    return found


def _change(record: _Record, header: Header, annotations: Annotations, plan: Plan) -> None:
    assert record.cells is not None
    image, region = record.image, record.region
    if image in plan.names:
        _set(record, header, "filename", plan.names[image])
    if image in plan.byte_sizes:
        _set(record, header, "file_size", str(plan.byte_sizes[image]))
    if image in plan.picture_sizes:
        values = _object(record, header, "file_attributes")
        sides = zip(("width", "height"), plan.picture_sizes[image], strict=True)
        new = {side: str(size) if isinstance(values.get(side), str) else size for side, size in sides}
        _set_json(record, header, "file_attributes", values | new)
    if region in plan.labels and annotations.class_attribute is not None:
        values = _object(record, header, "region_attributes")
        values = with_label(values, annotations.class_attribute, plan.labels[region], None)
        _set_json(record, header, "region_attributes", values)
    if region in plan.boxes:
        shape = cut_shape(_object(record, header, "region_shape_attributes"), plan.boxes[region])
        _set_json(record, header, "region_shape_attributes", shape)


def _empty(record: _Record, header: Header) -> None:
    """Make a row of a picture without regions, as VIA writes it."""
    values = {"region_count": "0", "region_id": "0", "region_shape_attributes": "{}", "region_attributes": "{}"}
    for name, value in values.items():
        _set(record, header, name, value)


def _set(record: _Record, header: Header, name: str, value: str) -> None:
    assert record.cells is not None
    if name in header.at and record.cells[header.at[name]] != value:
        record.cells[header.at[name]] = value
        record.is_changed = True


def _object(record: _Record, header: Header, name: str) -> dict:
    assert record.cells is not None
    value = parsed_cell(record.cells[header.at[name]])[0]
    return value if isinstance(value, dict) else {}


def _text(record: _Record, header: Header) -> str:
    """The row as VIA writes it: JSON in quotes, and a file name without, also one with commas."""
    assert record.cells is not None
    columns = {at: name for name, at in header.at.items()}
    was_quoted = record.row.text.lstrip().startswith('"')
    written = []
    for i, cell in enumerate(record.cells):
        name = columns.get(i)
        if name == "filename" and i == 0 and not was_quoted and '"' not in cell:
            written.append(cell)
        elif name in _JSON or name == "filename" or re.search(r'[,"\r\n]', cell):
            written.append('"' + cell.replace('"', '""') + '"')
        else:
            written.append(cell)
    return ",".join(written)


def _set_json(record: _Record, header: Header, name: str, value: object) -> None:
    """Put JSON into a cell, with the blanks and escapes that it has there."""
    assert record.cells is not None
    old = record.cells[header.at[name]].encode()
    if not old.lstrip().startswith(b"{"):  # blank, or no object
        old = b"{}"
    _set(record, header, name, json_bytes(value, json_style(old)).decode())
