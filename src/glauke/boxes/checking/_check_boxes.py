"""Boxes that are empty, tiny, or reach beyond their picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from jaxtyping import Bool, Float, Int

from .._annotations import SHAPES, Annotations
from .._findings import Finding, Severity, What
from .._wording import counted, number
from ._placed import Placed, of_file, of_rows

TINY_PX = 3
"""VIA itself refuses to draw a side this short, but its resizing does not."""
CLAMP_PX = 2
"""How far a hand may slip over the edge: files of eleven annotators reach no further where the picture is right."""
_ROUNDING_PX = 0.02  # what writing a coordinate with two decimals, or as a fraction, may add
_OUTLINED = [SHAPES.index(name) for name in ("point", "polyline", "line", "unknown")]
"""Shapes that have no area of their own, so that a side of 0 is nothing wrong."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckedBoxes:
    """Findings about boxes, and what boxes would be once they were mended."""

    found: list[Placed]

    boxes_xywh: Float[np.ndarray, "regions 4"]
    """Boxes cut to their pictures."""

    gone: Bool[np.ndarray, " regions"]
    """Which regions would be set aside for their box."""


def has_area(annotations: Annotations) -> Bool[np.ndarray, " regions"]:
    """Which regions are shapes with an area: rectangles, circles, ellipses, polygons."""
    return ~np.isin(annotations.shape, _OUTLINED)


def check_boxes(
    annotations: Annotations,
    *,
    widths: Int[np.ndarray, " pictures"],
    heights: Int[np.ndarray, " pictures"],
    skip: set[int],
) -> CheckedBoxes:
    """Check every box; `widths` and `heights` are those of the pictures that the boxes belong to, 0 if unknown.

    Regions of `skip` are known to have no box for a reason that the reader has given.
    """
    boxes = annotations.boxes_xywh
    finite = np.isfinite(boxes).all(axis=1)
    area = has_area(annotations) & finite
    shorter = np.minimum(boxes[:, 2], boxes[:, 3])
    empty = area & (shorter <= 0)
    tiny = area & (shorter > 0) & (shorter <= TINY_PX)
    unread = np.flatnonzero(~finite)
    if skip:
        unread = unread[~np.isin(unread, list(skip))]
    outside, cut, lost = _outside(annotations, widths, heights, candidates=finite & ~empty)
    found = [
        _about_boxes(annotations, unread, "bad-shape", "error", repeat("no box can be made of the region")),
        _about_boxes(
            annotations, np.flatnonzero(empty), "empty-box", "error", _sides(boxes[empty], "encloses nothing")
        ),
        _about_boxes(
            annotations, np.flatnonzero(tiny), "tiny-box", "warning",
            _sides(boxes[tiny], f"has a side of {TINY_PX} pixels or less, as a slip of the hand leaves it"),
        ),
        *outside,
        _other_shapes(annotations),
    ]  # fmt: skip
    return CheckedBoxes(found=found, boxes_xywh=cut, gone=~finite | empty | tiny | lost)


def _about_boxes(
    annotations: Annotations, rows: np.ndarray, rule: str, severity: Severity, messages: Iterable[str]
) -> Placed:
    return of_rows(
        annotations,
        rows,
        rule=rule,
        severity=severity,
        messages=messages,
        fixes=repeat("draw it again, or delete it"),
        whats=repeat("drop-region"),
    )


def _sides(boxes: Float[np.ndarray, "n 4"], what: str) -> list[str]:
    return [f"the box of {number(w)}x{number(h)} pixels {what}" for _, _, w, h in boxes.tolist()]


def _outside(
    annotations: Annotations, widths: np.ndarray, heights: np.ndarray, *, candidates: Bool[np.ndarray, " regions"]
) -> tuple[list[Placed], Float[np.ndarray, "regions 4"], Bool[np.ndarray, " regions"]]:
    """Findings, all boxes cut to their pictures, and which would be lost by that."""
    boxes = annotations.boxes_xywh
    limits = np.stack([widths, heights], axis=1).astype(np.float64)
    limits[limits <= 0] = np.inf
    limits = limits[annotations.image]
    near, far = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    beyond = np.concatenate([-near, far - limits], axis=1)  # left, top, right, bottom
    reach = beyond.max(axis=1, initial=0)
    over = np.flatnonzero(candidates & (reach > _ROUNDING_PX))
    start = np.clip(near[over], 0, limits[over])
    end = np.clip(far[over], 0, limits[over])
    cut = boxes.copy()
    cut[over] = np.concatenate([start, end - start], axis=1)
    sides = boxes[over, 2:]
    shares = np.divide(end - start, sides, out=(beyond[over][:, :2] <= 0).astype(np.float64), where=sides > 0)
    slip = reach[over] <= CLAMP_PX
    # A point has no area: beyond a slip it is elsewhere.
    flat = (sides <= 0).all(axis=1)
    keep = slip | ((shares.prod(axis=1) >= 0.5) & ~flat)
    keep &= ~(has_area(annotations)[over] & (cut[over, 2:].min(axis=1, initial=np.inf) <= TINY_PX))
    lost = np.zeros(len(annotations), np.bool_)
    lost[over[~keep]] = True
    found = []
    parts: list[tuple[Severity, np.ndarray]] = [("note", slip), ("error", ~slip)]
    for severity, chosen in parts:
        rows = over[chosen]
        messages = _beyond(boxes[rows], beyond[rows], limits[rows])
        whats: list[What] = ["box" if kept else "drop-region" for kept in keep[chosen].tolist()]
        fixes = ["cut it to the picture" if what == "box" else "draw it again, or delete it" for what in whats]
        values = [tuple(box) for box in cut[rows].tolist()]
        found.append(
            of_rows(
                annotations, rows, rule="outside-picture", severity=severity,
                messages=messages, fixes=fixes, whats=whats, values=values,
            )
        )  # fmt: skip
    return found, cut, lost


def _beyond(boxes: np.ndarray, beyond: np.ndarray, limits: np.ndarray) -> list[str]:
    messages = []
    names = ("left", "top", "right", "bottom")
    for (x, y, w, h), by, (width, height) in zip(boxes.tolist(), beyond.tolist(), limits.tolist(), strict=True):
        edges = [f"{number(px)} px over the {name}" for px, name in zip(by, names, strict=True) if px > _ROUNDING_PX]
        known = [f"{number(side)} px {name}" for side, name in ((width, "wide"), (height, "high")) if side != np.inf]
        picture = f", in a picture {' and '.join(known)}" if known else ""
        messages.append(
            f"the box from ({number(x)}, {number(y)}) to ({number(x + w)}, {number(y + h)}) reaches "
            f"{' and '.join(edges)} edge{picture}"
        )
    return messages


def _other_shapes(annotations: Annotations) -> Placed:
    findings = []
    for name, count in annotations.shape_counts().items():
        if name in ("rect", "unknown"):
            continue
        what = "a point encloses nothing and is no box" if name == "point" else "the box around it is used"
        message = f"{counted(count, 'region')} of the shape {name}: {what}"
        findings.append(Finding(rule="other-shape", severity="note", message=message))
    return of_file(findings)
