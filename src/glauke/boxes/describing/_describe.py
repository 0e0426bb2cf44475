"""A file of annotations explained in words, with its own values, to somebody who has never seen one."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from .._annotations import Annotations
from .._findings import Finding
from .._wording import bare, counted, listed, number, share, tally, visible
from ._attribute_text import attributes_text
from ._coco_text import coco_text
from ._description import Description, Section, Table
from ._folder_text import tiny_imagenet_text, voc_text, yolo_text
from ._format_text import Block, FormatText, Subject, box_words, label_words, picture
from ._summary import areas, labels_in, summarise
from ._table_text import count_table_text, via3_csv_text, via_csv_text
from ._via3_text import via3_text
from ._via_text import via_text

_MOST_LABELS = 30
_MOST_MESSAGE = 300
_WORST_FIRST = ("error", "warning", "note")

_FORMATS: dict[str, Callable[[Subject], FormatText]] = {
    "via1-region": via_text,
    "via2-region": via_text,
    "via2-project": via_text,
    "via2-attributes": attributes_text,
    "via3-project": via3_text,
    "via1-csv": via_csv_text,
    "via2-csv": via_csv_text,
    "via3-csv": via3_csv_text,
    "via-coco": coco_text,
    "coco": coco_text,
    "yolo": yolo_text,
    "voc": voc_text,
    "table": count_table_text,
    "tiny-imagenet": tiny_imagenet_text,
}


def describe(
    annotations: Annotations, *, document: object | None, text: str | None, findings: Sequence[Finding]
) -> Description:
    """Explain a file that was read into `annotations`.

    `document` is its parsed JSON and `text` its text where it is not JSON; examples are taken from them as they stand
    there. `findings` are those of `check`. Nothing is too odd to be described.
    """
    subject = Subject(annotations=annotations, document=document, text=text, summary=summarise(annotations))
    words = _FORMATS[annotations.kind](subject)
    sections = [Section(title="What this file is", blocks=words.opening), *words.layout]
    if words.corner:
        sections.append(Section(title="How a box is written", blocks=(*words.corner, *_worked_example(subject))))
    if annotations.kind != "via2-attributes":
        sections += _contents(subject, words)
    sections.append(Section(title="What is not in this file", blocks=words.missing))
    if findings or annotations.kind != "via2-attributes":
        sections.append(Section(title="What is wrong with this file", blocks=_defects(subject, findings)))
    path = annotations.path
    return Description(
        file="" if path is None else visible(path.name),
        kind=annotations.kind,
        sections=tuple(section for one in sections if (section := _filled(one)).blocks),
    )


def _filled(section: Section) -> Section:
    return replace(section, blocks=tuple(b for b in section.blocks if (b.rows if isinstance(b, Table) else b)))


def _contents(subject: Subject, words: FormatText) -> list[Section]:
    a = subject.annotations
    if a.kind == "table":
        several: tuple[Block, ...] = (words.several,)
    else:
        several = (*_several_objects(subject, words), *_several_of_a_label(subject), _without_regions(subject, words))
    return [
        Section(title=words.attributes_title, blocks=words.attributes),
        Section(title="The labels", blocks=_labels(subject)),
        Section(title="Several objects in one picture, and none", blocks=several),
        Section(title="How large the boxes are", blocks=_extremes(subject)),
    ]


def _worked_example(subject: Subject) -> tuple[str, ...]:
    a, row = subject.annotations, subject.summary.example
    if row is None or a.kind == "table":
        return ()
    x, y, w, h = (float(v) for v in a.boxes_xywh[row])
    return (
        f"Region {a.region[row]} of {picture(subject, int(a.image[row]))}, for instance: {box_words(subject, row)}. "
        f"It ends at x + width = {number(x + w)} and y + height = {number(y + h)}; its centre, ({number(x + w / 2)}, "
        f"{number(y + h / 2)}), is x + width / 2 and y + height / 2.",
    )


def _labels(subject: Subject) -> tuple[Block, ...]:
    a = subject.annotations
    counts, boxes = a.label_counts(), a.num_boxes()
    if not boxes:
        return ("There are no regions, and so no labels.",)
    pictures_of = dict(zip(a.labels, subject.summary.label_pictures.tolist(), strict=True))
    rows = [
        (bare(label), f"{n:,}", share(n, boxes), f"{pictures_of[label]:,}")
        for label, n in list(counts.items())[:_MOST_LABELS]
    ]
    if len(counts) > _MOST_LABELS:
        rest = sum(list(counts.values())[_MOST_LABELS:])
        rows.append((f"({counted(len(counts) - _MOST_LABELS, 'more label')})", f"{rest:,}", share(rest, boxes), ""))
    if unlabelled := a.num_unlabelled():
        pictures = len(np.unique(a.image[a.label < 0]))
        rows.append(("(no label)", f"{unlabelled:,}", share(unlabelled, boxes), f"{pictures:,}"))
    columns, numeric = ("label", "regions", "share", "in pictures"), (1, 2, 3)
    if a.kind in ("table", "tiny-imagenet"):  # one picture for all, or one region for each: nothing new
        rows, columns, numeric = [row[:3] for row in rows], columns[:3], (1, 2)
    blocks: list[Block] = [Table(columns=columns, rows=tuple(rows), numeric=numeric)]
    if a.kind in ("coco", "via-coco"):
        blocks.insert(0, "The label (class) of a region is the name of its category.")
    elif a.class_attribute is not None:
        blocks.insert(
            0,
            f"The label (class) of a region is its {bare(a.class_attribute)} attribute, written as the annotator "
            "wrote or chose it; capitals and spelling count.",
        )
    elif not counts and a.attributes:
        blocks.append("No attribute looks like a label; name one with --attribute.")
    return tuple(blocks)


def _several_objects(subject: Subject, words: FormatText) -> tuple[str, ...]:
    a, busiest = subject.annotations, subject.summary.busiest
    if busiest is None or a.kind == "tiny-imagenet":
        return (words.several,)
    per_picture = subject.summary.per_picture
    most = int(per_picture[busiest])
    if most == 1:
        return (f"{words.several} In this file no picture has more than one.",)
    crowded = int((per_picture > 1).sum())
    return (
        f"{words.several} {counted(crowded, 'picture')} here {'has' if crowded == 1 else 'have'} more than one. "
        f"{picture(subject, busiest)} has the most, {most:,}: {tally(labels_in(a, busiest))}. "
        f"The average is {number(len(a) / len(a.names))} in a picture.",
    )


def _several_of_a_label(subject: Subject) -> tuple[str, ...]:
    a, twins = subject.annotations, subject.summary.twins
    if twins is None or a.kind == "tiny-imagenet":
        return ()
    first, second = twins
    boxes = " and ".join(f"({box_words(subject, row)})" for row in twins)
    where = f" {boxes}" if np.isfinite(a.boxes_xywh[list(twins)]).all() else ""
    return (
        "Several objects of one class are several regions with the same label: nothing counts or numbers them, and "
        f"only box and place in the file tell them apart. So it is in "
        f"{counted(subject.summary.twin_pictures, 'picture')}, first in {picture(subject, int(a.image[first]))}: "
        f"regions {a.region[first]} and {a.region[second]} are both {label_words(subject, first)}{where}. Nothing "
        f"says which regions belong to the same person or thing.",
    )


def _without_regions(subject: Subject, words: FormatText) -> str:
    a, empty = subject.annotations, subject.summary.bare
    if not len(empty):
        return f"Every picture has at least one region; one without would be written as {words.bare}."
    names = listed([picture(subject, int(i)) for i in empty[:5]], total=len(empty))
    none = "has no region" if len(empty) == 1 else "have no regions"
    return (
        f"{counted(len(empty), 'picture')} of {len(a.names):,} {none} (written as {words.bare}): {names}. Whether "
        "there is nothing to be seen, or annotating was forgotten, the file does not say."
    )


def _extremes(subject: Subject) -> tuple[Block, ...]:
    a, s = subject.annotations, subject.summary
    rows = []
    for what, row in (("smallest", s.smallest), ("median", s.median), ("largest", s.largest)):
        if row is None:
            continue
        w, h = float(a.boxes_xywh[row, 2]), float(a.boxes_xywh[row, 3])
        cells = (
            what,
            number(w),
            number(h),
            number(float(areas(a)[row])),
            number(w / h),
            bare(a.label_of(row) or "(no label)", most=24),
        )
        rows.append(cells if a.kind == "table" else (*cells, f"{visible(a.name_of(row))}, region {a.region[row]}"))
    if not rows:
        return ("There is no box with a width and a height.",)
    columns = ("by area", "width", "height", "pixels", "width/height", "label", "where")
    return (Table(columns=columns[: len(rows[0])], rows=tuple(rows), numeric=(1, 2, 3, 4)),)


def _defects(subject: Subject, findings: Sequence[Finding]) -> tuple[Block, ...]:
    command = "glauke boxes check FILE"
    if path := subject.annotations.path:
        name = visible(path.name, most=200)
        command = f"glauke boxes check {name}" if " " not in name else f'glauke boxes check "{name}"'
    if not findings:
        nothing = "Nothing was found by looking at the file alone."
        return (
            nothing
            if subject.annotations.kind == "table"
            else f"{nothing} To see whether the boxes fit the pictures: {command} --images FOLDER",
        )
    first: dict[tuple[str, str], Finding] = {}
    counts = Counter((finding.severity, finding.rule) for finding in findings)
    for finding in findings:
        first.setdefault((finding.severity, finding.rule), finding)
    order = sorted(counts, key=lambda pair: (_WORST_FIRST.index(pair[0]), -counts[pair]))
    rows = tuple((visible(s), visible(rule), f"{counts[s, rule]:,}", _told(first[s, rule])) for s, rule in order)
    return (
        Table(columns=("severity", "rule", "times", "the first of them"), rows=rows, numeric=(2,)),
        f"All of them, each with a proposed fix: {command} (with --images FOLDER it looks at the pictures too)",
    )


def _told(finding: Finding) -> str:
    place = "" if finding.image is None else bare(finding.image)
    if finding.region is not None:
        place += f"{', ' if place else ''}region {finding.region}"
    return (
        f"{place}: {visible(finding.message, most=_MOST_MESSAGE)}"
        if place
        else visible(finding.message, most=_MOST_MESSAGE)
    )
