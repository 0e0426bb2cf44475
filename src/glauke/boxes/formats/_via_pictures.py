"""What VIA's entries say about the pictures themselves: name, size in bytes, sometimes width and height."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from .._findings import Change, Finding
from ._shapes import MOST_PIXELS
from ._via_document import kind_of_value, shortened

_MOST_BYTES = 2**53  # beyond which JavaScript, and so VIA, does not count exactly


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ViaPictures:
    """The pictures of a document as columns; the fields are those of `Annotations`."""

    names: tuple[str, ...]
    byte_sizes: Int[np.ndarray, " pictures"]
    widths: Int[np.ndarray, " pictures"]
    heights: Int[np.ndarray, " pictures"]
    findings: tuple[Finding, ...]


def pictures_of(entries: Mapping[str, dict]) -> ViaPictures:
    """Names and sizes of all entries; what is damaged is unknown, with a finding.

    Width and height are read from `file_attributes`, where VIA keeps those of a COCO file that it has imported.
    """
    names, byte_sizes, widths, heights, found = [], [], [], [], []
    for number, (key, entry) in enumerate(entries.items()):
        name, size = entry.get("filename"), entry.get("size")
        if not isinstance(name, str) or not name:
            what = "no filename" if "filename" not in entry else f"{kind_of_value(name)} for its filename"
            message = f"the entry {shortened(key)!r} has {what}, so that its key stands for it"
            name = _name_in(key, byte_size(size))
            what = Change(what="name", image=number, value=name) if name else Change(what="drop-picture", image=number)
            name = name or key
            found.append(Finding(rule="bad-entry", severity="error", message=message, image=name, change=what))
        if type(size) is not int or not 0 <= size <= _MOST_BYTES:
            if _known_size(size) is None:
                message = f"the entry has {kind_of_value(size)} for its size, and a number of bytes is expected"
                change = Change(what="byte-size", image=number, value=-1)
                found.append(Finding(rule="bad-entry", severity="warning", message=message, image=name, change=change))
            size = byte_size(size)
        names.append(name)
        byte_sizes.append(size)
        width, height = _pixel_size(entry.get("file_attributes"))
        widths.append(width)
        heights.append(height)
    return ViaPictures(
        names=tuple(names),
        byte_sizes=np.array(byte_sizes, dtype=np.int64),
        widths=np.array(widths, dtype=np.int64),
        heights=np.array(heights, dtype=np.int64),
        findings=tuple(found),
    )


def byte_size(size: object) -> int:
    """What the `size` of an entry says; -1 where it says nothing that could be a number of bytes.

    >>> byte_size(12.0), byte_size("13"), byte_size("12 kB")
    (12, 13, -1)
    """
    value = _known_size(size)
    return -1 if value is None else value


def _name_in(key: str, size: int) -> str:
    """The name in a key that VIA has made of name and size.

    >>> _name_in("a.jpg12", 12), _name_in("a.jpg", -1)
    ('a.jpg', 'a.jpg')
    """
    return key.removesuffix(str(size))


def _known_size(size: object) -> int | None:
    """A size that is not a plain number: VIA's CSV import leaves texts, and pictures by URL have -1, "" or none."""
    if size is None or size in ("", -1, "-1"):
        return -1
    return _whole(size, most=_MOST_BYTES)


def _pixel_size(attributes: object) -> tuple[int, int]:
    if not isinstance(attributes, dict) or "width" not in attributes or "height" not in attributes:
        return 0, 0
    most = int(MOST_PIXELS)
    width, height = _whole(attributes["width"], most=most), _whole(attributes["height"], most=most)
    return (width, height) if width and height else (0, 0)


def _whole(value: object, *, most: int) -> int | None:
    """A whole number from 0 to `most`, also as a text of digits or a float without a fraction."""
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= most else None
