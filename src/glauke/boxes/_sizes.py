"""True sizes of pictures, from a table or from the pictures themselves: VIA stores none, and its COCO export errs."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from glauke.errors import DataError
from glauke.files import read_text

from ._annotations import Annotations
from ._findings import Change, Finding
from ._picture_names import name_finder
from ._pictures import PictureFolder, match_pictures, renamed_pictures
from ._wording import quoted

Size = tuple[int, int]
_COLUMNS = ("filename", "width", "height")
_LARGEST = 10**9


def sizes_from_csv(path: Path) -> dict[str, Size]:
    """Width and height in pixels by file name, from a CSV with columns filename, width, height in any order.

    More columns are allowed, and pictures without a size; comma, semicolon or tab separates them.

    Raises:
        DataError: a column is missing, a size is not a positive whole number, or a name has two different sizes.
    """
    text = read_text(path)
    heading = re.split(r"[\r\n]", text, maxsplit=1)[0]
    separator = max(",;\t", key=heading.count)
    columns = [cell.strip().strip('"').lower() for cell in heading.split(separator)]
    if missing := [name for name in _COLUMNS if name not in columns]:
        raise DataError(
            f"the table of picture sizes lacks the column {', '.join(missing)}; its first line is {heading[:60]!r}",
            place=f"{path}, line 1",
            fix="give a CSV whose first line is filename,width,height",
        )
    where = [columns.index(name) for name in _COLUMNS]
    sizes: dict[str, Size] = {}
    first: dict[str, int] = {}
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in rows:
            if rows.line_num == 1 or not any(cell.strip() for cell in row):
                continue
            place = f"{path}, line {rows.line_num}"
            name, width, height = (row[i].strip() if i < len(row) else "" for i in where)
            if name and not width and not height:  # whoever made the table did not know
                continue
            size = (_pixels(width, "width", place), _pixels(height, "height", place))
            if not name:
                raise DataError("the file name is missing", place=place)
            if sizes.setdefault(name, size) != size:
                was = f"{sizes[name][0]}x{sizes[name][1]}"
                raise DataError(
                    f"{quoted(name)} is {size[0]}x{size[1]} here and {was} in line {first[name]}",
                    place=place,
                    fix="leave one line for each picture",
                )
            first.setdefault(name, rows.line_num)
    except csv.Error as error:
        raise DataError(f"the line is not CSV ({error})", place=f"{path}, line {rows.line_num}") from error
    return sizes


def sizes_from_pictures(annotations: Annotations, folder: PictureFolder) -> dict[str, Size]:
    """Width and height of each picture as a person sees it, from the headers of the files.

    An entry that names one file and has the byte size of just one other was drawn on that other: its size is listed
    under name and byte size together, since another entry may rightly have the name.
    """
    matches = match_pictures(annotations, folder)
    renamed = renamed_pictures(annotations, folder, matches)
    sizes: dict[str, Size] = {}
    for i, (name, match) in enumerate(zip(annotations.names, matches, strict=True)):
        file = renamed.get(i, match)
        header = None if file is None else folder.files[file].header
        if header is not None:
            sizes[_name_and_size(annotations, i) if i in renamed else name] = (header.width, header.height)
    return sizes


def sizes_of_all(folder: PictureFolder) -> dict[str, Size]:
    """Size of every picture of a folder by its name there; files that are no pictures are left out."""
    headers = ((file.name, file.header) for file in folder.files)
    return {name: (header.width, header.height) for name, header in headers if header is not None}


def with_sizes(annotations: Annotations, sizes: Mapping[str, Size]) -> Annotations:
    """The same annotations with the sizes of `sizes` where it knows the picture.

    A stored size that differs is a finding, and the given one wins. VIA's COCO export stores wrong ones after a
    picture was removed: it caches sizes by position, and then a neighbour's is written.
    """
    given = list(sizes.items())
    find = name_finder([name for name, _ in given])
    widths, heights = annotations.widths.copy(), annotations.heights.copy()
    true: list[Size | None] = []
    for i, name in enumerate(annotations.names):
        found = {given[j][1] for j in find(name)}
        one = sizes.get(_name_and_size(annotations, i)) or (found.pop() if len(found) == 1 else None)
        true.append(one)
        if one is not None:
            widths[i], heights[i] = one
    differing = [
        i
        for i, one in enumerate(true)
        if one and annotations.widths[i] > 0 and (annotations.widths[i], annotations.heights[i]) != one
    ]
    beyond = _boxes_beyond(annotations) if differing else []
    return replace(
        annotations,
        widths=widths,
        heights=heights,
        findings=(*annotations.findings, *(_mismatch(annotations, true, i, beyond[i]) for i in differing)),
    )


def _boxes_beyond(annotations: Annotations) -> list[int]:
    """How many boxes of each picture reach beyond its stored size."""
    stored = np.stack([annotations.widths, annotations.heights], axis=1)[annotations.image]
    reaching = ((annotations.boxes_xywh[:, :2] + annotations.boxes_xywh[:, 2:]) > stored).any(axis=1)
    return np.bincount(annotations.image[reaching], minlength=len(annotations.names)).tolist()


def _mismatch(annotations: Annotations, true: list[Size | None], i: int, boxes_beyond: int) -> Finding:
    stored, right = (int(annotations.widths[i]), int(annotations.heights[i])), true[i]
    assert right is not None
    neighbours = (j for j in (i + 1, i - 1) if 0 <= j < len(true) and true[j] == stored)
    whose = next((f", which is the size of its neighbour {quoted(annotations.names[j])}" for j in neighbours), "")
    beyond = f"; {boxes_beyond} of its boxes would reach beyond that" if boxes_beyond else ""
    return Finding(
        rule="size-mismatch",
        severity="error",
        message=f"the file says {stored[0]}x{stored[1]}{whose}, but the picture is {right[0]}x{right[1]}{beyond}",
        image=annotations.names[i],
        fix=f"write {right[0]} and {right[1]} as its width and height",
        change=Change(what="picture-size", image=i, value=right),
    )


def _name_and_size(annotations: Annotations, i: int) -> str:
    return f"{annotations.names[i]}\0{int(annotations.byte_sizes[i])}"  # NUL is in no file name


def _pixels(text: str, column: str, place: str) -> int:
    whole = text.removesuffix(".0")
    if whole.isascii() and whole.isdigit() and len(whole) < 10 and 0 < int(whole) < _LARGEST:
        return int(whole)
    raise DataError(f"the {column} is {text[:40]!r}, but a positive whole number of pixels is needed", place=place)
