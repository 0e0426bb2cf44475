"""Annotations as Pascal VOC: one XML file for each picture.

VOC counts pixels from 1, and both corners belong to the box: xmin = x + 1, xmax = x + width. Fractions of a pixel are
kept, as in some of VOC's own files, so that reading gives the very same box.
"""

import re

from glauke.errors import DataError

from .._annotations import Annotations
from ._output_names import output_names
from ._picture_boxes import PictureBoxes, picture_boxes, plain

# What no XML 1.0 file can hold, escaped or not (its section 2.2).
_NEVER_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A carriage return read from XML is a newline, unless it was written by its number.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def voc_files(annotations: Annotations) -> dict[str, str]:
    """XML by file name; every row has a label and encloses something.

    Raises:
        DataError: a name or label that XML or a file system cannot hold, or that two pictures share.
    """
    place = str(annotations.path)
    files = output_names(annotations.names, ending=".xml", place=place)
    labels = [_escaped(label, place=place) for label in annotations.labels]
    return {
        files[i]: _document(
            _escaped(annotations.names[i], place=place),
            boxes,
            labels=labels,
            size=(int(annotations.widths[i]), int(annotations.heights[i])),
        )
        for i, boxes in picture_boxes(annotations)
    }


def _document(name: str, boxes: PictureBoxes, *, labels: list[str], size: tuple[int, int]) -> str:
    width, height = size
    lines = ["<annotation>", f"  <filename>{name}</filename>"]
    if width > 0 and height > 0:
        lines.append(f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>")
    lines.append("  <segmented>0</segmented>")
    for x, y, w, h, label in boxes:
        lines += [
            "  <object>",
            f"    <name>{labels[label]}</name>",
            "    <pose>Unspecified</pose>",
            "    <truncated>0</truncated>",
            "    <difficult>0</difficult>",
            f"    <bndbox><xmin>{plain(x + 1)}</xmin><ymin>{plain(y + 1)}</ymin>"
            f"<xmax>{plain(x + w)}</xmax><ymax>{plain(y + h)}</ymax></bndbox>",
            "  </object>",
        ]
    return "\n".join([*lines, "</annotation>", ""])


def _escaped(text: str, *, place: str) -> str:
    if bad := _NEVER_IN_XML.search(text):
        raise DataError(
            f"{text[:80]!r} holds the character U+{ord(bad[0]):04X}, which XML cannot hold",
            place=place,
            fix="rename it, or convert to coco",
        )
    return text.translate(_ESCAPES)
