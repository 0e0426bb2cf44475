"""VIA 3's shapes, a number and coordinates, as the `shape_attributes` of VIA 2."""

_POINTS = {5: "line", 6: "polyline", 7: "polygon", 8: "extreme_rectangle", 9: "extreme_circle"}
_FIELDS = {
    1: ("point", "cx", "cy"),
    2: ("rect", "x", "y", "width", "height"),
    3: ("circle", "cx", "cy", "r"),
    4: ("ellipse", "cx", "cy", "rx", "ry"),
}
_SHORT = {8: ("extreme_rectangle", *_FIELDS[2][1:]), 9: ("extreme_circle", *_FIELDS[3][1:])}
"""Extreme shapes as the rectangle or circle that the clicks gave, in place of the clicks."""


def via2_shape(xy: object) -> dict[str, object]:
    """The shape as VIA 2 writes it; of a damaged one what there is, for the reader of shapes to say what is missing.

    >>> via2_shape([2, 10, 20, 50, 80])
    {'name': 'rect', 'x': 10, 'y': 20, 'width': 50, 'height': 80}
    """
    if not isinstance(xy, list) or not xy:
        return {"name": xy}
    code, coordinates = xy[0], xy[1:]
    if isinstance(code, bool) or not isinstance(code, int):
        return {"name": code}
    fields = _FIELDS.get(code)
    if code in _SHORT and len(coordinates) == len(_SHORT[code]) - 1:
        fields = _SHORT[code]
    if fields is not None:
        return {"name": fields[0]} | dict(zip(fields[1:], coordinates, strict=False))
    if code in _POINTS:
        return {"name": _POINTS[code], "all_points_x": coordinates[::2], "all_points_y": coordinates[1::2]}
    return {"name": f"number {code}"}
