"""Numbers as a reader of a page wants them; every digit is in the tables beside it."""

from __future__ import annotations

import math


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,}"


def amount(number: int, noun: str, plural: str | None = None) -> str:
    """Number and noun.

    >>> amount(1, "label"), amount(1200, "box", "boxes")
    ('1 label', '1,200 boxes')
    """
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def percent(fraction: float | None, *, digits: int = 2) -> str:
    """A fraction as per cent; None, where nothing was measured, as a dash.

    >>> percent(0.5987), percent(None)
    ('59.87%', '–')
    """
    return "–" if fraction is None else f"{100 * fraction:.{digits}f}%"


def short(number: float | None) -> str:
    """Four significant digits, without trailing zeros.

    >>> short(1.75123), short(0.31), short(2e-06)
    ('1.751', '0.31', '2e-06')
    """
    return "–" if number is None else f"{number:.4g}"


def fixed(number: float | None) -> str:
    """Three decimals, so that a column of losses lines up."""
    return "–" if number is None else f"{number:.3f}"


def duration(seconds: float) -> str:
    """The two largest units that matter.

    >>> duration(8.25), duration(1784.2), duration(7261.0)
    ('8.2 s', '29 min 44 s', '2 h 1 min')
    """
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def bytes_of(mebibytes: float) -> str:
    """An amount of memory.

    >>> bytes_of(512.0), bytes_of(6820.0)
    ('512 MiB', '6.7 GiB')
    """
    return f"{mebibytes:,.0f} MiB" if mebibytes < 1024 else f"{mebibytes / 1024:,.1f} GiB"


def arithmetic(gflops: float | int, *, of: float | int) -> str:
    """A part of what a machine computes a second, both in one unit; they come in 10^9 operations.

    >>> arithmetic(61.3, of=175.03), arithmetic(152_000, of=612_000)
    ('61 of 175 GFLOP/s', '152 of 612 TFLOP/s')
    """
    unit, name = (1, "GFLOP/s") if of < 10_000 else (1000, "TFLOP/s")
    part = gflops / unit
    return f"{part:,.0f} of {of / unit:,.0f} {name}" if part >= 10 else f"{part:.2g} of {of / unit:,.0f} {name}"


def setting(value: object) -> str:
    """A field of a recipe as a person would type it.

    >>> setting(None), setting(True), setting((0.85, 0.95)), setting("auto")
    ('none', 'yes', '0.85, 0.95', 'auto')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(setting, value)) or "none"
    return str(value)
