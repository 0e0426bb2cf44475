import csv
import dataclasses
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glauke.boxes._annotations import SHAPES, Annotations
from glauke.boxes._findings import Finding
from glauke.boxes._sizes import sizes_from_csv
from glauke.boxes.formats._columns import annotations_from_via
from glauke.boxes.formats._via_document import ViaDocument, via_document
from glauke.boxes.writing._exports import convert
from glauke.boxes.writing._to_csv import via_csv
from glauke.boxes.writing._to_yolo import quoted
from glauke.errors import DataError, UnknownNameError, UsageError


def annotations(
    boxes: list[tuple[int, float, float, float, float, int]],
    *,
    names: tuple[str, ...] = ("1.jpg", "2.jpg"),
    labels: tuple[str, ...] = ("hardhat", "vest"),
    sizes: tuple[int, int] = (200, 100),
    **changes: object,
) -> Annotations:
    """Rows of (picture, x, y, width, height, label)."""
    rows = np.array(boxes, np.float64).reshape(-1, 6)
    image = rows[:, 0].astype(np.int64)
    value = Annotations(
        kind="via2-region",
        path=Path("boxes.json"),
        names=names,
        keys=tuple(f"{n}{100 + i}" for i, n in enumerate(names)),
        byte_sizes=np.arange(100, 100 + len(names)),
        widths=np.full(len(names), sizes[0]),
        heights=np.full(len(names), sizes[1]),
        image=image,
        region=np.array([int((image[:i] == image[i]).sum()) for i in range(len(image))], np.int64),
        boxes_xywh=rows[:, 1:5],
        shape=np.zeros(len(rows), np.int8),
        label=rows[:, 5].astype(np.int32),
        labels=labels,
        class_attribute="class",
    )
    return dataclasses.replace(value, **changes)


TWO = annotations([(0, 10, 20, 30, 40, 0), (0, 1.5, 2.25, 50, 60, 1), (1, 0, 0, 200, 100, 1)])


def test_via_is_a_project_that_via_opens(tmp_path):
    done = convert(TWO, to="via", out=tmp_path / "p.json")

    project = json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))
    assert project["_via_image_id_list"] == list(project["_via_img_metadata"]) == ["1.jpg100", "2.jpg101"]
    assert project["_via_settings"]["core"] == {"buffer_size": 18, "filepath": {}, "default_filepath": ""}
    assert project["_via_settings"]["project"] == {"name": "p"}
    declared = project["_via_attributes"]["region"]["class"]
    assert (declared["type"], declared["options"]) == ("dropdown", {"hardhat": "hardhat", "vest": "vest"})
    entry = project["_via_img_metadata"]["1.jpg100"]
    assert set(entry) == {"filename", "size", "regions", "file_attributes"}
    assert entry["regions"][0] == {
        "shape_attributes": {"name": "rect", "x": 10, "y": 20, "width": 30, "height": 40},
        "region_attributes": {"class": "hardhat"},
    }
    assert entry["regions"][1]["shape_attributes"]["x"] == 1.5
    assert (done.pictures, done.boxes, done.labels) == (2, 3, {"vest": 2, "hardhat": 1})


def test_one_name_and_size_twice_gets_two_keys(tmp_path):
    twins = annotations([], names=("a.jpg", "a.jpg"), byte_sizes=np.array([-1, -1]))

    convert(twins, to="via", out=tmp_path / "p.json")

    project = json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))
    assert project["_via_image_id_list"] == ["a.jpg-1", "a.jpg-1~2"]


def test_coco_has_every_category_once_and_ids_from_1(tmp_path):
    convert(TWO, to="coco", out=tmp_path / "c.json")

    coco = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert [(c["id"], c["name"]) for c in coco["categories"]] == [(1, "hardhat"), (2, "vest")]
    assert [(i["id"], i["file_name"], i["width"], i["height"]) for i in coco["images"]] == [
        (1, "1.jpg", 200, 100),
        (2, "2.jpg", 200, 100),
    ]
    assert [(a["id"], a["image_id"], a["category_id"]) for a in coco["annotations"]] == [
        (1, 1, 1),
        (2, 1, 2),
        (3, 2, 2),
    ]
    assert coco["annotations"][1]["bbox"] == [1.5, 2.25, 50, 60]
    assert coco["annotations"][0]["area"] == 1200


def test_voc_counts_pixels_from_1_and_escapes(tmp_path):
    odd = annotations([(0, 10, 20, 30, 40, 0)], names=("a&b.jpg",), labels=("<vest> & co\r",))

    convert(odd, to="voc", out=tmp_path / "v")

    root = ET.parse(tmp_path / "v" / "a&b.xml").getroot()
    assert root.findtext("filename") == "a&b.jpg"
    assert root.findtext("object/name") == "<vest> & co\r"
    corners = [root.findtext(f"object/bndbox/{c}") for c in ("xmin", "ymin", "xmax", "ymax")]
    assert corners == ["11", "21", "40", "60"]


def test_yolo_writes_parts_of_the_picture(tmp_path):
    convert(TWO, to="yolo", out=tmp_path / "y")

    assert (tmp_path / "y/labels/2.txt").read_text(encoding="utf-8") == "1 0.5 0.5 1 1\n"
    assert (tmp_path / "y/labels/1.txt").read_text(encoding="utf-8").startswith("0 0.125 0.4 0.15 0.4\n1 ")
    assert (tmp_path / "y/classes.txt").read_text(encoding="utf-8") == "hardhat\nvest\n"
    assert '  1: "vest"\n' in (tmp_path / "y/data.yaml").read_text(encoding="utf-8")


def test_yolo_cuts_what_its_readers_refuse_and_leaves_out_what_lies_outside(tmp_path):
    rows = annotations([(0, -12, 0, 20, 100, 0), (0, -2, 0, 20, 50, 1), (0, 300, 0, 20, 20, 1), (1, 1, 1, 5, 5, 0)])

    done = convert(rows, to="yolo", out=tmp_path / "y")

    assert (tmp_path / "y/labels/1.txt").read_text(encoding="utf-8") == "0 0.02 0.5 0.04 1\n1 0.04 0.25 0.1 0.5\n"
    assert done.boxes == 3
    assert "left out: 1 box outside of the picture" in done.notes
    assert "cut at the edge of the picture: 1 box" in done.notes


def test_yolo_names_the_picture_whose_size_is_not_known(tmp_path):
    rows = annotations([(1, 1, 1, 5, 5, 0)], widths=np.array([200, 0]))

    with pytest.raises(DataError, match=r"2\.jpg.*--images.*--sizes"):
        convert(rows, to="yolo", out=tmp_path / "y")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", ["no", "null", "1e3", "08", "2024-01-01", "!!python/object", "- a", "a: b", "'", '"'])
def test_names_in_yaml_are_text_whatever_they_look_like(label):
    assert json.loads(quoted(label)) == label  # JSON's strings are YAML's


def test_yaml_escapes_what_it_may_not_print():
    assert quoted("a\x85b\u2028c\x7f\ufeff") == r'"a\u0085b\u2028c\u007f\ufeff"'


@pytest.mark.parametrize("to", ["coco", "yolo", "voc"])
def test_a_box_without_a_label_is_refused_by_name(to, tmp_path):
    rows = annotations([(0, 1, 1, 5, 5, 0), (1, 1, 1, 5, 5, -1)])

    with pytest.raises(DataError, match=r"1 of 2 boxes without a label.*region 0 of '2\.jpg'"):
        convert(rows, to=to, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", ["coco", "yolo", "voc"])
def test_boxes_without_any_label_are_objects(to, tmp_path):
    rows = annotations([(0, 1, 1, 5, 5, -1)], labels=())

    done = convert(rows, to=to, out=tmp_path / "out")

    assert done.labels == {"object": 1}
    assert "'object'" in done.notes[0]


@pytest.mark.parametrize("to", ["via", "csv"])
def test_via_keeps_boxes_without_a_label(to, tmp_path):
    done = convert(annotations([(0, 1, 1, 5, 5, -1)]), to=to, out=tmp_path / "out")

    assert done.boxes == 1
    text = (tmp_path / "out").read_text(encoding="utf-8").replace('""', '"')
    assert '"height":5}' in text
    assert text.count("hardhat") == (2 if to == "via" else 0)  # declared in a project, and chosen nowhere
    assert done.notes == ("without a label, here as in the source: 1 region",)


@pytest.mark.parametrize("to", ["via", "csv", "coco", "yolo", "voc"])
def test_what_encloses_nothing_is_left_out_and_counted(to, tmp_path):
    rows = annotations([(0, 1, 1, 0, 0, 0), (0, np.nan, 1, 5, 5, 0), (1, 1, 1, 5, 5, 0)])
    rows = dataclasses.replace(rows, shape=np.array([SHAPES.index(s) for s in ("point", "unknown", "rect")], np.int8))

    done = convert(rows, to=to, out=tmp_path / "out")

    assert done.boxes == 1
    assert "left out: 2 regions without an area (1 point, 1 unknown)" in done.notes


FORMULAS = ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", " =1", "\uff1d1", "\ufeff=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_the_csv_begins_a_formula_and_labels_read_back(text, tmp_path):
    rows = annotations([(0, 1, 2, 5, 6, 0)], names=(text,), labels=(text,))

    convert(rows, to="csv", out=tmp_path / "c.csv")

    written = (tmp_path / "c.csv").read_bytes().decode()
    table = list(csv.DictReader(io.StringIO(written, newline=""), strict=True))
    assert [
        cell for row in table for cell in row.values() if cell.strip("\ufeff \t\r")[0] in "=+-@\uff1d\uff0b\uff0d\uff20"
    ] == []
    assert table[0]["filename"] == f"./{text}"
    assert json.loads(table[0]["region_attributes"]) == {"class": text}


def test_the_csv_is_vias(tmp_path):
    convert(annotations([(0, 1, 2, 5, 6, 0)], sizes=(0, 0)), to="csv", out=tmp_path / "c.csv")

    assert (tmp_path / "c.csv").read_text(encoding="utf-8") == (
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
        '1.jpg,100,"{}",1,0,"{""name"":""rect"",""x"":1,""y"":2,""width"":5,""height"":6}","{""class"":""hardhat""}"\n'
        '2.jpg,101,"{}",0,0,"{}","{}"\n'
    )


@pytest.mark.parametrize(
    "names",
    [
        ("/etc/x.jpg",), ("../x.jpg",), ("a/../../x.jpg",), ("C:\\x.jpg",), ("\\\\host\\x.jpg",), ("x:stream",),
        ("CON.jpg",), ("nul",), ("a\0.jpg",), ("a\n.jpg",), ("https://example.org/1.jpg",), ("",), ("x" * 300,),
        ("a/1.jpg", "b/1.jpg"), ("1.jpg", "1.png"), ("A.jpg", "a.jpg"), ("caf\u00e9.jpg", "cafe\u0301.jpg"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("to", ["yolo", "voc"])
def test_names_that_lead_out_or_collide_are_refused_before_anything_is_written(names, to, tmp_path):
    with pytest.raises(DataError):
        convert(annotations([], names=names), to=to, out=tmp_path / "deep" / "out")
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("to", ["via", "csv", "coco", "yolo", "voc"])
def test_nothing_is_overwritten(to, tmp_path):
    out = tmp_path / "out"
    out.write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="exists"):
        convert(TWO, to=to, out=out)
    assert out.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("to", ["via", "csv", "coco", "yolo", "voc"])
def test_a_place_below_a_file_is_refused_by_name(to, tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="file is no folder"):
        convert(TWO, to=to, out=tmp_path / "file" / "deep" / "out")


def checkboxes(*values: object, attribute: str = "class") -> ViaDocument:
    """One region for each value of a checkbox that offers boots as 1 and vest as 2."""
    shape = {"name": "rect", "x": 1, "y": 2, "width": 30, "height": 40}
    regions = [{"shape_attributes": shape, "region_attributes": {attribute: value}} for value in values]
    declared = {"type": "checkbox", "description": "", "options": {"1": "boots", "2": "vest"}, "default_options": {}}
    return via_document(
        {
            "_via_settings": {},
            "_via_img_metadata": {"a.jpg9": {"filename": "a.jpg", "size": 9, "regions": regions}},
            "_via_attributes": {"region": {attribute: declared}, "file": {}},
        },
        kind="via2-project",
        path=Path("boxes.json"),
    )


def converted(document: ViaDocument, out: Path, **changes: object) -> dict:
    convert(dataclasses.replace(annotations_from_via(document), **changes), to="via", out=out, document=document)
    return json.loads(out.read_text(encoding="utf-8"))


def test_an_attribute_that_is_not_the_class_stays_as_it_was(tmp_path):
    document = checkboxes({"1": True}, {"1": True, "2": True})

    project = converted(document, tmp_path / "p.json", class_attribute=None, labels=(), label=np.full(2, -1, np.int32))

    assert project["_via_attributes"]["region"] == document.attributes
    regions = project["_via_img_metadata"]["a.jpg9"]["regions"]
    assert [r["region_attributes"]["class"] for r in regions] == [{"1": True}, {"1": True, "2": True}]


def test_several_ticks_of_the_class_keep_their_meaning(tmp_path):
    document = checkboxes({"1": True}, {"1": True, "2": True})
    annotations = annotations_from_via(document, attribute="class")

    convert(annotations, to="via", out=tmp_path / "p.json", document=document)

    project = json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))
    declared = project["_via_attributes"]["region"]["class"]
    assert (declared["type"], declared["options"]) == ("checkbox", {"boots": "boots", "vest": "vest"})
    regions = project["_via_img_metadata"]["a.jpg9"]["regions"]
    assert [r["region_attributes"]["class"] for r in regions] == [{"boots": True}, {"boots": True, "vest": True}]


@pytest.mark.parametrize(("size", "written"), [(12.0, "12"), ("13", "13"), (2.5, "-1"), ("", "-1"), (True, "-1")])
def test_sizes_in_the_csv_are_whole_numbers(size, written):
    entry = {"filename": "a.jpg", "size": size, "regions": [], "file_attributes": {}}

    assert via_csv({"a": entry}).splitlines()[1].split(",")[1] == written


@pytest.mark.parametrize("to", ["via", "csv", "coco", "yolo", "voc"])
def test_what_could_not_be_read_is_told(to, tmp_path):
    bad = Finding(rule="bad-row", severity="error", message="line 3 is no row")
    entry = Finding(rule="bad-entry", severity="error", message="the entry is null")
    harmless = Finding(rule="bad-row", severity="note", message="region_count says 3")

    done = convert(dataclasses.replace(TWO, findings=(bad, entry, entry, harmless)), to=to, out=tmp_path / "out")

    assert done.notes[:2] == (
        "1 row of the source could not be read; `glauke boxes check` lists it",
        "2 damaged places in the source; `glauke boxes check` lists them",
    )


def test_a_region_that_via_could_not_open_is_left_out_and_counted(tmp_path):
    document = checkboxes({"1": True}, {"2": True})
    document.entries["a.jpg9"]["regions"][1]["shape_attributes"] = None

    done = convert(annotations_from_via(document), to="via", out=tmp_path / "p.json", document=document)

    assert "left out: 1 region without a shape, which VIA could not open" in done.notes


def test_yolo_tells_which_names_it_shortens_and_lists_every_picture(tmp_path):
    names = ("d/e.jpg", "./f.jpg", "g.jpg", "plain")
    rows = annotations([(0, 1, 1, 5, 5, 0)], names=names, widths=np.array([200, 200, 0, 0]))

    done = convert(rows, to="yolo", out=tmp_path / "y")

    table = (tmp_path / "y/sizes.csv").read_text(encoding="utf-8").splitlines()
    assert table[1:] == ['"d/e.jpg",200,100', '"./f.jpg",200,100', '"g.jpg",,', '"plain",,']
    assert sizes_from_csv(tmp_path / "y/sizes.csv") == {"d/e.jpg": (200, 100), "./f.jpg": (200, 100)}
    assert done.notes[:2] == (
        '1 name ("d/e.jpg" first) will be read back without the folder',
        '1 name ("g.jpg" first) will be read back without the ending, since the size of the picture is not known',
    )


def test_an_unknown_format_and_a_table_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="coco"):
        convert(TWO, to="coca", out=tmp_path / "out")
    with pytest.raises(DataError, match="counts"):
        convert(dataclasses.replace(TWO, kind="table"), to="coco", out=tmp_path / "out")


@pytest.mark.parametrize("label", ["two\nlines", " ", "half \ud800"])
def test_labels_that_no_line_holds_are_refused_by_yolo(label, tmp_path):
    with pytest.raises(DataError, match=r"classes\.txt"):
        convert(annotations([(0, 1, 1, 5, 5, 0)], labels=(label,)), to="yolo", out=tmp_path / "y")


def test_labels_that_xml_cannot_hold_are_refused_by_voc(tmp_path):
    with pytest.raises(DataError, match=r"U\+0001"):
        convert(annotations([(0, 1, 1, 5, 5, 0)], labels=("\x01",)), to="voc", out=tmp_path / "v")


sides = st.floats(min_value=0.01, max_value=100, allow_nan=False)


@settings(max_examples=15, deadline=None)  # every file is synced to the disk
@given(boxes=st.lists(st.tuples(sides, sides, sides, sides), min_size=1, max_size=8))
def test_voc_and_yolo_hold_the_same_boxes(boxes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    rows = annotations([(0, *box, 0) for box in boxes], names=("1.jpg",), sizes=(4000, 3000))

    convert(rows, to="voc", out=folder / "v")
    convert(rows, to="yolo", out=folder / "y")

    corners = [
        [float(o.findtext(f"bndbox/{c}") or "nan") for c in ("xmin", "ymin", "xmax", "ymax")]
        for o in ET.parse(folder / "v/1.xml").getroot().iter("object")
    ]
    voc = [(a - 1, b - 1, c - a + 1, d - b + 1) for a, b, c, d in corners]
    parts = [list(map(float, line.split()))[1:] for line in (folder / "y/labels/1.txt").read_text().splitlines()]
    yolo = [((x - w / 2) * 4000, (y - h / 2) * 3000, w * 4000, h * 3000) for x, y, w, h in parts]
    np.testing.assert_allclose(voc, boxes, atol=1e-6)
    np.testing.assert_allclose(yolo, boxes, atol=1e-3)
