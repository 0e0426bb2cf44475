"""Entries of a VIA document become columns, in a few passes over flat lists.

A million regions must cost little more than parsing them did. So the loop over regions takes the usual one (a dict with
a rectangle) apart with no look at its values, whose types and ranges are examined afterwards for all of them at once;
whatever is not usual goes a careful way, region by region.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from glauke.errors import DataError, UnknownNameError

from .._annotations import SHAPES, Annotations, Attribute
from .._findings import Change, Finding
from ._class_attribute import (
    SEVERAL,
    choose_class_attribute,
    counted_attribute,
    label_codes,
    meanings,
    plain_values,
    ticks_several,
)
from ._shapes import MOST_PIXELS, NO_BOX, UNKNOWN, enclosing_box, rect_problem, shape_problem
from ._via_document import ViaDocument, kind_of_value, shortened, sound_entries
from ._via_pictures import pictures_of

_corners = itemgetter("x", "y", "width", "height")
_RECT = SHAPES.index("rect")
_NUMBERS = {int, float}  # and not bool, which is an int to everybody else
_MOST_KNOWN = 50
"""How many attributes an error names."""


def annotations_from_via(
    document: ViaDocument, *, attribute: str | None = None, expected: Collection[str] | None = None
) -> Annotations:
    """All regions of a document as columns, with a finding for each that no box can be made of.

    `attribute` names the region attribute that holds the class; without it, `choose_class_attribute` decides,
    by the `expected` labels where they are known.

    Raises:
        UnknownNameError: no region has `attribute`, and the file does not declare it.
        DataError: the same, in a file without any region attribute.
    """
    damaged: list[Finding] = []  # none in what `via_document` returns; other makers of documents may be less careful
    entries = sound_entries(document.entries, damaged)
    pictures = pictures_of(entries)
    counts = np.array([len(entry["regions"]) for entry in entries.values()], dtype=np.int64)
    image = np.repeat(np.arange(len(counts)), counts)
    region = np.arange(len(image)) - np.repeat(np.cumsum(counts) - counts, counts)

    rows = _rows(entries)
    boxes = _boxes(rows.corners, rows.problems)
    rows.corners.clear()
    shape = np.frombuffer(rows.shapes, dtype=np.int8).copy()
    shape[list(rows.problems)] = UNKNOWN
    attributes = _attributes(rows.columns, document.attributes)
    chosen = _chosen(attributes, attribute, document, expected)
    label, labels, several = _labels(rows.columns, chosen, document.attributes, num_rows=len(image))

    found = [
        *((row, "bad-shape", problem) for row, problem in rows.problems.items()),
        *((row, "bad-entry", problem) for row, problem in rows.damaged.items()),
        *((row, "several-labels", f"has several labels at once: {texts}") for row, texts in several.items()),
    ]
    regional = (
        _finding(rule, problem, row=row, image=int(image[row]), region=int(region[row]), names=pictures.names)
        for row, rule, problem in sorted(found)
    )
    passed_over = _passed_over(attributes) if chosen is None else ()
    return Annotations(
        kind=document.kind,
        path=document.path,
        names=pictures.names,
        keys=tuple(entries),
        byte_sizes=pictures.byte_sizes,
        widths=pictures.widths,
        heights=pictures.heights,
        image=image,
        region=region,
        boxes_xywh=boxes,
        shape=shape,
        label=label,
        labels=labels,
        class_attribute=chosen,
        attributes=attributes,
        lines=_lines(document, num_rows=len(image)),
        findings=(*document.findings, *damaged, *pictures.findings, *passed_over, *regional),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Column:
    """The values of one attribute, of the regions that have it."""

    rows: array = field(default_factory=lambda: array("q"))
    values: list = field(default_factory=list)


class _Columns(dict[str, _Column]):
    """The columns of all attributes by name; one that is asked for is there."""

    def __missing__(self, name: str) -> _Column:
        column = self[name] = _Column()
        return column


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """All regions, taken apart."""

    corners: list = field(default_factory=list)
    """x, y, width and height of each region after those of the one before, rectangles with unexamined values."""

    shapes: bytearray = field(default_factory=bytearray)
    columns: _Columns = field(default_factory=_Columns)
    problems: dict[int, str] = field(default_factory=dict)
    """Why a row has no box."""

    damaged: dict[int, str] = field(default_factory=dict)
    """Why a row has no attributes."""


def _rows(entries: Mapping[str, dict]) -> _Rows:
    rows = _Rows()
    columns, add_corners, add_shape = rows.columns, rows.corners.extend, rows.shapes.append
    pairs: Iterable[tuple[str, object]] = ()
    for row, region in enumerate(chain.from_iterable(_regions(entries))):
        try:
            pairs = region["region_attributes"].items()
            shape = region["shape_attributes"]
            usual = shape["name"] == "rect"
            if usual:
                add_corners(_corners(shape))
                add_shape(_RECT)
        except (KeyError, TypeError, AttributeError):
            usual = False
        if not usual:
            pairs = _add_carefully(rows, row, region)
        for name, value in pairs:
            column = columns[name]
            column.rows.append(row)
            column.values.append(value)
    return rows


def _regions(entries: Mapping[str, dict]) -> Iterator[Iterable[Any]]:
    for entry in entries.values():
        regions = entry["regions"]
        yield regions.values() if isinstance(regions, dict) else regions


def _add_carefully(rows: _Rows, row: int, region: object) -> Iterable[tuple[str, object]]:
    """Add the shape of a region that is not a usual rectangle, and return its attributes."""
    if not isinstance(region, dict):
        rows.problems[row] = f"is {kind_of_value(region)}, and an object is expected"
        rows.corners.extend(NO_BOX)
        rows.shapes.append(UNKNOWN)
        return ()
    shape = region.get("shape_attributes")
    code, box = enclosing_box(shape) if isinstance(shape, dict) else (UNKNOWN, NO_BOX)
    if code == UNKNOWN:
        rows.problems[row] = shape_problem(shape) or "has no shape"
    rows.corners.extend(box)
    rows.shapes.append(code)
    attributes = region.get("region_attributes", {})
    if isinstance(attributes, dict):
        return attributes.items()
    rows.damaged[row] = f"has {kind_of_value(attributes)} for its region_attributes, and an object is expected"
    return ()


def _boxes(corners: list, problems: dict[int, str]) -> Float[np.ndarray, "regions 4"]:
    """Boxes of all rows; those of values that make no box are NaN and have their problem added."""
    boxes = None
    if set(map(type, corners)) <= _NUMBERS:
        try:
            boxes = np.array(corners, dtype=np.float64)
        except OverflowError:  # an integer that no float can hold
            boxes = None
    if boxes is None:
        numbers = (v if type(v) in _NUMBERS and -MOST_PIXELS <= v <= MOST_PIXELS else np.nan for v in corners)
        boxes = np.fromiter(numbers, dtype=np.float64, count=len(corners))
    boxes = boxes.reshape(-1, 4)
    sound = (np.abs(boxes) <= MOST_PIXELS).all(axis=1) & (boxes[:, 2] >= 0) & (boxes[:, 3] >= 0)
    for row in np.flatnonzero(~sound).tolist():
        if row not in problems:
            problems[row] = rect_problem(*corners[4 * row : 4 * row + 4]) or "has no box"
    boxes[~sound] = np.nan
    return boxes


def _attributes(columns: _Columns, declared: Mapping[str, dict]) -> tuple[Attribute, ...]:
    """Every attribute with its counts, declared ones first; its column then holds plain values."""
    attributes = []
    for name in (*declared, *(name for name in columns if name not in declared)):
        values: list = []
        if name in columns:
            column = columns[name]
            values = plain_values(column.values)
            if values is not column.values:
                column.values[:] = values
        attributes.append(counted_attribute(name, Counter(values), meanings(declared.get(name))))
    return tuple(attributes)


def _chosen(
    attributes: tuple[Attribute, ...], wanted: str | None, document: ViaDocument, expected: Collection[str] | None
) -> str | None:
    if wanted is None:
        return choose_class_attribute(attributes, expected=expected)
    names = [each.name for each in attributes]
    if wanted in names:
        return wanted
    place = None if document.path is None else str(document.path)
    if not names:
        raise DataError(f"there is no region attribute {wanted!r}; no region has any", place=place)
    error = UnknownNameError(wanted, kind="region attribute", known=[shortened(name) for name in names[:_MOST_KNOWN]])
    error.place = place
    raise error


def _labels(
    columns: _Columns, chosen: str | None, declared: Mapping[str, dict], *, num_rows: int
) -> tuple[Int[np.ndarray, " regions"], tuple[str, ...], dict[int, str]]:
    """Label of each row, the labels, and what is said by rows that have several."""
    label = np.full(num_rows, -1, dtype=np.int32)
    if chosen is None:
        return label, (), {}
    meaning = meanings(declared.get(chosen))
    column = columns.get(chosen, _Column())
    codes, labels = label_codes(dict.fromkeys(column.values), meaning)
    found = np.fromiter(map(codes.__getitem__, column.values), dtype=np.int32, count=len(column.values))
    several = {
        column.rows[i]: ", ".join(shortened(meaning.of(each)) for each in column.values[i][:10])
        for i in np.flatnonzero(found == SEVERAL).tolist()
    }
    label[np.frombuffer(column.rows, dtype=np.int64)] = np.maximum(found, -1)
    return label, labels, several


def _lines(document: ViaDocument, *, num_rows: int) -> Int[np.ndarray, " regions"] | None:
    if document.lines is None:
        return None
    lines = chain.from_iterable(document.lines[key] for key in document.entries)
    return np.fromiter(lines, dtype=np.int64, count=num_rows)


def _finding(rule: str, problem: str, *, row: int, image: int, region: int, names: tuple[str, ...]) -> Finding:
    fixes = {
        "bad-shape": "draw the region again",
        "bad-entry": "give the region its attributes again",
        "several-labels": "tick one",
    }
    return Finding(
        rule=rule,
        severity="error",
        message=f"region {region} {problem}",
        image=names[image],
        region=region,
        fix=fixes[rule],
        change=Change(what="drop-region", image=image, region=row),  # other pictures may have the same name
    )


def _passed_over(attributes: tuple[Attribute, ...]) -> tuple[Finding, ...]:
    """One warning for each checkbox that might have been the class, had nobody ticked two options."""
    return tuple(
        Finding(
            rule="several-labels",
            severity="warning",
            message=f"{shortened(each.name)!r} has {sum(each.counts.values()):,} ticks in {each.regions:,} regions, "
            "several at once in some, and was not taken for the class",
            fix=f"name it with --attribute {each.name!r} if it is the class",
        )
        for each in attributes
        if ticks_several(each)
    )
