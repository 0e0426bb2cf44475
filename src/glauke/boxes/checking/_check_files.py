"""Entries against the files of a folder: which picture was annotated, whatever its entry is called."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .._annotations import Annotations
from .._findings import Change, Finding
from .._picture_names import last_part
from .._pictures import PictureFile, PictureFolder, match_pictures, renamed_pictures
from .._wording import counted, quoted
from ._check_boxes import CLAMP_PX
from ._placed import Placed, of_file, of_pictures

_ENDINGS = {
    "jpeg": {".jpg", ".jpeg", ".jpe", ".jfif", ".jif"}, "png": {".png", ".apng"}, "webp": {".webp"}, "gif": {".gif"},
    "bmp": {".bmp", ".dib"}, "tiff": {".tif", ".tiff"},
}  # fmt: skip


def check_files(
    annotations: Annotations,
    pictures: PictureFolder,
    *,
    names: list[str],
    sizes: list[int],
    gone: np.ndarray,
    widths: np.ndarray,
    heights: np.ndarray,
) -> list[Placed]:
    """Compare every entry with the file that it names, and with the one that has its length.

    What mending would change is put into `names`, `sizes` (in bytes), `gone`, `widths` and `heights`.
    """
    matches = match_pictures(annotations, pictures)
    renamed = _renamed(annotations, pictures, matches)
    named = [i for i, name in enumerate(annotations.names) if name]
    found: list[tuple[int, Finding]] = []
    if len(named) > 1 and not renamed and all(matches[i] is None for i in named):
        message = f"none of the {len(named):,} pictures is in {pictures.path}"
        fix = "name the folder that holds the pictures"
        return [of_file([Finding(rule="missing-picture", severity="error", message=message, fix=fix)])]
    rows = np.split(
        np.argsort(annotations.image, kind="stable"),
        np.cumsum(np.bincount(annotations.image, minlength=len(names)))[:-1],
    )
    for i in named:
        match = renamed.get(i, matches[i])
        file = None if match is None else pictures.files[match]
        boxes = annotations.boxes_xywh[rows[i]]
        change = None
        if file is None:
            finding = _missing(annotations, pictures, i)
        elif i in renamed:
            finding = _renamed_finding(annotations, pictures, i, file, matches[i], len(boxes))
        elif 0 < sizes[i] != file.byte_size:
            finding = _other_length(annotations, i, file, boxes)
        else:
            finding = None
        if finding is not None:
            found.append((i, finding))
            change = finding.change
        if change is not None and change.what == "drop-picture":
            gone[i] = True
        if file is None:
            continue
        names[i] = file.name if i in renamed else names[i]
        sizes[i] = file.byte_size if sizes[i] > 0 else sizes[i]
        if (header := file.header) is not None:
            widths[i], heights[i] = header.width, header.height
        if not gone[i]:
            found += [(i, about) for about in _content(annotations.names[i], i, file)]
            gone[i] = header is None
    return [of_pictures(found), of_file(_unlisted(pictures, {renamed.get(i, matches[i]) for i in named}))]


def _renamed(annotations: Annotations, pictures: PictureFolder, matches: Sequence[int | None]) -> dict[int, int]:
    """The file that an entry belongs to by its length, unless that is another entry's by name and length."""
    sizes = annotations.byte_sizes.tolist()
    owned = {
        match for i, match in enumerate(matches) if match is not None and pictures.files[match].byte_size == sizes[i]
    }
    found = renamed_pictures(annotations, pictures, tuple(matches))
    return {i: file for i, file in found.items() if file not in owned}


def _missing(annotations: Annotations, pictures: PictureFolder, i: int) -> Finding:
    name = annotations.names[i]
    several = len(pictures.by_name.get(last_part(name), []))
    if several > 1:
        message = f"{several} files of {pictures.path} have this name, and the entry does not say which is meant"
    else:
        message = f"there is no such picture in {pictures.path}"
        if annotations.byte_sizes[i] > 0:
            message += f", nor one that alone has its length of {int(annotations.byte_sizes[i]):,} bytes"
    return Finding(
        rule="missing-picture",
        severity="error",
        message=message,
        image=name,
        fix="put the picture there, or take the entry out",
        change=Change(what="drop-picture", image=i),
    )


def _renamed_finding(
    annotations: Annotations, pictures: PictureFolder, i: int, file: PictureFile, match: int | None, num_boxes: int
) -> Finding:
    size = int(annotations.byte_sizes[i])
    belong = {0: "the entry belongs to", 1: "the box belongs to"}.get(num_boxes, f"the {num_boxes:,} boxes belong to")
    by_key = ", as its key says" if annotations.keys[i] == f"{file.name}{size}" else ""
    if match is None:
        rule, message = "missing-picture", "there is no file of this name"
    else:
        rule = "size-mismatch"
        message = f"the entry is of a file of {size:,} bytes, but this one has {pictures.files[match].byte_size:,}"
    return Finding(
        rule=rule,
        severity="error",
        message=f"{message}; {belong} {quoted(file.name)}, the only one of {size:,} bytes{by_key}",
        image=annotations.names[i],
        fix=f"write {quoted(file.name)} as its name",
        change=Change(what="name", image=i, value=file.name),
    )


def _other_length(annotations: Annotations, i: int, file: PictureFile, boxes: np.ndarray) -> Finding:
    """No single file has the length of the entry: the picture was saved again, or another one has its name."""
    size = int(annotations.byte_sizes[i])
    message = f"the entry is of a file of {size:,} bytes, but this one has {file.byte_size:,}"
    whose = f"its {counted(len(boxes), 'box', 'boxes')}"
    header, fits = file.header, False
    if header is not None:
        corner = boxes[:, :2] + boxes[:, 2:]
        limits = np.array([header.width, header.height], np.float64)
        outside = (boxes[:, :2] < -CLAMP_PX).any(axis=1) | (corner > limits + CLAMP_PX).any(axis=1)
        fits = not outside.any()
        pixels = f"{header.width}x{header.height} pixels"
        if fits:
            message += f"; {whose} fit its {pixels}, so that it may be the same picture, saved again"
        else:
            message += f", and {int(outside.sum())} of {whose} do not fit its {pixels}: it is another picture"
    change = Change(what="byte-size", image=i, value=file.byte_size) if fits else Change(what="drop-picture", image=i)
    fix = f"look at the boxes on the picture; if they are right, write {file.byte_size} as its size"
    return Finding(
        rule="size-mismatch",
        severity="error",
        message=message,
        image=annotations.names[i],
        fix=fix if fits else "find the picture that was annotated, or take the entry out",
        change=change,
    )


def _content(name: str, i: int, file: PictureFile) -> list[Finding]:
    """What the first bytes of a file say about it."""
    header = file.header
    if header is None:
        return [
            Finding(
                rule="unreadable-picture",
                severity="error",
                message=f"{quoted(file.name)} is no picture, or its beginning is damaged",
                image=name,
                fix="get the picture anew, or take the entry out",
                change=Change(what="drop-picture", image=i),
            )
        ]
    found = []
    ending = Path(file.name).suffix.lower()
    if ending not in _ENDINGS.get(header.kind, {ending}):
        message = f"the file is a {header.kind.upper()}, whatever its ending says"
        found.append(Finding(rule="wrong-ending", severity="note", message=message, image=name))
    if header.turn != 1:
        message = (
            f"the camera asks for the picture to be turned (EXIF orientation {header.turn}): browsers and VIA do so, "
            "but not every program that reads it"
        )
        found.append(Finding(rule="turned-picture", severity="note", message=message, image=name))
    return found


def _unlisted(pictures: PictureFolder, listed: set[int | None]) -> list[Finding]:
    others = [file.name for i, file in enumerate(pictures.files) if i not in listed]
    if not others:
        return []
    some = ", ".join(quoted(name) for name in others[:3]) + (" and others" if len(others) > 3 else "")
    have = "has" if len(others) == 1 else "have"
    message = f"{counted(len(others), 'picture')} of {pictures.path} {have} no entry in the file: {some}"
    return [Finding(rule="unlisted-picture", severity="note", message=message)]
