"""Names, keys and sizes of pictures, against the files where they are at hand.

VIA stores the length of each picture's file, which names the picture better than its name does: of eleven data sets
that were looked at, nine agree in every length with their files, and in another one 30 entries name a wrong picture,
whose own is found by its length. Of the 104 boxes in them, 77 would lie inside of the wrong picture too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from .._annotations import Annotations
from .._findings import Change, Finding
from .._picture_names import last_part
from .._pictures import PictureFolder
from .._wording import counted, quoted
from ._check_files import check_files
from ._check_labels import UNSAFE
from ._placed import Placed, of_pictures

KEYED = ("via1-region", "via2-region", "via2-project")
"""Kinds whose keys are made of name and size."""

_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)", re.IGNORECASE)
_UNSAFE_IN_URL = re.compile(r"[<>\"'\x00-\x1f\x7f-\x9f\u2028\u2029]")  # "&" stands between parameters
_NEVER_IN_NAMES = re.compile(r"[<>\"\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What no file name has that Windows can store: such a name is damage, or meant to harm."""
_LEAVES = re.compile(r"[/\\]|[A-Za-z]:|(?:.*[/\\])?\.\.(?:[/\\]|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckedPictures:
    """Findings about pictures, and what is known of each once they were mended."""

    found: list[Placed]
    widths: Int[np.ndarray, " pictures"]
    """Of the picture that the boxes belong to; 0 if unknown."""
    heights: Int[np.ndarray, " pictures"]
    gone: Bool[np.ndarray, " pictures"]
    """Which entries would be set aside."""


def check_pictures(annotations: Annotations, *, pictures: PictureFolder | None) -> CheckedPictures:
    """Check the entries of all pictures."""
    widths, heights = annotations.widths.copy(), annotations.heights.copy()
    gone = np.zeros(len(annotations.names), np.bool_)
    changes = (finding.change for finding in annotations.findings)
    gone[[change.image for change in changes if change is not None and change.what == "drop-picture"]] = True
    if annotations.kind == "table":
        return CheckedPictures(found=[], widths=widths, heights=heights, gone=gone)
    names, sizes = list(annotations.names), annotations.byte_sizes.tolist()
    found: list[Placed] = []
    if pictures is not None:
        found += check_files(annotations, pictures, names=names, sizes=sizes, gone=gone, widths=widths, heights=heights)
    num_boxes = np.bincount(annotations.image, minlength=len(names))
    found += [
        of_pictures(_unsafe_names(annotations, names, gone)),
        of_pictures(_same_names(annotations, names, sizes, gone, num_boxes)),
        of_pictures(_keys(annotations, names, sizes) if annotations.kind in KEYED else []),
        of_pictures(_never_annotated(annotations, num_boxes)),
    ]
    return CheckedPictures(found=found, widths=widths, heights=heights, gone=gone)


def _unsafe_names(annotations: Annotations, names: list[str], gone: np.ndarray) -> list[tuple[int, Finding]]:
    """Names that are no plain path below the folder of the pictures; what mending does goes into `names` and `gone`."""
    found = []
    for i, name in enumerate(names):
        url = bool(_URL.match(name))
        odd = (_UNSAFE_IN_URL if url else UNSAFE).search(name)
        leaves = not url and _LEAVES.match(name)
        if not odd and not leaves:
            continue
        change, fix = None, "rename the file, and its entry"
        if _NEVER_IN_NAMES.search(name):
            message = "the name holds characters that VIA takes for HTML, or that no file name has"
            change, fix = Change(what="drop-picture", image=i), "take the entry out, or correct its name"
            gone[i] = True
        elif leaves:
            message = "the name leads out of the folder of the pictures, or holds on one machine only"
            if (plain := last_part(name)) not in ("", ".", ".."):
                change, fix = Change(what="name", image=i, value=plain), f"write {quoted(plain)}"
                names[i] = plain
        else:
            message = "the name holds characters that VIA takes for HTML"
        finding = Finding(
            rule="unsafe-name", severity="warning", message=message, image=annotations.names[i], fix=fix, change=change
        )
        found.append((i, finding))
    return found


def _same_names(
    annotations: Annotations, names: Sequence[str], sizes: Sequence[int], gone: np.ndarray, num_boxes: np.ndarray
) -> list[tuple[int, Finding]]:
    """Entries that would share a name once names were mended; the one with boxes stays."""
    collided = {f.image for f in annotations.findings if f.rule == "image-id-collision"}
    entries: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        if name and not gone[i] and name not in collided:
            entries.setdefault(name, []).append(i)
    found = []
    for name, shared in entries.items():
        if len(shared) < 2:
            continue
        first, *others = sorted(shared, key=lambda i: (num_boxes[i] == 0, i))
        for i in others:
            gone[i] = True
            differ = sizes[i] > 0 and sizes[first] > 0 and sizes[i] != sizes[first]
            lengths = f", of files with {sizes[first]:,} and {sizes[i]:,} bytes" if differ else ""
            finding = Finding(
                rule="same-name",
                severity="warning",
                message=f"{len(shared)} entries are named {quoted(name)}{lengths}; this one has "
                f"{counted(int(num_boxes[i]), 'box', 'boxes')}, and what goes by names mixes them up",
                image=annotations.names[i],
                fix="rename one of the two pictures, or delete one entry",
                change=Change(what="drop-picture", image=i),
            )
            found.append((i, finding))
    return found


def _keys(annotations: Annotations, names: Sequence[str], sizes: Sequence[int]) -> list[tuple[int, Finding]]:
    found = []
    for i, key in enumerate(annotations.keys):
        name, size = annotations.names[i], int(annotations.byte_sizes[i])
        # Keys of imported COCO are its ids. Every new name or size that is written gets its key anyway.
        if key.isascii() and key.isdigit():
            continue
        if _is_key(key, name, size) or _is_key(key, names[i], sizes[i]):
            continue
        finding = Finding(
            rule="key-mismatch",
            severity="warning",
            message=f"the key is {quoted(key)}, while name and size make {quoted(f'{name}{size}')}: VIA leaves such "
            "a key when a picture is chosen again and its file has changed, a person when renaming one of the two",
            image=name or None,
            fix="see that this is the picture that was annotated; then make the key of name and size",
            change=Change(what="key", image=i),
        )
        found.append((i, finding))
    return found


def _is_key(key: str, name: str, size: int) -> bool:
    """Whether a key is made of name and size; of the name alone, or any size, where the entry has none."""
    if not key.startswith(name):
        return False
    rest = re.sub(r"~\d+\Z", "", key[len(name) :])  # a number that `merge` puts behind a key that is taken
    return rest == str(size) or (size < 0 and re.fullmatch(r"|-1|\d+", rest) is not None)


def _never_annotated(annotations: Annotations, num_boxes: np.ndarray) -> list[tuple[int, Finding]]:
    finding = Finding(rule="never-annotated", severity="note", message="the picture has no region")
    names = annotations.names
    return [(i, replace(finding, image=names[i])) for i in np.flatnonzero(num_boxes == 0).tolist() if names[i]]
