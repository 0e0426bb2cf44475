"""Annotations as YOLO's folder: `labels/NAME.txt`, `classes.txt`, `data.yaml` and `sizes.csv`.

A line is class, centre x, centre y, width and height, the last four in parts of the picture's size, with ten decimals,
far below a thousandth of a pixel. Ultralytics drops a whole picture if one of its four numbers lies outside 0..1, so a
box whose centre lies outside its picture, or that is larger, is cut at the edge; others may reach beyond it.
`sizes.csv` is ours: fractions say nothing without the pictures' sizes, and the pictures need not be there.
"""

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np

from glauke.errors import DataError
from glauke.files import is_formula

from .._annotations import Annotations
from .._wording import counted
from .._wording import quoted as shown
from ._output_names import output_names
from ._picture_boxes import Number, picture_boxes

SIZES = "sizes.csv"
# Line ends by any reader's count, and halves of characters, which UTF-8 cannot hold.
_NOT_IN_A_LINE = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029\ud800-\udfff]")
# What YAML 1.1 does not allow unescaped inside quotes, or takes for a line end.
_ESCAPED_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def yolo_files(annotations: Annotations) -> tuple[dict[str, str], int]:
    """Text by path within the folder, and how many boxes were cut at the edge.

    Every row has a label and shares some area with its picture.

    Raises:
        DataError: a picture with boxes has no known size; a name or label that the format cannot hold.
    """
    place = str(annotations.path)
    files = output_names(annotations.names, ending=".txt", place=place)
    require_sizes(annotations)
    for label in annotations.labels:
        if _NOT_IN_A_LINE.search(label) or not label.strip():
            raise DataError(
                f"the label {label[:80]!r} does not fit into a line of classes.txt",
                place=place,
                fix="mend the label first, with `glauke boxes check --fix`",
            )
    texts, cut = {}, 0
    for i, boxes in picture_boxes(annotations):
        width, height = int(annotations.widths[i]), int(annotations.heights[i])
        lines = []
        for x, y, w, h, label in boxes:
            numbers = _fractions(x, y, x + w, y + h, width, height)
            if not all(0 <= n <= 1 for n in numbers):
                cut += 1
                numbers = _fractions(max(x, 0), max(y, 0), min(x + w, width), min(y + h, height), width, height)
            lines.append(f"{label} " + " ".join(_decimals(n) for n in numbers) + "\n")
        texts[f"labels/{files[i]}"] = "".join(lines)
    texts["classes.txt"] = "".join(f"{label}\n" for label in annotations.labels)
    texts["data.yaml"] = _data_yaml(annotations.labels)
    texts[SIZES] = _sizes_csv(annotations)
    return texts, cut


def require_sizes(annotations: Annotations) -> None:
    """Refuse pictures with boxes whose size is not known."""
    used = np.bincount(annotations.image, minlength=len(annotations.names)) > 0
    unknown = np.flatnonzero(used & ((annotations.widths <= 0) | (annotations.heights <= 0)))
    if len(unknown):
        raise DataError(
            f"YOLO needs the size of every picture, and that of {annotations.names[unknown[0]]!r} is not known "
            f"({len(unknown):,} of {int(used.sum()):,} pictures with boxes)",
            place=str(annotations.path),
            fix="give the folder of the pictures with --images, or their sizes with --sizes",
        )


def shortened_names(annotations: Annotations) -> Iterator[str]:
    """A note for each part that names of pictures lose on the way back from the folder, with the first of them."""
    sizes = zip(annotations.widths.tolist(), annotations.heights.tolist(), strict=True)
    names = [name.removeprefix("./") for name in annotations.names]
    unknown = [name for name, size in zip(names, sizes, strict=True) if min(size) <= 0 and PurePosixPath(name).suffix]
    for lost, what in (
        ([name for name in names if "/" in name], "the folder"),
        (unknown, "the ending, since the size of the picture is not known"),
    ):
        if lost:
            yield f"{counted(len(lost), 'name')} ({shown(lost[0])} first) will be read back without {what}"


def quoted(text: str) -> str:
    r"""`text` as a string of YAML in double quotes, which no reader takes for a number, a date or a truth value.

    >>> print(quoted("no"), quoted('say "hi"'))
    "no" "say \"hi\""
    """
    # JSON's strings are YAML's; only the characters that YAML does not print need more care.
    return _ESCAPED_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _fractions(
    left: Number, top: Number, right: Number, bottom: Number, width: int, height: int
) -> tuple[float, float, float, float]:
    """Centre, width and height of a box in parts of its picture's size."""
    return (left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height


def _sizes_csv(annotations: Annotations) -> str:
    rows = zip(annotations.names, annotations.widths.tolist(), annotations.heights.tolist(), strict=True)
    # A cell that would run as a formula gets "./" before it, which names the same file.
    named = ((f"./{name}" if is_formula(name) else name, width, height) for name, width, height in rows)
    quoted_rows = (
        f'"{name.replace(chr(34), chr(34) * 2)}",' + (f"{width},{height}\n" if width > 0 < height else ",\n")
        for name, width, height in named
    )
    return "filename,width,height\n" + "".join(quoted_rows)


def _data_yaml(labels: tuple[str, ...]) -> str:
    names = "".join(f"  {number}: {quoted(label)}\n" for number, label in enumerate(labels)) or "  {}\n"
    return (
        "# Put the pictures into the folder images, beside labels.\n"
        "train: images\n"
        "val: images  # the same pictures: split them before you trust a score\n"
        f"nc: {len(labels)}\n"
        f"names:\n{names}"
    )


def _decimals(value: float | int) -> str:
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text or "0"
