"""A page is one document that fetches nothing, whatever stands in it."""

import base64
import hashlib
import re

import html5lib
from hypothesis import given
from hypothesis import strategies as st

from glauke.markup import visible
from glauke.pages import element, page


@given(st.text())
def test_no_text_makes_an_element_or_an_attribute(text):
    tree = html5lib.parse(page("t", element("p", text, title=text)), namespaceHTMLElements=False)
    (paragraph,) = tree.iter("p")

    assert len(paragraph) == 0
    assert set(paragraph.attrib) == {"title"}
    assert (paragraph.text or "") == visible(text)


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
