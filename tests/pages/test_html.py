"""Every string is text; only elements are markup."""

import base64
import hashlib
import re

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glauke.pages import element, page, table
from glauke.pages._html import visible


def test_text_and_attributes_are_escaped():
    made = element("p", '<b>&"', element("i", "x"), None, ["y", "z"], title="\"'>", lang=None)

    assert made == '<p title="&quot;&#x27;&gt;">&lt;b&gt;&amp;&quot;<i>x</i>yz</p>'


def test_markup_that_is_joined_becomes_text_again():
    assert element("p", element("b", "x") + "<i>") == "<p>&lt;b&gt;x&lt;/b&gt;&lt;i&gt;</p>"


@given(st.text())
def test_no_text_makes_an_element_or_an_attribute(text):
    tree = html5lib.parse(page("t", element("p", text, title=text)), namespaceHTMLElements=False)
    (paragraph,) = tree.iter("p")

    assert len(paragraph) == 0
    assert set(paragraph.attrib) == {"title"}
    assert (paragraph.text or "") == visible(text)


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


def test_the_policy_allows_this_style_and_nothing_else():
    text = page("t", element("p", "x"))
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()

    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.replace("&#x27;", "'") == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"url\(|@import|https?:", style[1])
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_a_document():
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page("a < b", element("h1", "x")))

    assert tree.attrib == {"lang": "en"}
    assert tree.findtext("head/title") == "a < b"
    assert [child.tag for child in tree.find("body/main")] == ["h1"]


def test_a_table_has_scopes_and_a_caption():
    made = html5lib.parse(table([["a", "1"], ["b", "2"]], caption="c", header=["k", "v"]), namespaceHTMLElements=False)

    assert made.findtext(".//caption") == "c"
    assert [cell.attrib["scope"] for cell in made.iter("th")] == ["col", "col", "row", "row"]
    assert [cell.text for cell in made.iter("td")] == ["1", "2"]
