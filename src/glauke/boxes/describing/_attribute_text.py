"""What there is to say about attributes: those that a file uses, and those that it only declares."""

from collections import Counter
from collections.abc import Mapping

from .._wording import bare, counted, json_text, listed, quoted, visible
from ._description import Section, Table
from ._format_text import JSON_IN_TWO_LINES, WHAT_VIA_IS, Block, FormatText, Subject, mapping

_MOST_VALUES = 1000


def attribute_table(subject: Subject, *, undeclared: str) -> Table:
    """Each region attribute with its type, its options and its values; the one that is the class first."""
    a = subject.annotations
    rows = []
    for attribute in sorted(a.attributes, key=lambda one: one.name != a.class_attribute)[:12]:
        options = listed(
            [_option(k, v) for k, v in list(attribute.options.items())[:8]], most=8, total=len(attribute.options)
        )
        values = listed(
            [f"{bare(k, most=40)} ({n:,})" for k, n in list(attribute.counts.items())[:8]],
            most=8,
            total=len(attribute.counts),
        )
        words = [f"options: {options}" if options else "", f"values: {values}" if values else "no values"]
        if attribute.name == a.class_attribute:
            words.insert(0, "taken as the label")
        kind = undeclared if attribute.type is None else visible(attribute.type, most=20)
        rows.append((bare(attribute.name, most=30), kind, f"{attribute.regions:,}", "; ".join(w for w in words if w)))
    return Table(
        columns=("region attribute", "type", "regions", "options and values (with counts)"),
        rows=tuple(rows),
        numeric=(2,),
    )


def attribute_blocks(subject: Subject, entries: Mapping[str, object], *, project: bool) -> tuple[Block, ...]:
    """What the attributes of regions and of pictures hold in a JSON of VIA 1 or 2."""
    undeclared = "not declared" if project else "not stored"
    table = attribute_table(subject, undeclared=undeclared)
    blocks: list[Block] = [table] if table.rows else ['"region_attributes" is {} everywhere: no label was given.']
    if any(one.type in ("dropdown", "radio") for one in subject.annotations.attributes):
        blocks.append(
            "Of a dropdown or radio attribute a region holds the ID of the chosen option; where the option has another "
            "description, it follows after a = above, and stands in _via_attributes only."
        )
    if any(one.type == "checkbox" for one in subject.annotations.attributes):
        blocks.append("Of a checkbox a region holds { } with the id of each option that is ticked.")
    values = _file_attribute_values(entries)
    if values:
        rows = tuple(
            (
                bare(name, most=30),
                f"{counts.total():,}",
                listed([f"{k} ({n:,})" for k, n in counts.most_common(4)], most=4, total=len(counts)),
            )
            for name, counts in list(values.items())[:12]
        )
        blocks.append(Table(columns=("file attribute", "pictures", "values (with counts)"), rows=rows, numeric=(1,)))
        empty = sum(not mapping(mapping(entry).get("file_attributes")) for entry in entries.values())
        if empty:
            blocks.append(
                f'In {counted(empty, "picture")} "file_attributes" is {{}}: nothing was said about the picture.'
            )
    else:
        blocks.append('"file_attributes" is {} everywhere: nothing was said about a picture as a whole.')
    return tuple(blocks)


def _file_attribute_values(entries: Mapping[str, object]) -> dict[str, Counter[str]]:
    """How often each value of each file attribute is used."""
    values: dict[str, Counter[str]] = {}
    for entry in entries.values():
        for name, value in mapping(mapping(entry).get("file_attributes")).items():
            counts = values.setdefault(name, Counter()) if len(values) < _MOST_VALUES else values.get(name)
            shown = json_text(value)
            if counts is not None and (shown in counts or len(counts) < _MOST_VALUES):
                counts[shown] += 1
    return values


def attributes_text(subject: Subject) -> FormatText:
    """Explain an attributes file, which holds no annotations."""
    document = mapping(subject.document)
    rows = []
    for place, what in (("region", "regions"), ("file", "pictures")):
        for name, declared in list(mapping(document.get(place)).items())[:20]:
            one = mapping(declared)
            options = [
                f"{bare(k, most=30)} = {json_text(v)}" for k, v in list(mapping(one.get("options")).items())[:10]
            ]
            chosen = listed([bare(k, most=30) for k in mapping(one.get("default_options"))])
            words = (
                listed(options, most=10, total=len(mapping(one.get("options")))) or "no options: any text may be typed"
            )
            words += f"; chosen unless changed: {chosen}" if chosen else ""
            rows.append((bare(name, most=30), what, visible(str(one.get("type", "not given")), most=20), words))
    opening = (
        f"{subject.name} declares attributes for {WHAT_VIA_IS}. It holds NO annotations: no picture and no box. VIA 2 "
        'writes it with Attributes > Export, as one sees from its two keys, "region" and "file". ' + JSON_IN_TWO_LINES,
        "A project imports it so that every annotator chooses among the same attributes and options. In the "
        "annotations a dropdown or radio attribute holds the ID of the option (before the =), not its description.",
    )
    table = Table(columns=("attribute", "of", "type", "options (id = description)"), rows=tuple(rows))
    blocks = (table,) if rows else ("It declares no attribute.",)
    return FormatText(
        opening=opening,
        layout=(Section(title="The attributes", blocks=blocks),),
        corner=(),
        missing=(
            "All annotations. In VIA choose Annotation > Export Annotations (as json), or save the project, and "
            "describe that file.",
        ),
    )


def _option(identity: str, description: str) -> str:
    shown = bare(identity, most=30)
    return shown if description in ("", identity) else f"{shown} = {quoted(description, most=30)}"
