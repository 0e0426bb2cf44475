"""The words of this room: a picture of a source, a source, a finding, and how far the work is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

PARTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One labelled picture of a source, before it is decoded."""

    name: str
    """Where it lies in the source: relative, "/" between parts, unique."""

    part: str
    """The official part it belongs to: "train", "val" or "test"."""

    label: str
    """Id of its class, such as "n01443537" or the name of its folder."""

    group: str | None = None
    """What it shares with others that must stay on its side of a split, such as a patient; None is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about the data that a person should know before training."""

    rule: str
    """Short name of what was looked for, such as "damaged" or "same-content-other-label"."""

    severity: str
    """How bad it is: "error", "warning" or "note"."""

    files: tuple[str, ...]
    """Names in the source; empty if it is about a class or the whole."""

    message: str
    """A sentence with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackProgress:
    """How far `open_pack` is."""

    stage: str
    """What is done now: "download", "look", "decode", "write" or "verify"."""

    done: int
    """Pictures so far; bytes while downloading."""

    total: int | None
    """All of them, or None while nobody knows."""


@runtime_checkable
class Source(Protocol):
    """Where pictures come from; it decodes nothing.

    `classes`, `readable`, `parts` and `notes` are complete once `stream` has run to its end, since the text
    files of an archive may come after its pictures.
    """

    @property
    def name(self) -> str:
        """What the data is called, without a path."""
        ...

    @property
    def path(self) -> Path | None:
        """The archive or folder; None if the data comes with a library."""
        ...

    @property
    def size(self) -> int | None:
        """Side of every picture in pixels where the data declares it; None asks for a look at all of them."""
        ...

    @property
    def channels(self) -> int:
        """3 for colour, 1 for grey."""
        ...

    @property
    def expected(self) -> int | None:
        """About how many pictures will come, for the progress; None is unknown."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Ids, sorted."""
        ...

    @property
    def readable(self) -> tuple[str, ...]:
        """Names for people in the order of `classes`; the ids where there are none."""
        ...

    @property
    def parts(self) -> tuple[str, ...]:
        """Official parts that carry labels, in the order train, val, test."""
        ...

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What the source itself has to say, such as files that cannot be read."""
        ...

    def identity(self) -> str:
        """Text that changes whenever the content may have changed; looks at sizes and times only."""
        ...

    def stream(self) -> Iterator[tuple[Picture, bytes]]:
        """Every labelled picture with the bytes of its file, in the order of the container."""
        ...

    def heads(self) -> Iterator[bytes]:
        """The beginning of every picture's file, enough to see its width and height."""
        ...
