"""From a path to annotations with sizes and repairs: what every command on boxes begins with."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from glauke.errors import DataError

from ._annotations import SHAPES, Annotations
from ._findings import Finding
from ._pictures import PictureFolder, picture_folder
from ._sizes import sizes_from_csv, sizes_from_pictures, sizes_of_all, with_sizes
from ._wording import counted
from .formats._read import Document, annotations_of, open_document, read, require_annotations
from .repairing._repair import donor_beside, repaired, unsound


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A file of annotations, with everything around it that helps to understand it."""

    document: Document
    as_read: Annotations
    """What the file itself says, with the picture sizes that it stores."""

    annotations: Annotations
    """The same with true picture sizes and with repairs; equal to `as_read` where there were none."""

    pictures: PictureFolder | None
    donor: Path | None
    """The file that repairs came from."""

    notes: tuple[Finding, ...]
    """What was mended, and from where."""


def prepare(
    path: Path,
    *,
    attribute: str | None = None,
    labels: Collection[str] | None = None,
    images: Path | None = None,
    sizes: Path | None = None,
    repair_from: Path | None = None,
) -> Prepared:
    """Open a file of annotations, find out the sizes of its pictures, and mend it where another file allows it.

    Picture sizes come from `images` (the headers of the files), else from `sizes` (a CSV with filename, width, height),
    else from the file itself. Where an export has lost labels or pictures, they come back from `repair_from`, else
    from a VIA JSON in the same folder that has the same pictures.
    """
    return prepare_document(
        open_document(path), attribute=attribute, labels=labels, images=images, sizes=sizes, repair_from=repair_from
    )


def prepare_document(
    document: Document,
    *,
    attribute: str | None = None,
    labels: Collection[str] | None = None,
    images: Path | None = None,
    sizes: Path | None = None,
    repair_from: Path | None = None,
) -> Prepared:
    """`prepare` for a document that is open already, or was joined from several."""
    pictures = None if images is None else picture_folder(images)
    table = None if sizes is None else sizes_from_csv(sizes)
    known = table
    if document.kind == "yolo" and pictures is not None:
        known = (table or {}) | sizes_of_all(pictures)
    as_read = require_annotations(annotations_of(document, attribute=attribute, labels=labels, sizes=known))
    annotations, donor, notes = as_read, None, ()
    if repair_from is not None or unsound(as_read) is not None:
        donor = repair_from or donor_beside(document.path, as_read, read)
        if donor is not None:
            annotations, notes = repaired(as_read, require_annotations(read(donor, attribute=attribute)))
    if table is not None:
        annotations = with_sizes(annotations, table)
    if pictures is not None:
        annotations = with_sizes(annotations, sizes_from_pictures(annotations, pictures))
    return Prepared(
        document=document,
        as_read=as_read,
        annotations=annotations,
        pictures=pictures,
        donor=donor,
        notes=tuple(notes),
    )


def sound(prepared: Prepared, *, sizes: bool = True, labels: bool = True) -> Annotations:
    """The annotations, or a refusal: clusters, anchors and other formats need data without structural damage.

    Boxes in parts of a picture need its size too; without `sizes` those of a picture that is not there pass as NaN.
    Without `labels` a file that has lost them, and nothing else, passes as boxes without labels.
    """
    finding = unsound(prepared.annotations, labels=labels)
    if finding is not None:
        raise DataError(
            finding.message,
            place=str(prepared.document.path),
            fix=finding.fix or "give the VIA JSON that it was exported from with --repair-from",
        )
    if sizes and any(finding.rule == "size-unknown" for finding in prepared.as_read.findings):
        _require_pixels(prepared.as_read)
    if unsound(prepared.annotations) is not None:
        unlabelled = np.full_like(prepared.annotations.label, -1)
        return replace(prepared.annotations, label=unlabelled)
    return prepared.annotations


def _require_pixels(annotations: Annotations) -> None:
    rows = np.isnan(annotations.boxes_xywh).any(axis=1) & (annotations.shape != SHAPES.index("unknown"))
    if not rows.any():
        return
    pictures, boxes = len(np.unique(annotations.image[rows])), int(rows.sum())
    raise DataError(
        f"the size of {counted(pictures, 'picture')} is not known, so that {counted(boxes, 'box', 'boxes')} in parts "
        "of a picture cannot be told in pixels",
        place=str(annotations.path),
        fix="give the folder of the pictures with --images, or their sizes with --sizes",
    )
