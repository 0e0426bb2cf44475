"""The CSV of VIA 1 and 2, brought to the form of VIA 2's JSON.

The format is that of `pack_via_metadata('csv')` in VIA's source: a row for each region, three cells with JSON, and the
file name without quotes, so that a comma in it makes one cell too many. Columns are found by their names: people
append their own, and some programs change the order.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from glauke.errors import DataError
from glauke.files import collector_paused

from .._findings import Finding
from ..writing._to_via import free_key
from ._csv_rows import CsvRow, csv_rows
from ._json_cells import parsed_cell, parsed_cells
from ._via_document import ViaDocument, shortened

_NAME, _SIZE, _FILE, _COUNT, _ID, _SHAPE, _LABELS = (
    "filename",
    "file_size",
    "file_attributes",
    "region_count",
    "region_id",
    "region_shape_attributes",
    "region_attributes",
)
_JSON = (_FILE, _SHAPE, _LABELS)
_PLAIN_SIZE = re.compile(r"\s*(-?[0-9]{1,15})(?:\.0*)?\s*")
_CHUNK = 1_000  # rows whose JSON is read in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where each column stands."""

    cells: tuple[str, ...]
    at: dict[str, int]
    """Column by name, for those of VIA that are there."""

    @property
    def least(self) -> int:
        """How many cells a row needs to hold all columns of VIA."""
        return max(self.at.values()) + 1


class _Row(NamedTuple):
    """One sound row, its JSON still as text."""

    line: int
    name: str
    size: str
    stated: str
    json: tuple[str, str, str]
    """Attributes of the file, shape, attributes of the region."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Pictures:
    """What has been gathered of the pictures so far."""

    entries: dict[str, dict] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    counts: dict[str, set[str]] = field(default_factory=dict)
    """What the rows of a picture say about how many they are."""

    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(self, row: _Row, values: tuple[object, object, object]) -> None:
        file_attributes, shape, attributes = values
        key = self.keys.get((row.name, row.size))
        if key is None:
            key = free_key(row.name + row.size, self.entries)
            self.keys[row.name, row.size] = key
            self.entries[key] = {
                "filename": row.name,
                "size": _size(row.size),
                "regions": [],
                "file_attributes": file_attributes,
            }
            self.lines[key], self.counts[key] = [], set()
        entry = self.entries[key]
        entry["file_attributes"] = entry["file_attributes"] or file_attributes
        self.counts[key].add(row.stated)
        # A picture without regions has one row, with nothing in it.
        if shape != {} or (attributes != {} and row.stated != "0"):
            entry["regions"].append({"shape_attributes": shape, "region_attributes": attributes})
            self.lines[key].append(row.line)


def via_csv_document(text: str, *, path: Path | None, kind: str) -> ViaDocument:
    """The pictures and regions of a CSV of VIA 1 or 2, with the line of each region.

    Rows of one name and size are one picture, wherever they stand. A row that cannot be read is a finding.

    Raises:
        DataError: the header lacks the columns that hold the regions.
    """
    place = "the CSV" if path is None else str(path)
    rows = csv_rows(text)
    header = header_of(next(rows, None), place=place)
    pictures = _Pictures()
    sound = _sound_rows(rows, header, pictures.findings)
    with collector_paused():
        while chunk := list(islice(sound, _CHUNK)):
            _add_all(pictures, chunk)
    return ViaDocument(
        kind=kind,
        path=path,
        entries=pictures.entries,
        attributes={},
        lines=pictures.lines,
        findings=(*pictures.findings, *_lost_rows(pictures)),
        raw=None,
    )


def _add_all(pictures: _Pictures, rows: list[_Row]) -> None:
    values = parsed_cells([cell for row in rows for cell in row.json])
    if values is not None:
        for i, row in enumerate(rows):
            pictures.add(row, (values[3 * i], values[3 * i + 1], values[3 * i + 2]))
        return
    for row in rows:
        if (found := _values(row, pictures.findings)) is not None:
            pictures.add(row, found)


def header_of(row: CsvRow | None, *, place: str) -> Header:
    cells = () if row is None else row.cells
    names = tuple(cell.strip().lstrip("#").strip().lower() for cell in cells)
    at = {name: names.index(name) for name in (_NAME, _SIZE, _FILE, _COUNT, _ID, _SHAPE, _LABELS) if name in names}
    missing = [name for name in (_NAME, _SHAPE, _LABELS) if name not in at]
    if missing:
        raise DataError(
            f"the first line has no column {' and no column '.join(missing)}",
            place=f"{place}, line {1 if row is None else row.line}",
            fix="export it again: in VIA choose Annotation > Export Annotations (as csv)",
        )
    return Header(cells=cells, at=at)


def _sound_rows(rows: Iterable[CsvRow], header: Header, findings: list[Finding]) -> Iterator[_Row]:
    """Rows whose cells are known by column; the others become findings."""
    columns = [header.at.get(name, -1) for name in (_NAME, _SIZE, _COUNT, *_JSON)]
    for row in rows:
        if row.unclosed:
            findings.append(_bad(row.line, "opens a quote that is never closed", image=_name_before_quote(row, header)))
        elif row.cells == header.cells:
            message = f"line {row.line} repeats the header: files were joined here"
            findings.append(Finding(rule="bad-row", severity="note", message=message))
        elif (cells := aligned_cells(row, header)) is None:
            n, few = len(row.cells), "few" if len(row.cells) < header.least else "many"
            expected = len(header.cells)
            findings.append(
                _bad(row.line, f"has too {few} cells: {n}, and {expected} are expected", image=row.cells[0] or None)
            )
        else:
            cells = (*cells[: len(header.cells)], "")  # where a column is missing, the last cell stands for it
            name, size, count, file, shape, labels = (cells[i] for i in columns)
            yield _Row(row.line, name, size.strip(), count.strip(), (file, shape, labels))


def aligned_cells(row: CsvRow, header: Header) -> tuple[str, ...] | None:
    """The cells by column; of a row with too many, those of a name that has commas and no quotes are joined."""
    surplus = len(row.cells) - len(header.cells)
    if surplus <= 0:
        return row.cells if len(row.cells) >= header.least else None
    if _plausible(row.cells, header):  # what is too much stands at the end
        return row.cells
    if header.at[_NAME] == 0:
        cells = (row.joined(surplus + 1), *row.cells[surplus + 1 :])
        if _plausible(cells, header):
            return cells
    return None


def _plausible(cells: tuple[str, ...], header: Header) -> bool:
    size = cells[header.at[_SIZE]] if _SIZE in header.at else ""
    return (not size.strip() or _PLAIN_SIZE.fullmatch(size) is not None) and all(
        cells[header.at[name]].strip()[:1] in ("", "{") for name in _JSON if name in header.at
    )


def _values(row: _Row, findings: list[Finding]) -> tuple[object, object, object] | None:
    """The values of a row's JSON, read one by one; None, and a finding, where one is no JSON."""
    values: list[object] = []
    for name, cell in zip(_JSON, row.json, strict=True):
        try:
            value, undefined = parsed_cell(cell)
        except DataError as error:
            findings.append(_bad(row.line, f"holds no JSON in {name} ({error.message})", image=row.name))
            return None
        if undefined:
            message = f"line {row.line} holds {shortened(cell)}, which VIA writes for a choice that nobody made"
            fix = "choose one; VIA cannot import this line"
            findings.append(Finding(rule="bad-row", severity="warning", message=message, image=row.name, fix=fix))
        values.append(value)
    return values[0], values[1], values[2]


def _lost_rows(pictures: _Pictures) -> Iterator[Finding]:
    """A note for each picture with fewer rows than they say; scripts that write 1 everywhere have more."""
    for key, counts in pictures.counts.items():
        regions = len(pictures.entries[key]["regions"])
        stated = next(iter(counts)) if len(counts) == 1 else ""
        if stated.isascii() and stated.isdigit() and int(stated[:18]) > regions:
            message = f"region_count says {stated[:18]}, and there are only {regions:,}"
            name = pictures.entries[key]["filename"]
            yield Finding(rule="bad-row", severity="note", message=message, image=name)


def _bad(line: int, what: str, *, image: str | None) -> Finding:
    return Finding(
        rule="bad-row",
        severity="error",
        message=f"line {line} {what}; it was left out",
        image=image,
        fix="correct the line, or export the file again",
    )


def _name_before_quote(row: CsvRow, header: Header) -> str | None:
    name = row.text.partition(",")[0]
    return name if header.at[_NAME] == 0 and name and not name.startswith('"') else None


def _size(text: str) -> int | str:
    """Bytes as a number where it is one, also as "12.0"; -1 where there is none; else the text as it stands."""
    found = _PLAIN_SIZE.fullmatch(text)
    return int(found[1]) if found else text if text else -1
