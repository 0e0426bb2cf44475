"""Only shapes, text and PNGs within come through, under ids of their own."""

import re

import pytest

from glauke.errors import DataError
from glauke.pages import inline_svg

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'


def inlined(content: str, *, name: str = "figure") -> str:
    return inline_svg(f"{OPEN}{content}</svg>", name=name, title="a figure")


def test_a_figure_in_small(svg):
    assert inline_svg(svg, name="curves", title="Loss & accuracy") == (
        '<svg viewBox="0 0 504 374" stroke-linejoin="round" stroke-linecap="butt" role="img" '
        'aria-labelledby="curves-title"><title id="curves-title">Loss &amp; accuracy</title>'
        "<g><g>"
        '<defs><path d="M 0 0 L 0 3" stroke="currentColor" stroke-width="0.8" id="curves-m3f"></path></defs>'
        '<g clip-path="url(#curves-p9a)"><use x="30" y="340" fill="currentColor" href="#curves-m3f"></use></g>'
        '<path d="M 27 358 L 418 358" fill="none" stroke="#0072b2" stroke-dasharray="4,1.5" '
        'stroke-linecap="square"></path>'
        '<text x="5" y="6" transform="rotate(-90 5 6)" fill="currentColor" text-anchor="middle" font-size="9px" '
        'font-weight="bold">loss &lt; 1</text>'
        '<defs><clipPath id="curves-p9a"><rect x="27" y="15" width="390" height="153"></rect></clipPath></defs>'
        "</g></g></svg>"
    )


def test_two_figures_share_no_id(svg):
    first, second = (set(re.findall(r'id="([^"]+)"', inline_svg(svg, name=n, title="t"))) for n in ("a", "b"))

    assert first
    assert not first & second


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>",
        "<g><script href='x.js'/></g>",
        "<foreignObject><img xmlns='http://www.w3.org/1999/xhtml' src='x' onerror='alert(1)'/></foreignObject>",
        "<image href='https://example.org/x.png'/>",
        "<image xlink:href='data:image/svg+xml;base64,PHN2Zy8+'/>",
        "<a href='javascript:alert(1)'><text>x</text></a>",
        "<style>@import url(https://example.org/x.css);</style>",
        "<animate attributeName='href' to='javascript:alert(1)'/>",
        "<set attributeName='onload' to='alert(1)'/>",
        "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>alert(1)</h:script>",
        "<filter><feImage href='https://example.org/x'/></filter>",
        "<metadata>x</metadata><!-- <script>alert(1)</script> --><?xml-stylesheet href='https://example.org'?>",
    ],
)
def test_what_is_no_shape_is_gone(content):
    assert inlined(content) == inlined("")


@pytest.mark.parametrize(
    "attributes",
    [
        "onload='alert(1)'",
        "onclick='alert(1)'",
        "style='fill: url(https://example.org/x)'",
        "fill='url(https://example.org/x#a)'",
        "fill='URL(x.svg#a)'",
        "clip-path='url(\"x.svg#a\")'",
        "style='background: url(https://example.org/x); behavior: url(x)'",
        "fill='red;background:url(x)'",
        "fill='&quot;&gt;&lt;script&gt;'",
        "d='M 0 0&quot; onload=&quot;alert(1)'",
        "class='x' name='y' data-x='z' xml:base='https://example.org' tabindex='0'",
        "id='location'",  # nothing points to it: it would only shadow a name
    ],
)
def test_what_is_no_paint_is_gone(attributes):
    assert inlined(f"<path {attributes}/>") == inlined("<path/>")


@pytest.mark.parametrize("target", ["https://example.org/x.svg#a", "x.svg#a", "javascript:alert(1)", "data:,x"])
def test_a_use_points_inside_or_nowhere(target):
    assert inlined(f"<use href='{target}'/><use xlink:href='{target}'/>") == inlined("<use/><use/>")


def test_a_png_within_the_figure_stays():
    """As matplotlib writes it: with a line break in its data and two styles of which the second counts."""
    style = "style='image-rendering:crisp-edges;image-rendering:pixelated'"
    image = f"<image xlink:href='data:image/png;base64,\niVBORw0KGgo=' width='3' height='2' {style}/>"

    kept = 'width="3" height="2" image-rendering="pixelated" href="data:image/png;base64,iVBORw0KGgo="'
    assert inlined(image).endswith(f"<image {kept}></image></svg>")


@pytest.mark.parametrize(
    "target",
    [
        "data:image/png;base64,",
        "data:image/png,iVBORw0KGgo",
        "data:image/png;base64,&quot;onload=&quot;",
        "data:text/html;base64,PHNjcmlwdD4=",
        "DATA:image/png;base64,iVBORw0KGgo=",
        "data:image/png;base64,iVBORw0KGgo=#x",
        "https://example.org/x.png",
        "",
    ],
)
def test_any_other_image_is_gone(target):
    assert inlined(f"<image href='{target}'/>") == inlined("")


def test_text_is_escaped_again():
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in inlined("<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no <svg> element"),
        ("<html></html>", "no <svg> element"),
        ("<svg>", "not SVG"),
        ("<svg></svg>", "not SVG but 'svg'"),
        (f"{OPEN}&lol;</svg>", "undefined entity"),
        (OPEN + "<g>" * 100 + "</g>" * 100 + "</svg>", "deeper than 64"),
        ('<!DOCTYPE x [<!ENTITY a "aaa">]>' + OPEN + "<text>&a;</text></svg>", "undefined entity"),
    ],
)
def test_what_is_no_svg_is_refused(text, message):
    with pytest.raises(DataError, match=message):
        inline_svg(text, name="curves", title="t")
