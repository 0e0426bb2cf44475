"""Every box becomes a picture of its own, in a folder named for its label: detection data to train a classifier on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from jaxtyping import Int

from glauke.errors import DataError, UsageError
from glauke.files import new_folder, sha256, write_csv

from .._annotations import Annotations
from .._pictures import PictureFile, PictureFolder, match_pictures, picture_folder, renamed_pictures
from .._wording import counted, listed, quoted
from ..writing._exports import require_new
from ._crop_folders import class_folders, plain_stem
from ._crop_pixels import upright_picture

GROUPS = "groups.csv"
"""What `glauke.images` reads beside class folders: pictures of one group stay on one side of a split."""

_MISSING = "whose picture is not there"
_UNREADABLE = "whose picture cannot be read"
_LARGEST_MARGIN = 10.0
_PNG_LEVEL = 1  # of 9: a photograph gets hardly smaller by more, and takes several times as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """What was written."""

    out: Path
    crops: int
    pictures: int
    """Pictures that crops were cut from, which are the groups; equal files count as one."""

    labels: Mapping[str, int]
    """How many crops each label has, commonest first."""

    folders: Mapping[str, str]
    """The folder below `out` of each label."""

    left_out: Mapping[str, int]
    """How many regions have no crop, by reason."""

    notes: tuple[str, ...]
    """What a person should know before training on them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Plan:
    """Which part of which file each crop will be, before anything is written."""

    rows: Int[np.ndarray, " crops"]
    """Of the annotations; those of one file lie together."""
    corners: Int[np.ndarray, "crops 4"]
    """Left, top, right and bottom in pixels of the upright picture."""
    files: list[PictureFile]
    """Of each crop."""
    folders: Mapping[str, str]
    left_out: Counter[str]
    """Regions by reason; grows when a picture turns out to be damaged."""
    notes: list[str]


def crops(
    annotations: Annotations,
    *,
    images: Path | PictureFolder,
    out: Path,
    margin: float | int = 0.1,
    least_size: int = 16,
) -> Crops:
    """Cut every labelled box out of its picture, with some of its surroundings, as PNG in class folders.

    Pictures are turned as their EXIF says first, since boxes were drawn on what the browser showed. A box that reaches
    out of its picture is cut at the edge. The file `000123_NAME.png` is row 123 of the annotations, from the picture
    NAME. `groups.csv` names the picture of each crop, so that a split never has one picture on both sides.

    Args:
        annotations: In pixels of the pictures; a row without a label has no crop.
        images: Where the pictures lie.
        out: The new folder.
        margin: Surroundings on each side, as a part of the box's width or height; less at the picture's edge.
        least_size: Boxes whose shorter side is fewer pixels are left out, without counting the margin.

    Raises:
        UsageError: `out` exists, or a margin or size that cannot be.
        DataError: there is nothing to cut out, or labels would share a folder. Nothing has been written then.
    """
    if not 0 <= margin <= _LARGEST_MARGIN:
        raise UsageError(f"the margin must be 0 to {_LARGEST_MARGIN:g} times the box, not {margin}", place="--margin")
    if least_size < 1:
        raise UsageError(f"the least size must be at least 1 pixel, not {least_size}", place="--least-size")
    require_new(out)
    pictures = images if isinstance(images, PictureFolder) else picture_folder(images)
    plan = _planned(annotations, pictures, margin=margin, least_size=least_size)
    labels: Counter[str] = Counter()
    written: list[tuple[str, str]] = []
    with new_folder(out) as fresh:
        for folder in plan.folders.values():
            (fresh / folder).mkdir()
        for row, name, group in _cut(annotations, plan, fresh):
            written.append((name, group))
            labels[annotations.labels[annotations.label[row]]] += 1
        if not written:
            raise _nothing(annotations, plan)
        write_csv(fresh / GROUPS, ("file", "group"), written)
        for label in plan.folders.keys() - labels.keys():
            (fresh / plan.folders[label]).rmdir()
    return Crops(
        out=out,
        crops=len(written),
        pictures=len({group for _, group in written}),
        labels=dict(labels.most_common()),
        folders={label: folder for label, folder in plan.folders.items() if label in labels},
        left_out=dict(plan.left_out),
        notes=tuple(_notes(plan, labels)),
    )


def _planned(annotations: Annotations, pictures: PictureFolder, *, margin: float | int, least_size: int) -> _Plan:
    if annotations.kind == "table":
        raise DataError("a table of counts has no pictures that boxes could be cut from", place=_place(annotations))
    file_of, sizes, notes = _files(annotations, pictures)
    limits = sizes[annotations.image].astype(np.float64)
    near = np.clip(annotations.boxes_xywh[:, :2], 0, limits)
    far = np.clip(annotations.boxes_xywh[:, :2] + annotations.boxes_xywh[:, 2:], 0, limits)
    sides = far - near
    blank = np.array([not label.strip() for label in annotations.labels] + [True])
    keep = np.ones(len(annotations), np.bool_)
    left_out: Counter[str] = Counter()
    for reason, hit in (
        ("without a label", blank[annotations.label]),
        (_MISSING, file_of[annotations.image] < 0),
        (_UNREADABLE, limits[:, 0] <= 0),
        ("without an area", ~annotations.encloses),
        ("outside of the picture", (sides <= 0).any(axis=1)),
        (f"with a side of less than {least_size} pixels", sides.min(axis=1, initial=np.inf) < least_size),
    ):
        if found := int((keep & hit).sum()):
            left_out[reason] = found
        keep &= ~hit
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(file_of[annotations.image[rows]], kind="stable")]
    around = margin * sides[rows]
    # Whole pixels that hold it all; rounding first, since 10 - 0.1 * 30 is a little less than 7.
    start = np.floor(np.clip(near[rows] - around, 0, None).round(3))
    end = np.ceil(np.minimum(far[rows] + around, limits[rows]).round(3))
    used = [annotations.labels[i] for i in np.unique(annotations.label[rows]).tolist()]
    plan = _Plan(
        rows=rows,
        corners=np.concatenate([start, end], axis=1).astype(np.int64),
        files=[pictures.files[i] for i in file_of[annotations.image[rows]].tolist()],
        folders=class_folders(used, place=_place(annotations)),
        left_out=left_out,
        notes=notes,
    )
    if not len(rows):
        raise _nothing(annotations, plan)
    return plan


def _files(
    annotations: Annotations, pictures: PictureFolder
) -> tuple[Int[np.ndarray, " pictures"], Int[np.ndarray, "pictures 2"], list[str]]:
    """The file of each picture (-1: none), its width and height (0: no picture), and what is odd about them."""
    matches = match_pictures(annotations, pictures)
    renamed = renamed_pictures(annotations, pictures, matches)
    file_of = np.array([renamed.get(i, -1 if found is None else found) for i, found in enumerate(matches)], np.int64)
    sizes = np.zeros((len(file_of), 2), np.int64)
    resaved: list[str] = []
    resized: list[str] = []
    for i in np.unique(annotations.image).tolist():
        file = None if file_of[i] < 0 else pictures.files[file_of[i]]
        if file is None or file.header is None:
            continue
        sizes[i] = file.header.width, file.header.height
        if annotations.widths[i] > 0 and (annotations.widths[i], annotations.heights[i]) != tuple(sizes[i]):
            resized.append(quoted(annotations.names[i]))
        if 0 < annotations.byte_sizes[i] != file.byte_size:
            resaved.append(quoted(annotations.names[i]))
    notes = [
        f"{what}, so the boxes may belong to {whose}: {counted(len(names), 'picture')} ({listed(names)})"
        for names, what, whose in (
            (resaved, "the file has another size in bytes than the annotations say", "another picture"),
            (resized, "the picture has another size than the annotations say", "a resized copy"),
        )
        if names
    ]
    return file_of, sizes, notes


def _cut(annotations: Annotations, plan: _Plan, folder: Path) -> Iterator[tuple[int, str, str]]:
    """Write the crops; yields the row, the name within the folder and the group of each."""
    group_of = _groups(plan.files)
    crops = zip(plan.rows.tolist(), plan.corners.tolist(), plan.files, strict=True)
    for file, of_file in groupby(crops, key=lambda crop: crop[2]):
        together = list(of_file)
        header = file.header
        assert header is not None
        try:
            picture = upright_picture(file.folder / file.path, turn=header.turn)
            if picture.size != (header.width, header.height):
                raise DataError(f"its pixels are {picture.size} and its header says {header.width, header.height}")
        except DataError as error:
            plan.left_out[_UNREADABLE] += len(together)
            plan.notes.append(f"damaged: {quoted(file.name)} ({error.message})")
            continue
        stem = plain_stem(file.name)
        for row, corners, _ in together:
            name = f"{plan.folders[annotations.labels[annotations.label[row]]]}/{row:06d}_{stem}.png"
            with (folder / name).open("xb") as target:
                picture.crop(tuple(corners)).save(target, format="PNG", compress_level=_PNG_LEVEL)
            yield row, name, group_of[file.name]


def _groups(files: list[PictureFile]) -> dict[str, str]:
    """The group of each file: its own, or that of an earlier file with the very same bytes."""
    distinct = {file.name: file for file in files}
    lengths = Counter(file.byte_size for file in distinct.values())
    groups: dict[str, str] = {}
    by_content: dict[str, str] = {}
    for number, (name, file) in enumerate(distinct.items()):
        group = f"{number:06d}_{plain_stem(name)}"
        if lengths[file.byte_size] > 1:
            with suppress(OSError):  # it will not be readable as a picture either, and is told then
                group = by_content.setdefault(sha256(file.folder / file.path), group)
        groups[name] = group
    return groups


def _notes(plan: _Plan, labels: Mapping[str, int]) -> Iterator[str]:
    for reason, count in plan.left_out.items():
        yield f"left out: {counted(count, 'box', 'boxes')} {reason}"
    for label, folder in plan.folders.items():
        if label in labels and folder != label:
            yield f"the folder of {quoted(label)} is {quoted(folder)}"
    yield from plan.notes
    if len(labels) == 1:
        yield "there is one label only, and a classifier needs at least two"


def _nothing(annotations: Annotations, plan: _Plan) -> DataError:
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in plan.left_out.items())
    why = f" ({reasons})" if reasons else ""
    fix = None
    if plan.left_out[_MISSING] or plan.left_out[_UNREADABLE]:
        fix = "name the folder that holds these pictures with --images"
    return DataError(
        f"none of {counted(len(annotations), 'region')} can be cut out{why}", place=_place(annotations), fix=fix
    )


def _place(annotations: Annotations) -> str | None:
    return None if annotations.path is None else str(annotations.path)
