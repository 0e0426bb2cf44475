"""VIA 3's projects and CSV, brought to the form of VIA 2's JSON.

The formats are those of VIA 3.0 (github.com/ox-vgg/via, `_via_data.js`, `_via_import_export.js`): regions stand apart
from the files, under `metadata`; a region names a view, and the view its files.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from glauke.errors import DataError
from glauke.files import parse_json

from .._findings import Change, Finding, What
from .._wording import counted
from ..writing._to_via import free_key
from ._csv_rows import CsvRow, csv_rows
from ._json_cells import parsed_cell
from ._via3_attributes import Via3Attributes, via3_attributes
from ._via3_shapes import via2_shape
from ._via_document import ViaDocument, kind_of_value, says_nothing, shortened

_PARTS = ("file", "view", "metadata", "attribute")
_MOVING = {4: "a video", 8: "a sound"}
_COLUMNS = ("metadata_id", "file_list", "temporal_coordinates", "spatial_coordinates", "metadata")
_HEADER = re.compile(r"#[^\r\n]*?CSV_HEADER\s*=\s*([^\r\n]*)")
_COMMENT = re.compile(r"(?:\A|(?<=[\r\n]))#[^\r\n]*")
_ATTRIBUTES = re.compile(r"#\s*ATTRIBUTE\s*=\s*([^\r\n]*)")


def recognise_via3(document: object) -> bool:
    """Whether parsed JSON is a project of VIA 3, by its keys."""
    if not isinstance(document, dict) or not {"metadata", "view"} <= document.keys():
        return False
    return "project" in document or {"file", "attribute"} <= document.keys()


def via3_document(document: dict, *, path: Path | None) -> ViaDocument:
    """The pictures of a project of VIA 3 and what is drawn in them; each view is addressed by its key.

    What is said about stretches of time, in videos and sounds, is counted by a finding and left out. What is said
    about a picture as a whole becomes its `file_attributes`.
    """
    return _converted(document, kind="via3-project", path=path)


def via3_csv_document(text: str, *, path: Path | None) -> ViaDocument:
    """The pictures and regions of VIA 3's CSV, with the line of each region; pictures without regions are not in it.

    Raises:
        DataError: it is the CSV of time segments, or the header lacks a column.
    """
    place = "the CSV" if path is None else str(path)
    found = _HEADER.search(text)
    names = [name.strip().lower() for name in (found[1] if found else "").split(",")]
    if missing := [name for name in _COLUMNS if name not in names]:
        line = 1 if found is None else 1 + len(re.findall(r"\r\n|\r|\n", text[: found.start()]))
        raise DataError(
            f"CSV_HEADER has no column {' and no column '.join(missing)}",
            place=f"{place}, line {line}",
            fix="export it again, with all spatial annotations",
        )
    at = {name: names.index(name) for name in _COLUMNS}
    found_attributes = _ATTRIBUTES.search(text)
    attributes: object = {}
    findings: list[Finding] = []
    if found_attributes:
        try:
            attributes = parse_json(found_attributes[1].encode(), place="ATTRIBUTE")
        except DataError as error:
            message = f"the line # ATTRIBUTE is not JSON ({error.message}); options are known by their ids only"
            findings.append(Finding(rule="bad-row", severity="warning", message=message))
    views: dict[str, dict] = {}
    files: dict[str, dict] = {}
    metadata: dict[str, dict] = {}
    lines: dict[str, int] = {}
    for row in csv_rows(_COMMENT.sub("", text)):
        cells = _csv_cells(row, at, findings)
        if cells is None:
            continue
        name = cells["file_list"]
        if name not in views:
            views[name], files[name] = {"fid_list": [name]}, {"fname": name}
        key = free_key(str(cells["metadata_id"]), metadata)
        z, xy, av = cells["temporal_coordinates"], cells["spatial_coordinates"], cells["metadata"]
        metadata[key] = {"vid": name, "z": z, "xy": xy, "av": av}
        lines[key] = row.line
    project = {"project": {}, "file": files, "view": views, "metadata": metadata, "attribute": attributes}
    converted = _converted(project, kind="via3-csv", path=path)
    of_regions = via3_regions(project)
    return ViaDocument(
        kind="via3-csv",
        path=path,
        entries=converted.entries,
        attributes=converted.attributes,
        lines={key: [lines[each] for each in of_regions.get(key, [])] for key in converted.entries},
        findings=(*findings, *converted.findings),
        raw=None,
    )


def via3_regions(document: Mapping[str, object]) -> dict[str, list[str]]:
    """The keys under `metadata` of the regions of each view, in the order in which `via3_document` has them."""
    views, regions = via3_part(document, "view"), {}
    for key, one in via3_part(document, "metadata").items():
        view = _id(one.get("vid")) if isinstance(one, dict) else None
        if view in views and _is_region(one):
            regions.setdefault(view, []).append(key)
    return regions


def _converted(document: Mapping[str, object], *, kind: str, path: Path | None) -> ViaDocument:
    findings = list(_misshapen(document))
    attributes = via3_attributes(via3_part(document, "attribute"))
    entries, moving, nameless = _pictures(document, findings)
    num_before_regions = len(findings)
    metadata = via3_part(document, "metadata")
    left_out: Counter[str] = Counter()
    still: set[str] = set()
    for key, one in metadata.items():
        view = _id(one.get("vid")) if isinstance(one, dict) else None
        if not isinstance(one, dict):
            message = f"the region {shortened(key)!r} is {kind_of_value(one)}, and an object is expected"
            findings.append(_lost(message, "drop-part", "metadata", key))
        elif view is None or view not in entries:
            message = f"the region {shortened(key)!r} lies in {_named_view(one)}, which is not there"
            # Without any view a person must look, since every region would go.
            findings.append(_lost(message, "drop-part" if via3_part(document, "view") else None, "metadata", key))
        elif view in moving or _is_of_time(one):
            left_out[view] += 1
        else:
            still.add(view)
            _add(entries[view], one, attributes)
    for view in [*moving, *(view for view in left_out if view not in moving)]:
        name = entries[view]["filename"]
        what = moving.get(view, "seen at some time of a video")
        message = f"{shortened(name)!r} is {what}: {counted(left_out[view], 'annotation')} in it left out"
        findings.append(Finding(rule="not-a-picture", severity="note", message=message, image=name))
        if view not in still:
            del entries[view]
    findings[num_before_regions:num_before_regions] = _without_file(document, nameless, entries)
    used = {name for entry in entries.values() for r in entry["regions"] for name in _keys(r["region_attributes"])}
    return ViaDocument(
        kind=kind,
        path=path,
        entries=entries,
        attributes=attributes.declared(used),
        lines=None,
        findings=tuple(findings),
        raw=document,
    )


def _pictures(
    document: Mapping[str, object], findings: list[Finding]
) -> tuple[dict[str, dict], dict[str, str], list[str]]:
    """An entry for each view, and each file without one; what views of no picture are; and views without a file."""
    files = via3_part(document, "file")
    entries: dict[str, dict] = {}
    moving: dict[str, str] = {}
    nameless: list[str] = []
    shown: set[str] = set()
    for view, value in via3_part(document, "view").items():
        listed = value.get("fid_list") if isinstance(value, dict) else None
        ids = [_id(each) for each in listed] if isinstance(listed, list) else []
        file = files.get(ids[0] or "") if ids else None
        shown.update(each for each in ids if each)
        entries[view] = _entry(file, otherwise=view)
        if not isinstance(file, dict):
            nameless.append(view)
        elif what := next((what for kind, what in _MOVING.items() if file.get("type") == kind), None):
            moving[view] = what
        if len(ids) > 1:
            message = f"the view {shortened(view)!r} shows {len(ids):,} files; its regions are taken for the first's"
            image = entries[view]["filename"]
            findings.append(Finding(rule="bad-entry", severity="warning", message=message, image=image))
    for key, file in files.items():
        if key not in shown and isinstance(file, dict) and file.get("type") in (2, None):
            entries[free_key(f"file {key}", entries)] = _entry(file, otherwise=key)
    return entries, moving, nameless


def _without_file(
    document: Mapping[str, object], views: Sequence[str], entries: Mapping[str, dict]
) -> Iterator[Finding]:
    """Views that show no file can be left out, unless no view shows one, where a person must look."""
    index = {key: i for i, key in enumerate(entries)}
    all_of_them = len(views) == len(via3_part(document, "view"))
    for view in views:
        can_go = view in index and not all_of_them
        yield Finding(
            rule="bad-entry",
            severity="error",
            message=f"the view {shortened(view)!r} shows no file that is there; its key stands for the name",
            image=view,
            fix="give it its file, or take the view out",
            change=Change(what="drop-picture", image=index[view]) if can_go else None,
        )


def _entry(file: object, *, otherwise: str) -> dict:
    values = file if isinstance(file, dict) else {}
    # A picture by address has its name in `src`, and `fname` repeats it or is its last part.
    names = (values.get(key) for key in ("fname", "src"))
    name = next((each for each in names if isinstance(each, str) and each), otherwise)
    return {"filename": name, "size": -1, "regions": [], "file_attributes": {}}


def _add(entry: dict, one: Mapping[str, object], attributes: Via3Attributes) -> None:
    av = one.get("av", {})
    if _is_region(one):
        said = attributes.values(av) if isinstance(av, dict) else av
        entry["regions"].append({"shape_attributes": via2_shape(one["xy"]), "region_attributes": said})
    elif isinstance(av, dict):
        entry["file_attributes"].update(attributes.values(av))


def _is_region(one: Mapping[str, object]) -> bool:
    return not _is_of_time(one) and one.get("xy", []) != []


def _is_of_time(one: Mapping[str, object]) -> bool:
    return one.get("z", []) not in ([], None)


def _named_view(one: Mapping[str, object]) -> str:
    view = one.get("vid")
    return f"the view {kind_of_value(view)}" if "vid" in one else "no view"


def _id(value: object) -> str | None:
    """A key as JSON objects have it; VIA writes them as numbers or texts, as it comes."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _keys(value: object) -> Iterator[str]:
    return iter(value) if isinstance(value, dict) else iter(())


def via3_part(document: Mapping[str, object], part: str) -> dict:
    """One part of a project, such as "view"; an empty one where it is no object."""
    value = document.get(part)
    return value if isinstance(value, dict) else {}


def _misshapen(document: Mapping[str, object]) -> Iterator[Finding]:
    for part in _PARTS:
        value = document.get(part, {})
        if not isinstance(value, dict):
            message = f"{part!r} is {kind_of_value(value)}, and an object is expected"
            yield _lost(message, "empty-part" if says_nothing(value) else None, part)


def _lost(message: str, what: What | None, *path: str) -> Finding:
    return Finding(
        rule="bad-entry",
        severity="error",
        message=message,
        fix="annotate it again, or take the entry out",
        change=Change(what=what, image=-1, value=path) if what else None,
    )


def _csv_cells(row: CsvRow, at: Mapping[str, int], findings: list[Finding]) -> dict | None:
    """The cells of a row by column, their JSON parsed; None, and a finding, where that cannot be."""
    if row.unclosed or len(row.cells) <= max(at.values()):
        what = "opens a quote that is never closed" if row.unclosed else f"has only {len(row.cells)} cells"
        findings.append(_bad(row.line, what))
        return None
    values: dict[str, object] = {"metadata_id": row.cells[at["metadata_id"]]}
    for name in _COLUMNS[1:]:
        try:
            values[name] = parsed_cell(row.cells[at[name]])[0]
        except DataError as error:
            findings.append(_bad(row.line, f"holds no JSON in {name} ({error.message})"))
            return None
    names = values["file_list"]
    if not isinstance(names, list) or not names or not isinstance(names[0], str):
        findings.append(_bad(row.line, "names no file in file_list"))
        return None
    return values | {"file_list": names[0]}


def _bad(line: int, what: str) -> Finding:
    message, fix = f"line {line} {what}; it was left out", "correct the line, or export the file again"
    return Finding(rule="bad-row", severity="error", message=message, fix=fix)
