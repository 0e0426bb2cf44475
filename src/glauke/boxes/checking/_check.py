"""What is wrong with annotations: the rules of `RULES`, over columns, so that a million boxes take seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from .._annotations import Annotations
from .._findings import Change, Finding
from .._pictures import PictureFolder
from ..repairing._repair import STRUCTURAL
from ._check_boxes import check_boxes
from ._check_duplicates import check_duplicates
from ._check_labels import check_labels
from ._check_pictures import check_pictures
from ._placed import Placed, in_order

_LABEL_RULES = ("several-labels", "bad-entry", "bad-row")
_CATEGORY_RULES = ("null-category", "unknown-category")


def check(
    annotations: Annotations,
    *,
    labels: Sequence[str] | None = None,
    pictures: PictureFolder | None = None,
    unrepaired: Annotations | None = None,
) -> tuple[Finding, ...]:
    """Everything that is wrong with annotations, or worth knowing, by picture and region.

    With `labels` every other label is an error; without them, rare spellings of common labels are warnings. With
    `pictures` each entry is held against the file that it names, and against the one that has its length in bytes.
    `unrepaired` is what the file itself says, where `annotations` were repaired from another one: what that has mended
    is still wrong with the file. What the reader found is part of the result.
    """
    read = _from_reader(annotations, unrepaired)
    checked_pictures = check_pictures(annotations, pictures=pictures)
    checked_boxes = check_boxes(
        annotations, widths=checked_pictures.widths, heights=checked_pictures.heights, skip=read.without_box
    )
    gone = checked_boxes.gone | checked_pictures.gone[annotations.image]
    checked_labels = check_labels(annotations, labels=labels, skip=read.without_label, gone=gone)
    parts = [read.found, *checked_pictures.found, *checked_labels.found, *checked_boxes.found]
    if annotations.kind != "table":  # whose rows are counts, and in no picture
        gone |= checked_labels.gone
        gone[list(read.dropped)] = True
        parts += check_duplicates(
            annotations,
            boxes_xywh=checked_boxes.boxes_xywh,
            label=checked_labels.label,
            gone=gone,
            skip=read.repeated,
        )
    return in_order(parts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Read:
    """What the reader has found, and the rows for which nothing more is said about it."""

    found: Placed
    without_label: set[int]
    without_box: set[int]
    repeated: set[int]
    dropped: set[int]


def _from_reader(annotations: Annotations, unrepaired: Annotations | None) -> _Read:
    findings = [*annotations.findings, *_mended(annotations, unrepaired)]
    images = _images(annotations, findings)
    rows = _rows(annotations, findings, images)
    coco = annotations.kind in ("coco", "via-coco")
    by_rule: dict[str, set[int]] = {}
    for i, (finding, row) in enumerate(zip(findings, rows.tolist(), strict=True)):
        if row >= 0:
            by_rule.setdefault(finding.rule, set()).add(row)
        if finding.change is None and finding.severity != "note":
            if row >= 0:
                change = Change(what="drop-region", image=int(annotations.image[row]), region=row)
                findings[i] = replace(finding, change=change)
            elif coco and finding.region is None:
                findings[i] = replace(finding, change=Change(what="categories", image=-1))
    by_file = {finding.rule for finding in findings if finding.region is None}
    unlabelled = by_file.intersection(_CATEGORY_RULES) or (
        "several-labels" in by_file and (annotations.label < 0).all()
    )
    without_label = set().union(*(by_rule.get(rule, ()) for rule in _LABEL_RULES))
    if unlabelled:
        without_label.update(np.flatnonzero(annotations.label < 0).tolist())
    without_box = set(by_rule.get("bad-shape", ()))
    if any(finding.rule == "size-unknown" for finding in findings):
        without_box.update(np.flatnonzero(~np.isfinite(annotations.boxes_xywh).all(axis=1)).tolist())
    regions = np.array([-1 if finding.region is None else finding.region for finding in findings], np.int64)
    return _Read(
        found=Placed(images=images, regions=regions, findings=findings),
        without_label=without_label,
        without_box=without_box,
        repeated=by_rule.get("repeated-annotation", set()),
        dropped={f.change.region for f in findings if f.change and f.change.region is not None},
    )


def _mended(annotations: Annotations, unrepaired: Annotations | None) -> list[Finding]:
    """Structural findings of the file itself that repairs have mended: a fixed copy is written anew."""
    if unrepaired is None:
        return []
    still = {(finding.rule, finding.image, finding.region) for finding in annotations.findings}
    return [
        replace(
            finding,
            fix="write the document anew from the repaired annotations",
            change=Change(what="categories", image=-1),
        )
        for finding in unrepaired.findings
        if finding.rule in STRUCTURAL and (finding.rule, finding.image, finding.region) not in still
    ]


def _images(annotations: Annotations, findings: Sequence[Finding]) -> Int[np.ndarray, " findings"]:
    """Index of the picture of each finding, -1 where it is about none."""
    index: dict[str, int] = {}
    for i, name in enumerate(annotations.names):
        index.setdefault(name, i)
    return np.array(
        [f.change.image if f.change else -1 if f.image is None else index.get(f.image, -1) for f in findings], np.int64
    )


def _rows(
    annotations: Annotations, findings: Sequence[Finding], images: Int[np.ndarray, " findings"]
) -> Int[np.ndarray, " findings"]:
    """Row of each finding that is about a region, -1 for others."""
    rows = np.full(len(findings), -1, np.int64)
    wanted: dict[tuple[int, int], list[int]] = {}
    for i, finding in enumerate(findings):
        if finding.change is not None and finding.change.region is not None:
            rows[i] = finding.change.region
        elif finding.region is not None:
            wanted.setdefault((int(images[i]), finding.region), []).append(i)
    if wanted:
        among = np.flatnonzero(np.isin(annotations.region, [region for _, region in wanted]))
        places = zip(annotations.image[among].tolist(), annotations.region[among].tolist(), among.tolist(), strict=True)
        for image, region, row in places:
            for i in wanted.get((image, region), ()):
                rows[i] = row
    return rows
