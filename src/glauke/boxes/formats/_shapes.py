"""The box that encloses a region, for every shape that VIA draws.

Fields and units are those of VIA's `shape_attributes`: pixels, the top-left corner of a rectangle, the angle of an
ellipse in radians (absent before VIA 2.0.8).
"""

import math
from collections.abc import Callable, Mapping

from .._annotations import SHAPES
from ._via_document import kind_of_value, shortened

Box = tuple[float | int, float | int, float | int, float | int]
"""Left, top, width and height in pixels."""

MOST_PIXELS = 1e9
"""No picture is this wide; coordinates beyond it are damage, and their products would leave float64's exact range."""

UNKNOWN = SHAPES.index("unknown")
NO_BOX: Box = (math.nan, math.nan, math.nan, math.nan)

_CODES = {name: code for code, name in enumerate(SHAPES) if code != UNKNOWN} | {"rectangle": SHAPES.index("rect")}
_FIELDS = ("x", "y", "width", "height")


def enclosing_box(shape_attributes: Mapping[str, object]) -> tuple[int, Box]:
    """The shape's index in `SHAPES` and the smallest upright box around it.

    Of a shape that no box can be made of, the index is that of "unknown" and the box is NaN; `shape_problem` says why.
    A rotated ellipse gets the exact bounds of its curve.

    >>> enclosing_box({"name": "circle", "cx": 10, "cy": 20, "r": 5})
    (1, (5, 15, 10, 10))
    """
    code, box, _ = _enclosed(shape_attributes)
    return code, box


def shape_problem(shape_attributes: object) -> str | None:
    """Why no box can be made of a shape, as the end of a sentence; None if one can.

    >>> shape_problem({"name": "circle", "cx": 10, "cy": 20})
    "is a circle without 'r'"
    """
    if shape_attributes is None:
        return "has no shape_attributes"
    if not isinstance(shape_attributes, Mapping):
        return f"has {kind_of_value(shape_attributes)} for its shape_attributes"
    return _enclosed(shape_attributes)[2]


def rect_problem(x: object, y: object, width: object, height: object) -> str | None:
    """Why four values make no box, as the end of a sentence; None if they do."""
    for field, value in zip(_FIELDS, (x, y, width, height), strict=True):
        if (wrong := _wrong_number(value, least=-MOST_PIXELS if field in "xy" else 0)) is not None:
            return f"has {wrong} for its {field}"
    return None


def _enclosed(shape: Mapping[str, object]) -> tuple[int, Box, str | None]:
    name = shape.get("name")
    if not isinstance(name, str):
        return UNKNOWN, NO_BOX, "has no name of a shape" if name is None else f"has {kind_of_value(name)} as its shape"
    code = _CODES.get(name.strip().lower(), UNKNOWN)
    if code == UNKNOWN:
        return UNKNOWN, NO_BOX, f"has the shape {shortened(name)!r}, which VIA does not know"
    try:
        box = _BOUNDS[SHAPES[code]](shape)
    except KeyError as missing:
        return UNKNOWN, NO_BOX, f"is a {SHAPES[code]} without {missing.args[0]!r}"
    except _ShapeError as wrong:
        return UNKNOWN, NO_BOX, str(wrong)
    left, top, width, height = box
    if left >= -MOST_PIXELS and top >= -MOST_PIXELS and width <= MOST_PIXELS and height <= MOST_PIXELS:
        return code, box, None
    return UNKNOWN, NO_BOX, rect_problem(*box)


class _ShapeError(ValueError):
    """Values that make no box; the text is the end of a sentence."""


def _wrong_number(value: object, *, least: float | int = -MOST_PIXELS) -> str | None:
    if type(value) is not int and type(value) is not float:
        return kind_of_value(value)
    if least <= value <= MOST_PIXELS:
        return None
    return f"the number {str(value)[:24]}"


def _number(shape: Mapping[str, object], field: str, *, least: float | int = -MOST_PIXELS) -> float | int:
    value = shape[field]
    if (type(value) is int or type(value) is float) and least <= value <= MOST_PIXELS:
        return value
    raise _ShapeError(f"has {_wrong_number(value, least=least)} for its {field}")


def _rect(shape: Mapping[str, object]) -> Box:
    return (
        _number(shape, "x"),
        _number(shape, "y"),
        _number(shape, "width", least=0),
        _number(shape, "height", least=0),
    )


def _circle(shape: Mapping[str, object]) -> Box:
    cx, cy, r = _number(shape, "cx"), _number(shape, "cy"), _number(shape, "r", least=0)
    return cx - r, cy - r, 2 * r, 2 * r


def _ellipse(shape: Mapping[str, object]) -> Box:
    cx, cy = _number(shape, "cx"), _number(shape, "cy")
    rx, ry = _number(shape, "rx", least=0), _number(shape, "ry", least=0)
    theta = _number(shape, "theta") if "theta" in shape else 0
    if theta == 0:
        return cx - rx, cy - ry, 2 * rx, 2 * ry
    half_width = math.hypot(rx * math.cos(theta), ry * math.sin(theta))
    half_height = math.hypot(rx * math.sin(theta), ry * math.cos(theta))
    return cx - half_width, cy - half_height, 2 * half_width, 2 * half_height


def _point(shape: Mapping[str, object]) -> Box:
    return _number(shape, "cx"), _number(shape, "cy"), 0, 0


def _points(shape: Mapping[str, object]) -> Box:
    xs, ys = _coordinates(shape, "all_points_x"), _coordinates(shape, "all_points_y")
    if len(xs) != len(ys):
        raise _ShapeError(f"has {len(xs)} numbers in all_points_x and {len(ys)} in all_points_y")
    left, top = min(xs), min(ys)
    return left, top, max(xs) - left, max(ys) - top


def _coordinates(shape: Mapping[str, object], field: str) -> list[float | int]:
    values = shape[field]
    if not isinstance(values, list):
        raise _ShapeError(f"has {kind_of_value(values)} for its {field}")
    if not values:
        raise _ShapeError(f"has no numbers in {field}")
    if not set(map(type, values)) <= {int, float} or not all(-MOST_PIXELS <= v <= MOST_PIXELS for v in values):
        wrong = next(wrong for value in values if (wrong := _wrong_number(value)) is not None)
        raise _ShapeError(f"has {wrong} in {field}")
    return values


def _extreme_rectangle(shape: Mapping[str, object]) -> Box:
    """Four clicks on the four sides, or the rectangle that they gave."""
    return _points(shape) if "all_points_x" in shape else _rect(shape)


def _extreme_circle(shape: Mapping[str, object]) -> Box:
    """Three clicks on the rim, or the circle that they gave."""
    if "all_points_x" not in shape:
        return _circle(shape)
    xs, ys = _coordinates(shape, "all_points_x"), _coordinates(shape, "all_points_y")
    if not len(xs) == len(ys) == 3:
        raise _ShapeError(f"is a circle through {len(xs)} and {len(ys)} coordinates, and 3 points are needed")
    (ax, bx, cx), (ay, by, cy) = (value - xs[0] for value in xs), (value - ys[0] for value in ys)
    assert ax == ay == 0
    twice = 2 * (bx * cy - by * cx)
    if twice == 0:
        raise _ShapeError("is a circle through 3 points on one line")
    # https://en.wikipedia.org/wiki/Circumcircle#Cartesian_coordinates_2, with the first point at the origin.
    b, c = bx * bx + by * by, cx * cx + cy * cy
    x, y = (cy * b - by * c) / twice, (bx * c - cx * b) / twice
    r = math.hypot(x, y)
    return xs[0] + x - r, ys[0] + y - r, 2 * r, 2 * r


_BOUNDS: dict[str, Callable[[Mapping[str, object]], Box]] = {
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "polygon": _points,
    "polyline": _points,
    "point": _point,
    "line": _points,
    "extreme_rectangle": _extreme_rectangle,
    "extreme_circle": _extreme_circle,
}
