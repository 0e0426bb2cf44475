"""What there is to say about a project of VIA 3."""

from collections.abc import Mapping

from .._wording import json_text, listed, quoted, visible
from ._attribute_text import attribute_table
from ._description import Section, Table
from ._format_text import JSON_IN_TWO_LINES, WHAT_VIA_IS, FormatText, Subject, mapping, sequence, what_is_described

_SHAPES = {
    1: ("point", "x, y"),
    2: ("rectangle", "x, y, width, height; x, y is the TOP-LEFT corner"),
    3: ("circle", "x, y of its centre, radius"),
    4: ("ellipse", "x, y of its centre, half width, half height"),
    5: ("line", "x, y of both ends"),
    6: ("open line", "x, y of each corner"),
    7: ("polygon", "x, y of each corner"),
    8: ("rectangle by its extreme points", "x, y of each point"),
    9: ("circle by points on it", "x, y of each point"),
}
_KEYS = {
    "project": "name and version of the project",
    "config": "how VIA looked and what it was set to; no annotations",
    "attribute": "what may be said about regions and files, each under a number: name, type and options",
    "file": "the pictures (or videos), each under a number: name and where it lies",
    "metadata": "the annotations: one entry for each region",
    "view": "which files are shown together, each under a number; metadata point here, and from here one gets to the "
    "file",
}


def via3_text(subject: Subject) -> FormatText:
    """Explain a project of VIA 3."""
    document = mapping(subject.document)
    version = mapping(document.get("project")).get("data_format_version")
    stated = f', which states "data_format_version": {json_text(version)}' if version is not None else ""
    opening = (
        f"{subject.name} is a project of version 3 of {WHAT_VIA_IS}. It describes {what_is_described(subject)} drawn "
        f"in them; "
        "the pictures themselves are files of their own. " + JSON_IN_TWO_LINES,
        'That it is of VIA 3 one sees from its keys "attribute", "file", "metadata" and "view", and from "project"'
        f"{stated}. VIA 1 and 2 keep the regions of a picture together under the picture's name; VIA 3 does not.",
    )
    rows = []
    for key, value in list(document.items())[:12]:
        count = (
            f"; {len(value):,} here"
            if key in ("attribute", "file", "metadata", "view") and isinstance(value, dict)
            else ""
        )
        rows.append((visible(key, most=30), _KEYS.get(key, "not a key of VIA 3; some other program added it") + count))
    layout = [
        Section(title="Its keys", blocks=(Table(columns=("key", "what it holds"), rows=tuple(rows)),)),
        *_entry(document, subject),
    ]
    return FormatText(
        opening=opening,
        layout=tuple(layout),
        corner=(
            '"xy" begins with a number for the shape: '
            + ", ".join(f"{number} {name}" for number, (name, _) in _SHAPES.items())
            + ". For a rectangle x, y, width, height follow: x and y are the TOP-LEFT CORNER, not the centre. All "
            "are pixels of the picture, counted from its own top-left corner: x grows to the right and y grows "
            "DOWNWARD.",
        ),
        attributes=(
            attribute_table(subject, undeclared="not declared"),
            "A region holds the number of the attribute and, for a list of choices, the number of the option; both are "
            'spelt out under "attribute" only.',
        ),
        several='Each object is an entry of its own in "metadata", with the same "vid".',
        bare='a file whose view no entry in "metadata" names',
        missing=(
            "The width and height of the pictures and the size of their files in bytes: VIA 3 stores neither, and "
            "they are read from the pictures with --images. Nor are there the pictures themselves, or which objects "
            "belong together.",
        ),
    )


def _entry(document: Mapping[str, object], subject: Subject) -> list[Section]:
    regions = [
        (key, mapping(one))
        for key, one in mapping(document.get("metadata")).items()
        if sequence(mapping(one).get("xy")) and not sequence(mapping(one).get("z"))
    ]
    if not regions:
        return []
    boxes = [(key, one) for key, one in regions if sequence(one.get("xy"))[0] == 2]
    key, region = (boxes or regions)[0]
    lines = [(f"{json_text(key)}: {{", "a made-up name of the region, without meaning")]
    for field, value in list(region.items())[:10]:
        lines.append((f"  {json_text(field)}: {json_text(value, most=36)},", _meaning(document, field, value)))
    lines[-1] = (lines[-1][0].rstrip(","), lines[-1][1])
    lines.append(("}", ""))
    table = Table(columns=("in the file", "what it means"), rows=tuple(lines))
    return [Section(title="One region of this file, line by line", blocks=(table,))]


def _meaning(document: Mapping[str, object], field: str, value: object) -> str:
    match field:
        case "vid":
            return f"number of the view: {_file_of(document, value)}"
        case "flg":
            return "for VIA's own use"
        case "z":
            return "seconds of a video; [] means a picture"
        case "xy":
            numbers = sequence(value)
            code = numbers[0] if numbers and isinstance(numbers[0], int) else 0
            name, meaning = _SHAPES.get(code, ("unknown shape", "numbers"))
            return f"{code} = {name}, then {meaning}; all in pixels"
        case "av":
            return (
                "what it shows: "
                + listed([_said(document, number, said) for number, said in list(mapping(value).items())[:3]], most=3)
                if mapping(value)
                else "nothing was said about this region"
            )
    return "not a key of VIA 3; some other program added it"


def _file_of(document: Mapping[str, object], view: object) -> str:
    files = sequence(mapping(mapping(document.get("view")).get(str(view))).get("fid_list"))
    file = mapping(mapping(document.get("file")).get(str(files[0]))) if files else {}
    name = file.get("fname")
    return f"file {json_text(files[0])}, {quoted(name)}" if isinstance(name, str) else "of no file in this project"


def _said(document: Mapping[str, object], number: object, said: object) -> str:
    attribute = mapping(mapping(document.get("attribute")).get(str(number)))
    chosen = mapping(attribute.get("options")).get(str(said))
    words = f", in words {json_text(chosen)}" if chosen is not None else ""
    return (
        f"attribute {visible(str(number), most=20)}, {json_text(attribute.get('aname'))}, is {json_text(said)}{words}"
    )
