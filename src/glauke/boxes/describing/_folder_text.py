"""What there is to say about YOLO, Pascal VOC and Tiny ImageNet, whose annotations are many small files."""

from .._wording import number, quoted, visible
from ._description import Section, Table
from ._format_text import FormatText, Subject, what_is_described

_DOWNWARD = "x grows to the right and y grows DOWNWARD"


def yolo_text(subject: Subject) -> FormatText:
    """Explain a folder of YOLO labels."""
    return FormatText(
        opening=(
            f"{subject.name} is a folder of YOLO labels: for each picture one text file of the same name that ends "
            f"in .txt, and in it one line for each box. It describes {what_is_described(subject)}. One sees that "
            "from the lines: five numbers, a whole one and four between 0 and 1. The names of the labels stand in "
            "data.yaml, classes.txt or obj.names.",
        ),
        layout=_yolo_line(subject),
        corner=(
            "The four fractions are the box's CENTRE (x, then y), width and height, divided by the width and height "
            f"of the picture: not the corner, and not pixels; {_DOWNWARD}. glauke turns them into pixels and the "
            "top-left corner, and needs the size of each picture for that.",
        ),
        several="Each object is a line of its own in the picture's text file.",
        bare="an empty text file, or none at all",
        missing=(
            "The width and height of the pictures, which are read from the pictures beside the labels. Nor is there "
            "the size of the pictures' files, any other attribute, or which objects belong together.",
        ),
    )


def _yolo_line(subject: Subject) -> tuple[Section, ...]:
    a, row = subject.annotations, subject.summary.example
    if row is None:
        return ()
    index = int(a.image[row])
    width, height = int(a.widths[index]), int(a.heights[index])
    if width <= 0 or height <= 0:
        return ()
    x, y, w, h = (float(v) for v in a.boxes_xywh[row])
    label = a.label_of(row)
    rows = (
        ("(class)", f"number of the label in the file of names{f', where it is {quoted(label)}' if label else ''}"),
        (f"{(x + w / 2) / width:.6f}", f"x of the CENTRE / width: ({number(x)} + {number(w)} / 2) / {width}"),
        (f"{(y + h / 2) / height:.6f}", f"y of the CENTRE / height: ({number(y)} + {number(h)} / 2) / {height}"),
        (f"{w / width:.6f}", f"width of the box / width of the picture: {number(w)} / {width}"),
        (f"{h / height:.6f}", f"height of the box / height of the picture: {number(h)} / {height}"),
    )
    title = f"One line, taken apart: region {a.region[row]} of {visible(a.names[index])}"
    return (
        Section(
            title=title, blocks=(Table(columns=("number", "what it means (the last digits may differ)"), rows=rows),)
        ),
    )


def voc_text(subject: Subject) -> FormatText:
    """Explain Pascal VOC files."""
    a = subject.annotations
    single = a.path is not None and a.path.suffix.lower() == ".xml"
    return FormatText(
        opening=(
            f"{subject.name} is {'a file' if single else 'a folder of files'} in the format of Pascal VOC: XML, one "
            f"file for each picture. It describes {what_is_described(subject)}. One sees that from the tag "
            "<annotation> that encloses everything. In XML a value stands between its tags: <name>value</name>.",
        ),
        layout=_voc_object(subject),
        corner=(
            "A box is given by TWO CORNERS, not by a size: xmin, ymin is the top-left one and xmax, ymax the "
            f"bottom-right one, in pixels; {_DOWNWARD}. The first pixel of the picture is 1, not 0, and xmax, ymax "
            "belong to the box. So glauke reads x = xmin - 1 and width = xmax - xmin + 1.",
        ),
        several="Each object is an <object> of its own.",
        bare="a file without <object>",
        missing=(
            _stored_sizes(subject),
            "Not here: the sizes of the pictures' files in bytes, and which objects belong together.",
        ),
    )


def _voc_object(subject: Subject) -> tuple[Section, ...]:
    a, row = subject.annotations, subject.summary.example
    if row is None:
        return ()
    index = int(a.image[row])
    x, y, w, h = (float(v) for v in a.boxes_xywh[row])
    rows = [
        (f"<filename>{visible(a.names[index])}</filename>", "name of the picture's file"),
        ("<object>", "one object; there may be several"),
        (f"  <name>{visible(a.label_of(row) or '')}</name>", "its label"),
        ("  <bndbox>", "its box"),
        (f"    <xmin>{number(x + 1)}</xmin>", f"left edge, counted from 1: x = {number(x)}"),
        (f"    <ymin>{number(y + 1)}</ymin>", f"top edge, counted from 1: y = {number(y)}"),
        (f"    <xmax>{number(x + w)}</xmax>", f"last pixel to the right: width = {number(w)}"),
        (f"    <ymax>{number(y + h)}</ymax>", f"last pixel below: height = {number(h)}"),
    ]
    if a.widths[index] > 0 and a.heights[index] > 0:
        rows.insert(1, (f"<size> {a.widths[index]}, {a.heights[index]}", "width and height of the picture in pixels"))
    table = Table(columns=("in the file", "what it means"), rows=tuple(rows))
    return (Section(title="One object, line by line", blocks=(table,)),)


def _stored_sizes(subject: Subject) -> str:
    a = subject.annotations
    known = int(((a.widths > 0) & (a.heights > 0)).sum())
    if not known:
        return "The width and height of the pictures: VOC has a place for them, <size>, but it is not filled here."
    return (
        f"Width and height of the pictures ARE here, in <size>, for {known:,} of {len(a.names):,}; whether they are "
        "right only the pictures can tell: glauke boxes check with --images."
    )


def tiny_imagenet_text(subject: Subject) -> FormatText:
    """Explain the boxes of Tiny ImageNet."""
    a, row = subject.annotations, subject.summary.example
    layout: tuple[Section, ...] = ()
    if row is not None:
        x, y, w, h = (float(v) for v in a.boxes_xywh[row])
        line = f"{visible(a.name_of(row))}: x {number(x)}, y {number(y)}, {number(w)} wide, {number(h)} high"
        label = a.label_of(row)
        layout = (
            Section(title="One box of this file", blocks=(f"{line}; {visible(label) if label else 'no label'}.",)),
        )
    return FormatText(
        opening=(
            f"{subject.name} is Tiny ImageNet: pictures of 64 x 64 pixels in {len(a.labels):,} classes, with one box "
            f"for the object in each. Here are {what_is_described(subject)}. One sees that from its parts: in train/ "
            "each class has a folder with a file <class>_boxes.txt, and val/ has one file val_annotations.txt for "
            "all its pictures.",
            "A line has the name of a picture (in val its class too) and four numbers, parted by tabs. A class is a "
            "WordNet number such as n01443537; words.txt gives its name.",
        ),
        layout=layout,
        corner=(
            "The four numbers are TWO CORNERS: x and y of the top-left one, then x and y of the bottom-right one, in "
            f"pixels from 0 to 63; {_DOWNWARD}. Both corners belong to the box, so that width = x2 - x1 + 1.",
        ),
        several="This does not happen: each picture has one box and one label.",
        bare="a picture that no line names, such as all of test/",
        missing=(
            "Not here: boxes of the test part, other objects in a picture, and the original pictures that were "
            "scaled to 64 x 64.",
        ),
    )
