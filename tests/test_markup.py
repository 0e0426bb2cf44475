"""Every string is text; only elements are markup."""

import base64
import re
from pathlib import Path

import html5lib
import pytest

from glauke.markup import card, element, picture, table, visible
from glauke.plots import dress, figure, save_plot


def test_text_and_attributes_are_escaped():
    made = element("p", '<b>&"', element("i", "x"), None, ["y", "z"], title="\"'>", lang=None)

    assert made == '<p title="&quot;&#x27;&gt;">&lt;b&gt;&amp;&quot;<i>x</i>yz</p>'


def test_markup_that_is_joined_becomes_text_again():
    assert element("p", element("b", "x") + "<i>") == "<p>&lt;b&gt;x&lt;/b&gt;&lt;i&gt;</p>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("κατ 猫 😀", "κατ 猫 😀"),
        ("a\nb\tc", "a\nb\tc"),
        ("a\rb\x00c\x1b[31m", "a\\x0db\\x00c\\x1b[31m"),
        ("evil\u202egpj.exe", "evil\\u202egpj.exe"),
        ("a\u2028b", "a\\u2028b"),
        ("caf\udce9", "caf\\udce9"),
    ],
)
def test_what_hides_or_reorders_is_written_out(text, shown):
    assert visible(text) == shown


def test_a_table_has_scopes_and_a_caption():
    made = html5lib.parse(table([["a", "1"], ["b", "2"]], caption="c", header=["k", "v"]), namespaceHTMLElements=False)

    assert made.findtext(".//caption") == "c"
    assert [cell.attrib["scope"] for cell in made.iter("th")] == ["col", "col", "row", "row"]
    assert [cell.text for cell in made.iter("td")] == ["1", "2"]


def test_a_card_escapes_what_it_is_told():
    made = card("<b>", "x & y", None)
    assert made.startswith('<div class="glauke"><style>')
    assert made.endswith("</style><p><strong>&lt;b&gt;</strong></p>x &amp; y</div>")


def save_line(folder: Path) -> str:
    made, (ax,) = figure(1)
    dress(ax)
    ax.plot([0, 1], [0, 1])
    return save_plot(made, folder, "line", ["x", "y"], [(0, 0), (1, 1)])


def test_a_picture_brings_its_own_ground_and_no_theme(tmp_path):
    made = picture(save_line, alt='a "line"')
    image = html5lib.parseFragment(made, namespaceHTMLElements=False)[0]
    assert image.attrib["alt"] == 'a "line"' and "background:#fff" in image.attrib["style"]
    kind, _, data = image.attrib["src"].partition(",")
    svg = base64.b64decode(data).decode()
    assert kind == "data:image/svg+xml;base64" and svg.startswith("<?xml")
    assert "prefers-color-scheme" not in svg and "prefers-color-scheme" in save_line(tmp_path)
    assert "currentColor" in svg and not re.search(r"<svg[^>]* style=", svg)


def test_what_a_picture_was_saved_into_is_gone():
    folders = []
    picture(lambda folder: folders.append(folder) or save_line(folder), alt="")
    assert not folders[0].exists()
