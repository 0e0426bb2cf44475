"""Annotations as a VIA 2 project, the one VIA format that keeps attribute declarations and the order of pictures.

What VIA 2.0.11 asks of a project when it opens one (`project_open_parse_json_file` in its `via.js`): the three keys
`_via_settings`, `_via_img_metadata` and `_via_attributes`; every key of `_via_image_id_list` has its entry; every entry
has `filename`, `size`, a list `regions` and `file_attributes`.
"""

import copy
from collections.abc import Mapping, Sequence

from .._annotations import KINDS, Annotations
from .._findings import Finding
from .._wording import counted
from ..formats._class_attribute import meanings, ticks_several
from ..formats._via_document import ViaDocument
from ._picture_boxes import only_rows, picture_boxes, require_pictures
from ._united_attributes import with_new_ids

CLASS = "class"
"""Name of the class attribute where the source has none."""

Json = dict[str, object]

_OF_VIA = frozenset(kind for kind in KINDS if kind.startswith("via") and kind != "via-coco")

# As VIA 2.0.11 saves them; VIA copies each onto its own and would fail on a group that it does not know.
_SETTINGS = {
    "ui": {
        "annotation_editor_height": 25,
        "annotation_editor_fontsize": 0.8,
        "leftsidebar_width": 18,
        "image_grid": {
            "img_height": 80,
            "rshape_fill": "none",
            "rshape_fill_opacity": 0.3,
            "rshape_stroke": "yellow",
            "rshape_stroke_width": 2,
            "show_region_shape": True,
            "show_image_policy": "all",
        },
        "image": {
            "region_label": "__via_region_id__",
            "region_color": "__via_default_region_color__",
            "region_label_font": "10px Sans",
            "on_image_annotation_editor_placement": "NEAR_REGION",
        },
    },
    "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
}
FORMAT_VERSION = "2.0.10"  # what VIA 2.0.10 to 2.0.12 write


def dropdown(labels: Sequence[str]) -> Json:
    """Declaration of an attribute that offers `labels`; the id of an option is the label itself.

    >>> dropdown(["vest"])["options"]
    {'vest': 'vest'}
    """
    return {
        "type": "dropdown",
        "description": "",
        "options": {label: label for label in labels},
        "default_options": {},
    }


def via_project(
    entries: Mapping[str, object],
    *,
    name: str,
    region_attributes: Mapping[str, object],
    file_attributes: Mapping[str, object] | None = None,
    default_filepath: str = "",
) -> Json:
    """The project document around `entries`, in their order; `default_filepath` is put before every file name."""
    settings = copy.deepcopy(_SETTINGS)
    settings["core"]["default_filepath"] = default_filepath
    return {
        # A half character, from a file name that is no UTF-8, would make the whole file unreadable.
        "_via_settings": {**settings, "project": {"name": name.encode(errors="replace").decode()}},
        "_via_img_metadata": dict(entries),
        "_via_attributes": {"region": dict(region_attributes), "file": dict(file_attributes or {})},
        "_via_data_format_version": FORMAT_VERSION,
        "_via_image_id_list": list(entries),
    }


def via_document_of(annotations: Annotations, *, attribute: str | None = None) -> ViaDocument:
    """Annotations of any kind in VIA's form: every region that encloses something is a rect.

    Width and height of pictures go into the file attributes, where VIA's own import of COCO puts them. A region
    without a label has no class attribute, which is what VIA writes for a choice that nobody made. The labels stand in
    `attribute`; without one in the attribute that a VIA file had them in, else in "class".

    Raises:
        DataError: it is a table of counts.
    """
    require_pictures(annotations)
    attribute = attribute or (annotations.class_attribute if annotations.kind in _OF_VIA else None) or CLASS
    findings = annotations.findings
    if lost := int((~annotations.encloses).sum()):
        message = f"left out: {counted(lost, 'region')} without an area, which no rect can stand for"
        findings += (Finding(rule="bad-shape", severity="warning", message=message),)
        annotations = only_rows(annotations, annotations.encloses)
    entries: dict[str, dict] = {}
    for i, boxes in picture_boxes(annotations):
        name, size = annotations.names[i], int(annotations.byte_sizes[i])
        width, height = int(annotations.widths[i]), int(annotations.heights[i])
        entries[free_key(f"{name}{size}", entries)] = {
            "filename": name,
            "size": size,
            "regions": [
                {
                    "shape_attributes": {"name": "rect", "x": x, "y": y, "width": w, "height": h},
                    "region_attributes": {attribute: annotations.labels[label]} if label >= 0 else {},
                }
                for x, y, w, h, label in boxes
            ],
            "file_attributes": {"width": width, "height": height} if width > 0 and height > 0 else {},
        }
    return ViaDocument(
        kind="via2-project",
        path=annotations.path,
        entries=entries,
        attributes={attribute: dropdown(annotations.labels)},
        lines=None,
        findings=findings,
        raw=None,
    )


def labelled_document(document: ViaDocument, annotations: Annotations) -> ViaDocument:
    """`document` with its class attribute spelled out: each region holds its label, and no longer an option's id.

    It becomes a dropdown, or stays a checkbox where some region ticks several options. All shapes, other attributes
    and unknown keys stay, and everything does where no attribute holds the class. `annotations` is what was read from
    `document`.
    """
    attribute = annotations.class_attribute
    declared, meaning, several = document.attributes, {}, False
    if attribute is not None:
        several = any(each.name == attribute and ticks_several(each) for each in annotations.attributes)
        meaning = {attribute: meanings(declared.get(attribute)).labels}
        offered = dropdown(annotations.labels)
        declared = {**declared, attribute: {**offered, "type": "checkbox"} if several else offered}
    chosen: dict[str, dict[int, dict]] = {}
    for image, region, label in zip(
        annotations.image.tolist(), annotations.region.tolist(), annotations.label.tolist(), strict=True
    ):
        if label >= 0:
            text = annotations.labels[label]
            chosen.setdefault(annotations.keys[image], {})[region] = {attribute: {text: True} if several else text}
    entries = {}
    for key, entry in document.entries.items():
        known = chosen.get(key, {})
        regions = [
            {**region, "region_attributes": with_new_ids(region["region_attributes"], meaning) | known.get(number, {})}
            for number, region in sound_regions(entry)
        ]
        entries[key] = {**sound_entry(key, entry), "regions": regions}
    return ViaDocument(
        kind="via2-project",
        path=document.path,
        entries=entries,
        attributes=declared,
        lines=None,
        findings=document.findings,
        raw=document.raw,
    )


def sound_entry(key: str, entry: Mapping[str, object]) -> dict:
    """A copy of an entry with all that VIA 2 needs, `regions` as a list."""
    name = entry.get("filename")
    attributes = entry.get("file_attributes")
    return {
        **entry,
        "filename": name if isinstance(name, str) else key,
        "size": entry.get("size", -1),
        "regions": [region for _, region in sound_regions(entry)],
        "file_attributes": dict(attributes) if isinstance(attributes, dict) else {},
    }


def sound_regions(entry: Mapping[str, object]) -> list[tuple[int, dict]]:
    """Number in the document and content of every region that VIA 2 can hold; it stumbles over all others."""
    regions = entry.get("regions")
    listed = list(regions.values()) if isinstance(regions, dict) else regions if isinstance(regions, list) else []
    return [
        (
            number,
            {**region, "region_attributes": dict(a) if isinstance(a := region.get("region_attributes"), dict) else {}},
        )
        for number, region in enumerate(listed)
        if isinstance(region, dict) and isinstance(region.get("shape_attributes"), dict)
    ]


def num_regions(entry: Mapping[str, object]) -> int:
    """How many regions an entry lists, sound or not."""
    regions = entry.get("regions")
    return len(regions) if isinstance(regions, dict | list) else 0


def free_key(key: str, taken: Mapping[str, object]) -> str:
    """`key`, or with a number behind it where it is taken; VIA never reads anything out of a key.

    >>> free_key("a.jpg10", {"a.jpg10": {}})
    'a.jpg10~2'
    """
    free, number = key, 1
    while free in taken:
        number += 1
        free = f"{key}~{number}"
    return free


def file_declarations(document: ViaDocument) -> Json:
    """What a project declares of file attributes; empty for every other kind."""
    declared = document.raw.get("_via_attributes") if isinstance(document.raw, dict) else None
    files = declared.get("file") if isinstance(declared, dict) else None
    return dict(files) if isinstance(files, dict) else {}


def folder_of_pictures(document: ViaDocument) -> str:
    """What a project puts before every file name; empty where it is no project."""
    place: object = document.raw
    for key in ("_via_settings", "core", "default_filepath"):
        place = place.get(key) if isinstance(place, dict) else None
    return place if isinstance(place, str) else ""
