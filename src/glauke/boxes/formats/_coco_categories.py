"""The categories of a COCO document as labels, however often and however badly they are written."""

import re
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

from .._annotations import Attribute
from .._findings import Finding
from .._wording import counted, quoted

Id = int | str | None


@dataclass(slots=True, kw_only=True)
class Categories:
    """Labels by category id, in the order of the document."""

    labels: list[str] = field(default_factory=list)

    blank: list[bool] = field(default_factory=list)
    """Whether each label stands for a category without a name."""

    label_of: dict[Id, int] = field(default_factory=dict)
    """Index of the label by category id; never None, which several categories may share."""

    groups: list[str] = field(default_factory=list)
    """The supercategories as they are written: VIA puts the name of the region attribute there."""

    listed: int = 0
    """Categories in the document, repeated ones once."""

    null_ids: int = 0
    blank_null_ids: int = 0


def coco_id(value: object) -> Id:
    """An id as it is meant: VIA 2.0.8 writes whole numbers as text, and scripts as 3.0.

    >>> coco_id("12"), coco_id(12.0), coco_id("012"), coco_id(None)
    (12, 12, '012', None)
    """
    if type(value) is int or value is None:
        return value
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", value) else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return repr(value)[:80]


def unnamed(identity: Id) -> str:
    """The label of a category without a name: boxes of different ones stay apart."""
    return f"(category {identity})"


def is_unnamed(label: str) -> bool:
    """Whether a label stands for a category without a name."""
    return re.fullmatch(r"\(category .*\)", label, re.DOTALL) is not None


def read_categories(entries: list, findings: list[Finding]) -> Categories:
    """Read the list of categories; equal names are one label, and what does not fit is a finding."""
    categories = Categories()
    index: dict[str, int] = {}
    seen: Counter[Hashable] = Counter()
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            message = f"categories[{number}] is no object"
            findings.append(Finding(rule="bad-entry", severity="error", message=message))
            continue
        identity, written = coco_id(entry.get("id")), entry.get("name")
        name = "" if written is None else str(written)
        group = entry.get("supercategory")
        group = group if isinstance(group, str) else ""
        same = (identity, name, group)
        seen[same] += 1
        # Without an id, four equal entries are four categories and no repetition.
        if seen[same] > 1 and identity is not None:
            continue
        categories.listed += 1
        categories.groups.append(group)
        blank = not name.strip()
        if identity is None:
            categories.null_ids += 1
            categories.blank_null_ids += blank
            if blank:
                continue
        label = unnamed(identity) if blank else name
        if label not in index:
            index[label] = len(categories.labels)
            categories.labels.append(label)
            categories.blank.append(blank)
        if identity is not None and categories.label_of.setdefault(identity, index[label]) != index[label]:
            first = categories.labels[categories.label_of[identity]]
            message = f"the categories {quoted(first)} and {quoted(label)} share the id {str(identity)[:40]}"
            fix = "give the VIA JSON of the same annotations with --repair-from"
            findings.append(Finding(rule="category-id-collision", severity="error", message=message, fix=fix))
    if categories.listed == len(seen) < seen.total():
        listed = counted(len(seen), "category is", "categories are")
        message = f"{listed} listed in {seen.total():,} entries, as VIA 2.0.8 does"
        findings.append(Finding(rule="repeated-category", severity="note", message=message))
    return categories


def class_attribute(kind: str, categories: Categories, label: np.ndarray) -> tuple[str | None, tuple[Attribute, ...]]:
    """Name of the attribute that the categories were made of, and its values as an attribute of regions."""
    if not categories.labels:
        return None, ()
    # VIA writes the attribute's name there; others write groups of classes ("animal").
    groups = {group for group in categories.groups if group}
    name = groups.pop() if kind == "via-coco" and len(groups) == 1 else "category_id"
    counts = np.bincount(label[label >= 0], minlength=len(categories.labels)).tolist()
    used = Counter({text: count for text, count in zip(categories.labels, counts, strict=True) if count})
    options = {str(identity): categories.labels[i] for identity, i in categories.label_of.items()}
    attribute = Attribute(
        name=name, type=None, options=options, counts=dict(used.most_common(1000)), regions=sum(counts)
    )
    return name, (attribute,)
