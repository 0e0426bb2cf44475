"""What the explanation of one format is given, and what it has to say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .._annotations import Annotations
from .._wording import counted, number, quoted
from ._description import Section, Table
from ._summary import Summary

Block = str | Table

JSON_IN_TWO_LINES = (
    'JSON is plain text: { } holds pairs of "key": value, [ ] holds a list in order, text stands in quotes, numbers do '
    "not; blanks and line ends between them mean nothing."
)

WHAT_VIA_IS = "the VGG Image Annotator (VIA), a web page on which a person draws shapes on pictures and labels them"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """The file that is explained."""

    annotations: Annotations
    document: object
    """Its parsed JSON, None for other files; whatever is taken from it has to be checked."""
    text: str | None
    """Its text, None for JSON and folders."""
    summary: Summary

    @property
    def name(self) -> str:
        """The file in a sentence."""
        path = self.annotations.path
        return quoted(path.name) if path is not None else "this file"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatText:
    """What is particular to one format; the rest of the explanation is the same for all."""

    opening: tuple[Block, ...]
    """What kind of file it is, who wrote it, and how one sees that."""
    layout: tuple[Section, ...]
    """Its keys, columns or files, and one entry taken apart."""
    corner: tuple[Block, ...]
    """How the file writes a box."""
    attributes: tuple[Block, ...] = ()
    """What else is attached to regions and pictures."""
    attributes_title: str = "Attributes of regions and of pictures"
    several: str = ""
    """How several objects in one picture are written."""
    bare: str = ""
    """How a picture without regions is written."""
    missing: tuple[Block, ...] = field(default=())
    """What one might look for in vain."""


def mapping(value: object) -> Mapping[str, object]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list:  # type: ignore[type-arg]
    """The value if it is a JSON list, else an empty one."""
    return value if isinstance(value, list) else []


def measure(value: object) -> int | float | None:
    """The value if it is a number of a size that pictures have, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e12 else None


def picture(subject: Subject, index: int) -> str:
    """Name of a picture in a sentence."""
    return quoted(subject.annotations.names[index])


def box_words(subject: Subject, row: int) -> str:
    """A box with its numbers: "x 323, y 240, 174 wide, 170 high"."""
    x, y, w, h = (number(float(v)) for v in subject.annotations.boxes_xywh[row])
    return f"x {x}, y {y}, {w} wide, {h} high"


def label_words(subject: Subject, row: int) -> str:
    """A region's label in a sentence."""
    label = subject.annotations.label_of(row)
    return "no label" if label is None else quoted(label)


def only_rectangles(number: int, *, written: str = "") -> str:
    """Says so of all regions, and how the file writes the word."""
    if not number:
        return "There are no regions."
    return f"All {number:,} regions are rectangles{written}." if number > 1 else f"The region is a rectangle{written}."


def what_is_described(subject: Subject) -> str:
    """How many pictures and regions: "97 pictures and 401 regions drawn in them"."""
    a = subject.annotations
    return f"{counted(len(a.names), 'picture')} and {counted(a.num_boxes(), 'region')}"
