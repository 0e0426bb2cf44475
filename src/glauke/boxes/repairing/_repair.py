"""An export that lost labels and pictures, mended from the VIA JSON that it was made from.

The same boxes in the same pictures, in the order of the document, say which annotation is which region; the region
knows its label and its picture.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from glauke.errors import InputError
from glauke.files import collector_paused

from .._annotations import Annotations
from .._findings import Finding
from .._picture_names import name_finder
from ..formats._coco_categories import is_unnamed
from ._repair_match import Match, match_rows, numbered_within, picture_is_shared
from ._repair_report import Still, contradictions, not_exported, not_repaired, remaining, summary

STRUCTURAL = (
    "null-category",
    "image-id-collision",
    "blank-category",
    "unknown-category",
    "category-id-collision",
)
"""Rules whose errors mean that labels or pictures are lost."""
LOST_PICTURES = ("image-id-collision",)
"""Those of pictures."""

DONORS = ("via2-project", "via2-region", "via1-region", "via3-project")
"""Kinds of file to repair from, the most trustworthy first."""

_MOST_BYTES = 256 << 20
_MOST_FILES = 200
_SAME_NAMES = 0.9
_SAME_BOXES = 0.5


def unsound(annotations: Annotations, *, labels: bool = True) -> Finding | None:
    """The first error of structure, if there is one: pictures, or with `labels` also labels, that the file has lost."""
    rules = STRUCTURAL if labels else LOST_PICTURES
    return next((f for f in annotations.findings if f.severity == "error" and f.rule in rules), None)


def repaired(annotations: Annotations, donor: Annotations) -> tuple[Annotations, tuple[Finding, ...]]:
    """Mend the pictures and labels of an export from `donor`, which has the same pictures.

    A label that the export has kept stays, unless the donor uses the same names and contradicts it. What has no
    counterpart stays as it is, and so does the finding about it; the second result says what was mended and what the
    export lacks.
    """
    with collector_paused():
        match = match_rows(annotations, donor)
    found = match.donor_row >= 0
    lost = _lost_labels(annotations)
    shared = picture_is_shared(annotations)[annotations.image]
    image = annotations.image.copy()
    image[found] = match.picture_of_donor[donor.image[match.donor_row[found]]]
    labels, label, mended_labels = _labels(annotations, donor, match, lost)
    took = bool(mended_labels.any())
    byte_sizes = annotations.byte_sizes.copy()
    known = (match.donor_picture >= 0) & (byte_sizes < 0)
    byte_sizes[known] = donor.byte_sizes[match.donor_picture[known]]
    mended = replace(
        annotations,
        image=image,
        region=numbered_within(image),
        label=label,
        labels=labels,
        byte_sizes=byte_sizes,
        class_attribute=donor.class_attribute if took else annotations.class_attribute,
        attributes=donor.attributes if took else annotations.attributes,
    )
    still = Still(
        label=~found & (label < 0) & lost,
        name=np.isin(label, [i for i, text in enumerate(labels) if is_unnamed(text)]) & lost,
        picture=~found & shared,
        any_label=~found & lost,
    )
    findings = tuple(remaining(mended, still, donor))
    notes = [
        *summary(mended_labels, found & shared, donor),
        *contradictions(annotations, mended, found & ~lost, donor),
        *not_repaired(mended, still, donor),
        *not_exported(annotations, donor, match),
    ]
    return replace(mended, findings=findings), tuple(notes)


def donor_beside(path: Path, annotations: Annotations, read: Callable[[Path], Annotations]) -> Path | None:
    """The VIA JSON in the same folder that `annotations` can be repaired from, if there is one.

    It has at least nine of ten of the pictures' names and half of the boxes; among several the one with most boxes is
    taken, then a project before an export of regions.
    """
    wanted = {name for name in annotations.names if name}
    best: tuple[float, int, Path] | None = None
    for file in _json_files(path):
        try:
            donor = read(file)
        except InputError:  # it is of another kind, or damaged: not what is looked for
            continue
        if donor.kind not in DONORS or unsound(donor) is not None:
            continue
        find = name_finder(donor.names)
        if not wanted or sum(bool(find(name)) for name in wanted) < _SAME_NAMES * len(wanted):
            continue
        rows = match_rows(annotations, donor).donor_row
        same = float((rows >= 0).mean()) if len(rows) else 1.0
        rank = (same, -DONORS.index(donor.kind), file)
        if same >= _SAME_BOXES and (best is None or rank[:2] > best[:2]):
            best = rank
    return best[2] if best else None


def _lost_labels(annotations: Annotations) -> np.ndarray:
    rules = {finding.rule for finding in annotations.findings}
    if "category-id-collision" in rules:
        return np.ones(len(annotations), np.bool_)
    lost = annotations.label < 0
    if "blank-category" in rules:
        lost |= np.isin(annotations.label, [i for i, text in enumerate(annotations.labels) if is_unnamed(text)])
    return lost


def _labels(
    annotations: Annotations, donor: Annotations, match: Match, lost: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Labels, the label of each row, and which rows have a new one."""
    found = match.donor_row >= 0
    given = np.full(len(annotations), -1, np.int64)
    given[found] = donor.label[match.donor_row[found]]
    theirs = set(donor.labels)
    same_names = np.isin(annotations.label, [i for i, text in enumerate(annotations.labels) if text in theirs])
    texts = [*donor.labels, *(text for text in annotations.labels if text not in theirs)]
    index = {text: i for i, text in enumerate(texts)}
    own = np.array([*(index[text] for text in annotations.labels), -1], np.int64)[annotations.label]
    changed = (given >= 0) & (lost | (same_names & (given != own)))
    if not changed.any():
        return annotations.labels, annotations.label, changed
    label = np.where(changed, given, own)
    # A category without a name, whose matched boxes all have one label, has that label for the others too.
    for i, text in enumerate(annotations.labels):
        if is_unnamed(text):
            rows = (annotations.label == i) & lost
            votes = np.unique(given[rows & (given >= 0)])
            if len(votes) == 1:
                label[rows] = votes[0]
    used = np.bincount(label[label >= 0], minlength=len(texts))
    kept = [i for i in range(len(texts)) if i < len(donor.labels) or used[i]]
    renumbered = np.full(len(texts) + 1, -1, np.int64)
    renumbered[kept] = np.arange(len(kept))
    return tuple(texts[i] for i in kept), renumbered[label].astype(np.int32), changed


def _json_files(path: Path) -> Iterator[Path]:
    """Other files in the folder that may be JSON of a bearable size, in order of their names."""
    try:
        files = sorted(p for p in path.resolve().parent.iterdir() if p.suffix.lower() == ".json" and p.is_file())
    except OSError:
        return
    for file in files[:_MOST_FILES]:
        if file.name != path.name and 2 < file.stat().st_size <= _MOST_BYTES:
            with file.open("rb") as opened:
                if opened.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
                    yield path.parent / file.name
