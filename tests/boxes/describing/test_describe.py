import json
import re
from pathlib import Path

import numpy as np
import pytest

from glauke.boxes._annotations import KINDS, SHAPES, Annotations, Attribute
from glauke.boxes._findings import Finding
from glauke.boxes.describing._describe import describe
from glauke.boxes.describing._description import description_as_dict, description_as_text
from glauke.boxes.formats._columns import annotations_from_via
from glauke.boxes.formats._via_document import recognise_via, via_document

ODD = (
    None, True, -1, 0, 1.5, 1e300, 10**400, float("nan"), "", "x", "\x1b[31m\u202e", [], {}, [[]], {"0": {}}, [None],
    {"a": [{"a": None}]}, "9" * 5000, [1, 2, 3], {"regions": {"0": None}}, {"regions": [3], "filename": 7, "size": []},
)  # fmt: skip
NAMES, SIZES = ("a.jpg", "b.jpg", "c.jpg"), (1234, 99, 7)
BOXES = ((0, 10, 20, 30, 40, 0), (0, 5, 5, 10, 20, 1), (1, 27.5, 22, 25, 16, 0), (1, 0, 0, 4, 2, 0))
"""Picture, x, y, width, height and label."""


def columns(kind, *, rows=BOXES, names=NAMES, sizes=SIZES, labels=("boots", "mask"), **more):
    image, label = [row[0] for row in rows], [row[5] for row in rows]
    defaults = {
        "path": Path(f"made-{kind}.json"),
        "keys": tuple(f"{name}{size}" for name, size in zip(names, sizes, strict=True)),
        "widths": np.zeros(len(names), np.int64),
        "heights": np.zeros(len(names), np.int64),
        "shape": np.zeros(len(rows), np.int8),
        "class_attribute": "class",
    }
    return Annotations(
        kind=kind,
        names=tuple(names),
        byte_sizes=np.array(sizes, np.int64),
        image=np.array(image, np.int64),
        region=np.array([image[:i].count(image[i]) for i in range(len(rows))], np.int64),
        boxes_xywh=np.array([row[1:5] for row in rows], np.float64).reshape(-1, 4),
        label=np.array(label, np.int32),
        labels=labels,
        **(defaults | more),
    )


def nothing(kind):
    return columns(kind, rows=(), names=(), sizes=(), labels=(), path=None, class_attribute=None)


def explained(annotations, *, document=None, text=None, findings=()):
    return description_as_text(describe(annotations, document=document, text=text, findings=findings))


def flat(text):
    """The text as one line, so that a sentence is found wherever it is broken."""
    return re.sub(r"\s+", " ", text)


def via(document, *, path="made.json"):
    kind = recognise_via(document)
    assert kind is not None
    annotations = annotations_from_via(via_document(document, kind=kind, path=Path(path)))
    return explained(annotations, document=document)


def region_json(*regions, name="a.jpg", size=1234):
    return {f"{name}{size}": {"filename": name, "size": size, "regions": list(regions), "file_attributes": {}}}


def rect(x, y, width, height, **said):
    shape = {"name": "rect", "x": x, "y": y, "width": width, "height": height}
    return {"shape_attributes": shape, "region_attributes": said}


def test_what_is_usually_answered_wrongly_is_answered():
    document = region_json(
        rect(10, 20, 30, 40, kind="mask"), rect(50, 60, 7, 8, kind="mask"), rect(1, 2, 3, 4, kind="vest")
    )
    document |= region_json(name="none.jpg", size=55)

    text = flat(via(document))

    assert "x and y are the TOP-LEFT CORNER of the box, not its centre" in text
    assert "y grows DOWNWARD" in text
    assert "It ends at x + width = 40 and y + height = 60; its centre, (25, 40)," in text
    assert 'The first key, "a.jpg1234", is "a.jpg" + "1234": so 1234 is neither an id nor a running number.' in text
    assert "All 2 keys are built like this." in text
    assert "1,234 bytes, about 1.23 kB" in text and "not in kB and not a width, height or area in pixels" in text
    assert "The width and height of the pictures: VIA does not store them" in text
    assert 'It is of VIA 2, as one sees from "regions": it is a list [ ] in 2 pictures' in text
    assert '"a.jpg" has the most, 3: mask (2), vest (1).' in text
    assert 'regions 0 and 1 are both "mask" (x 10, y 20, 30 wide, 40 high) and (x 50, y 60, 7 wide, 8 high)' in text
    assert '1 picture of 2 has no region (written as "regions": []): "none.jpg".' in text


def test_regions_without_a_box_are_no_example_of_two_with_one_label():
    bad, good = rect("x", 2, 30, 40, kind="b"), rect(1, 2, 30, 40, kind="b")

    one, two = flat(via(region_json(good, bad))), flat(via(region_json(good, bad, good)))

    assert "nan" not in one + two
    assert 'regions 0 and 1 are both "b". Nothing says' in one
    assert 'regions 0 and 2 are both "b" (x 1, y 2, 30 wide, 40 high) and (x 1, y 2, 30 wide, 40 high). Nothing' in two
    assert "So it is in 1 picture, first" in one and "So it is in 1 picture, first" in two


def test_what_occurs_once_stands_in_the_singular():
    text = flat(via(region_json(rect(1, 1, 3, 4, kind="b"), size=1)))

    assert "takes on disk: 1 byte for the first picture." in text
    assert "size of that file in BYTES; not in pixels" in text
    assert "its LEFT edge, 1 pixel from" in text and "its TOP edge, 1 pixel below" in text
    assert 'The region is a rectangle ("rect").' in text
    assert re.search(r"\b1 (bytes|pixels|regions|pictures)\b", text) is None
    assert "takes on disk: 12 bytes for the first picture." in flat(via(region_json(rect(1, 1, 3, 4), size=12)))
    assert "takes on disk: 12.5 bytes for the first picture." in flat(via(region_json(rect(1, 1, 3, 4), size=12.5)))
    assert "2,345,678 bytes, about 2.35 MB for the first" in flat(via(region_json(rect(1, 1, 3, 4), size=2_345_678)))


def test_one_entry_is_printed_as_it_stands_in_the_file(made_texts):
    document = json.loads(made_texts["via2-region"])

    lines = via(document).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("ONE PICTURE"))
    table = lines[start + 2 : lines.index("", start)]
    room = lines[start + 1].index("what it means")
    source = [line[:room].rstrip() for line in table]

    assert lines[start + 1].split() == ["in", "the", "file", "what", "it", "means"]
    assert source[0] == '  "a.jpg1234": {'
    printed = json.loads("{" + " ".join(source).replace("{ ... }", "null") + "}")
    first = document["a.jpg1234"]
    assert printed == {"a.jpg1234": {**first, "regions": [first["regions"][0], None]}}
    assert all(meaning.strip() for line in table if (meaning := line[room:]) or line.strip() not in ("}", "},", "{"))


@pytest.mark.parametrize("kind", ["via1-region", "via2-region", "via2-project"])
def test_versions_are_told_apart(kind, made_texts):
    text = flat(via(json.loads(made_texts[kind])))

    assert ("It is of VIA 1" in text) == (kind == "via1-region")
    assert ("It is of VIA 2" in text) == (kind == "via2-region")
    assert ("whole project of VIA 2" in text) == (kind == "via2-project")
    assert ('"fileref": ""' in text) == (kind == "via1-region")
    if kind == "via2-project":
        assert '"_via_data_format_version" is "2.0.10"' in text
        assert 'mask = "face mask"' in text
        assert all(key in text for key in json.loads(made_texts[kind]))


def test_an_attributes_file_is_said_to_hold_no_annotations():
    options = {"y": "Yes", "n": "No"}
    document = {"region": {"good": {"type": "radio", "options": options, "default_options": {"y": True}}}, "file": {}}

    text = explained(nothing("via2-attributes"), document=document)

    assert "It holds NO annotations" in flat(text)
    assert 'y = "Yes", n = "No"; chosen unless changed: y' in flat(text)
    assert "check" not in text


@pytest.mark.parametrize(("kind", "mark"), [("via2-csv", ""), ("via1-csv", "#")])
def test_a_csv_row_is_taken_apart_by_column(kind, mark, made_texts):
    text = made_texts[kind].replace("a.jpg", "a,b.jpg")
    annotations = columns(kind, names=("a,b.jpg", *NAMES[1:]), lines=np.array([2, 3, 4, 5]))

    told = explained(annotations, text=text)

    assert f"{mark}filename" in text.splitlines()[0]
    assert "filename file name of the picture; VIA puts no quotes around it" in flat(told)
    assert "so a comma in a name breaks the row; here a,b.jpg" in flat(told)
    assert "file_size size of the picture's file in BYTES; not in pixels, not in kB; here 1234" in flat(told)
    assert 'Line 2 in words: x 10, y 20, 30 wide, 40 high, "boots".' in flat(told)
    assert ("It is of VIA 1" in told) == (kind == "via1-csv")


def test_via3_is_followed_from_region_to_file_and_option(made_texts):
    text = flat(explained(columns("via3-project"), document=json.loads(made_texts["via3-project"])))

    assert 'number of the view: file "1", "a.jpg"' in text
    assert "2 = rectangle, then x, y, width, height; x, y is the TOP-LEFT corner" in text
    assert 'attribute 1, "class", is "0", in words "boots"' in text


def test_coco_says_that_sizes_are_there_and_what_via_loses(made_texts):
    document = json.loads(made_texts["via-coco"])
    document["annotations"][0]["category_id"] = None
    sizes = {"widths": np.array([200, 90, 0]), "heights": np.array([100, 80, 0])}

    ours = flat(explained(columns("via-coco", **sizes), document=document))
    plain = flat(explained(columns("coco", **sizes), document=document))

    assert "VIA 2.0.10 or 2.0.11" in ours and "VIA 2.0.10 or 2.0.11" not in plain
    assert 'id of its picture: "a.jpg"' in ours
    assert "id of its label: LOST" in ours
    assert 'in 2 pictures, for instance 200 x 100 for "a.jpg". They may be wrong' in ours


def test_yolo_voc_and_tiny_imagenet_have_their_own_corners():
    sizes = {"widths": np.array([200, 90, 0]), "heights": np.array([100, 80, 0]), "class_attribute": None}

    yolo = flat(explained(columns("yolo", **sizes)))
    voc = flat(explained(columns("voc", **sizes)))
    tiny = flat(explained(columns("tiny-imagenet", **sizes)))

    assert "0.125000 x of the CENTRE / width: (10 + 30 / 2) / 200" in yolo
    assert "<xmin>11</xmin>" in voc and "<xmax>40</xmax>" in voc and "<ymax>60</ymax>" in voc
    assert "TWO CORNERS" in tiny and "64 x 64" in tiny


def test_a_count_table_weighs_its_rows():
    rows = ((0, 0, 0, 10, 10, 0), (0, 0, 0, 20, 20, 1), (0, 0, 0, 30, 30, 1))
    annotations = columns(
        "table", rows=rows, names=("",), sizes=(-1,), weight=np.array([1, 7, 2]), lines=np.array([2, 3, 4])
    )

    text = explained(annotations, text="width,height,count,label\n10,10,1,boots\n20,20,7,mask\n30,30,2,mask\n")

    assert "3 rows which stand for 10 boxes" in flat(text)
    assert re.search(r"median +20 +20 +400", text)
    assert re.search(r"mask +9 +90\.0%\n", text)


def test_other_shapes_are_explained_by_the_first_of_them(made_texts):
    text = flat(via(json.loads(made_texts["via2-region"])))

    assert "theta 0.5 (how far it is turned, in radians)" in text
    assert "all_points_x [5, 15, 9] (x of its 3 corners in order, in pixels)" in text
    assert "smallest upright rectangle around the shape" in text


def test_findings_are_counted_by_rule_with_the_worst_first():
    findings = [
        Finding(rule="near-duplicate", severity="warning", message="like region 1", image="a.jpg", region=0),
        Finding(rule="unlabelled", severity="error", message="there is no label", image="a.jpg", region=3),
        Finding(rule="unlabelled", severity="error", message="there is no label", image="b.jpg", region=0),
    ]

    lines = explained(columns("via2-region"), document={}, findings=findings).splitlines()
    at = lines.index("WHAT IS WRONG WITH THIS FILE")

    assert lines[at + 2].split() == ["error", "unlabelled", "2", "a.jpg,", "region", "3:", "there", "is", "no", "label"]
    assert lines[at + 3].split()[:3] == ["warning", "near-duplicate", "1"]
    assert "glauke boxes check made-via2-region.json" in "".join(lines[at:])


def test_unlabelled_regions_are_counted_among_the_labels():
    rows = ((0, 1, 1, 5, 5, -1), (0, 2, 2, 6, 6, 0), (1, 1, 1, 5, 5, -1), (2, 1, 1, 5, 5, -1))

    assert re.search(r"\(no label\) +3 +75\.0% +3\n", explained(columns("via2-region", rows=rows), document={}))


def test_control_characters_never_reach_the_terminal():
    document = region_json(rect(1, 2, 3, 4, kind="\x1b[31m\nred"), rect(1, 2, 9, 9, kind="a"), name="\u202e\x07.jpg")
    attribute = Attribute(name="\x00", type="\x1b", options={"\r": "\b"}, counts={"\x1b": 1}, regions=1)
    annotations = columns(
        "via2-region",
        labels=("\x1b[31m", "\n"),
        names=("\x1b", "\t", "\u202e"),
        attributes=(attribute,),
        path=Path("\x1b"),
    )
    finding = Finding(rule="odd", severity="note", message="\x1b[2J", image="\x1b")

    for text in (via(document, path="\x1b.json"), explained(annotations, document=document, findings=[finding])):
        assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_own_explanation(kind):
    description = describe(columns(kind), document={}, text="", findings=())
    empty = describe(nothing(kind), document=None, text=None, findings=())

    others = [describe(columns(other), document={}, text="", findings=()) for other in KINDS if other != kind]
    assert description.sections[0].blocks not in [other.sections[0].blocks for other in others]
    for one in (description, empty):
        assert one.kind == kind
        assert one.sections[0].title == "What this file is"
        assert json.loads(json.dumps(description_as_dict(one), allow_nan=False))["kind"] == kind


@pytest.mark.parametrize("kind", KINDS)
def test_no_document_is_too_odd(kind, made_texts):
    sound = json.loads(made_texts[kind]) if kind in made_texts and not kind.endswith("csv") else {}
    shapes = np.arange(4, dtype=np.int8) + len(SHAPES) - 4
    rows = ((0, 1, 1, np.nan, 5, -1), (0, 2, 2, 1e300, 1e300, 0), (1, 1, 1, -5, 5, -1), (2, 1, 1, 0, 5, -1))
    annotations = columns(kind, rows=rows, shape=shapes, lines=np.array([1, 2, 99, 0]))

    for i, odd in enumerate(ODD):
        key = list(sound)[i % len(sound)] if sound else "k"
        for document in (odd, {**sound, key: odd}, {"a.jpg1234": odd}, {"_via_img_metadata": odd, "metadata": odd}):
            describe(annotations, document=document, text=str(document)[:99], findings=())
    explained(annotations, document=[], text='"\n"\x00\n,')
    explained(annotations, document=None, text=None)


@pytest.mark.parametrize("kind", ["via1-region", "via2-region", "via2-project", "via3-project", "via-coco"])
def test_damage_inside_an_entry_is_survived(kind, made_texts):
    for i, path in enumerate(paths(json.loads(made_texts[kind]))):
        document = json.loads(made_texts[kind])
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = ODD[i % len(ODD)]
        describe(columns(kind), document=document, text=None, findings=())


def paths(document):
    """The address of every node of parsed JSON."""
    found, waiting = [], [((), document)]
    while waiting:
        path, node = waiting.pop()
        found += [path] if path else []
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        waiting += [((*path, step), child) for step, child in children]
    return found


def test_a_real_file_in_about_a_hundred_lines(datasets):
    path = datasets / "ppe" / "via_region_data.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    text = via(json.loads(path.read_bytes()), path=str(path))

    assert "401 regions" in text
    assert len(text.splitlines()) <= 110
    assert max(map(len, text.splitlines())) <= 100
