"""Changes in COCO's JSON, in place; ids and categories are written anew where the file has lost them."""

from .._annotations import Annotations
from ..formats._coco_categories import coco_id, is_unnamed
from ..formats._coco_shapes import is_flat
from ..formats._shapes import Box
from ..writing._picture_boxes import plain
from ._cut_shapes import cut_outline
from ._plan import Plan


def change_coco(document: dict, annotations: Annotations, plan: Plan) -> None:
    """Carry out a plan in a parsed document; `annotations` may have been repaired from another file."""
    entries = [entry for entry in _listed(document, "annotations") if isinstance(entry, dict)]
    images = [entry if isinstance(entry, dict) else {} for entry in _listed(document, "images")]
    for image, name in plan.names.items():
        images[image]["file_name"] = name
    for image, (width, height) in plan.picture_sizes.items():
        images[image] |= {"width": width, "height": height}
    for row, box in plan.boxes.items():
        _cut(entries[row], box)
    if plan.anew:
        _write_anew(document, entries, images, annotations, plan)
        return
    _write_labels(document, entries, plan)
    dropped = plan.dropped_rows | {
        row for row, image in enumerate(annotations.image.tolist()) if image in plan.dropped_pictures
    }
    document["annotations"] = [entry for row, entry in enumerate(entries) if row not in dropped]
    document["images"] = [entry for i, entry in enumerate(images) if i not in plan.dropped_pictures]


def _listed(document: dict, name: str) -> list:
    value = document.get(name)
    return value if isinstance(value, list) else []


def _cut(entry: dict, box: Box) -> None:
    x, y, width, height = (plain(value) for value in box)
    entry["bbox"] = [x, y, width, height]
    if "area" in entry:
        entry["area"] = plain(float(width) * float(height))
    outline = entry.get("segmentation")
    if isinstance(outline, list):
        parts = [cut_outline(part, box) if isinstance(part, list) else part for part in outline]
        entry["segmentation"] = cut_outline(outline, box) if is_flat(outline) else parts


def _write_labels(document: dict, entries: list[dict], plan: Plan) -> None:
    """Point annotations to the category of their new label; a new category where there is none."""
    categories = document["categories"] = _listed(document, "categories")
    named = ((_name(one), one.get("id")) for one in reversed(categories) if isinstance(one, dict))
    known = {name: identity for name, identity in named if identity is not None}
    ids = [number for one in known.values() if isinstance(number := coco_id(one), int)]
    for row, label in plan.labels.items():
        if label not in known:
            ids.append(max(ids, default=0) + 1)
            known[label] = ids[-1]
            categories.append({"supercategory": "", "id": known[label], "name": label})
        entries[row]["category_id"] = known[label]


def _name(category: dict) -> str:
    """The name of a category as the reader understands it, which may be no text."""
    name = category.get("name")
    return "" if name is None else str(name)


def _write_anew(document: dict, entries: list[dict], images: list[dict], annotations: Annotations, plan: Plan) -> None:
    """Number pictures, categories and annotations anew; what has no picture or no name is left out."""
    occupied = set(annotations.image.tolist())
    number: dict[int, int] = {}
    names: set[str] = set()
    kept_images = []
    for i, entry in enumerate(images):
        name = plan.names.get(i, annotations.names[i])
        if i in plan.dropped_pictures or not name or (name in names and i not in occupied):
            continue
        names.add(name)
        number[i] = len(kept_images) + 1
        sizes = {"width": int(annotations.widths[i]), "height": int(annotations.heights[i])}
        # A size that is none becomes 0, which stands for unknown.
        known = {side: size for side, size in sizes.items() if size > 0 or entry.get(side) is not None}
        kept_images.append({**entry, "id": number[i]} | known)
    used = [plan.labels.get(row, annotations.label_of(row)) for row in range(len(entries))]
    listed = [label for label in annotations.labels if label in used or not is_unnamed(label)]
    category = {label: i for i, label in enumerate(dict.fromkeys([*listed, *(u for u in used if u is not None)]), 1)}
    old = {_name(one): one for one in _listed(document, "categories") if isinstance(one, dict)}
    group = next((one["supercategory"] for one in old.values() if "supercategory" in one), "")
    kept = []
    for row, entry in enumerate(entries):
        image = int(annotations.image[row])
        if row not in plan.dropped_rows and image in number:
            label = used[row]
            ids = {"image_id": number[image], "category_id": None if label is None else category[label]}
            kept.append({**entry, "id": len(kept) + 1} | ids)
    document["images"], document["annotations"] = kept_images, kept
    document["categories"] = [
        {"supercategory": group, **old.get(label, {}), "id": i, "name": label} for label, i in category.items()
    ]
