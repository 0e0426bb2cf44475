"""VIA's JSON files, recognised and brought to one form: entries of pictures, and the attributes of regions.

The formats are those of VIA 1.0 to 2.0.12, read in its source (github.com/ox-vgg/via, `pack_via_metadata`,
`project_save_confirmed`, `project_save_attributes`): a region file holds entries by key, a project holds the same
entries under `_via_img_metadata`, and an attributes file holds declarations alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .._findings import Change, Finding

_OF_ENTRIES = ("filename", "size", "regions", "file_attributes", "fileref")
_OF_VIA1 = ("fileref", "base64_img_data")
_OF_OTHERS = ({"project", "metadata", "view"}, {"images", "annotations"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ViaDocument:
    """One file that VIA wrote, whatever its version, in the form of VIA 2."""

    kind: str
    """One of `KINDS`."""

    path: Path | None
    """The file that was read."""

    entries: dict[str, dict]
    """Each picture by its key, in the document's order: filename, size, regions (a list, or a dict by number as VIA 1
    writes it) and file_attributes. Sound entries are those of `raw`; of a damaged one there is a mended copy."""

    attributes: dict[str, dict]
    """What the file declares about each region attribute: type, description, options; empty where it declares none."""

    lines: dict[str, list[int]] | None = None
    """1-based line of each region of each picture in a CSV; None for JSON."""

    findings: tuple[Finding, ...] = ()
    """What is damaged in the entries and declarations themselves."""

    raw: object = None
    """The parsed JSON as it was, for an editor to change in place; None for a CSV."""


def recognise_via(document: object) -> str | None:
    """Which of VIA 1's and 2's JSON files this is, by its content; None if it is none of them.

    One entry is enough: a file in which others are damaged is still known for what it is.

    >>> recognise_via({"a.jpg12": {"filename": "a.jpg", "size": 12, "regions": [], "file_attributes": {}}})
    'via2-region'
    """
    if not isinstance(document, dict) or any(keys <= document.keys() for keys in _OF_OTHERS):
        return None
    if "_via_img_metadata" in document:
        return "via2-project"
    entries = [entry for entry in document.values() if _is_entry(entry)]
    if entries:
        return "via1-region" if _is_via1(entries) else "via2-region"
    if document.keys() == {"region", "file"} and all(isinstance(part, dict) for part in document.values()):
        return "via2-attributes"
    return None


def via_document(document: object, *, kind: str, path: Path | None) -> ViaDocument:
    """The entries and declarations of a parsed file whose `kind` is known from `recognise_via`.

    Damage never stops it: an entry that is no entry becomes a picture without regions, with a finding.
    """
    assert isinstance(document, dict)
    found: list[Finding] = []
    entries: object = document
    declared: object = {}
    path_of_declared = ("region",)
    if kind == "via2-attributes":
        entries, declared = {}, document.get("region")
    elif kind == "via2-project":
        entries = document.get("_via_img_metadata")
        attributes = document.get("_via_attributes", {})
        declared = attributes.get("region", {}) if isinstance(attributes, dict) else attributes
        path_of_declared = ("_via_attributes", "region") if isinstance(attributes, dict) else ("_via_attributes",)
    return ViaDocument(
        kind=kind,
        path=path,
        entries=sound_entries(entries, found),
        attributes=_sound_declarations(declared, found, path_of_declared),
        findings=tuple(found),
        raw=document,
    )


def sound_entries(entries: object, found: list[Finding]) -> dict[str, dict]:
    """The entries themselves if each is an object with regions, else a shallow copy in which damaged ones are mended.

    A finding for each damaged entry is added to `found`.
    """
    if not isinstance(entries, dict):
        message = f"_via_img_metadata is {kind_of_value(entries)}, and an object with the pictures is expected"
        change = Change(what="empty-part", image=-1, value=("_via_img_metadata",)) if says_nothing(entries) else None
        found.append(Finding(rule="bad-entry", severity="error", message=message, change=change))
        return {}
    damaged: dict[str, dict] = {}
    for number, (key, entry) in enumerate(entries.items()):
        if type(entry) is dict and type(entry.get("regions")) in (list, dict):
            continue
        damaged[key] = {}
        if isinstance(entry, dict):
            what = kind_of_value(entry["regions"]) if "regions" in entry else "missing"
            message = f"the regions of the entry {shortened(key)!r} are {what}, and a list is expected"
            damaged[key] = entry | {"regions": []}
        else:
            message = f"the entry {shortened(key)!r} is {kind_of_value(entry)}, and an object is expected"
            damaged[key] = {"filename": key, "size": -1, "regions": [], "file_attributes": {}}
        name = damaged[key].get("filename")
        found.append(
            Finding(
                rule="bad-entry",
                severity="error",
                message=message,
                image=name if isinstance(name, str) and name else key,
                fix="take the entry out, or annotate the picture again",
                change=Change(what="drop-picture", image=number),
            )
        )
    return entries | damaged if damaged else entries


def kind_of_value(value: object) -> str:
    """A JSON value's type in words, as it appears in sentences: "an object", "null".

    >>> kind_of_value([]), kind_of_value(True), kind_of_value("12")
    ('a list', 'true', "the text '12'")
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {shortened(value)!r}"
        case int() | float():
            return f"the number {value:g}" if isinstance(value, float) else f"the number {str(value)[:20]}"
        case Mapping():
            return "an object"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


def shortened(text: str) -> str:
    """At most 40 characters of a stranger's text."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and sum(key in value for key in _OF_ENTRIES) >= 2


def _is_via1(entries: list[dict]) -> bool:
    """Whether the first entry with any region holds them as a dict; without regions, VIA 1's own keys decide."""
    for entry in entries:
        regions = entry.get("regions")
        if regions and isinstance(regions, list | dict):
            return isinstance(regions, dict)
    return any(key in entries[0] for key in _OF_VIA1) or isinstance(entries[0].get("regions"), dict)


def says_nothing(value: object) -> bool:
    """Whether what stands where an object should be holds nothing that a person could still make use of.

    >>> says_nothing([]), says_nothing(None), says_nothing([{"filename": "a.jpg"}])
    (True, True, False)
    """
    return not value or not isinstance(value, list | dict)


def _sound_declarations(declared: object, found: list[Finding], path: tuple[str, ...]) -> dict[str, dict]:
    if not isinstance(declared, dict):
        message = f"the declaration of region attributes is {kind_of_value(declared)}, and an object is expected"
        change = Change(what="empty-part", image=-1, value=path) if says_nothing(declared) else None
        found.append(Finding(rule="bad-entry", severity="warning", message=message, change=change))
        return {}
    sound = {name: value for name, value in declared.items() if isinstance(value, dict)}
    for name in [name for name in declared if name not in sound]:
        message = f"the declaration of {shortened(name)!r} is {kind_of_value(declared[name])}, not an object"
        change = Change(what="drop-part", image=-1, value=(*path, name))
        found.append(Finding(rule="bad-entry", severity="warning", message=message, change=change))
    return sound
