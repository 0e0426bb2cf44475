"""What a check has to say about annotations, and the edit that would mend it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
What = Literal[
    "label", "box", "drop-region", "name", "byte-size", "picture-size", "key", "drop-picture", "categories",
    "drop-part", "empty-part",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One edit of the document, addressed by position; `fix` carries it out."""

    what: What
    """"label": `value` is the new label. "box": `value` is (x, y, width, height). "name": `value` is the file name
    that the entry really belongs to. "byte-size": the size in bytes, -1 for unknown. "picture-size": (width, height)
    in pixels. "key": the key is made anew from name and size. "categories": the whole document is written anew from
    repaired annotations. "drop-part" and "empty-part": `value` is a path of keys in the JSON, of what is taken out or
    becomes an empty object. The other two that drop need no value."""

    image: int
    """Index of the picture in `Annotations.names`; -1 for changes of the whole file."""

    region: int | None = None
    """Row in the columns of `Annotations`, for changes of one region."""

    value: object = None
    """What to put there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or worth knowing, about a file of annotations."""

    rule: str
    """A name of the list in `glauke.boxes.RULES`."""

    severity: Severity
    """"error" makes results wrong, "warning" probably does, "note" changes nothing."""

    message: str
    """A sentence with the numbers in it."""

    image: str | None = None
    """File name of the picture, where the finding is about one."""

    region: int | None = None
    """0-based number of the region within its picture, as `Annotations.region` counts."""

    fix: str | None = None
    """What to do, as an imperative."""

    change: Change | None = None
    """The edit that `fix` would make; None where only a person can decide."""
