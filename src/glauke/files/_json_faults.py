"""Where JSON is at fault, and in which words that is said."""

import json
import math
import re
from typing import NamedTuple

from glauke.errors import DataError

from ._json_suspicions import MOST_DIGITS, MOST_LEVELS
from ._text import spot

_TOKEN = re.compile(
    r"""[\s,]*(?: (?P<open>[{\[]) | (?P<close>[}\]])
      | (?P<key>"[^"\\]*(?:\\.[^"\\]*)*")\s*: | (?P<text>"[^"\\]*(?:\\.[^"\\]*)*") | (?P<bare>[^\s,:{}\[\]"]+))""",
    re.VERBOSE | re.DOTALL,
)

_WORD = re.compile(r"[\w.+-]+|[^\s]")
_DANGLING = re.compile(r",\s*[}\]]")
_CUT = "it may have been cut short: copy or export it again"


class Offence(NamedTuple):
    """A rule that is broken, and where."""

    offset: int
    message: str
    fix: str


def first_offence(text: str) -> Offence:
    """The first place where a rule is broken, in a text that is JSON as far as that place."""
    objects: list[dict[str, int] | None] = []  # of each open bracket: the offset of each key; None for lists
    at = 0
    while (token := _TOKEN.match(text, at)) is not None:
        at, kind = token.end(), token.lastgroup or ""
        offset, word = token.start(kind), token[kind]
        if kind == "open":
            if len(objects) == MOST_LEVELS:
                return Offence(offset, f"more than {MOST_LEVELS} brackets are nested here", "make it flatter")
            objects.append({} if word == "{" else None)
        elif kind == "close":
            objects.pop()
        elif kind == "bare":
            if offence := _number_offence(offset, word):
                return offence
        else:
            value = json.loads(word) if "\\" in word else word[1:-1]
            if half := re.search("[\ud800-\udfff]", value):
                message = f"the text holds half of a character (\\u{ord(half[0]):04x}), which no file name can have"
                return Offence(offset, message, "remove it, or write the whole character")
            if kind == "key" and (keys := objects[-1]) is not None:
                if value in keys:
                    first = spot(text, keys[value], place="first").removeprefix("first, ")
                    message = f"the key {_short(value)} stands twice in the same object, first in {first}"
                    return Offence(offset, message, "rename or remove one of them")
                keys[value] = offset
    return Offence(at, "it is not JSON", "export or copy it again")


def _number_offence(offset: int, word: str) -> Offence | None:
    if word.removeprefix("-") in ("NaN", "Infinity"):
        return Offence(offset, f"{word} is not a number in JSON", "write a number, or null")
    digits = word.removeprefix("-")
    if digits.isdigit() and len(digits) > MOST_DIGITS:
        message = f"the integer {_short(word)} has {len(digits):,} digits; at most {MOST_DIGITS} are allowed"
        return Offence(offset, message, "write it as text, in double quotes")
    if digits[:1].isdigit() and not digits.isdigit() and math.isinf(float(digits)):
        return Offence(offset, f"{_short(word)} is larger than any number can be", "write a number below 1e308")
    return None


def syntax_error(text: str, error: json.JSONDecodeError, *, place: str) -> DataError:
    """The same sentence and place whichever Python reads it: what they say differs between versions."""
    at, fix = error.pos, "correct it there, or export the file again"
    found = _WORD.search(text, at)
    word = found[0] if found else ""
    if error.msg.startswith("Unterminated string"):
        message, fix = "the text that begins here has no closing quote", _CUT
    elif error.msg.startswith("Invalid control character"):
        message, fix = f"the character {text[at]!r} stands bare in a text", r"write it as an escape (\n, \t)"
    elif error.msg.startswith("Invalid \\"):
        at = text.rfind("\\", 0, at + 1)
        message, fix = f"{text[at : at + 2]!r} begins no escape", r"write \\ for a backslash"
    elif error.msg.startswith("Extra data"):
        message = f"the JSON ends before this, and {_short(word)} follows"
    elif not word:
        message, fix = "it ends in the middle", _CUT
    elif comma := _dangling_comma(text, at):
        at, message, fix = comma, "a comma stands before a closing bracket", "remove the comma"
    elif word == "'":
        message, fix = "a text stands in single quotes", "write double quotes"
    else:
        message = f"it is not JSON from here on: {_short(word)}"
    return DataError(message, place=spot(text, at, place=place), fix=fix)


def _dangling_comma(text: str, at: int) -> int:
    """Offset of a comma that is at `at` or right before it, and has only a closing bracket after it; 0 for none."""
    comma = text.rfind(",", 0, at + 1)
    dangling = comma > 0 and (found := _DANGLING.match(text, comma)) and found.end() > at
    return comma if dangling else 0


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
