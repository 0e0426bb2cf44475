"""What two annotators drew around one object: the same box under two labels, or twice under one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .._annotations import Annotations
from .._findings import Finding
from ..formats._via_document import ViaDocument
from ._to_via import sound_regions

SAME_OBJECT = 0.5  # IoU from which PASCAL VOC's evaluation takes two boxes for one object


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Box and label of one region that encloses something."""

    box_xywh: tuple[float, ...]
    label: str | None


def drawn_regions(document: ViaDocument, annotations: Annotations) -> dict[str, dict[int, Drawn]]:
    """Box and label by key and by the number among the regions that `sound_regions` keeps, read as `annotations`."""
    boxes, encloses = annotations.boxes_xywh.tolist(), annotations.encloses.tolist()
    found: dict[str, dict[int, Drawn]] = {}
    for row, (image, region) in enumerate(zip(annotations.image.tolist(), annotations.region.tolist(), strict=True)):
        if encloses[row]:
            drawn = Drawn(box_xywh=tuple(boxes[row]), label=annotations.label_of(row))
            found.setdefault(annotations.keys[image], {})[region] = drawn
    for key, by_number in found.items():
        kept = [number for number, _ in sound_regions(document.entries[key])]
        if kept != list(range(len(kept))):
            found[key] = {new: by_number[old] for new, old in enumerate(kept) if old in by_number}
    return found


def disagreements(
    first: Sequence[tuple[int, Drawn]],
    second: Sequence[tuple[int, Drawn]],
    *,
    image: str,
    owners: Sequence[str],
    name: str,
) -> list[Finding]:
    """Pairs of regions of one object, best overlap first, each region in one pair at most.

    `owners` says by region number which file the first ones come from; the second ones come from `name`.
    """
    if not first or not second:
        return []
    overlap = iou(np.array([d.box_xywh for _, d in first]), np.array([d.box_xywh for _, d in second]))
    rows, columns = np.nonzero(overlap >= SAME_OBJECT)
    findings, used = [], set()
    for i in np.argsort(-overlap[rows, columns], kind="stable"):
        a, b = int(rows[i]), int(columns[i])
        if ("first", a) in used or ("second", b) in used:
            continue
        used |= {("first", a), ("second", b)}
        (number, one), (added, other) = first[a], second[b]
        pair = f"region {number} (from {owners[number]}) and region {added} (from {name})"
        if one.label != other.label:
            message = f"{pair} overlap by IoU {overlap[a, b]:.2f}, as {_said(one)} and as {_said(other)}"
            finding = Finding(
                rule="label-conflict",
                severity="error",
                message=message,
                image=image,
                region=added,
                fix="look at the picture, and delete the wrong one of the two",
            )
        else:
            finding = Finding(
                rule="annotated-twice",
                severity="warning",
                message=f"{pair} are both {_said(one)} and overlap by IoU {overlap[a, b]:.2f}: one object drawn twice?",
                image=image,
                region=added,
                fix="delete the worse one of the two",
            )
        findings.append(finding)
    return findings


def iou(first: Float[np.ndarray, "a 4"], second: Float[np.ndarray, "b 4"]) -> Float[np.ndarray, "a b"]:
    """Intersection over union of every pair of boxes (x, y, width, height), all with a positive area."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    far = np.minimum((first[:, :2] + first[:, 2:])[:, None], (second[:, :2] + second[:, 2:])[None])
    shared = np.clip(far - corner, 0, None).prod(axis=-1)
    total = first[:, 2:].prod(axis=-1)[:, None] + second[:, 2:].prod(axis=-1)[None] - shared
    return shared / total


def _said(drawn: Drawn) -> str:
    return repr(drawn.label) if drawn.label is not None else "unlabelled"
