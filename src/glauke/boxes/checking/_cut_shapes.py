"""Shapes cut to a box, in the forms of VIA 2, VIA 3 and COCO."""

from collections.abc import Sequence

from ..formats._shapes import Box
from ..writing._picture_boxes import Number, plain

_POINTS = ("all_points_x", "all_points_y")


def cut_shape(shape: dict, box: Box) -> dict:
    """VIA 2's `shape_attributes` within `box`; what cannot be cut and stay what it is becomes a rectangle.

    >>> cut_shape({"name": "polygon", "all_points_x": [-2, 9, 4], "all_points_y": [1, 1, 8]}, (0, 1, 9, 7))
    {'name': 'polygon', 'all_points_x': [0, 9, 4], 'all_points_y': [1, 1, 8]}
    """
    x, y, width, height = (plain(value) for value in box)
    if all(isinstance(shape.get(field), list) for field in _POINTS):
        return shape | {
            "all_points_x": _within(shape["all_points_x"], x, width),
            "all_points_y": _within(shape["all_points_y"], y, height),
        }
    if shape.get("name") == "point":
        return shape | {"cx": x, "cy": y}
    if "width" in shape:
        return shape | {"x": x, "y": y, "width": width, "height": height}
    return {"name": "rect", "x": x, "y": y, "width": width, "height": height}


def cut_xy(xy: list, box: Box) -> list:
    """VIA 3's `xy`, a number for the shape and its coordinates, within `box`.

    >>> cut_xy([2, -1, 5, 11, 10], (0, 5, 10, 10))
    [2, 0, 5, 10, 10]
    """
    x, y, width, height = (plain(value) for value in box)
    if xy[0] == 1:
        return [1, x, y]
    if xy[0] in (5, 6, 7):
        return [xy[0], *cut_outline(xy[1:], box)]
    return [2, x, y, width, height]


def cut_outline(outline: Sequence[object], box: Box) -> list:
    """Coordinates in turn, x, y, x, y, within `box`."""
    x, y, width, height = (plain(value) for value in box)
    cut = list(outline)
    cut[::2] = _within(cut[::2], x, width)
    cut[1::2] = _within(cut[1::2], y, height)
    return cut


def _within(values: Sequence[object], start: Number, length: Number) -> list:
    return [min(max(v, start), start + length) if isinstance(v, int | float) else v for v in values]
