"""Changes in a project of VIA 3, in place."""

from .._annotations import Annotations
from ..formats._via3 import via3_part, via3_regions
from ..formats._via3_attributes import via3_attributes
from ._cut_shapes import cut_xy
from ._fix_via import with_label
from ._plan import Plan

_CHOICES = {2: "checkbox", 3: "radio", 4: "dropdown"}


def change_via3(document: dict, annotations: Annotations, plan: Plan) -> None:
    """Carry out a plan in the parsed JSON of a project."""
    metadata = via3_part(document, "metadata")
    regions = via3_regions(document)
    number = _class_number(document, annotations)
    for row in sorted(plan.rows()):
        image = int(annotations.image[row])
        if image in plan.dropped_pictures:
            continue
        key = regions[annotations.keys[image]][int(annotations.region[row])]
        if row in plan.dropped_rows:
            del metadata[key]
            continue
        region = metadata[key]
        if row in plan.boxes:
            region["xy"] = cut_xy(region["xy"], plan.boxes[row])
        if row in plan.labels and number is not None:
            region["av"] = _with_label(document, region["av"], number, plan.labels[row])
    for image, name in plan.names.items():
        _rename(document, annotations, image, name)
    for image in plan.dropped_pictures:
        _drop(document, annotations.keys[image])


def _class_number(document: dict, annotations: Annotations) -> str | None:
    """The number under which the project declares the attribute that holds the class."""
    names = via3_attributes(via3_part(document, "attribute")).names
    return next(
        (key for key, name in names.items() if name == annotations.class_attribute), annotations.class_attribute
    )


def _with_label(document: dict, values: dict, number: str, label: str) -> dict:
    declaration = via3_part(document, "attribute").get(number)
    if not isinstance(declaration, dict) or not isinstance(declaration.get("options"), dict):
        return values | {number: label}
    kind = next((name for code, name in _CHOICES.items() if code == declaration.get("type")), None)
    # VIA 3 writes one ticked option of a checkbox as it writes the choice of a dropdown: as the option's id.
    seen = {"type": kind, "options": declaration["options"]}
    return with_label({**values, number: ""}, number, label, seen)


def _rename(document: dict, annotations: Annotations, image: int, name: str) -> None:
    old, key = annotations.names[image], annotations.keys[image]
    views, files = via3_part(document, "view"), via3_part(document, "file")
    ids = _listed(views[key]) if key in views else [key.removeprefix("file ")]
    file: object = files.get(str(ids[0])) if ids else None
    if not isinstance(file, dict):
        return
    for field in [field for field in ("fname", "src") if file.get(field) == old] or ["fname"]:
        file[field] = name


def _drop(document: dict, key: str) -> None:
    """Take out a view with its regions, and the files that no other view shows."""
    views, files, metadata = (via3_part(document, part) for part in ("view", "file", "metadata"))
    if key not in views:
        files.pop(key.removeprefix("file "), None)
        return
    shown = {str(fid) for fid in _listed(views.pop(key))}
    for fid in shown - {str(fid) for view in views.values() for fid in _listed(view)}:
        files.pop(fid, None)
    for region in [r for r, one in metadata.items() if isinstance(one, dict) and str(one.get("vid")) == key]:
        del metadata[region]
    project = document.get("project")
    if isinstance(project, dict) and isinstance(order := project.get("vid_list"), list):
        project["vid_list"] = [vid for vid in order if str(vid) != key]


def _listed(view: object) -> list:
    listed = view.get("fid_list") if isinstance(view, dict) else None
    return listed if isinstance(listed, list) else []
