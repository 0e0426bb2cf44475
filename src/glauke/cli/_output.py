"""Results go to standard output, everything else to standard error."""

import errno
import json
import sys
from collections.abc import Sequence

from glauke.errors import DiskFullError


def say(text: str) -> None:
    """Print a note to standard error."""
    print(printable(text, keep="\n\t"), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Print a result; a full disk behind standard output is told as such."""
    try:
        print(printable(text, keep="\n\t"), flush=True)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DiskFullError("there is no room for the output", place="standard output") from error


def show_json(value: object) -> None:
    """Print one JSON object."""
    show(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Align columns of text; numbers to the right.

    >>> print(table(("run", "epochs"), [("a", 50), ("bb", 6)]))
    run  epochs
    a        50
    bb        6
    """
    cells = [[printable(str(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    right = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(header))]
    lines = (
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)).rstrip()
        for row in cells
    )
    return "\n".join(lines)


def printable(text: str, *, keep: str = "") -> str:
    r"""Text from a stranger's file or its name, safe on a terminal: control characters are escaped but those to `keep`.

    >>> printable("a cat" + chr(27) + "[2J")
    'a cat\\x1b[2J'
    """
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def amount(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> amount(1, "box", "boxes"), amount(1200, "picture")
    ('1 box', '1,200 pictures')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def clock(seconds: float | int) -> str:
    """Write a duration for a person.

    >>> clock(0.2), clock(42), clock(75), clock(7385)
    ('under 1 s', '42 s', '1 min 15 s', '2 h 3 min')
    """
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
