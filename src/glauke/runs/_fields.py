"""JSON objects to frozen dataclasses and back, driven by the dataclass's own annotations.

A field that is missing or of another kind is a sentence with its address; a field that this version does not
know is kept in `extra`, so that reading and writing a newer record loses nothing. JSON has no NaN and no
infinity: they are written as the strings "nan", "inf" and "-inf" and read back as numbers.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from glauke.errors import DataError

NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def encode(value: object) -> Any:
    """`value` in the types that JSON knows; a dataclass becomes an object with `extra` unfolded."""
    if is_dataclass(value) and not isinstance(value, type):
        known = {f.name: encode(getattr(value, f.name)) for f in fields(value) if _is_stored(f)}
        return {**encode(getattr(value, "extra", {})), **known}
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else repr(float(value))
    return value


def decode(kind: type, value: object, *, place: str, at: str = "") -> Any:
    """Build `kind`, a dataclass, from a parsed JSON object.

    Raises:
        DataError: with `place` and the path of the field inside the file.
    """
    if not isinstance(value, dict):
        raise DataError(f"{at or 'the file'} must be a JSON object, got {_called(value)}", place=place)
    hints = get_type_hints(kind)
    stored = {field.name: field for field in fields(kind) if _is_stored(field)}
    arguments: dict[str, Any] = {}
    for name, field in stored.items():
        where = f"{at}.{name}" if at else name
        if name in value:
            arguments[name] = _decode_as(hints[name], value[name], place=place, at=where)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise DataError(f"the field {where} is missing", place=place)
    extra = {name: _as_numbers(item) for name, item in value.items() if name not in stored}
    return kind(**arguments, extra=extra)


def _is_stored(field: Field[Any]) -> bool:
    return field.name != "extra" and field.metadata.get("stored", True)


def _decode_as(hint: Any, value: object, *, place: str, at: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):  # only ever "something or None"
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _decode_as(inner, value, place=place, at=at)
    if is_dataclass(hint):
        return decode(hint, value, place=place, at=at)  # pyright: ignore[reportArgumentType]
    if origin is tuple:
        if isinstance(value, list):
            return tuple(_decode_as(arguments[0], item, place=place, at=f"{at}[{i}]") for i, item in enumerate(value))
    elif origin is Mapping:
        if isinstance(value, dict):
            return {key: _decode_as(arguments[1], item, place=place, at=f"{at}.{key}") for key, item in value.items()}
    elif hint is object:
        return _as_numbers(value)
    elif hint is float:
        if type(value) in (int, float):
            return float(value)  # pyright: ignore[reportArgumentType]
        if isinstance(value, str) and value in NOT_FINITE:
            return NOT_FINITE[value]
    elif type(value) is hint:  # exactly: in Python, True is an int
        return value
    raise DataError(f"{at} must be {_expected(hint)}, got {_called(value)}", place=place)


def _as_numbers(value: object) -> object:
    if isinstance(value, list):
        return [_as_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_numbers(item) for key, item in value.items()}
    return NOT_FINITE.get(value, value) if isinstance(value, str) else value


def _expected(hint: Any) -> str:
    words: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    return words.get(hint) or {tuple: "a list", Mapping: "an object"}[get_origin(hint)]


def _called(value: object) -> str:
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} with {len(value)} entries"
    text = "null" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
