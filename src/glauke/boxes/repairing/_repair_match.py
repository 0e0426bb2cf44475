"""Which region of a VIA JSON each annotation of its export is: same picture, same box, same order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from .._annotations import Annotations
from .._picture_names import name_finder
from ._aligned import aligned


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Match:
    """Which region of another file each row is, and which picture each picture."""

    donor_row: Int[np.ndarray, " rows"]
    """Row of the donor for each of ours, or -1."""

    donor_picture: Int[np.ndarray, " pictures"]
    """Picture of the donor for each of ours, or -1."""

    picture_of_donor: Int[np.ndarray, " donor_pictures"]
    """The inverse."""


def match_rows(annotations: Annotations, donor: Annotations) -> Match:
    """Find the region of `donor` for each row, and the picture for each picture."""
    donor_picture, picture_of_donor = _paired_pictures(annotations.names, donor.names)
    group = _groups(annotations)
    donor_row = np.full(len(annotations), -1, np.int64)
    rows_of = _rows_by(group[annotations.image], len(annotations.names))
    donor_rows_of = _rows_by(donor.image, len(donor.names))
    pictures_of = _rows_by(group, len(annotations.names))
    for rows, pictures in zip(rows_of, pictures_of, strict=True):
        theirs = [donor_rows_of[d] for d in donor_picture[pictures].tolist() if d >= 0]
        if len(rows) and theirs:
            candidates = np.concatenate(theirs)
            places = aligned(annotations.boxes_xywh[rows], donor.boxes_xywh[candidates])
            donor_row[rows[places >= 0]] = candidates[places[places >= 0]]
    _match_repeated(annotations, donor_row)
    return Match(donor_row=donor_row, donor_picture=donor_picture, picture_of_donor=picture_of_donor)


def _match_repeated(annotations: Annotations, donor_row: np.ndarray) -> None:
    """VIA writes a region twice in a row, the same object, where two of its attributes have categories."""
    image, boxes = annotations.image, annotations.boxes_xywh
    same = (image[1:] == image[:-1]) & (boxes[1:] == boxes[:-1]).all(axis=1)
    for row in (np.flatnonzero(same) + 1).tolist():
        if donor_row[row] < 0:
            donor_row[row] = donor_row[row - 1]


def _paired_pictures(names: Sequence[str], donor_names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Donor's picture for each of ours by name, each at most once; equal names are paired in order."""
    find = name_finder(donor_names)
    donor_picture = np.full(len(names), -1, np.int64)
    inverse = np.full(len(donor_names), -1, np.int64)
    for i, name in enumerate(names):
        free = next((d for d in find(name) if inverse[d] < 0), None)
        if free is not None:
            donor_picture[i], inverse[free] = free, i
    return donor_picture, inverse


def _groups(annotations: Annotations) -> np.ndarray:
    """For each picture the first one with the same key: annotations cannot tell those apart."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(key, i) for i, key in enumerate(annotations.keys)], np.int64)


def picture_is_shared(annotations: Annotations) -> np.ndarray:
    """Which pictures have a key that another has too, so that nothing tells their annotations apart."""
    group = _groups(annotations)
    return np.bincount(group, minlength=len(group))[group] > 1


def _rows_by(group: np.ndarray, num_groups: int) -> list[np.ndarray]:
    order = np.argsort(group, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group, minlength=num_groups))[:-1]) if num_groups else []


def numbered_within(image: np.ndarray) -> np.ndarray:
    """0-based number of each row among the rows of its picture, in the order of the rows.

    >>> numbered_within(np.array([5, 2, 5, 5, 2])).tolist()
    [0, 0, 1, 2, 1]
    """
    number = np.empty(len(image), np.int64)
    for rows in _rows_by(image, int(image.max(initial=-1)) + 1):
        number[rows] = np.arange(len(rows))
    return number
