"""What there is to say about files of rows and columns: the CSV of VIA 1, 2 and 3, and a count table."""

import csv
import re

from .._wording import counted, quoted, visible
from ._attribute_text import attribute_table
from ._description import Section, Table
from ._entry_lines import rounded_bytes
from ._format_text import WHAT_VIA_IS, FormatText, Subject, box_words, label_words, only_rectangles, what_is_described

_COLUMNS = {
    "filename": "file name of the picture; VIA puts no quotes around it, so a comma in a name breaks the row",
    "file_size": "size of the picture's file in BYTES; not in pixels, not in kB",
    "file_attributes": "facts about the picture as a whole, as JSON",
    "region_count": "how many regions this picture has in all; the same in each of its rows",
    "region_id": "number of this region within its picture, from 0",
    "region_shape_attributes": "where it is, as JSON: x, y is the TOP-LEFT corner, in pixels",
    "region_attributes": "what it shows, as JSON: the label stands here",
}
_VIA3_COLUMNS = {
    "metadata_id": "a made-up name of the row, without meaning",
    "file_list": "the picture, as a JSON list",
    "flags": "for VIA's own use",
    "temporal_coordinates": "seconds of a video; [] for a picture",
    "spatial_coordinates": "a number for the shape (2 = rectangle), then x, y, width, height in pixels; x, y is "
    "TOP-LEFT",
    "metadata": "what it shows: the number of an attribute and the chosen value or number of an option",
}
_SHAPE_NUMBERS = {
    "rect": "x, y of its top-left corner, width, height",
    "circle": "cx, cy of its CENTRE, radius r",
    "ellipse": "cx, cy of its CENTRE, half width rx, half height ry, turn theta in radians",
    "polygon": "all_points_x, all_points_y: its corners in order",
    "polyline": "all_points_x, all_points_y: its corners in order",
    "point": "cx, cy",
    "unknown": "nothing that a shape can be made of",
}
_TOP_LEFT = (
    "x and y are the TOP-LEFT CORNER of the box, not its centre. All numbers are pixels of the picture, counted from "
    "its own top-left corner, where x = 0 and y = 0: x grows to the right and y grows DOWNWARD."
)
_NO_PICTURE_SIZES = (
    "The width and height of the pictures: VIA does not store them; they are read from the pictures with --images. "
    "Nor are there the pictures themselves, the list of labels that were allowed, or which objects belong together."
)


def via_csv_text(subject: Subject) -> FormatText:
    """Explain the CSV export of VIA 1 or 2."""
    first = subject.annotations.kind == "via1-csv"
    seen = (
        "It is of VIA 1, as one sees from the # with which its first line begins; VIA 2 writes none."
        if first
        else "It is of VIA 2, as one sees from its first line: the same column names in VIA 1 begin with a #."
    )
    opening = (
        f"{subject.name} was written by {WHAT_VIA_IS}. It describes {what_is_described(subject)} drawn in them; the "
        f"pictures themselves are files of their own. {seen}",
        "CSV is plain text: one row for each line, columns parted by commas. Some columns hold JSON, { } with pairs of "
        '"key": value; it stands in quotes, and so each quote within it is doubled: "".',
    )
    a = subject.annotations
    pair = ""
    if a.names:
        size = int(a.byte_sizes[0])
        rough = f" ({about})" if (about := rounded_bytes(size)) else ""
        pair = f"The first picture is {quoted(a.names[0])} of {counted(size, 'byte')}{rough}. " if size >= 0 else ""
    note = (
        f"{pair}Name and size together are the key of a picture in VIA's JSON; here they are columns of their own. The "
        "size is neither an id nor a number of pixels."
    )
    return FormatText(
        opening=opening,
        layout=(_columns(subject, _header(subject.text), _COLUMNS, following=note),),
        corner=(_TOP_LEFT, *_shapes(subject)),
        attributes=(attribute_table(subject, undeclared="not stored"),),
        several="Each object is a row of its own; name, size and file_attributes of its picture are repeated in each.",
        bare='one row with region_count 0 and "{}" for the shape',
        missing=(_NO_PICTURE_SIZES,),
    )


def via3_csv_text(subject: Subject) -> FormatText:
    """Explain the CSV export of VIA 3."""
    opening = (
        f"{subject.name} was written by version 3 of {WHAT_VIA_IS}. It describes {what_is_described(subject)}. That it "
        f"is of "
        'VIA 3 one sees from its first lines, which begin with "# " and of which one gives the columns: CSV_HEADER = '
        "...",
        "CSV is plain text: one row for each line, columns parted by commas. Columns that hold JSON, { } with pairs of "
        '"key": value or [ ] with a list, stand in quotes, and each quote within them is doubled: "".',
    )
    match = re.search(r"CSV_HEADER\s*=\s*([^\r\n]*)", subject.text or "")
    header = match[1] if match else ",".join(_VIA3_COLUMNS)
    return FormatText(
        opening=opening,
        layout=(_columns(subject, header, _VIA3_COLUMNS, following=""),),
        corner=(_TOP_LEFT, *_shapes(subject)),
        attributes=(attribute_table(subject, undeclared="see the # lines"),),
        several="Each object is a row of its own; the name of the picture is repeated in every one.",
        bare="no row at all",
        missing=(_NO_PICTURE_SIZES + " The sizes of their files are not here either.",),
    )


def count_table_text(subject: Subject) -> FormatText:
    """Explain a table of box sizes with counts."""
    a = subject.annotations
    header = _header(subject.text)
    opening = (
        f"{subject.name} is a table of box sizes, in plain text with one row for each line. It has "
        f"{counted(len(a), 'row')} which stand for {counted(a.num_boxes(), 'box', 'boxes')}. One sees that from its "
        f"first line: {quoted(header)}. Such tables are made by a database from annotations that are too many for "
        f"one file; clusters and anchors need no more.",
    )
    known = {
        "width": "width of the box, in pixels unless its maker says otherwise",
        "height": "height of the box, likewise",
        "count": "how many boxes have exactly this width and height (and label)",
        "label": "what these boxes show",
    }
    return FormatText(
        opening=opening,
        layout=(_columns(subject, header, known, following=""),),
        corner=("Where a box lies in its picture is not in the table, only how wide and high it is.",),
        several="The table does not know pictures: boxes of one picture and of many are counted together.",
        missing=("Pictures, their names and their sizes, and the position of each box.",),
    )


def _shapes(subject: Subject) -> tuple[str | Table, ...]:
    shapes = subject.annotations.shape_counts()
    if set(shapes) <= {"rect"}:
        return (only_rectangles(shapes.get("rect", 0)),)
    named = subject.annotations.kind != "via3-csv"  # its numbers have no names
    rows = tuple(
        (shape, f"{count:,}", _SHAPE_NUMBERS.get(shape, "") if named else "") for shape, count in shapes.items()
    )
    table = Table(columns=("shape", "regions", "its numbers"), rows=rows, numeric=(1,))
    return (table, "Where a box is needed, glauke takes the smallest upright rectangle around the shape.")


def _columns(subject: Subject, header: str, known: dict[str, str], *, following: str) -> Section:
    names = [cell.strip().strip('"') for cell in header.lstrip("#").split(",")]
    number, row = _example_row(subject, len(names))
    rows = []
    for i, name in enumerate(names[:20]):
        meaning = known.get(name, known.get(name.lower(), "not a column of this format; some other program added it"))
        value = f"; here {visible(row[i], most=100)}" if i < len(row) and row[i] else ""
        rows.append((visible(name, most=30), meaning + value))
    title = f"what it means, and what it holds in line {number}" if number else "what it means"
    table = Table(columns=("column", title), rows=tuple(rows))
    blocks: list[str | Table] = [table]
    example = subject.summary.example
    if number and example is not None and subject.annotations.kind != "table":
        blocks.append(f"Line {number} in words: {box_words(subject, example)}, {label_words(subject, example)}.")
    return Section(
        title="Its columns, with one row taken apart", blocks=(*blocks, following) if following else tuple(blocks)
    )


def _example_row(subject: Subject, width: int) -> tuple[int, list[str]]:
    """Line number and cells of the row that explanations take apart; 0 where there is none."""
    a, example = subject.annotations, subject.summary.example
    if subject.text is None or example is None or a.lines is None:
        return 0, []
    number = int(a.lines[example])
    lines = re.split(r"\r\n|\r|\n", subject.text, maxsplit=number)
    if not 1 <= number <= len(lines):
        return 0, []
    try:
        row = next(csv.reader([lines[number - 1]]), [])
    except csv.Error:
        return 0, []
    surplus = len(row) - width
    if surplus > 0:  # commas in a file name that has no quotes
        row = [",".join(row[: surplus + 1]), *row[surplus + 1 :]]
    return number, row


def _header(text: str | None) -> str:
    lines = re.split(r"\r\n|\r|\n", (text or "").lstrip("\ufeff \r\n"), maxsplit=1)
    return lines[0][:2000]
