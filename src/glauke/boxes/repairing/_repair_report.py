"""What a repair has mended, what it could not, and what the export lacks, as findings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from .._annotations import SHAPES, Annotations
from .._findings import Change, Finding
from .._wording import counted, listed, quoted
from ._repair_match import Match

_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Still:
    """Rows that the donor could not mend."""

    label: Bool[np.ndarray, " rows"]
    """Without a label."""

    name: Bool[np.ndarray, " rows"]
    """Of a category without a name."""

    picture: Bool[np.ndarray, " rows"]
    """In one of several pictures."""

    any_label: Bool[np.ndarray, " rows"]
    """With a label that is not to be trusted."""


def remaining(mended: Annotations, still: Still, donor: Annotations) -> Iterator[Finding]:
    """The findings of the export that the repair did not settle, with the numbers that are left."""
    told = set()
    left = {
        "null-category": (still.label, "{} of {} annotations have no category"),
        "unknown-category": (still.label, "{} of {} annotations are of a category that is not listed"),
        "blank-category": (still.name, "{} of {} annotations are of a category with a blank name"),
        "image-id-collision": (still.picture, "{} of {} annotations lie in pictures that share an id"),
        "category-id-collision": (still.any_label, "{} of {} annotations are of categories that share an id"),
    }
    for finding in mended.findings:
        if finding.rule not in left:
            yield finding
        elif finding.rule not in told:
            told.add(finding.rule)
            rows, sentence = left[finding.rule]
            if rows.any():
                which = sentence.format(int(rows.sum()), len(mended))
                message = f"{which}, and {_file(donor)} has no region that matches them"
                yield replace(finding, severity="error", message=message)


def summary(labels: np.ndarray, pictures: np.ndarray, donor: Annotations) -> Iterator[Finding]:
    """How many labels and pictures the donor gave."""
    what = []
    if labels.any():
        what.append(f"the labels of {int(labels.sum())}")
    if pictures.any():
        what.append(f"the pictures of {int(pictures.sum())}")
    if what:
        message = f"{' and '.join(what)} of {len(labels)} annotations come from {_file(donor)}"
        yield Finding(rule="repaired", severity="note", message=message, change=Change(what="categories", image=-1))


def contradictions(
    annotations: Annotations, mended: Annotations, rows: np.ndarray, donor: Annotations
) -> Iterator[Finding]:
    """Labels that the export has kept and the donor contradicts."""
    pairs = Counter(
        (annotations.label_of(row) or "", mended.label_of(row) or "") for row in np.flatnonzero(rows).tolist()
    )
    for (own, other), count in pairs.most_common():
        if own != other:
            both = f"{quoted(own)} here and {quoted(other)} in {_file(donor)}"
            message = f"the label is {both}, which is trusted more, in {counted(count, 'annotation')}"
            yield Finding(rule="label-differs", severity="warning", message=message)


def not_repaired(mended: Annotations, still: Still, donor: Annotations) -> Iterator[Finding]:
    """Annotations that are still without a label or a picture."""
    rows = np.flatnonzero(still.label | still.name | still.picture).tolist()
    for row in rows[:_NAMED]:
        yield Finding(
            rule="not-repaired",
            severity="warning",
            message=f"no region of {_file(donor)} matches the {_box(mended, row)}",
            image=mended.name_of(row) or None,
            region=int(mended.region[row]),
        )
    if len(rows) > _NAMED:
        message = f"no region of {_file(donor)} matches {len(rows) - _NAMED} more"
        yield Finding(rule="not-repaired", severity="warning", message=message)


def not_exported(annotations: Annotations, donor: Annotations, match: Match) -> Iterator[Finding]:
    """Regions of the donor that the export lacks: VIA leaves out those without an option, and other shapes."""
    present = np.zeros(len(donor), np.bool_)
    present[match.donor_row[match.donor_row >= 0]] = True
    rows = np.flatnonzero(~present & (match.picture_of_donor[donor.image] >= 0)).tolist() if len(donor) else []
    for row in rows[:_NAMED]:
        label = donor.label_of(row)
        kind = f"labelled {quoted(label)}" if label is not None else "without a label"
        yield Finding(
            rule="not-exported",
            severity="note",
            message=f"the export lacks region {int(donor.region[row])} of {_file(donor)}, a {_box(donor, row)} {kind}",
            image=donor.name_of(row),
        )
    if len(rows) > _NAMED:
        message = f"the export lacks {counted(len(rows) - _NAMED, 'more region', 'more regions')} of {_file(donor)}"
        yield Finding(rule="not-exported", severity="note", message=message)
    for names, sentence in (
        (
            [donor.names[i] for i in np.flatnonzero(match.picture_of_donor < 0)],
            "the export lacks {} of {}",
        ),
        ([annotations.names[i] for i in np.flatnonzero(match.donor_picture < 0)], "{} of the export not in {}"),
    ):
        if names:
            message = (
                f"{sentence.format(counted(len(names), 'picture'), _file(donor))}: {listed(map(quoted, names), most=3)}"
            )
            yield Finding(rule="not-exported", severity="note", message=message)


def _file(donor: Annotations) -> str:
    return donor.path.name if donor.path else "the other file"


def _box(annotations: Annotations, row: int) -> str:
    x, y, w, h = (f"{value:g}" for value in annotations.boxes_xywh[row])
    return f"{SHAPES[annotations.shape[row]]} of {w}x{h} at ({x}, {y})"
