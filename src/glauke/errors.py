"""What can go wrong, drawn as a tree.

    GlaukeError
    ├── InputError          the user's input is wrong: one sentence, the place, the fix   (exit 2)
    │   ├── UnknownNameError    a name that is not on the list; carries the nearest one
    │   ├── DataError           pictures, archives, folders, labels
    │   └── UsageError          options that contradict each other or the machine
    └── CannotGoOnError     nothing wrong with the input, but we cannot continue          (exit 3)
        ├── NoCheckpointError   no valid checkpoint where one must be
        ├── DiskFullError       the disk is full
        └── NotFiniteError      a loss that is NaN or infinite

Everything else that reaches the command line is our own bug (exit 70).
Catch `InputError` where a person can correct what they typed, `CannotGoOnError` where a run must be looked at.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GlaukeError(Exception):
    """Every error that glauke raises on purpose; `str(error)` is one sentence for a person."""

    exit_code = 70

    def __init__(self, message: str, *, place: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        """What came and what is allowed, with the numbers in it."""
        self.place = place
        """File, option or JSON path that the message speaks of, if there is one."""
        self.fix = fix
        """What to do, as an imperative; shown after the message."""

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{place}{self.message}{fix}"

    def __reduce__(self) -> tuple[object, ...]:
        # Without this, an error with keyword arguments does not survive the way back from a worker process.
        return (_rebuild, (type(self), self.message, self.place, self.fix))


def _rebuild(kind: type[GlaukeError], message: str, place: str | None, fix: str | None) -> GlaukeError:
    error = kind.__new__(kind)
    GlaukeError.__init__(error, message, place=place, fix=fix)
    return error


class InputError(GlaukeError):
    """The user's input is wrong; they can correct it."""

    exit_code = 2


class UnknownNameError(InputError):
    """A name that is not on the list of names."""

    def __init__(self, name: str, *, kind: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        guess = f"did you mean {near[0]!r}? " if near else ""
        super().__init__(f"there is no {kind} {name!r}", fix=f"{guess}choose one of: {', '.join(known)}")


class DataError(InputError):
    """Pictures, archives, folders or labels that cannot be used as they are."""


class UsageError(InputError):
    """Options that contradict each other, the data or the machine."""


class CannotGoOnError(GlaukeError):
    """The input is fine, but the work cannot continue."""

    exit_code = 3


class NoCheckpointError(CannotGoOnError):
    """There is no valid checkpoint where one must be."""


class DiskFullError(CannotGoOnError):
    """The disk has no room for what must be written."""


class NotFiniteError(CannotGoOnError):
    """A loss became NaN or infinite; the weights were not touched by it."""
