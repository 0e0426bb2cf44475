"""The box of one COCO annotation: its `bbox`, else what encloses its outline, mask or keypoints."""

import reprlib
from collections.abc import Mapping
from itertools import accumulate, chain

from .._annotations import SHAPES
from ._shapes import MOST_PIXELS, NO_BOX, UNKNOWN, Box

RECT, POLYGON, POINT = (SHAPES.index(name) for name in ("rect", "polygon", "point"))
_NUMBERS = frozenset({int, float})  # and not bool, which is an int to `isinstance`


class _BadShapeError(Exception):
    """Nothing can be made of the annotation; the message says why."""


def coco_box(annotation: Mapping) -> tuple[int, Box, str | None]:
    """Shape, box as x, y, width, height, and why there is none.

    A box that is an outline's bounds is as good as any; `bbox` is taken as it is written, since it may be finer. VIA
    writes a point without `bbox`, as one keypoint.

    >>> coco_box({"bbox": [10, 20, 30, 40]})
    (0, (10.0, 20.0, 30.0, 40.0), None)
    >>> coco_box({"bbox": [], "keypoints": [7, 9, 2]})
    (5, (7.0, 9.0, 0.0, 0.0), None)
    """
    try:
        return *_shape_and_box(annotation), None
    except _BadShapeError as error:
        return UNKNOWN, NO_BOX, str(error)


def is_flat(segmentation: object) -> bool:
    """Whether an outline is one list of numbers, as VIA 2.0.8 wrote it, and not a list of such lists."""
    return type(segmentation) is list and len(segmentation) > 0 and type(segmentation[0]) in _NUMBERS


def _shape_and_box(annotation: Mapping) -> tuple[int, Box]:
    bbox, outline = annotation.get("bbox"), annotation.get("segmentation")
    if bbox is None or bbox == []:
        return _without_bbox(annotation, outline)
    if type(bbox) is not list or len(bbox) != 4 or not _NUMBERS.issuperset(map(type, bbox)):
        raise _BadShapeError(f"its bbox is {_shown(bbox)}, but four numbers are needed")
    x, y, width, height = bbox
    if not all(-MOST_PIXELS <= value <= MOST_PIXELS for value in bbox):
        raise _BadShapeError(f"its bbox {_shown(bbox)} lies farther out than any picture reaches")
    if width < 0 or height < 0:
        raise _BadShapeError(f"the width or height of its bbox {_shown(bbox)} is negative")
    shape = RECT if not outline or _is_rectangle(outline, bbox) else POLYGON
    return shape, (float(x), float(y), float(width), float(height))


def _is_rectangle(outline: object, bbox: list) -> bool:
    if type(outline) is not list:
        return False
    points = outline if is_flat(outline) else outline[0] if len(outline) == 1 else None
    x, y, w, h = bbox
    # The corners in VIA's order first, which is nearly every file's; then in any order, and perhaps closed.
    if points == [x, y, x + w, y, x + w, y + h, x, y + h] or points == []:
        return True
    if type(points) is not list or len(points) not in (8, 10) or not _NUMBERS.issuperset(map(type, points)):
        return False
    corners = set(zip(points[::2], points[1::2], strict=True))
    return len(corners) == 4 and all(
        min(abs(px - x), abs(px - x - w)) <= 0.01 and min(abs(py - y), abs(py - y - h)) <= 0.01 for px, py in corners
    )


def _without_bbox(annotation: Mapping, outline: object) -> tuple[int, Box]:
    if isinstance(outline, dict):
        return POLYGON, _mask_bounds(outline)
    if type(outline) is list:
        parts = [outline] if is_flat(outline) else [part for part in outline if part != []]
        if parts:
            return POLYGON, _outline_bounds(parts)
    points = annotation.get("keypoints")
    if type(points) is list and len(points) >= 3 and len(points) % 3 == 0 and _numbers(points):
        seen = [points[i : i + 2] for i in range(0, len(points), 3) if points[i + 2] != 0]
        if seen:
            return POINT, _bounds([x for x, _ in seen], [y for _, y in seen])
    raise _BadShapeError("it has neither bbox, nor segmentation, nor keypoints")


def _outline_bounds(parts: list) -> Box:
    for part in parts:
        if type(part) is not list or len(part) % 2 or len(part) < 4 or not _numbers(part):
            raise _BadShapeError(f"its segmentation holds {_shown(part)}, but pairs of numbers are needed")
    return _bounds(list(chain(*(part[::2] for part in parts))), list(chain(*(part[1::2] for part in parts))))


def _mask_bounds(mask: Mapping) -> Box:
    """The box of a run-length encoded mask, in whole pixels as pycocotools' `toBbox` has it."""
    size, counts = mask.get("size"), mask.get("counts")
    if type(size) is not list or len(size) != 2 or any(type(v) is not int or not 0 < v < 10**6 for v in size):
        raise _BadShapeError(f"the size of its mask is {_shown(size)}, but height and width are needed")
    if isinstance(counts, str):
        counts = _decoded(counts)
    if type(counts) is not list or any(type(v) is not int or v < 0 for v in counts):
        raise _BadShapeError("the counts of its mask are neither a list of whole numbers nor a coded text")
    height, width = size
    ends = list(accumulate(counts))
    if not ends or ends[-1] != height * width:
        raise _BadShapeError(f"the counts of its mask sum to {ends[-1] if ends else 0}, not to {height} x {width}")
    # Columns from the left, each from the top; every second run is the object.
    runs = [(end - run, end - 1) for run, end in zip(counts[1::2], ends[1::2], strict=True) if run]
    if not runs:
        raise _BadShapeError("its mask is empty")
    tall = any(first // height != last // height for first, last in runs)
    top, bottom = (0, height - 1) if tall else (min(a % height for a, _ in runs), max(b % height for _, b in runs))
    left, right = runs[0][0] // height, runs[-1][1] // height
    return float(left), float(top), float(right - left + 1), float(bottom - top + 1)


def _decoded(text: str) -> list[int]:
    """Runs of a mask in the text form of the COCO API's maskApi.c, `rleFrString`.

    Five bits a character, the sixth says that more follow; from the fourth run on, the difference to the last but one.
    """
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise _BadShapeError("the counts of its mask are not what the COCO API writes")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            runs.append(value + runs[-2] if len(runs) > 2 else value)
            value = shift = 0
    return runs


def _bounds(xs: list, ys: list) -> Box:
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    return float(left), float(top), float(right - left), float(bottom - top)


def _numbers(values: list) -> bool:
    return _NUMBERS.issuperset(map(type, values)) and all(-MOST_PIXELS <= v <= MOST_PIXELS for v in values)


def _shown(value: object) -> str:
    return reprlib.repr(value)
