"""Changes in the JSON of VIA 1 and 2, in place: unknown keys, their order and all else stay."""

from collections.abc import Mapping

from .._annotations import Annotations
from ..formats._class_attribute import meanings
from ..writing._to_via import free_key
from ._cut_shapes import cut_shape
from ._plan import Plan


def change_via(document: dict, annotations: Annotations, plan: Plan) -> None:
    """Carry out a plan in the parsed JSON of a region file or a project."""
    project = annotations.kind == "via2-project"
    entries: dict = document["_via_img_metadata"] if project else document
    attributes = document.get("_via_attributes") if project else None
    declared = attributes.get("region") if isinstance(attributes, dict) else None
    by_image: dict[int, list[int]] = {}
    for row in sorted(plan.rows()):
        by_image.setdefault(int(annotations.image[row]), []).append(row)
    for image, rows in by_image.items():
        entry = entries[annotations.keys[image]]
        if image not in plan.dropped_pictures and isinstance(entry, dict):
            _change_regions(entry, rows, annotations, plan, declared if isinstance(declared, dict) else {})
    for image, name in plan.names.items():
        entries[annotations.keys[image]]["filename"] = name
    for image, size in plan.byte_sizes.items():
        entry = entries[annotations.keys[image]]
        entry["size"] = str(size) if isinstance(entry.get("size"), str) else size
    for image, size in plan.picture_sizes.items():
        of_file = entries[annotations.keys[image]]["file_attributes"]
        for side, value in zip(("width", "height"), size, strict=True):
            of_file[side] = str(value) if isinstance(of_file.get(side), str) else value
    renamed = _change_keys(entries, annotations, plan)
    listed = document.get("_via_image_id_list") if project else None
    if isinstance(listed, list):
        kept = [renamed.get(key, key) if isinstance(key, str) else key for key in listed]
        document["_via_image_id_list"] = [key for key in kept if key is not None]


def with_label(values: Mapping[str, object], name: str, label: str, declaration: object) -> dict[str, object]:
    """Attributes of a region with another label: as an option's id where options are declared.

    An option that is not declared yet is added to `declaration`.

    >>> with_label({"class": "1"}, "class", "mask", {"type": "dropdown", "options": {"1": "boot", "2": "mask"}})
    {'class': '2'}
    """
    value = label
    if isinstance(declaration, dict):
        meaning = meanings(declaration)
        ids = [key for key, text in meaning.labels.items() if text == label]
        options = declaration.get("options")
        if ids:
            value = ids[0]
        elif meaning.labels and isinstance(options, dict):
            value = free_key(label, options)
            options[value] = label
    return {**values, name: {value: True} if isinstance(values.get(name), dict) else value}


def _change_regions(entry: dict, rows: list[int], annotations: Annotations, plan: Plan, declared: dict) -> None:
    regions = entry["regions"]
    keys = list(regions) if isinstance(regions, dict) else list(range(len(regions)))
    dropped = set()
    for row in rows:
        key = keys[int(annotations.region[row])]
        region = regions[key]
        if row in plan.dropped_rows:
            dropped.add(key)
            continue
        if row in plan.labels:
            name = annotations.class_attribute
            assert name is not None
            region["region_attributes"] = with_label(
                region["region_attributes"], name, plan.labels[row], declared.get(name)
            )
        if row in plan.boxes:
            region["shape_attributes"] = cut_shape(region["shape_attributes"], plan.boxes[row])
    if not dropped:
        return
    kept = [(key, regions[key]) for key in keys if key not in dropped]
    if isinstance(regions, dict):
        numbered = all(isinstance(key, str) and key.isdigit() for key in regions)
        entry["regions"] = {str(i) if numbered else key: region for i, (key, region) in enumerate(kept)}
    else:
        entry["regions"] = [region for _, region in kept]


def _change_keys(entries: dict, annotations: Annotations, plan: Plan) -> dict[str, str | None]:
    """Drop entries and make keys anew; returns the new key of each old one that changed, None for a dropped one."""
    renamed: dict[str, str | None] = {annotations.keys[image]: None for image in plan.dropped_pictures}
    again = {image for image in plan.keys | plan.names.keys() | plan.byte_sizes.keys() if _is_made(annotations, image)}
    taken = {key: {} for i, key in enumerate(annotations.keys) if i not in again and i not in plan.dropped_pictures}
    for image in sorted(again):
        entry = entries[annotations.keys[image]]
        size = entry.get("size", -1)
        key = free_key(f"{entry.get('filename', '')}{'' if size is None else size}", taken)
        taken[key] = {}
        renamed[annotations.keys[image]] = key
    if renamed:
        changed = [(renamed.get(key, key), entry) for key, entry in entries.items()]
        entries.clear()
        entries.update((key, entry) for key, entry in changed if key is not None)
    return renamed


def _is_made(annotations: Annotations, image: int) -> bool:
    """Whether a key is made of name and size; those of imported COCO are its ids."""
    key = annotations.keys[image]
    return not (key.isascii() and key.isdigit())
