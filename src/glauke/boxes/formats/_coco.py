"""COCO, and what VIA exports under that name: every defect of it is named, nothing is guessed.

VIA 2.0.8 and 2.0.9 repeat the categories for each picture and write ids as text. VIA 2.0.10 and 2.0.11 take ids from
what a name or an option begins with, so that pictures come to share an id and categories to have none, and leave
category names blank where the option had no description (`export_project_to_coco_format` in VIA's via.js).
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glauke.files import collector_paused

from .._annotations import Annotations
from .._findings import Change, Finding, Severity
from .._wording import counted, listed, quoted
from ._coco_categories import Categories, Id, class_attribute, coco_id, read_categories
from ._coco_shapes import coco_box, is_flat
from ._via_document import kind_of_value

_VIA = "VGG Image Annotator"
_REPAIR = "give the VIA JSON of the same annotations with --repair-from"
_LARGEST = 10**9


def recognise_coco(document: object) -> str | None:
    """Say "via-coco" for VIA's export of any version, "coco" for any other COCO document, None for anything else.

    >>> recognise_coco({"images": [], "annotations": [], "categories": []})
    'coco'
    """
    if not isinstance(document, dict):
        return None
    has = [isinstance(document.get(name), list) for name in ("images", "annotations", "categories")]
    if sum(has) < 2:
        return None
    info = document.get("info")
    return "via-coco" if isinstance(info, dict) and _VIA in str(info.get("description")) else "coco"


def annotations_from_coco(document: object, *, kind: str, path: Path | None) -> Annotations:
    """The annotations of a parsed COCO document, with its defects as findings.

    An annotation whose picture is not known, for want of an image with its id, gets a picture without a name. Where
    pictures share an id, theirs lie in the first of them; `repaired` finds out where they belong.
    """
    findings: list[Finding] = []
    content = document if isinstance(document, dict) else {}
    pictures = _pictures(_entries(content, "images", findings), findings)
    categories = read_categories(_entries(content, "categories", findings), findings)
    with collector_paused():
        rows = _rows(_entries(content, "annotations", findings), pictures, categories, findings)
    image, label = np.array(rows.image, np.int64), np.array(rows.label, np.int32)
    findings += _shared_ids(pictures, image)
    findings += _summaries(rows, categories, pictures, label)
    name, attributes = class_attribute(kind, categories, label)
    return Annotations(
        kind=kind,
        path=path,
        names=tuple(pictures.names),
        keys=tuple(pictures.keys),
        byte_sizes=np.full(len(pictures.names), -1, np.int64),
        widths=np.array(pictures.widths, np.int64),
        heights=np.array(pictures.heights, np.int64),
        image=image,
        region=np.array(rows.region, np.int64),
        boxes_xywh=np.array(rows.boxes, np.float64).reshape(-1, 4),
        shape=np.array(rows.shape, np.int8),
        label=label,
        labels=tuple(categories.labels),
        class_attribute=name,
        attributes=attributes,
        findings=tuple(findings),
    )


@dataclass(slots=True, kw_only=True)
class _Pictures:
    names: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    of_id: dict[Id, list[int]] = field(default_factory=dict)  # pictures by id; several where it is shared
    num_listed: int = 0  # those after it have no name: annotations refer to them, and nothing else does

    def add(self, identity: Id, name: str, width: int, height: int) -> int:
        self.of_id.setdefault(identity, []).append(len(self.names))
        self.names.append(name)
        self.keys.append("null" if identity is None else str(identity))
        self.widths.append(width)
        self.heights.append(height)
        return len(self.names) - 1


def _pictures(entries: list, findings: list[Finding]) -> _Pictures:
    pictures = _Pictures()
    for number, entry in enumerate(entries):
        place = f"images[{number}]"
        if not isinstance(entry, dict):
            findings.append(_bad_entry(f"{place} is {kind_of_value(entry)}, but an object is needed"))
            pictures.add(None, "", 0, 0)  # so that the next one keeps its number
            continue
        name = entry.get("file_name")
        if not isinstance(name, str) or not name:
            findings.append(_bad_entry(f"{place} has no file_name"))
        width, height = (_pixels(entry, side, place, findings) for side in ("width", "height"))
        pictures.add(coco_id(entry.get("id")), name if isinstance(name, str) else "", width, height)
    pictures.num_listed = len(pictures.names)
    return pictures


@dataclass(slots=True, kw_only=True)
class _Rows:
    image: list[int] = field(default_factory=list)
    region: list[int] = field(default_factory=list)
    label: list[int] = field(default_factory=list)
    shape: list[int] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    null: int = 0
    text_ids: int = 0
    flat: int = 0
    crowds: int = 0
    unknown_categories: Counter[Id] = field(default_factory=Counter)
    unknown_images: Counter[Id] = field(default_factory=Counter)


def _rows(entries: list, pictures: _Pictures, categories: Categories, findings: list[Finding]) -> _Rows:
    rows = _Rows()
    first_of_id: dict[Id, int] = {}  # row by annotation id
    in_picture = Counter[int]()
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            findings.append(_bad_entry(f"annotations[{number}] is {kind_of_value(entry)}, but an object is needed"))
            continue
        row = len(rows.image)
        image = _picture_of(entry, pictures, rows)
        category = coco_id(entry.get("category_id"))
        label = categories.label_of.get(category, -1)
        if category is None:
            rows.null += 1
        elif category not in categories.label_of:
            rows.unknown_categories[category] += 1
        shape, box, problem = coco_box(entry)
        rows.text_ids += _is_number_as_text(entry.get("image_id")) or _is_number_as_text(entry.get("category_id"))
        rows.flat += is_flat(entry.get("segmentation"))
        rows.crowds += entry.get("iscrowd") in (1, True)
        rows.image.append(image)
        rows.region.append(in_picture[image])
        in_picture[image] += 1
        rows.label.append(label)
        rows.shape.append(shape)
        rows.boxes.append(box)
        if problem:
            findings.append(_about_row("bad-shape", "error", f"annotations[{number}]: {problem}", row, rows, pictures))
        identity = coco_id(entry.get("id"))
        first = first_of_id.setdefault(identity, row)
        if identity is not None and first != row and rows.image[first] == image and rows.boxes[first] == box:
            message = (
                f"annotations[{number}] repeats id {identity} with the same box: "
                "VIA writes a region once for each attribute that has a category"
            )
            findings.append(_about_row("repeated-annotation", "warning", message, row, rows, pictures))
    return rows


def _picture_of(entry: Mapping, pictures: _Pictures, rows: _Rows) -> int:
    identity = coco_id(entry.get("image_id"))
    known = pictures.of_id.get(identity)
    image = pictures.add(identity, "", 0, 0) if known is None else known[0]
    if image >= pictures.num_listed:
        rows.unknown_images[identity] += 1
    return image


def _summaries(rows: _Rows, categories: Categories, pictures: _Pictures, label: np.ndarray) -> list[Finding]:
    """One finding for all annotations that share a defect."""
    total = len(rows.image)
    findings = []

    def add(rule: str, severity: Severity, message: str, fix: str | None = None) -> None:
        findings.append(Finding(rule=rule, severity=severity, message=message, fix=fix))

    if rows.null:
        ids = f", and {categories.null_ids} of {categories.listed} categories have no id" if categories.null_ids else ""
        add(
            "null-category", "error", f"category_id is null or missing in {rows.null} of {total} annotations{ids}",
            _REPAIR,
        )  # fmt: skip
    unnamed = np.isin(label, [i for i, blank in enumerate(categories.blank) if blank])
    if any(categories.blank) or categories.blank_null_ids:
        used = int(unnamed.sum())
        blank = sum(categories.blank) + categories.blank_null_ids
        message = f"{blank} of {categories.listed} categories have a blank name, and {used} of {total} annotations"
        add("blank-category", "error" if used else "warning", f"{message} are of such a category", _REPAIR)
    if strangers := rows.unknown_categories:
        ids = listed(map(_shown_id, strangers), most=3)
        add(
            "unknown-category",
            "error",
            f"{strangers.total()} of {total} annotations are of a category not listed: {ids}",
            _REPAIR,
        )
    if strangers := rows.unknown_images:
        ids = listed(map(_shown_id, strangers), most=3)
        add(
            "bad-entry",
            "error",
            f"{strangers.total()} of {total} annotations lie in an image that is not listed: {ids}",
        )
    if rows.text_ids:
        add(
            "id-as-text",
            "note",
            f"{rows.text_ids} of {total} annotations write numbers of ids as text, as VIA 2.0.8 does",
        )
    if rows.flat:
        message = f"{rows.flat} of {total} annotations have one flat list for a segmentation, as VIA 2.0.8 writes it"
        add("flat-segmentation", "note", message)
    if rows.crowds:
        add("crowd", "note", f"{rows.crowds} of {total} annotations are crowds: each box holds a group of objects")
    return findings


def _shared_ids(pictures: _Pictures, image: np.ndarray) -> list[Finding]:
    counts = np.bincount(image, minlength=len(pictures.names))
    findings = []
    for identity, shared in pictures.of_id.items():
        names = list(dict.fromkeys(pictures.names[i] for i in shared))
        if len(shared) < 2:
            continue
        if len(names) < 2:
            message = f"the picture is listed {len(shared)} times with the id {_shown_id(identity)}"
            findings.append(
                Finding(rule="image-id-collision", severity="warning", message=message, image=names[0] or None)
            )
            continue
        boxes = int(counts[shared[0]])
        message = (
            f"{len(shared)} pictures share the id {_shown_id(identity)} ({listed(map(quoted, names), most=3)}), "
            f"so nothing tells which of them is meant by {counted(boxes, 'annotation')}"
        )
        severity = "error" if boxes else "warning"
        findings.append(Finding(rule="image-id-collision", severity=severity, message=message, fix=_REPAIR))
    return findings


def _about_row(rule: str, severity: Severity, message: str, row: int, rows: _Rows, pictures: _Pictures) -> Finding:
    image = rows.image[row]
    change = Change(what="drop-region", image=image, region=row)
    return Finding(
        rule=rule,
        severity=severity,
        message=message,
        image=pictures.names[image],
        region=rows.region[row],
        change=change,
    )


def _bad_entry(message: str) -> Finding:
    return Finding(rule="bad-entry", severity="error", message=message)


def _entries(content: dict, name: str, findings: list[Finding]) -> list:
    found = content.get(name, [])
    if isinstance(found, list):
        return found
    findings.append(_bad_entry(f"{name} is {kind_of_value(found)}, but a list is needed"))
    return []


def _pixels(entry: dict, side: str, place: str, findings: list[Finding]) -> int:
    value = entry.get(side)
    if value is None or (type(value) in (int, float) and value == 0):
        return 0
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else value
    if isinstance(number, int | float) and number is not True and number == number // 1 and 0 < number < _LARGEST:
        return int(number)
    message = f"the {side} of {place} is {str(value)[:40]!r}, but a whole number of pixels is needed"
    findings.append(Finding(rule="bad-entry", severity="warning", message=message))
    return 0


def _shown_id(identity: Id) -> str:
    return "null" if identity is None else repr(identity)[:60]


def _is_number_as_text(identity: object) -> bool:
    return isinstance(identity, str) and coco_id(identity) != identity
