"""One entry of a VIA file, printed line by line with the meaning of each line beside it."""

from collections.abc import Mapping

from .._wording import counted, json_text, listed, number, quoted, visible
from ._format_text import Subject, mapping, measure

_MOST_REGIONS = 3
_MOST_LINES = 45
_LONGEST = 36
_DEMO = {
    "caption": "a description of the picture, to be typed by hand",
    "public_domain": "whether the picture is free of rights",
    "image_url": "where the picture came from",
}
_FILE_FIELDS = {
    "fileref": "VIA 1: where the picture was loaded from; empty if from the annotator's disk",
    "base64_img_data": "VIA 1: room for the picture itself; empty here means that it is not inside",
}
_INDENT = "  "

Line = tuple[str, str]


def entry_lines(subject: Subject, key: str, entry: Mapping[str, object]) -> tuple[Line, ...]:
    """Key and value of one picture."""
    name, size = str(entry.get("filename")), str(entry.get("size"))
    made = (
        f"the key: {quoted(name, most=30)} + {quoted(size, most=20)}"
        if key == name + size
        else "the key; it is not name + size"
    )
    lines: list[Line] = [(f"{_spelt(key)}: {{", made)]
    for field, value in list(entry.items())[:12]:
        if field == "regions" and isinstance(value, list | dict) and value:
            lines += _regions(subject, value)
        elif field == "file_attributes" and isinstance(value, dict) and value:
            lines.append((f'{_INDENT}"file_attributes": {{', "facts about the picture as a whole"))
            lines += [
                (f"{_INDENT * 2}{_spelt(k)}: {_spelt(v)},", _DEMO.get(k, "") + _emptiness(v))
                for k, v in list(value.items())[:8]
            ]
            lines.append((f"{_INDENT}}},", ""))
        else:
            lines.append((f"{_INDENT}{_spelt(field)}: {_spelt(value)},", _file_field(field, value)))
    lines.append(("}", "the end of this picture"))
    return tuple(_without_last_commas(lines)[:_MOST_LINES])


def shape_meaning(shape: Mapping[str, object], field: str) -> str:
    """What one number of a shape says, with the number."""
    value = shape.get(field)
    measured = measure(value) is not None
    match field:
        case "name":
            return {
                "rect": "the shape: an upright rectangle",
                "circle": "the shape: a circle",
                "ellipse": "the shape: an ellipse",
                "polygon": "the shape: a closed outline with corners",
                "polyline": "the shape: an open line with corners",
                "point": "the shape: a single point, without extent",
            }.get(str(value), "the shape")
        case "x" if measured:
            return f"its LEFT edge, {_pixels(value)} from the picture's left edge"
        case "y" if measured:
            return f"its TOP edge, {_pixels(value)} below the picture's top edge"
        case "width" if measured:
            return f"pixels from left to right; its right edge is at {_sum(shape, 'x', 'width')}"
        case "height" if measured:
            return f"pixels from top to bottom; its bottom edge is at {_sum(shape, 'y', 'height')}"
        case "cx" | "cy":
            edge = "left" if field == "cx" else "top"
            return f"its CENTRE, in pixels from the picture's {edge} edge"
        case "r":
            return "radius in pixels"
        case "rx" | "ry":
            return f"half the {'width' if field == 'rx' else 'height'} in pixels, before it is turned"
        case "theta":
            return "how far it is turned, in radians"
        case "all_points_x" | "all_points_y":
            count = f"of its {counted(len(value), 'corner')}" if isinstance(value, list) else "of its corners"
            return f"{field[-1]} {count} in order, in pixels"
    return ""


def region_at(regions: object, position: int) -> object:
    """A region by its position, in a list (VIA 2) or in an object of numbered entries (VIA 1)."""
    if isinstance(regions, list):
        return regions[position] if 0 <= position < len(regions) else None
    items = list(mapping(regions).values())
    return items[position] if 0 <= position < len(items) else None


def _regions(subject: Subject, regions: list | dict) -> list[Line]:  # type: ignore[type-arg]
    pairs = list(enumerate(regions)) if isinstance(regions, list) else list(regions.items())
    numbered = isinstance(regions, dict)
    opening, closing = ("{", "}") if numbered else ("[", "]")
    lines = [(f'{_INDENT}"regions": {opening}', f"what was drawn in the picture: {counted(len(pairs), 'region')}")]
    for place, (key, region) in enumerate(pairs[:_MOST_REGIONS]):
        prefix = f"{json_text(str(key))}: " if numbered else ""
        lines += (
            _first_region(subject, prefix, region) if place == 0 else [_later_region(subject, prefix, place, region)]
        )
    if len(pairs) > _MOST_REGIONS:
        lines.append((f"{_INDENT * 2}...", f"{len(pairs) - _MOST_REGIONS:,} more, not printed here"))
    return [*lines, (f"{_INDENT}{closing},", "the end of the regions")]


def _first_region(subject: Subject, prefix: str, region: object) -> list[Line]:
    if not isinstance(region, dict):
        return [(f"{_INDENT * 2}{prefix}{json_text(region)},", "not a region: it should be { }")]
    lines = [(f"{_INDENT * 2}{prefix}{{", "region 0, the first (counting begins at 0)")]
    for field, value in list(region.items())[:6]:
        if not isinstance(value, dict) or not value:
            meaning = "nothing was said about this region" if field == "region_attributes" else ""
            lines.append((f"{_INDENT * 3}{_spelt(field)}: {_spelt(value)},", meaning))
            continue
        meanings = {"shape_attributes": "where it is: shape and position", "region_attributes": "what it shows"}
        lines.append((f"{_INDENT * 3}{json_text(field)}: {{", meanings.get(field, "")))
        lines += [
            (f"{_INDENT * 4}{_spelt(k)}: {_spelt(v)},", _inner_meaning(subject, field, value, k))
            for k, v in list(value.items())[:10]
        ]
        lines.append((f"{_INDENT * 3}}},", ""))
    return [*lines, (f"{_INDENT * 2}}},", "")]


def _later_region(subject: Subject, prefix: str, place: int, region: object) -> Line:
    shape = mapping(mapping(region).get("shape_attributes"))
    said = mapping(mapping(region).get("region_attributes"))
    numbers = [f"{visible(str(k), most=12)} {json_text(v)}" for k, v in list(shape.items())[:6] if k != "name"]
    what = listed([_chosen(subject, k, v) for k, v in said.items()], most=2) or "nothing said about it"
    words = f"region {place}, built in the same way: {visible(str(shape.get('name', '?')), most=20)}"
    return f"{_INDENT * 2}{prefix}{{ ... }},", f"{words}, {', '.join(numbers)}; {what}"


def _inner_meaning(subject: Subject, field: str, values: Mapping[str, object], name: str) -> str:
    if field == "shape_attributes":
        return shape_meaning(values, name)
    return attribute_meaning(subject, name, values.get(name)) if field == "region_attributes" else ""


def attribute_meaning(subject: Subject, name: str, value: object) -> str:
    """What the value of one region attribute says."""
    described = _description(subject, name, value)
    words = f" ({quoted(described)} in words)" if described else ""
    if isinstance(value, dict):
        return "ticked options (checkbox); {} would be none"
    if name == subject.annotations.class_attribute:
        return f"the LABEL (class) of this region{words}"
    return f"another attribute of this region{words}"


def _spelt(value: object) -> str:
    """JSON short enough to leave room for what it means."""
    return json_text(value, most=_LONGEST)


def _description(subject: Subject, name: str, value: object) -> str:
    """What an option is called, where that differs from its id."""
    declared = {one.name: one for one in subject.annotations.attributes}.get(name)
    described = "" if declared is None or not isinstance(value, str) else declared.options.get(value, "")
    return "" if described == value else described


def _chosen(subject: Subject, name: str, value: object) -> str:
    described = _description(subject, name, value)
    return f"{json_text(value)} ({quoted(described)})" if described else json_text(value)


def _file_field(field: str, value: object) -> str:
    match field:
        case "filename":
            return "name of the picture's file, kept apart from this file"
        case "size" if (size := measure(value) or -1) >= 0:
            rough = f" ({about})" if (about := rounded_bytes(size)) else ""
            return f"size of that file in BYTES{rough}; not in pixels, not in kB"
        case "size" if isinstance(value, str) and value.isdigit():
            return "size of that file in BYTES, as a text (it went through a CSV file); not in pixels"
        case "size":
            return "size of that file in bytes; -1: VIA was not told"
        case "regions":
            return "nothing was drawn in this picture"
        case "file_attributes":
            return "facts about the picture as a whole: none"
    return _FILE_FIELDS.get(field, "not a key of VIA; some other program added it")


def rounded_bytes(size: int | float) -> str:
    """A size for a person, beside the exact one; nothing where that is short enough.

    >>> rounded_bytes(12), rounded_bytes(1234), rounded_bytes(999_999), rounded_bytes(2_345_678)
    ('', 'about 1.23 kB', 'about 1 MB', 'about 2.35 MB')
    """
    if size < 1000:
        return ""
    return f"about {size / 1000:.3g} kB" if size < 999_500 else f"about {number(size / 10**6)} MB"


def _pixels(value: object) -> str:
    return f"{json_text(value)} {'pixel' if value == 1 else 'pixels'}"


def _emptiness(value: object) -> str:
    return " (left empty)" if value == "" else ""


def _sum(shape: Mapping[str, object], start: str, extent: str) -> str:
    first, second = measure(shape.get(start)), measure(shape.get(extent))
    if first is None or second is None:
        return f"{start} + {extent}"
    return f"{number(first)} + {number(second)} = {number(first + second)}"


def _without_last_commas(lines: list[Line]) -> list[Line]:
    """JSON has no comma after the last item."""
    done = []
    for (source, meaning), (following, _) in zip(lines, [*lines[1:], ("", "")], strict=True):
        last = following.strip() in ("}", "},", "]", "],") and source.endswith(",")
        done.append((source[:-1] if last else source, meaning))
    return done
