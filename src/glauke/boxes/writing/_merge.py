"""Several annotators' files become one VIA 2 project; nothing is lost, and every disagreement is listed."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from glauke.errors import UsageError

from .._findings import Finding
from .._wording import counted, listed, quoted
from ..formats._columns import annotations_from_via
from ..formats._via_document import ViaDocument
from ..formats._via_pictures import byte_size
from ._disagreements import Drawn, disagreements, drawn_regions
from ._exports import one_line_json, require_new, write_new
from ._picture_boxes import plain
from ._to_via import (
    file_declarations,
    folder_of_pictures,
    free_key,
    num_regions,
    sound_entry,
    via_project,
)
from ._united_attributes import United, united, values_in_use, with_new_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What several files became."""

    project: dict
    """The document of a VIA 2 project."""

    documents: int
    pictures: int
    regions: int
    """How many regions the project holds."""

    kept_once: int
    """How many regions were the same in two files, and stand in the project once."""

    findings: tuple[Finding, ...]
    """Every conflict, and every picture that was annotated twice."""


@dataclass(slots=True)
class _Picture:
    """One picture of the project while the files are gone through."""

    key: str
    entry: dict
    size: int
    """In bytes; -1 while no file says."""

    owners: list[str] = field(default_factory=list)
    """File of each region."""

    drawn: list[Drawn | None] = field(default_factory=list)
    """Box and label of each region, in the order of `entry["regions"]`."""


def merge(documents: Sequence[ViaDocument], *, out: Path) -> Merged:
    """`joined`, written to `out` as a project that VIA opens.

    Raises:
        UsageError: there is nothing to join, or `out` exists.
    """
    require_new(out)
    merged = joined(documents, name=out.stem)
    write_new(out, one_line_json(merged.project))
    return merged


def joined(documents: Sequence[ViaDocument], *, name: str) -> Merged:
    """Join VIA documents into one project called `name`; `via_document_of` makes one from any other kind.

    Pictures are the same if name and size in bytes are; a size that a file does not know fits any. A region that two
    files have exactly alike is kept once; all others are kept, and those of one object under two labels are listed.
    One name with two sizes is two pictures: both stay, under keys of their own, and a finding says so.
    Attributes are united; where an option's id means different things in two files, the later file's regions get a
    new id, so that each still says what its annotator said.

    Raises:
        UsageError: there is nothing to join.
    """
    if not documents:
        raise UsageError("no file to merge was given", fix="name two or more files of annotations")
    names = _short_names(documents)
    regions = united([d.attributes for d in documents], [values_in_use(d) for d in documents], names=names)
    files = united(
        [file_declarations(d) for d in documents],
        [values_in_use(d, of_files=True) for d in documents],
        names=names,
    )
    pictures: dict[str, _Picture] = {}
    by_name: dict[str, list[_Picture]] = {}
    findings = [*regions.findings, *files.findings]
    kept_once = 0
    classes: dict[str | None, list[str]] = {}
    for number, (document, file) in enumerate(zip(documents, names, strict=True)):
        # What is damaged in one file; its edits are addressed to that file, and mean nothing in the new one.
        findings += [replace(f, message=f"{file}: {f.message}", change=None) for f in document.findings]
        annotations = annotations_from_via(document)
        classes.setdefault(annotations.class_attribute, []).append(file)
        drawn = drawn_regions(document, annotations)
        for key, entry in document.entries.items():
            sound = _entry(key, entry, findings, file, ids=(regions, files), number=number)
            picture = _same_picture(by_name.get(sound["filename"], []), byte_size(sound["size"]))
            if picture is None:
                picture = _new_picture(pictures, by_name, key, sound, findings, file)
            else:
                findings += _join_file(picture, sound, file)
            kept_once += _join_regions(picture, sound["regions"], drawn.get(key, {}), findings, file)
    findings += [*_classes(classes), *_folders(documents, names)]
    project = via_project(
        {key: picture.entry for key, picture in pictures.items()},
        name=name,
        region_attributes=regions.declared,
        file_attributes=files.declared,
        default_filepath=next(filter(None, map(folder_of_pictures, documents)), ""),
    )
    return Merged(
        project=project,
        documents=len(documents),
        pictures=len(pictures),
        regions=sum(len(p.entry["regions"]) for p in pictures.values()),
        kept_once=kept_once,
        findings=tuple(findings),
    )


def _short_names(documents: Sequence[ViaDocument]) -> list[str]:
    """How findings call each file: by its last part, by its whole path where that is not unique."""
    last = [d.path.name if d.path else f"file {i}" for i, d in enumerate(documents, 1)]
    often = Counter(last)
    return [str(d.path) if often[name] > 1 and d.path else name for d, name in zip(documents, last, strict=True)]


def _entry(
    key: str, entry: dict, findings: list[Finding], name: str, *, ids: tuple[United, United], number: int
) -> dict:
    """A copy of an entry in this project's ids; what VIA could not open is left out, with a finding."""
    sound = sound_entry(key, entry)
    if lost := num_regions(entry) - len(sound["regions"]):
        findings.append(
            Finding(
                rule="bad-entry",
                severity="error",
                message=f"{counted(lost, 'region')} of {name} left out: without a shape VIA could not open the file",
                image=sound["filename"],
            )
        )
    of_regions, of_files = (u.new_ids[number] for u in ids)
    sound["regions"] = [
        {**region, "region_attributes": with_new_ids(region["region_attributes"], of_regions)}
        for region in sound["regions"]
    ]
    sound["file_attributes"] = with_new_ids(sound["file_attributes"], of_files)
    return sound


def _same_picture(named: Sequence[_Picture], size: int) -> _Picture | None:
    exact = next((picture for picture in named if picture.size == size), None)
    if exact is not None or len(named) != 1:
        return exact
    return named[0] if size < 0 or named[0].size < 0 else None


def _new_picture(
    pictures: dict[str, _Picture],
    by_name: dict[str, list[_Picture]],
    key: str,
    entry: dict,
    findings: list[Finding],
    name: str,
) -> _Picture:
    size, file = byte_size(entry["size"]), entry["filename"]
    others = by_name.setdefault(file, [])
    if others:
        sizes = ", ".join(_bytes(p.size) for p in others)
        findings.append(
            Finding(
                rule="name-conflict",
                severity="error",
                message=f"{file!r} has {_bytes(size)} in {name} and {sizes} elsewhere: different pictures of one name; "
                "all are kept, and VIA will show the same file for each",
                image=file,
                fix="rename one of the pictures, and its file name in the annotations",
            )
        )
    picture = _Picture(free_key(_key(key, entry, pictures), pictures), {**entry, "regions": []}, size)
    pictures[picture.key] = picture
    others.append(picture)
    return picture


def _bytes(size: int) -> str:
    return f"{size:,} bytes" if size >= 0 else "an unknown size"


def _key(key: str, entry: Mapping[str, object], taken: Mapping[str, object]) -> str:
    """The key of the file, or VIA's own where that is taken: projects made from COCO number their pictures."""
    return f"{entry['filename']}{byte_size(entry['size'])}" if key in taken else key


def _join_file(picture: _Picture, entry: dict, name: str) -> list[Finding]:
    """Unknown keys, the size and the file attributes of a picture that is there already."""
    if picture.size < 0 <= (size := byte_size(entry["size"])):
        picture.size = picture.entry["size"] = size
    for key, value in entry.items():
        picture.entry.setdefault(key, value)
    findings, have = [], picture.entry["file_attributes"]
    for attribute, value in entry["file_attributes"].items():
        if attribute not in have or have[attribute] in ("", {}, None):
            have[attribute] = value
        elif value not in ("", {}, None, have[attribute]):
            other = free_key(f"{attribute} ({name})", have)
            have[other] = value
            findings.append(
                Finding(
                    rule="file-attribute-conflict",
                    severity="warning",
                    message=f"the file attribute {attribute!r} is {value!r} in {name} and {have[attribute]!r} before; "
                    f"the second is kept as {other!r}",
                    image=picture.entry["filename"],
                )
            )
    return findings


def _join_regions(
    picture: _Picture, new: list[dict], drawn: Mapping[int, Drawn], findings: list[Finding], name: str
) -> int:
    """Add the regions that are not there yet; how many were."""
    image = picture.entry["filename"]
    before = len(picture.entry["regions"])
    there = Counter(_content(region) for region in picture.entry["regions"])
    matched, fresh = 0, []
    for number, region in enumerate(new):
        content = _content(region)
        if there[content] > 0:
            there[content] -= 1
            matched += 1
        else:
            fresh.append((region, drawn.get(number)))
    if before and new:
        owners = ", ".join(dict.fromkeys(picture.owners))
        same = not fresh and matched == before
        message = (
            f"it is annotated alike in {owners} and {name}: {counted(matched, 'region')}, kept once"
            if same
            else f"it is annotated in {owners} ({counted(before, 'region')}) and in {name} ({len(new):,}); "
            f"alike and kept once: {matched:,}; all others are kept"
        )
        severity = "note" if same else "warning"
        findings.append(Finding(rule="annotated-twice", severity=severity, message=message, image=image))
        rest = [
            (i, d)
            for i, (region, d) in enumerate(zip(picture.entry["regions"], picture.drawn, strict=True))
            if d is not None and there[_content(region)] > 0
        ]
        added = [(before + i, d) for i, (_, d) in enumerate(fresh) if d is not None]
        findings += disagreements(rest, added, image=image, owners=picture.owners, name=name)
    picture.entry["regions"] += [region for region, _ in fresh]
    picture.drawn += [d for _, d in fresh]
    picture.owners += [name] * len(fresh)
    return matched


def _content(region: dict) -> str:
    return json.dumps(_by_value(region), sort_keys=True, default=str)


def _by_value(value: object) -> object:
    """The same JSON with one way of writing a number: 10.0 is 10."""
    match value:
        case dict():
            return {key: _by_value(each) for key, each in value.items()}
        case list():
            return [_by_value(each) for each in value]
        case float():
            return plain(value)
    return value


def _classes(files_of: Mapping[str | None, list[str]]) -> list[Finding]:
    """Files that keep the class in different attributes: whoever reads the project takes one of them."""
    used = {attribute: files for attribute, files in files_of.items() if attribute is not None}
    if len(used) < 2:
        return []
    said = "; ".join(f"{quoted(attribute)} in {listed(files)}" for attribute, files in used.items())
    return [
        Finding(
            rule="attribute-conflict",
            severity="error",
            message=f"the files keep the class in {len(used)} attributes: {said}",
            fix="give the attribute one name in all files, and merge again",
        )
    ]


def _folders(documents: Sequence[ViaDocument], names: Sequence[str]) -> list[Finding]:
    folders = {folder: name for d, name in zip(documents, names, strict=True) if (folder := folder_of_pictures(d))}
    if len(folders) < 2:
        return []
    first = folder_of_pictures(next(d for d in documents if folder_of_pictures(d)))
    return [
        Finding(
            rule="folder-conflict",
            severity="warning",
            message=f"the files look for pictures in {len(folders)} folders: {', '.join(map(repr, folders))}; VIA will "
            f"look in {first!r}",
            fix="bring the pictures together in one folder, and set it in VIA as the default path",
        )
    ]
