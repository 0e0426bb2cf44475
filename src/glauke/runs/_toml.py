"""Writing TOML, which Python reads (`tomllib`) but does not write."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
SHORT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def to_toml(values: Mapping[str, object]) -> str:
    r"""TOML text of settings: scalars and lists, and one level of tables.

    `None` has no TOML form and is left out, so a reader sees its default. Tuples come back as lists.

    >>> print(to_toml({"epochs": 24, "max_lr": None, "augment": {"crop": 8}}), end="")
    epochs = 24
    <BLANKLINE>
    [augment]
    crop = 8

    Raises:
        TypeError: a value of another kind, or a table inside a table.
        ValueError: text with a lone surrogate, which is not Unicode.
    """
    lines = [
        f"{_key(key)} = {_value(value, at=key)}"
        for key, value in values.items()
        if value is not None and not isinstance(value, Mapping)
    ]
    for name, table in values.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{_key(name)}]"] if lines else [f"[{_key(name)}]"]
            lines += [
                f"{_key(key)} = {_value(value, at=f'{name}.{key}')}"
                for key, value in table.items()
                if value is not None
            ]
    return "".join(f"{line}\n" for line in lines)


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else _string(name)


def _value(value: object, *, at: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        # repr writes "1e-05", "inf" and "nan", all of which TOML reads; NumPy's float64 needs the float().
        return "nan" if math.isnan(value) else repr(float(value))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item, at=f"{at}[{i}]") for i, item in enumerate(value)) + "]"
    raise TypeError(f"{at} is a {type(value).__name__}, which TOML settings cannot hold")


def _string(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{text!a} is not Unicode text (character {error.start})") from error
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in SHORT_ESCAPES:
        return SHORT_ESCAPES[character]
    return f"\\u{ord(character):04x}" if character < " " or character == "\x7f" else character
