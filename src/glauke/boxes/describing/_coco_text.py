"""What there is to say about COCO files, those that VIA exports and others."""

from collections import Counter
from collections.abc import Mapping

from .._wording import counted, json_text, listed, number, visible
from ._description import Section, Table
from ._format_text import (
    JSON_IN_TWO_LINES,
    WHAT_VIA_IS,
    FormatText,
    Subject,
    mapping,
    measure,
    sequence,
    what_is_described,
)

_KEYS = {
    "info": "when and with what the file was made",
    "images": "the pictures: id, file name, width and height",
    "annotations": "the regions: each with the id of its picture and of its category, and its box",
    "categories": "the labels, each with an id and a name",
    "licenses": "licences of the pictures",
}
_IMAGE = {
    "id": "number of the picture, by which annotations point to it",
    "width": "width of the picture in pixels",
    "height": "height of the picture in pixels",
    "file_name": "name of the picture's file",
    "license": "id of a licence below",
    "date_captured": "when the picture was taken",
    "coco_url": "where the picture lies",
    "flickr_url": "where the picture came from",
}


def coco_text(subject: Subject) -> FormatText:
    """Explain a COCO file."""
    document = mapping(subject.document)
    rows = []
    for key, value in list(document.items())[:12]:
        count = f"; {len(value):,} here" if isinstance(value, list) else ""
        rows.append((visible(key, most=30), _KEYS.get(key, "not a key of COCO's boxes") + count))
    layout = [Section(title="Its keys", blocks=(Table(columns=("key", "what it holds"), rows=tuple(rows)),))]
    return FormatText(
        opening=_opening(subject, document),
        layout=(*layout, *_entries(document, subject)),
        corner=(
            '"bbox" is [x, y, width, height]: x and y are the TOP-LEFT CORNER, not the centre, and the last two are '
            "not the "
            "opposite corner. All are pixels, counted from the picture's own top-left corner: x grows to the right "
            "and y grows DOWNWARD.",
        ),
        attributes_title="The categories",
        attributes=(_categories(document),),
        several='Each object is an entry of its own in "annotations", with the same "image_id".',
        bare='an entry in "images" whose id no annotation has',
        missing=(
            _sizes(subject) + " Not here: the pictures, their sizes in bytes, and which objects belong together.",
        ),
    )


def _opening(subject: Subject, document: Mapping[str, object]) -> tuple[str, ...]:
    described = f"It describes {what_is_described(subject)}; the pictures themselves are files of their own."
    if subject.annotations.kind == "coco":
        return (
            f"{subject.name} is in the COCO format, as one sees from its lists images, annotations and categories, "
            f"which point to each other by ids. {described} {JSON_IN_TWO_LINES}",
        )
    info = mapping(document.get("info"))
    version, date = info.get("version"), info.get("date_created")
    old = version in ("1", 1)
    writers = "2.0.8 or 2.0.9" if old else "2.0.10 or 2.0.11"
    exported = f", on {visible(date)}" if isinstance(date, str) and date else ""
    losses = (
        "labels (no category_id) and to list the categories once for each picture."
        if old
        else "labels (category_id null), to give several pictures the same id, to leave names of categories empty, and "
        "to store the width and height of a neighbouring picture."
    )
    return (
        f"{subject.name} was exported to the COCO format by {WHAT_VIA_IS}. {described} {JSON_IN_TWO_LINES}",
        f'That VIA wrote it one sees from "description" in "info". "version" there is {json_text(version)}: VIA '
        f"{writers}{exported}. Trust this export less than VIA's own JSON: VIA is known to lose {losses} What of "
        "this is seen here stands at the end; wrong widths and heights only the pictures can show.",
    )


def _entries(document: Mapping[str, object], subject: Subject) -> list[Section]:
    annotation = next(
        (mapping(a) for a in sequence(document.get("annotations")) if sequence(mapping(a).get("bbox"))), None
    )
    if annotation is None:
        return []
    pictures = sequence(document.get("images"))
    image = next((mapping(i) for i in pictures if _same_id(mapping(i).get("id"), annotation.get("image_id"))), {})
    names = {
        json_text(mapping(c).get("id")): mapping(c).get("name") for c in sequence(document.get("categories"))[:1000]
    }
    category = json_text(annotation.get("category_id"))
    lines = [("in images: {", "the picture")]
    lines += [(f"  {json_text(k)}: {json_text(v, most=36)},", _IMAGE.get(k, "")) for k, v in list(image.items())[:8]]
    lines[-1] = (lines[-1][0].rstrip(","), lines[-1][1])
    lines += [("}", ""), ("in annotations: {", "one region in it")]
    for field, value in list(annotation.items())[:10]:
        lines.append(
            (f"  {json_text(field)}: {json_text(value, most=36)},", _meaning(field, value, image, names.get(category)))
        )
    lines[-1] = (lines[-1][0].rstrip(","), lines[-1][1])
    lines.append(("}", ""))
    table = Table(columns=("in the file", "what it means"), rows=tuple(lines))
    return [Section(title="One region of this file, line by line", blocks=(table,))]


def _meaning(field: str, value: object, image: Mapping[str, object], name: object) -> str:
    match field:
        case "id":
            return "number of the region"
        case "image_id":
            return f"id of its picture: {json_text(image.get('file_name'))}"
        case "category_id" if value is None:
            return "id of its label: LOST"
        case "category_id":
            return f"id of its label: {json_text(name)}" if name else "id of its label, whose name is empty or missing"
        case "bbox":
            numbers = [measure(v) for v in sequence(value)]
            if len(numbers) != 4 or None in numbers:
                return "not four numbers, as it should be"
            x, y, w, h = (number(v or 0) for v in numbers)
            return f"left edge {x}, top edge {y}, {w} wide, {h} high, in pixels"
        case "area":
            return "pixels that the region covers (VIA: those of its box)"
        case "segmentation":
            return "its outline: x, y of each corner in turn"
        case "iscrowd":
            return "1: a group of objects in one region; 0: one object"
    return ""


def _same_id(one: object, other: object) -> bool:
    # VIA 2.0.8 writes the ids of pictures as numbers in one place and as text in the other.
    return isinstance(one, int | str) and isinstance(other, int | str) and str(one) == str(other)


def _categories(document: Mapping[str, object]) -> Table:
    categories = Counter(
        (json_text(mapping(c).get("id")), json_text(mapping(c).get("name")))
        for c in sequence(document.get("categories"))
    )
    used = Counter(json_text(mapping(a).get("category_id")) for a in sequence(document.get("annotations")))
    rows = []
    for (key, name), times in list(categories.items())[:20]:
        words = f"{name} (blank)" if name == '""' else name
        rows.append((key, f"{words}, listed {times:,} times" if times > 1 else words, f"{used[key]:,}"))
    if len(categories) > 20:
        rows.append(("...", f"{len(categories) - 20:,} more", ""))
    known = {key for key, _ in categories}
    rows += [(key, "no such category", f"{count:,}") for key, count in used.most_common(40) if key not in known][:5]
    return Table(columns=("category id", "name", "annotations"), rows=tuple(rows), numeric=(2,))


def _sizes(subject: Subject) -> str:
    a = subject.annotations
    known = (a.widths > 0) & (a.heights > 0)
    if not known.any():
        return "The width and height of the pictures: COCO has a place for them, but here they are missing."
    first = int(known.argmax())
    return (
        f"Width and height of the pictures ARE here, unlike in VIA's own files: in "
        f"{counted(int(known.sum()), 'picture')}, for instance {a.widths[first]} x {a.heights[first]} for "
        f"{listed([json_text(a.names[first])])}. They may be wrong, which only the pictures can tell: glauke boxes "
        f"check with --images."
    )
