"""Elements of HTML, for pages and for what a notebook shows of a value.

Text is escaped unless `element` itself has built it: there is no way to mark it safe. File names, class names, run
names and error texts all come from strangers, so every string that is not `Markup` is escaped, and characters that
would hide or reorder the text around them are written out.
"""

from __future__ import annotations

import base64
import html
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

THEME = re.compile(r"<style>svg\{color:.*?</style>")
"""What glauke.plots puts into a figure, so that it follows the theme around it."""
CARD = (
    "<style>div.glauke table th,div.glauke table td{text-align:left}"
    "div.glauke table.numeric td{text-align:right}</style>"
)
"""A notebook aligns every cell to the right, sentences too."""
VOID = frozenset({"img", "meta"})
# Embeddings, overrides and isolates: they can make "gpj.exe" read as "exe.jpg" (CVE-2021-42574).
REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Markup(str):
    """HTML that `element` has built; everything else is text and will be escaped."""

    __slots__ = ()


Child = str | Iterable[Any] | None
"""Text, markup, nothing, or several of these."""


def element(
    tag: str, *children: Child, attributes: Mapping[str, str | None] | None = None, **named: str | None
) -> Markup:
    """One element with its children; None, as a child or an attribute, is left out.

    Attributes given by name lose a trailing underscore, and inner ones become hyphens.

    >>> element("td", "a < b", class_="name", aria_label="less")
    '<td class="name" aria-label="less">a &lt; b</td>'
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in named.items()}
    written = "".join(
        f' {key}="{_escaped(value)}"' for key, value in {**(attributes or {}), **given}.items() if value is not None
    )
    if tag in VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{_joined(children)}</{tag}>")


def table(
    rows: Iterable[Sequence[Child]], *, caption: str, header: Sequence[str] = (), numeric: bool = False
) -> Markup:
    """A table whose rows begin with their heading; wide ones scroll inside their own frame.

    `numeric` aligns all cells but the headings to the right. The caption is read aloud, not shown.
    """
    head = element("thead", element("tr", [element("th", name, scope="col") for name in header]))
    body = [
        element("tr", element("th", row[0], scope="row"), [element("td", cell) for cell in row[1:]]) for row in rows
    ]
    made = element(
        "table",
        element("caption", caption),
        head if header else None,
        element("tbody", body),
        class_="numeric" if numeric else None,
    )
    # A keyboard user scrolls what has the focus.
    return element("div", made, class_="scroll", role="region", aria_label=caption, tabindex="0")


def card(title: str, *content: Child) -> str:
    """What a notebook shows of a value: one line that says it, then tables and figures."""
    return element("div", Markup(CARD), element("p", element("strong", title)), *content, class_="glauke")


def picture(save: Callable[[Path], str], *, alt: str) -> Markup:
    """A figure as an image that stands by itself, on white: a notebook's theme cannot be seen from inside.

    `save` writes the figure into a folder and returns its SVG, as the functions of every `plots.py` do; the folder is
    gone afterwards. Ids of several figures in one notebook do not meet, for an image is a document of its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        svg = THEME.sub("", save(Path(folder)), count=1)
    data = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    source = f"data:image/svg+xml;base64,{data}"
    return element("img", src=source, alt=alt, style="background:#fff; max-width:100%")


def visible(text: str) -> str:
    r"""`text` with the characters written out that would vanish, break the page or turn the text around.

    >>> visible("a\x00b\u202ec")
    'a\\x00b\\u202ec'
    """
    if text.isprintable() and text.isascii():
        return text
    return "".join(_written_out(character) if _misleads(character) else character for character in text)


def _misleads(character: str) -> bool:
    if character in "\n\t":
        return False
    return character in REORDERING or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _written_out(character: str) -> str:
    return (
        character.encode("ascii", errors="backslashreplace").decode()
        if character > "\x7f"
        else f"\\x{ord(character):02x}"
    )


def _escaped(text: str) -> str:
    return html.escape(visible(text), quote=True)


def _joined(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, str):
        return str(child) if isinstance(child, Markup) else _escaped(child)
    return "".join(_joined(item) for item in child)
