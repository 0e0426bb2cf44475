"""A figure's SVG, taken apart and rebuilt for the inside of a page.

Only shapes, text and PNGs within the figure itself survive, from a list, so that a figure from a run folder that
somebody sent us can draw but do nothing else. Ids get the figure's name, so that two figures on one page do not share
clip paths; styles become attributes, because the page's policy forbids inline styles.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from glauke.errors import DataError

from ._html import Markup, element

SVG = "{http://www.w3.org/2000/svg}"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
MAX_DEPTH = 64
ELEMENTS = frozenset(
    [
        "g",
        "defs",
        "path",
        "use",
        "clipPath",
        "rect",
        "text",
        "tspan",
        "pattern",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "image",
    ]
)
GEOMETRY = frozenset(
    [
        "d",
        "x",
        "y",
        "x1",
        "y1",
        "x2",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "dx",
        "dy",
        "width",
        "height",
        "points",
        "transform",
        "viewBox",
        "patternUnits",
        "patternTransform",
        "patternContentUnits",
        "clipPathUnits",
    ]
)
PAINT = frozenset(
    [
        "fill",
        "fill-opacity",
        "fill-rule",
        "stroke",
        "stroke-width",
        "stroke-opacity",
        "stroke-dasharray",
        "stroke-dashoffset",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-miterlimit",
        "opacity",
        "clip-path",
        "clip-rule",
        "text-anchor",
        "dominant-baseline",
        "font-size",
        "font-weight",
        "font-style",
        "image-rendering",
    ]
)
HARMLESS = re.compile(r"[\w\s.,()#%+-]*", re.ASCII)  # numbers, colours, names, path and transform commands
PIXELS = re.compile(r"data:image/png;base64,[\sA-Za-z0-9+/]+=*\s*", re.ASCII)
REFERENCE = re.compile(r"url\(#([\w.-]+)\)", re.ASCII)
FONT = re.compile(r"(?P<before>[\w\s]*?)(?P<size>[\d.]+(?:px|pt))\s.*", re.DOTALL)


def inline_svg(svg: str, *, name: str, title: str) -> Markup:
    """The figure as an `<svg>` element that a screen reader calls `title`; `name` makes its ids unique.

    Raises:
        DataError: the text is not SVG.
    """
    start = svg.find("<svg")  # past the XML declaration and the DOCTYPE, so no entity can be declared
    if start < 0:
        raise DataError(f"the figure {name!r} is not SVG: it has no <svg> element")
    try:
        root = ElementTree.fromstring(svg[start:])
    except ElementTree.ParseError as error:
        raise DataError(f"the figure {name!r} is not SVG ({error})") from error
    if root.tag != f"{SVG}svg":
        raise DataError(f"the figure {name!r} is not SVG but {root.tag!r:.40}")
    prefix = re.sub(r"[^A-Za-z0-9_-]", lambda match: f"_{ord(match[0]):x}_", name)
    used = _references(root)
    children = [_rebuilt(child, prefix=prefix, used=used, depth=1, name=name) for child in root]
    return element(
        "svg",
        element("title", title, id=f"{prefix}-title"),
        children,
        attributes={
            "viewBox": _harmless(root.get("viewBox")),
            # matplotlib says these two in a style sheet for all elements; inherited, they mean the same.
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
            "role": "img",
            "aria-labelledby": f"{prefix}-title",
        },
    )


def _references(root: ElementTree.Element) -> frozenset[str]:
    """Ids that something points to; the others (every group of matplotlib's has one) can go."""
    found: set[str] = set()
    for node in root.iter():
        for key, value in node.attrib.items():
            if key in ("href", XLINK_HREF):
                found.add(value.removeprefix("#"))
            found.update(REFERENCE.findall(value))
    return frozenset(found)


def _rebuilt(node: ElementTree.Element, *, prefix: str, used: frozenset[str], depth: int, name: str) -> Markup | None:
    if depth > MAX_DEPTH:
        raise DataError(f"the figure {name!r} nests its elements deeper than {MAX_DEPTH}")
    tag = node.tag.removeprefix(SVG) if isinstance(node.tag, str) else ""
    if tag not in ELEMENTS:
        return None
    if tag == "image" and not PIXELS.fullmatch(_target(node)):
        return None
    children: list[str | None] = [node.text if tag in ("text", "tspan") else None]
    for child in node:
        children.append(_rebuilt(child, prefix=prefix, used=used, depth=depth + 1, name=name))
        children.append(child.tail if tag in ("text", "tspan") else None)
    if tag in ("g", "defs") and not any(children):
        return None
    return element(tag, children, attributes=_attributes(node, tag, prefix=prefix, used=used))


def _attributes(node: ElementTree.Element, tag: str, *, prefix: str, used: frozenset[str]) -> dict[str, str | None]:
    kept = {key: _harmless(value) for key, value in node.attrib.items() if key in GEOMETRY}
    for key, value in {**node.attrib, **_styles(node.get("style", ""))}.items():
        if key in PAINT:
            reference = REFERENCE.fullmatch(value.strip())
            kept[key] = f"url(#{prefix}-{reference[1]})" if reference else _harmless(value)
    identity = node.get("id", "")
    if identity in used and _harmless(identity):
        kept["id"] = f"{prefix}-{identity}"
    target = _target(node)
    if tag == "image":
        kept["href"] = "".join(target.split())
    if tag == "use" and target.startswith("#") and _harmless(target):
        kept["href"] = f"#{prefix}-{target[1:]}"
    return kept


def _target(node: ElementTree.Element) -> str:
    return node.get("href") or node.get(XLINK_HREF) or ""


def _styles(style: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    styles = {key.strip(): value.strip() for key, value in pairs}
    font = FONT.fullmatch(styles.pop("font", ""))
    if font:  # the family is left to the page
        styles["font-size"] = font["size"]
        weight = next((word for word in font["before"].split() if word in ("bold", "600", "700")), None)
        styles |= {"font-weight": weight} if weight else {}
    return styles


def _harmless(value: str | None) -> str | None:
    if value is None or not HARMLESS.fullmatch(value) or "url(" in value.lower():
        return None
    return value
