"""JSON from strangers: all that `json.loads` lets pass in silence is refused, with line and column.

Reading costs no more than `json.loads` itself. Each rule has a cheap count or search over the bytes that proves a file
harmless; only a file that it cannot clear is parsed with a check of every value, and only one that breaks a rule is
walked token by token, for the place.
"""

import gc
import json
import math
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glauke.errors import DataError

from ._json_faults import first_offence, syntax_error
from ._json_suspicions import MOST_DIGITS, Suspicions, most_keys, suspicions_about
from ._text import MOST_BYTES, decoded, read_whole, spot


class _ForbiddenError(Exception):
    """A value that JSON or our rules forbid; where it stands is found out afterwards."""


def read_json(path: Path, *, most_bytes: int = MOST_BYTES) -> object:
    """The content of a JSON file, as `parse_json` reads it.

    Raises:
        DataError: as `parse_json`; or the file is missing, or larger than `most_bytes` (nothing is read then).
    """
    return parse_json(read_whole(path, most_bytes=most_bytes), place=str(path))


def parse_json(data: bytes, *, place: str) -> object:
    """Strict JSON (RFC 8259) in UTF-8: one meaning for every reader, and nothing that breaks later.

    Refused beyond what `json.loads` refuses: another encoding, a key that stands twice in an object, NaN and infinity
    in any spelling, integers of more than 18 digits, half surrogate pairs, more than 64 levels. One byte order mark is
    allowed.

    >>> parse_json(b'{"size": 54876}', place="a.json")
    {'size': 54876}

    Raises:
        DataError: with `place`, line and column, and what to do.
    """
    text, suspicions = decoded(data, place=place), suspicions_about(data.removeprefix(BOM_UTF8))
    del data  # as large as the text, and, unless the caller keeps it, gone while the objects are made
    return _parsed(text, suspicions, place=place)


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cyclic garbage collection inside: millions of new objects that all stay would be visited again and again.

    Halves the time that a large file takes.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _parsed(text: str, suspicions: Suspicions, *, place: str) -> object:
    if not text or text.isspace():
        raise DataError("the file is empty", place=place, fix="export or copy it again")
    try:
        with collector_paused():
            value, num_keys = _loaded(text, suspicions)
            if most_keys(text, num_keys) != num_keys:
                del value  # twice in memory would be too much
                value = json.loads(text, object_pairs_hook=_without_twins)
        if not (suspicions.deep or suspicions.half_characters):
            return value
    except json.JSONDecodeError as error:
        raise syntax_error(text, error, place=place) from error
    except (_ForbiddenError, RecursionError):
        pass
    offence = first_offence(text)
    raise DataError(offence.message, place=spot(text, offence.offset, place=place), fix=offence.fix)


def _loaded(text: str, suspicions: Suspicions) -> tuple[object, int]:
    """The value, and how many keys its objects have in all."""
    num_keys = 0

    def counted(value: dict[str, object]) -> dict[str, object]:
        nonlocal num_keys
        num_keys += len(value)
        return value

    value = json.loads(
        text,
        object_hook=counted,
        parse_constant=_no_constant,
        # Only where needed: each of them is a call for every number.
        parse_int=_short_integer if suspicions.long_integers else None,
        parse_float=_finite_float if suspicions.large_floats else None,
    )
    return value, num_keys


def _no_constant(name: str) -> object:
    raise _ForbiddenError(name)


def _short_integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MOST_DIGITS:
        raise _ForbiddenError(digits)
    return int(digits)


def _finite_float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _ForbiddenError(digits)
    return number


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _ForbiddenError("a key stands twice")
    return value
