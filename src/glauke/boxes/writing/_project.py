"""A folder of pictures becomes a VIA 2 project, ready to open and annotate, once its pictures have been looked at."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glauke.errors import DataError, UsageError

from .._findings import Finding
from .._pictures import picture_folder
from .._wording import counted, listed
from ._exports import one_line_json, require_new, write_new
from ._new_pictures import NewPicture, look_alikes, look_at, natural_order
from ._to_via import CLASS, dropdown, free_key, via_project

SMALLEST_SIDE = 64  # pixels: an object in such a picture has a few pixels, fewer than any detector's finest grid cell
# `is_url` in VIA 2's via.js: such names are taken for addresses, and the folder is not put before them.
_ADDRESSES = ("http://", "https://", "www.")
# VIA puts names into its page unescaped, and into an address, where these characters end the name or are decoded.
_AWKWARD = frozenset("<>\"'&#?%\\")
_ENDINGS = {
    "jpeg": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "png": {".png"},
    "webp": {".webp"},
    "gif": {".gif"},
    "bmp": {".bmp", ".dib"},
    "tiff": {".tif", ".tiff"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What was written, and what is to be said about the pictures."""

    path: Path
    """The project file."""

    folder: Path
    """Absolute folder of the pictures."""

    pictures: int
    """How many pictures the project holds."""

    labels: tuple[str, ...]
    findings: tuple[Finding, ...]


def project(images: Path, *, labels: Sequence[str], out: Path, at_least: int | None = None) -> Project:
    """Write a VIA 2 project with every readable picture below `images`, in natural order (2.jpg before 10.jpg).

    It has one attribute, the dropdown `class`, with `labels` in this spelling, so that nobody can mistype one. The
    pictures stay where they are: the project names their folder, and VIA finds them there without being asked.

    Raises:
        UsageError: `out` exists, or the labels are empty, doubled, or begin or end with blanks.
        DataError: `images` is no folder, or holds no readable picture.
    """
    require_new(out)
    require_labels(labels)
    found = picture_folder(images)
    names = sorted((file.name for file in found.files), key=natural_order)
    looked = [look_at(images, name) for name in names if _is_text(name)]
    pictures = [picture for picture in looked if picture.problem is None]
    if not pictures:
        raise DataError(
            f"none of its {len(names):,} picture files can be read" if names else "it holds no pictures",
            place=str(images),
            fix="put JPEG, PNG or WebP files there",
        )
    folder = Path(os.path.abspath(images))  # noqa: PTH100  Path.absolute() keeps "..", resolve() follows links
    if not _is_text(str(folder)):
        raise DataError("no file can hold its path, which is no Unicode", place=str(folder), fix="rename the folder")
    entries: dict[str, dict] = {}
    for picture in pictures:
        entries[free_key(f"{picture.name}{picture.byte_size}", entries)] = {
            "filename": picture.name,
            "size": picture.byte_size,
            "regions": [],
            "file_attributes": {},
        }
    document = via_project(
        entries,
        name=out.stem,
        region_attributes={CLASS: dropdown(labels)},
        default_filepath=str(folder).rstrip(os.sep) + os.sep,
    )
    findings = [
        *_skipped(found.skipped),
        *_no_text(names),
        *_unreadable(looked),
        *_each(pictures),
        *_together(pictures),
        *_too_few(pictures, at_least),
    ]
    write_new(out, one_line_json(document))
    return Project(path=out, folder=folder, pictures=len(pictures), labels=tuple(labels), findings=tuple(findings))


def require_labels(labels: Sequence[str]) -> None:
    """Refuse labels that would make trouble later."""
    if not labels:
        raise UsageError("no label is given", place="--labels", fix="name the classes, as in --labels vest,mask")
    for label in labels:
        if not label.strip() or label != label.strip():
            raise UsageError(
                f"the label {label!r} is blank, or begins or ends with a blank", place="--labels", fix="leave it out"
            )
    folded = Counter(label.casefold() for label in labels)
    if doubled := [label for label in labels if folded[label.casefold()] > 1]:
        raise UsageError(
            f"the labels {', '.join(map(repr, doubled))} are the same but for capitals",
            place="--labels",
            fix="name each class once",
        )


def _skipped(skipped: Sequence[str]) -> list[Finding]:
    return [
        Finding(rule="not-looked-into", severity="warning", message=f"left out of the project: {what}")
        for what in skipped
    ]


def _is_text(name: str) -> bool:
    """Whether JSON can hold a name; one that is not UTF-8 on disk has halves of characters here."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _no_text(names: Sequence[str]) -> list[Finding]:
    return [
        Finding(
            rule="awkward-name",
            severity="error",
            message="no file can hold the name, which is no Unicode; the picture is left out of the project",
            image=name.encode(errors="backslashreplace").decode(),
            fix="rename it with letters, digits, - and _",
        )
        for name in names
        if not _is_text(name)
    ]


def _unreadable(pictures: Sequence[NewPicture]) -> list[Finding]:
    return [
        Finding(
            rule="unreadable-picture",
            severity="error",
            message=f"the picture cannot be read ({p.problem}) and is left out of the project",
            image=p.name,
            fix="replace it, or delete it",
        )
        for p in pictures
        if p.problem is not None
    ]


def _each(pictures: Sequence[NewPicture]) -> list[Finding]:
    return [finding for picture in pictures for finding in (*_of_content(picture), *_of_name(picture))]


def _of_content(p: NewPicture) -> list[Finding]:
    found = []
    if p.turn != 1:
        found.append(
            Finding(
                rule="turned-picture",
                severity="warning",
                message=f"EXIF turns the picture (orientation {p.turn}): VIA shows it turned, and a program that does "
                "not look at EXIF would find every box elsewhere",
                image=p.name,
                fix="save it upright before annotating",
            )
        )
    if min(p.width, p.height) < SMALLEST_SIDE:
        found.append(
            Finding(
                rule="small-picture",
                severity="warning",
                message=f"the picture is very small: {p.width} x {p.height} pixels",
                image=p.name,
                fix="look for a larger copy",
            )
        )
    if p.kind == "tiff":
        found.append(
            Finding(
                rule="not-shown",
                severity="error",
                message="it is a TIFF, which most browsers, and so VIA, do not show",
                image=p.name,
                fix="save it as PNG or JPEG",
            )
        )
    return found


def _of_name(p: NewPicture) -> list[Finding]:
    found = []
    ending = Path(p.name).suffix.lower()
    if ending not in _ENDINGS.get(p.kind, {ending}):
        found.append(
            Finding(
                rule="wrong-ending",
                severity="warning",
                message=f"the name ends in {ending}, but the file is a {p.kind.upper()}",
                image=p.name,
                fix=f"rename it to end in .{'jpg' if p.kind == 'jpeg' else p.kind}",
            )
        )
    letters = sorted(letter for letter in _AWKWARD.intersection(p.name) if letter != os.sep)
    if letters or p.name.lower().startswith(_ADDRESSES) or not p.name.isprintable():
        why = f"it holds {' '.join(letters)}" if letters else "VIA takes it for an address, or it cannot be printed"
        found.append(
            Finding(
                rule="awkward-name",
                severity="warning",
                message=f"VIA may not find a picture of this name: {why}",
                image=p.name,
                fix="rename it with letters, digits, - and _",
            )
        )
    return found


def _together(pictures: Sequence[NewPicture]) -> list[Finding]:
    findings = []
    same: dict[bytes, list[str]] = {}
    called: dict[str, list[str]] = {}
    for p in pictures:
        same.setdefault(p.digest, []).append(p.name)
        called.setdefault(p.name.rpartition("/")[2].casefold(), []).append(p.name)
    for names in same.values():
        if len(names) > 1:
            findings.append(
                Finding(
                    rule="same-picture",
                    severity="warning",
                    message=f"{len(names)} files are the same picture, byte by byte: {listed(names)}",
                    image=names[1],
                    fix="keep one: two annotations of it would differ, and one may train what the other tests",
                )
            )
    for first, second, bits in look_alikes(pictures):
        findings.append(
            Finding(
                rule="near-same-picture",
                severity="warning",
                message=f"it looks nearly like {pictures[first].name} ({bits} of 256 bits of their outlines differ)",
                image=pictures[second].name,
                fix="look at the two, and keep one if they show the same",
            )
        )
    for names in called.values():
        if len(names) > 1:
            findings.append(
                Finding(
                    rule="same-name",
                    severity="warning",
                    message=f"{len(names)} pictures have one name in different folders: {listed(names)}; VIA finds "
                    "pictures that are chosen by hand by this name alone, and most formats write one file for it",
                    image=names[1],
                    fix="give every picture a name of its own before annotating",
                )
            )
    return findings


def _too_few(pictures: Sequence[NewPicture], at_least: int | None) -> list[Finding]:
    different = len({p.digest for p in pictures})
    if at_least is None or different >= at_least:
        return []
    copies = f" (and {counted(len(pictures) - different, 'copy', 'copies')})" if different < len(pictures) else ""
    return [
        Finding(
            rule="too-few-pictures",
            severity="error",
            message=f"the folder has {counted(different, 'picture')}{copies}, and at least {at_least:,} are asked for",
            fix=f"add {at_least - different:,} more",
        )
    ]
