"""Photographs within a page, as data of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from glauke.errors import DataError

from ._html import Child, Markup, element
from ._words import amount

KINDS = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}
Tile = tuple[bytes, str, Sequence[Child]]
"""A picture as PNG or JPEG, what it shows for who cannot see it, and the lines below it."""


def photograph_grid(photographs: Sequence[tuple[str, bytes]]) -> Markup | None:
    """Photographs with their captions, side by side where there is room."""
    made = [element("figure", _image(*photo), element("figcaption", photo[0])) for photo in photographs]
    return element("div", made, class_="photographs") if made else None


def sheets_of_labels(sheets: Sequence[tuple[str, bytes]], *, labels: int) -> list[Child]:
    """Contact sheets below each other, with what a reader should look for; `labels` are all that have boxes."""
    if not sheets:
        return []
    missing = f" Without a sheet here: {amount(labels - len(sheets), 'label')}." if len(sheets) < labels else ""
    said = "What does not belong catches the eye. Below each box: the end of its picture's name, and its region."
    made: list[Child] = [element("p", f"{said}{missing}")]
    for caption, jpeg in sheets:
        # A narrow screen scrolls a sheet instead of shrinking it.
        drawn = element("div", _image(caption, jpeg), class_="scroll", role="region", aria_label=caption, tabindex="0")
        made.append(element("figure", drawn, element("figcaption", caption), class_="sheet"))
    return made


def tile_grid(tiles: Iterable[Tile], *, kind: str = "tiles") -> Markup | None:
    """Small pictures side by side, as many as there is room for, each with its lines; their pixels stay squares.

    `kind` is how large they are: "tiles", "small tiles" or "wide tiles".
    """
    made = [
        element(
            "figure",
            _image(alt, picture),
            element("figcaption", [element("span", line) for line in lines if line]) if lines else None,
        )
        for picture, alt, lines in tiles
    ]
    return element("div", made, class_=kind) if made else None


def _image(alt: str, data: bytes) -> Markup:
    kind = next((name for start, name in KINDS.items() if data.startswith(start)), None)
    if kind is None:
        raise DataError(f"the photograph {alt!r:.80} is not JPEG, nor PNG")
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return element("img", src=source, alt=alt, class_="pixels" if kind == "png" else None)
