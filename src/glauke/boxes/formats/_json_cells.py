"""JSON in the cells of a CSV: read many at once, and one by one only where something is wrong."""

import json
import re
from collections.abc import Sequence

from glauke.errors import DataError
from glauke.files import parse_json

_STRING = re.compile(r'("(?:[^"\\]|\\.)*+")(\s*+:\s*+undefined\b)?')


def parsed_cells(cells: Sequence[str]) -> list[object] | None:
    """The value of each cell, by the rules of `parse_json`; None if any of them breaks one.

    A blank cell is an empty object, as VIA means it.
    """
    # Between two cells stands a text that is in none of them, so that no two halves can make a whole.
    fence = "|"
    joined = "".join(cells)
    while f'"{fence}"' in joined:
        fence += "|"
    text = f',"{fence}",'.join(cell if cell and not cell.isspace() else "{}" for cell in cells)
    try:
        values = parse_json(f"[{text}]".encode(), place="")
    except DataError:
        return None
    assert isinstance(values, list)
    if len(values) != 2 * len(cells) - 1 or any(value != fence for value in values[1::2]):
        return None
    return values[::2]


def parsed_cell(cell: str) -> tuple[object, bool]:
    """The value of one cell, and whether it holds JavaScript's `undefined`.

    VIA's CSV export writes `{"class":undefined}`, which is not JSON, where nothing was chosen in a dropdown; its JSON
    export leaves the key out, and so do we.

    Raises:
        DataError: it is not JSON.
    """
    if not cell or cell.isspace():
        return {}, False
    try:
        return parse_json(cell.encode(), place=""), False
    except DataError:
        if "undefined" not in cell:
            raise
    missing: list[str] = []

    def as_null(found: re.Match[str]) -> str:
        if found[2] is None:
            return found[0]
        missing.append(found[1])
        return f"{found[1]}:null"

    value = parse_json(_STRING.sub(as_null, cell).encode(), place="")
    if isinstance(value, dict):
        for key in map(json.loads, missing):
            if value.get(key, 0) is None:
                del value[key]
    return value, True
