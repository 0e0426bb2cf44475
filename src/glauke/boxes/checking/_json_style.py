"""How a JSON file is laid out, so that an edited copy looks like it."""

import json
import re
from codecs import BOM_UTF8
from dataclasses import dataclass

from ..formats._read import VIA3_SCRIPT

_INDENT = re.compile(rb"[{\[][ \t]*(\r\n|\n|\r)([ \t]*)[^\s}\]]")
_ESCAPED = re.compile(rb"\\u(?!00[0-7])[0-9a-fA-F]{4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonStyle:
    """Layout of one JSON file."""

    before: bytes
    """What stands in front of the JSON: a byte order mark, blanks, the assignment that VIA 3 may write."""

    after: bytes
    """What stands behind it."""

    indent: str | None
    """Blanks or tabs of one level; None for a file on one line."""

    newline: str
    item_separator: str
    key_separator: str
    ascii: bool
    """Whether letters beyond ASCII are written as escapes."""


def json_style(data: bytes) -> JsonStyle:
    r"""The layout of a file that holds one JSON object or list.

    >>> style = json_style(b'{\n\t"a": 1,\n\t"b": []\n}\n')
    >>> style.indent, style.key_separator, style.after
    ('\t', ': ', b'\n')
    """
    start = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
    if script := VIA3_SCRIPT.match(data, start):  # which may hold brackets itself
        start = script.end()
    starts = [at for at in (data.find(b"{", start), data.find(b"[", start)) if at >= 0]
    start = min(starts, default=0)
    end = max(data.rfind(b"}"), data.rfind(b"]")) + 1
    indented = _INDENT.match(data, start)
    spaced, dense = data.count(b'": '), data.count(b'":')
    item = ", " if data.count(b", \n" if indented else b', "') > data.count(b",\n" if indented else b',"') else ","
    return JsonStyle(
        before=data[:start],
        after=data[end:],
        indent=indented[2].decode() if indented else None,
        newline=indented[1].decode() if indented else "\n",
        item_separator=item,
        key_separator=": " if 2 * spaced > dense else ":",
        ascii=data[start:end].isascii() and _ESCAPED.search(data) is not None,
    )


def json_bytes(document: object, style: JsonStyle) -> bytes:
    r"""The document in that layout. Numbers are written as Python spells them: 1e3 becomes 1000.0, 0.50 becomes 0.5.

    Reading the result and writing it again gives the same bytes.

    >>> json_bytes({"a": [1, 2.5]}, json_style(b'{"b":1}\n'))
    b'{"a":[1,2.5]}\n'
    """
    text = json.dumps(
        document,
        indent=style.indent,
        separators=(style.item_separator, style.key_separator),
        ensure_ascii=style.ascii,
        allow_nan=False,
    )
    if style.indent is not None and style.newline != "\n":
        text = text.replace("\n", style.newline)  # line ends within strings are escaped
    return style.before + text.encode() + style.after
