"""Photographs within a page, as data of its own."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from glauke.errors import DataError

from ._boxes_captions import amount
from ._html import Child, Markup, element

JPEG = b"\xff\xd8\xff"


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


def _image(caption: str, jpeg: bytes) -> Markup:
    if not jpeg.startswith(JPEG):
        raise DataError(f"the photograph {caption!r:.80} is not JPEG")
    return element("img", src=f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}", alt=caption)
