"""Annotations of any kind become a file of another kind; what comes back from it are the same boxes and labels."""

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from glauke.errors import DataError, UnknownNameError, UsageError
from glauke.files import disk_errors, new_folder, write_bytes

from .._annotations import Annotations
from .._wording import counted
from ..formats._via_document import ViaDocument
from ._picture_boxes import only_rows, require_pictures
from ._to_coco import coco
from ._to_csv import safe_name, via_csv
from ._to_via import (
    file_declarations,
    folder_of_pictures,
    labelled_document,
    num_regions,
    via_document_of,
    via_project,
)
from ._to_voc import voc_files
from ._to_yolo import require_sizes, shortened_names, yolo_files

To = Literal["via", "coco", "yolo", "voc", "csv"]
NO_CLASS = "object"
"""Class of all boxes for formats that need one, where no box has a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What was written."""

    to: str
    out: Path
    paths: tuple[Path, ...]
    """Every file, below `out` if that is a folder."""

    pictures: int
    boxes: int
    labels: Mapping[str, int]
    """How many boxes carry each label."""

    notes: tuple[str, ...]
    """What a reader of the new file should know: what was left out, cut or named."""


def convert(annotations: Annotations, *, to: str, out: Path, document: ViaDocument | None = None) -> Converted:
    """Write annotations as VIA 2 project, VIA 2 CSV, COCO, a YOLO folder or a folder of Pascal VOC files.

    Regions that enclose nothing (points, broken shapes) are left out, and a note counts them; all others become their
    enclosing box. Given the VIA `document` that the annotations were read from, "via" and "csv" keep every shape and
    every attribute instead. Re-reading gives the same labels and, but for what YOLO cuts at the picture's edge, the
    same boxes to a thousandth of a pixel.

    Args:
        annotations: What to write; sound, as `unsound` tells.
        to: "via", "csv", "coco", "yolo" or "voc".
        out: The new file, or the new folder for "yolo" and "voc".
        document: Where the annotations come from, if that is VIA.

    Raises:
        UnknownNameError: `to` is not on the list.
        UsageError: `out` exists; nothing is overwritten.
        DataError: some boxes have no label where the format needs one, a picture has no known size where YOLO needs
            it, or names would leave the folder or fall on one file. Nothing has been written then.
    """
    if to not in get_args(To):
        raise UnknownNameError(to, kind="format to convert to", known=get_args(To))
    require_new(out)
    require_pictures(annotations)
    notes = _lost_by_reading(annotations)
    if to in ("via", "csv") and document is not None:
        labelled = labelled_document(document, annotations)
        if lost := sum(num_regions(document.entries[key]) - len(e["regions"]) for key, e in labelled.entries.items()):
            notes.append(f"left out: {counted(lost, 'region')} without a shape, which VIA could not open")
        return _converted_document(labelled, annotations, to=to, out=out, notes=notes)
    drawn = _enclosing(annotations, notes)
    if to in ("via", "csv"):
        return _converted_document(via_document_of(drawn), drawn, to=to, out=out, notes=notes)
    if to == "yolo":
        drawn = _touching(drawn, notes)
    drawn = _with_classes(drawn, to, notes)
    paths = _FOREIGN[to](drawn, out, notes)
    return Converted(
        to=to,
        out=out,
        paths=paths,
        pictures=len(drawn.names),
        boxes=len(drawn),
        labels=drawn.label_counts(),
        notes=tuple(notes),
    )


def require_new(out: Path) -> None:
    """Refuse to overwrite anything, and a place that nothing can be put into."""
    if os.path.lexists(out):
        raise UsageError(f"{out} exists", place="--out", fix="choose another name, or remove it first")
    above = next((folder for folder in out.parents if os.path.lexists(folder)), None)
    if above is not None and not above.is_dir():
        raise UsageError(f"{above} is no folder, so that {out} cannot be made", place="--out", fix="choose a folder")


def write_new(out: Path, data: bytes) -> tuple[Path, ...]:
    """Write one new file, with the folders above it."""
    with disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(out, data)
    return (out,)


def one_line_json(value: object) -> bytes:
    """JSON as VIA writes it, without blanks; half characters of odd file names become escapes."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")


def _converted_document(
    document: ViaDocument, annotations: Annotations, *, to: str, out: Path, notes: list[str]
) -> Converted:
    if to == "csv":
        renamed = sum(safe_name(entry["filename"]) != entry["filename"] for entry in document.entries.values())
        if renamed:
            notes.append(f'"./" put before {counted(renamed, "name")} that a spreadsheet would run as a formula')
        data = via_csv(document.entries).encode(errors="backslashreplace")
    else:
        project = via_project(
            document.entries,
            name=out.stem,
            region_attributes=document.attributes,
            file_attributes=file_declarations(document),
            default_filepath=folder_of_pictures(document),
        )
        data = one_line_json(project)
    if unlabelled := annotations.num_unlabelled():
        notes.append(f"without a label, here as in the source: {counted(unlabelled, 'region')}")
    return Converted(
        to=to,
        out=out,
        paths=write_new(out, data),
        pictures=len(document.entries),
        boxes=sum(len(entry["regions"]) for entry in document.entries.values()),
        labels=annotations.label_counts(),
        notes=tuple(notes),
    )


def _lost_by_reading(annotations: Annotations) -> list[str]:
    """What the source holds and `annotations` do not, since it could not be read."""
    counts = Counter(finding.rule for finding in annotations.findings if finding.severity == "error")
    notes = []
    for rule, what, said in (
        ("bad-row", "row", "of the source could not be read"),
        ("bad-entry", "damaged place", "in the source"),
    ):
        if count := counts[rule]:
            lists = "it" if count == 1 else "them"
            notes.append(f"{counted(count, what)} {said}; `glauke boxes check` lists {lists}")
    return notes


def _enclosing(annotations: Annotations, notes: list[str]) -> Annotations:
    keep = annotations.encloses
    if keep.all():
        return annotations
    shapes = only_rows(annotations, ~keep).shape_counts()
    listed = ", ".join(f"{count:,} {shape}" for shape, count in shapes.items())
    notes.append(f"left out: {counted(int((~keep).sum()), 'region')} without an area ({listed})")
    return only_rows(annotations, keep)


def _touching(annotations: Annotations, notes: list[str]) -> Annotations:
    """The boxes that share some area with their picture; a format in parts of the picture cannot hold the others."""
    require_sizes(annotations)
    left, top, width, height = annotations.boxes_xywh.T
    wide, high = annotations.widths[annotations.image], annotations.heights[annotations.image]
    touching = (left < wide) & (top < high) & (left + width > 0) & (top + height > 0)
    if touching.all():
        return annotations
    notes.append(f"left out: {counted(int((~touching).sum()), 'box', 'boxes')} outside of the picture")
    return only_rows(annotations, touching)


def _with_classes(annotations: Annotations, to: str, notes: list[str]) -> Annotations:
    """Every row with a label; refuse where some have one and some have none."""
    bare = np.flatnonzero(annotations.label < 0)
    if not len(bare):
        return annotations
    if len(bare) == len(annotations):
        notes.append(f"no box has a label: {counted(len(bare), 'box', 'boxes')} of the class {NO_CLASS!r}")
        return replace(annotations, label=np.zeros_like(annotations.label), labels=(NO_CLASS,))
    first = int(bare[0])
    raise DataError(
        f"{len(bare):,} of {counted(len(annotations), 'box', 'boxes')} without a label, and {to} needs one "
        f"for each; the first is region {annotations.region[first]} of {annotations.name_of(first)!r}",
        place=str(annotations.path),
        fix="label them in VIA, or set them aside with `glauke boxes check --fix`",
    )


def _write_coco(annotations: Annotations, out: Path, notes: list[str]) -> tuple[Path, ...]:
    _note_sizes(annotations, notes)
    return write_new(out, one_line_json(coco(annotations)))


def _write_yolo(annotations: Annotations, out: Path, notes: list[str]) -> tuple[Path, ...]:
    texts, cut = yolo_files(annotations)
    if cut:
        notes.append(f"cut at the edge of the picture: {counted(cut, 'box', 'boxes')}")
    notes += shortened_names(annotations)
    notes.append(f"put the pictures into {out / 'images'}; boxes in parts of a picture mean nothing without it")
    return _write_folder(texts, out)


def _write_voc(annotations: Annotations, out: Path, notes: list[str]) -> tuple[Path, ...]:
    _note_sizes(annotations, notes)
    return _write_folder(voc_files(annotations), out)


def _note_sizes(annotations: Annotations, notes: list[str]) -> None:
    unknown = int(((annotations.widths <= 0) | (annotations.heights <= 0)).sum())
    if unknown:
        notes.append(f"without width and height: {counted(unknown, 'picture')}; --images or --sizes would fill them in")


def _write_folder(texts: Mapping[str, str], out: Path) -> tuple[Path, ...]:
    with new_folder(out) as fresh:
        for folder in {Path(name).parent for name in texts}:
            (fresh / folder).mkdir(exist_ok=True)
        for name, text in texts.items():
            # "x": a name that another one fell on, in spite of the checks, is never written twice.
            with (fresh / name).open("xb") as file:
                file.write(text.encode())
    return tuple(out / name for name in texts)


_FOREIGN: Mapping[str, Callable[[Annotations, Path, list[str]], tuple[Path, ...]]] = {
    "coco": _write_coco,
    "yolo": _write_yolo,
    "voc": _write_voc,
}
