"""What there is to say about the JSON files of VIA 1 and VIA 2."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from .._annotations import SHAPES
from .._wording import bare, counted, json_text, quoted, visible
from ._attribute_text import attribute_blocks
from ._description import Section, Table
from ._entry_lines import entry_lines, region_at, rounded_bytes, shape_meaning
from ._format_text import (
    JSON_IN_TWO_LINES,
    WHAT_VIA_IS,
    Block,
    FormatText,
    Subject,
    mapping,
    measure,
    only_rectangles,
    sequence,
    what_is_described,
)

_MOST_VALUES = 1000
_DEMO_FIELDS = {"caption", "public_domain", "image_url"}
_PROJECT_KEYS = {
    "_via_settings": "how VIA looked and what it was set to; no annotations",
    "_via_img_metadata": "the annotations: one entry for each picture",
    "_via_attributes": "what may be said about regions and pictures: names, types and options of the attributes",
    "_via_data_format_version": "version of this format",
    "_via_image_id_list": "the keys of the pictures, in the order in which VIA shows them",
}


def via_text(subject: Subject) -> FormatText:
    """Explain a region JSON of VIA 1 or 2, or a project."""
    entries = entries_of(subject)
    project = subject.annotations.kind == "via2-project"
    opening = (
        f"{subject.name} was written by {WHAT_VIA_IS}. It describes {what_is_described(subject)} drawn in them; the "
        "pictures themselves are files of their own, here are only their names. " + JSON_IN_TWO_LINES,
        _version(subject, entries),
    )
    layout = [_project_keys(subject)] if project else []
    layout.append(_keys(subject, entries, project=project))
    layout += _entry(subject, entries)
    list_here = subject.annotations.kind != "via1-region"
    return FormatText(
        opening=opening,
        layout=tuple(layout),
        corner=_corner(subject, entries),
        attributes=attribute_blocks(subject, entries, project=project),
        several='Each object drawn is an item of its own in "regions"; name and size of the picture stand only once.',
        bare='"regions": []' if list_here else '"regions": {}',
        missing=_missing(subject, project=project),
    )


def entries_of(subject: Subject) -> Mapping[str, object]:
    """The entries of the pictures by their keys."""
    document = mapping(subject.document)
    return mapping(document.get("_via_img_metadata")) if subject.annotations.kind == "via2-project" else document


def _version(subject: Subject, entries: Mapping[str, object]) -> str:
    forms = Counter(type(mapping(entry).get("regions")).__name__ for entry in entries.values())
    lists, dicts = forms.get("list", 0), forms.get("dict", 0)
    others = len(entries) - lists - dicts
    mixed = f" ({counted(others, 'has', 'have')} neither)" if others else ""
    if subject.annotations.kind == "via1-region":
        also = ' Its entries also have "fileref" and "base64_img_data", which VIA 2 has no more.'
        old = any("fileref" in mapping(entry) for entry in list(entries.values())[:100])
        mixed += f"; {counted(lists, 'is a list', 'are lists')}, as in VIA 2" if lists else ""
        return (
            f'It is of VIA 1, as one sees from "regions": {{ }} with numbered entries "0", "1", ... in '
            f"{counted(dicts, 'picture')}{mixed}, where VIA 2 writes a list [ ].{also if old else ''} The "
            "exact version is not stored."
        )
    mixed += f"; {counted(dicts, 'is an object', 'are objects')} {{ }}, as in VIA 1" if dicts else ""
    if subject.annotations.kind == "via2-project":
        version = mapping(subject.document).get("_via_data_format_version")
        seen = 'It is a whole project of VIA 2, as one sees from the keys that begin with "_via_". ' + (
            'It has no "_via_data_format_version", so it was made by VIA before 2.0.10, or by another program.'
            if version is None
            else f'"_via_data_format_version" is {json_text(version)}'
            + (", which VIA 2.0.10 and 2.0.11 write." if version == "2.0.10" else ".")
        )
    else:
        seen = (
            f'It is of VIA 2, as one sees from "regions": it is a list [ ] in {counted(lists, "picture")}{mixed}, '
            f"where "
            'VIA 1 wrote { } with numbered entries "0", "1", ... The exact version is not stored.'
        )
    demo = sum(set(mapping(mapping(entry).get("file_attributes"))) >= _DEMO_FIELDS for entry in entries.values())
    if demo:
        seen += (
            f" {counted(demo, 'picture')} {'has' if demo == 1 else 'have'} the file attributes caption, "
            "public_domain and image_url, which come with VIA's online demo page."
        )
    return seen


def _project_keys(subject: Subject) -> Section:
    document = mapping(subject.document)
    rows = []
    for key, value in list(document.items())[:12]:
        meaning = _PROJECT_KEYS.get(key, "not a key of VIA; some other program added it")
        match key:
            case "_via_settings":
                name = mapping(mapping(value).get("project")).get("name")
                folder = mapping(mapping(value).get("core")).get("default_filepath")
                meaning += f"; project name {json_text(name)}, folder of the pictures {json_text(folder)}"
            case "_via_img_metadata":
                meaning += f"; {len(mapping(value)):,} here"
            case "_via_attributes":
                meaning += f"; {len(mapping(mapping(value).get('region'))):,} of regions, "
                meaning += f"{len(mapping(mapping(value).get('file'))):,} of files"
            case "_via_data_format_version":
                meaning += f": {json_text(value)}"
            case "_via_image_id_list":
                meaning += f"; {len(sequence(value)):,} here"
        rows.append((bare(key), meaning))
    return Section(
        title="The keys of the project",
        blocks=(Table(columns=("key", "what it holds"), rows=tuple(rows)),),
    )


def _keys(subject: Subject, entries: Mapping[str, object], *, project: bool) -> Section:
    where = '"_via_img_metadata"' if project else "The outermost { }"
    if not entries:
        return Section(title="The pictures and their keys", blocks=(f"{where} is empty: there is no picture.",))
    key, entry = next(iter(entries.items()))
    name, size = mapping(entry).get("filename"), mapping(entry).get("size")
    made = sum(_made_key(mapping(entry)) == key for key, entry in entries.items())
    how = (
        f"{where} has {counted(len(entries), 'key')}, one for each picture. A key is the picture's file name followed "
        "directly by the size of its file in bytes, with nothing between. "
    )
    if _made_key(mapping(entry)) == key:
        how += (
            f"The first key, {quoted(key)}, is {quoted(str(name))} + {quoted(str(size))}: so {visible(str(size))} is "
            "neither an id nor a running number."
        )
    else:
        how += (
            f"The first key, {quoted(key)}, is not: its entry has the name {json_text(name)} and the size "
            f"{json_text(size)}."
        )
    if made == len(entries):
        how += f" All {made:,} keys are built like this." if made > 1 else ""
    else:
        how += (
            f" {made:,} of {len(entries):,} keys are built like this; the others were changed by hand or by a program, "
            "or their picture was replaced in VIA, which keeps the key."
        )
    return Section(title="The pictures and their keys", blocks=(how, _sizes(subject, size)))


def _made_key(entry: Mapping[str, object]) -> str | None:
    name, size = entry.get("filename"), entry.get("size")
    # VIA joins them as JavaScript does: a size that is missing adds nothing.
    return None if not isinstance(name, str) else name if size is None else f"{name}{_plain(size)}"


def _plain(value: object) -> str:
    return str(value) if isinstance(value, str) or measure(value) is not None else ""


def _sizes(subject: Subject, first: object) -> str:
    sizes = subject.annotations.byte_sizes
    known = int((sizes >= 0).sum())
    size = int(first) if isinstance(first, str) and first.isascii() and first.isdigit() and len(first) < 12 else first
    size = measure(size)
    example = ""
    if size is not None and size >= 0:
        rough = f", {about}" if (about := rounded_bytes(size)) else ""
        example = f" {size:,} {'byte' if size == 1 else 'bytes'}{rough} for the first picture."
    text = (
        f'"size" counts the bytes that the picture\'s file takes on disk:{example or " see the entries."} It is not in '
        "kB and not a width, height or area in pixels. It tells whether a picture is the very file that was annotated."
    )
    if known < len(sizes):
        without = counted(len(sizes) - known, "picture has", "pictures have")
        text += f" {without} none (-1: the picture was given by address or path)."
    if isinstance(first, str):
        text += " Here it is a text in quotes: the file went through a CSV file."
    return text


def _entry(subject: Subject, entries: Mapping[str, object]) -> list[Section]:
    a, example = subject.annotations, subject.summary.example
    key = a.keys[int(a.image[example])] if example is not None else next(iter(entries), None)
    chosen = mapping(entries.get(key)) if key is not None else {}
    if key is None or not chosen:
        return []
    table = Table(columns=("in the file", "what it means"), rows=entry_lines(subject, key, chosen))
    return [Section(title="One picture of this file, line by line", blocks=(table,))]


def _corner(subject: Subject, entries: Mapping[str, object]) -> tuple[Block, ...]:
    shapes = subject.annotations.shape_counts()
    blocks: list[Block] = []
    if "rect" in shapes:
        blocks.append(
            "x and y are the TOP-LEFT CORNER of the box, not its centre. All numbers are pixels of the picture at "
            "its full size, counted from its own top-left corner, where x = 0 and y = 0: x grows to the right and y "
            "grows DOWNWARD."
        )
    if set(shapes) <= {"rect"}:
        blocks.append(only_rectangles(shapes.get("rect", 0), written=' ("rect")'))
        return tuple(blocks)
    rows = [(shape, f"{count:,}", _shape_words(subject, entries, shape)) for shape, count in shapes.items()]
    blocks.append(
        Table(columns=("shape", "regions", "how it is written, by the first of them"), rows=tuple(rows), numeric=(1,))
    )
    if set(shapes) - {"rect", "unknown"}:
        blocks.append(
            "Where a box is needed, glauke takes the smallest upright rectangle around the shape"
            + ("; a point has no extent and gives none." if "point" in shapes else ".")
        )
    return tuple(blocks)


def _shape_words(subject: Subject, entries: Mapping[str, object], shape: str) -> str:
    row = int(np.argmax(subject.annotations.shape == SHAPES.index(shape)))
    entry = mapping(entries.get(subject.annotations.keys[int(subject.annotations.image[row])]))
    region = region_at(entry.get("regions"), int(subject.annotations.region[row]))
    found = mapping(mapping(region).get("shape_attributes"))
    words = [
        f"{visible(str(k), most=14)} {json_text(v)}"
        + (f" ({m})" if (m := shape_meaning(found, k)) and shape != "rect" else "")
        for k, v in list(found.items())[:7]
        if k != "name"
    ]
    return ", ".join(words) or "nothing that a shape can be made of"


def _missing(subject: Subject, *, project: bool) -> tuple[Block, ...]:
    a = subject.annotations
    sized = int(((a.widths > 0) & (a.heights > 0)).sum())
    sizes = (
        f"VIA stores no width and height of a picture; {counted(sized, 'has', 'have')} them among the file attributes, "
        "from an import."
        if sized
        else "The width and height of the pictures: VIA does not store them, so boxes cannot be turned into "
        "fractions of the picture, or checked against its edges, from this file alone. They are read from the "
        "pictures with --images."
    )
    rest = "the pictures and their folder, who drew what and when, or which objects belong together."
    if not project:
        rest = f"a list of the labels that were allowed (a misspelt label is just one more label), {rest}"
    return (f"{sizes} Nor does it hold {rest}",)
