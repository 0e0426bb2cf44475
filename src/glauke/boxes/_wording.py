"""Values of a stranger's file in a sentence: escaped, quoted, shortened, counted."""

import json
import math
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

_LONGEST = 60
_MOST_ITEMS = 6
_DEEPEST = 4


def visible(text: str, *, most: int = _LONGEST) -> str:
    r"""Text that a terminal can show: control characters escaped, what is too long cut.

    >>> visible("a\x1b[31m")
    'a\\x1b[31m'
    """
    # Cut first: a name may be as long as the file.
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:most])
    return shown if len(text) <= most else f"{shown}..."


def quoted(text: str, *, most: int = _LONGEST) -> str:
    """A name or a label in the double quotes that it has in the file."""
    return f'"{visible(text, most=most)}"'


def bare(text: str, *, most: int = _LONGEST) -> str:
    """A name for a table: without quotes unless blanks at its ends would go unseen."""
    return quoted(text, most=most) if text != text.strip() or not text else visible(text, most=most)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Number and noun.

    >>> counted(1, "picture"), counted(2000, "box", "boxes")
    ('1 picture', '2,000 boxes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def number(value: float | int) -> str:
    """A measure without noise: whole numbers as such, others with two decimals.

    >>> number(174.0), number(0.5), number(2 / 3)
    ('174', '0.5', '0.67')
    """
    if not math.isfinite(value) or abs(value) >= 1e12:
        return f"{value:g}"
    return f"{value:.2f}".rstrip("0").rstrip(".")


def share(part: int, whole: int) -> str:
    """A part in per cent, with one decimal."""
    return f"{100 * part / whole:.1f}%" if whole else "-"


def listed(texts: Iterable[str], *, most: int = 5, total: int | None = None) -> str:
    """The first of some texts with commas, and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    texts = list(texts)
    more = (len(texts) if total is None else total) - len(texts[:most])
    return ", ".join(texts[:most]) + (f" and {more:,} more" if more > 0 else "")


def tally(counts: Mapping[str, int], *, most: int = 8, total: int | None = None) -> str:
    """Values with how often each occurs, as the mapping orders them."""
    return listed([f"{bare(k, most=40)} ({n:,})" for k, n in list(counts.items())[:most]], most=most, total=total)


def json_text(value: object, *, most: int = _LONGEST, depth: int = 0) -> str:
    """A value as JSON spells it, with long lists and texts cut, never deeper than a few levels.

    >>> json_text({"name": "rect", "x": 323})
    '{"name": "rect", "x": 323}'
    """
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            spelt = visible(json.dumps(value[:most], ensure_ascii=False), most=2 * most + 2)
            return spelt if len(value) <= most else f'{spelt.removesuffix(chr(34))}..."'
        case int():
            return str(value) if value.bit_length() < 100 else "(a number of many digits)"
        case float():
            return repr(value)
        case dict() | list() if depth >= _DEEPEST and value:
            return "{...}" if isinstance(value, dict) else "[...]"
        case dict():
            items = [
                f"{json_text(k, most=most, depth=depth + 1)}: {json_text(v, most=most, depth=depth + 1)}"
                for k, v in _first(value.items())
            ]
            return "{" + ", ".join(items + _more(value)) + "}"
        case list() | tuple():
            return (
                "[" + ", ".join([json_text(v, most=most, depth=depth + 1) for v in _first(value)] + _more(value)) + "]"
            )
    return visible(repr(type(value).__name__))


def cells(text: str) -> int:
    """How many columns of a terminal a text takes; East Asian characters take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _first(values: Collection[object]) -> list:  # type: ignore[type-arg]
    return list(values) if len(values) <= _MOST_ITEMS else list(islice(values, _MOST_ITEMS - 2))


def _more(value: Collection[object]) -> list[str]:
    return [f"... {len(value):,} in all"] if len(value) > _MOST_ITEMS else []
