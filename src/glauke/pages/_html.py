"""A whole page: one document that fetches nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from glauke.markup import Child as Child
from glauke.markup import Markup as Markup
from glauke.markup import element as element
from glauke.markup import table as table


def section(heading: str, *content: Child) -> Markup | None:
    """A section, or nothing at all where there is nothing to show.

    >>> section("Notes", None, []), section("Notes", "one")
    (None, '<section><h2>Notes</h2>one</section>')
    """
    kept = [item for item in content if item]
    return element("section", element("h2", heading), kept) if kept else None


def isolated(text: str) -> Markup:
    """A name from outside, so that right-to-left letters in it do not move its neighbours.

    >>> isolated("a cat")
    '<bdi>a cat</bdi>'
    """
    return element("bdi", text)


def page(title: str, *body: Child) -> str:
    """A whole document: style inside, nothing fetched, nothing run (the policy forbids both), in both themes."""
    style = files("glauke.pages").joinpath("style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", attributes={"http-equiv": "Content-Security-Policy", "content": policy}),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        Markup(f"<style>{style}</style>"),
    )
    document = element("html", head, element("body", element("main", body)), lang="en")
    return f"<!DOCTYPE html>\n{document}\n"
