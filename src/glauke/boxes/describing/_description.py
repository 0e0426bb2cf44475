"""An explanation as a value: sections of paragraphs and tables, and its two spellings, text and JSON."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from .._wording import cells

_GAP = "  "
_NARROWEST_LAST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text under column names; the last column may be of any length and is wrapped."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    """Columns that are set to the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Paragraphs and tables under one title."""

    title: str
    blocks: tuple[str | Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One file of annotations explained in words. All text is safe to print: control characters are escaped."""

    file: str
    """Name of the file or folder; empty where it came from none."""

    kind: str
    """One of `KINDS`."""

    sections: tuple[Section, ...]


def description_as_text(description: Description, *, width: int = 100) -> str:
    """The explanation for a terminal that is `width` characters wide.

    >>> table = Table(columns=("label", "regions"), rows=(("vest", "7"), ("mask", "12")), numeric=(1,))
    >>> section = Section(title="Labels", blocks=("Two.", table))
    >>> print(description_as_text(Description(file="a", kind="coco", sections=(section,))))
    LABELS
    Two.
      label  regions
      vest         7
      mask        12
    """
    return "\n\n".join("\n".join(_section_lines(section, width)) for section in description.sections)


def description_as_dict(description: Description) -> dict[str, object]:
    """The explanation as JSON values: `{"file", "kind", "sections": [{"title", "blocks": [...]}]}`.

    A block is `{"text": ...}` or `{"columns": [...], "rows": [[...], ...]}`.
    """
    return {
        "file": description.file,
        "kind": description.kind,
        "sections": [
            {"title": section.title, "blocks": [_block_as_dict(block) for block in section.blocks]}
            for section in description.sections
        ],
    }


def _block_as_dict(block: str | Table) -> dict[str, object]:
    if isinstance(block, str):
        return {"text": block}
    return {"columns": list(block.columns), "rows": [list(row) for row in block.rows]}


def _section_lines(section: Section, width: int) -> list[str]:
    lines = [section.title.upper()]
    for block in section.blocks:
        if isinstance(block, str):
            lines += _wrapped(block, width)
        elif block.rows:
            lines += [f"  {line}".rstrip() for line in _table_lines(block, width - 2)]
    return lines


def _table_lines(table: Table, width: int) -> list[str]:
    rows = [table.columns, *table.rows]
    widths = [max(cells(row[i]) for row in rows) for i in range(len(table.columns))]
    before = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    room = max(_NARROWEST_LAST, width - before)
    lines = []
    for row in rows:
        *first, last = row
        head = [_set(text, widths[i], right=i in table.numeric) for i, text in enumerate(first)]
        if len(widths) - 1 in table.numeric:
            tail = [_set(last, widths[-1], right=True)]
        else:
            tail = _wrapped(last, room) or [""]
        lines.append(_GAP.join([*head, tail[0]]))
        lines += [" " * before + line for line in tail[1:]]
    return lines


def _set(text: str, width: int, *, right: bool) -> str:
    blank = " " * (width - cells(text))
    return blank + text if right else text + blank


def _wrapped(text: str, width: int) -> Sequence[str]:
    return textwrap.wrap(text, max(width, _NARROWEST_LAST), break_long_words=True, break_on_hyphens=False)
