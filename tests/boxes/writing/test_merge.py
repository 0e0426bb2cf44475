import json
from pathlib import Path

import numpy as np
import pytest

from glauke.boxes.formats._coco import annotations_from_coco
from glauke.boxes.formats._columns import annotations_from_via
from glauke.boxes.formats._table import read_table
from glauke.boxes.formats._via_document import ViaDocument, via_document
from glauke.boxes.writing._disagreements import iou
from glauke.boxes.writing._merge import merge
from glauke.boxes.writing._to_via import via_document_of
from glauke.errors import DataError, UsageError


def rect(x, label=None, **more):
    shape = {"name": "rect", "x": x, "y": 10, "width": 20, "height": 20}
    return {"shape_attributes": shape, "region_attributes": {} if label is None else {"class": label, **more}}


def entry(name, size, *regions, **attributes):
    return {"filename": name, "size": size, "regions": list(regions), "file_attributes": attributes}


def document(path, *entries, attributes=None, raw=None, keys=None):
    keys = keys or [f"{e['filename']}{e['size']}" for e in entries]
    return ViaDocument(
        kind="via2-region",
        path=Path(path),
        entries=dict(zip(keys, entries, strict=True)),
        attributes=attributes or {},
        lines=None,
        findings=(),
        raw=raw,
    )


def choices(**options):
    return {"class": {"type": "dropdown", "description": "", "options": options, "default_options": {}}}


def merged(tmp_path, *documents):
    done = merge(documents, out=tmp_path / "all.json")
    return done, json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))


def regions_of(project, key):
    return project["_via_img_metadata"][key]["regions"]


def rules(done):
    return [f.rule for f in done.findings]


def test_pictures_of_different_files_stand_together_in_order(tmp_path):
    done, project = merged(
        tmp_path, document("a.json", entry("1.jpg", 5, rect(1, "vest"))), document("b.json", entry("2.jpg", 6))
    )

    assert project["_via_image_id_list"] == ["1.jpg5", "2.jpg6"]
    assert regions_of(project, "1.jpg5") == [rect(1, "vest")]
    assert (done.documents, done.pictures, done.regions, done.kept_once, done.findings) == (2, 2, 1, 0, ())


def test_regions_that_two_files_share_are_kept_once_and_all_others_stay(tmp_path):
    a = document("a.json", entry("1.jpg", 5, rect(1, "vest"), rect(100, "mask")))
    b = document("b.json", entry("1.jpg", 5, rect(200, "vest"), rect(1, "vest")))

    done, project = merged(tmp_path, a, b)

    assert regions_of(project, "1.jpg5") == [rect(1, "vest"), rect(100, "mask"), rect(200, "vest")]
    assert done.kept_once == 1
    assert [(f.rule, f.severity) for f in done.findings] == [("annotated-twice", "warning")]


def test_the_same_file_twice_changes_nothing(tmp_path):
    a = document("a.json", entry("1.jpg", 5, rect(1, "vest"), rect(1, "vest"), rect(9, "mask")))

    done, project = merged(tmp_path, a, document("b.json", *a.entries.values()))

    assert len(regions_of(project, "1.jpg5")) == 3  # a double within one file is not ours to remove
    assert [(f.rule, f.severity) for f in done.findings] == [("annotated-twice", "note")]


def test_one_object_under_two_labels_is_listed_with_its_overlap(tmp_path):
    a = document("a.json", entry("1.jpg", 5, rect(0, "vest"), rect(100, "vest")))
    b = document("b.json", entry("1.jpg", 5, rect(1, "mask"), rect(101, "vest")))

    done, _ = merged(tmp_path, a, b)

    assert rules(done) == ["annotated-twice", "label-conflict", "annotated-twice"]
    conflict = done.findings[1]
    assert (conflict.image, conflict.region, conflict.severity) == ("1.jpg", 2, "error")
    assert "region 0 (from a.json) and region 2 (from b.json) overlap by IoU 0.90, as 'vest' and as 'mask'" in (
        conflict.message
    )


def test_one_name_with_two_sizes_is_two_pictures(tmp_path):
    done, project = merged(
        tmp_path,
        document("a.json", entry("1.jpg", 5, rect(1, "vest"))),
        document("b.json", entry("1.jpg", 7, rect(2, "vest"))),
    )

    assert project["_via_image_id_list"] == ["1.jpg5", "1.jpg7"]
    assert [(f.rule, f.severity, f.image) for f in done.findings] == [("name-conflict", "error", "1.jpg")]


def test_an_unknown_size_fits_any_and_is_filled_in(tmp_path):
    done, project = merged(
        tmp_path, document("a.json", entry("1.jpg", -1, rect(1))), document("b.json", entry("1.jpg", "7", rect(2)))
    )

    assert project["_via_img_metadata"]["1.jpg-1"]["size"] == 7
    assert done.regions == 2


def test_keys_that_mean_other_pictures_elsewhere_are_made_anew(tmp_path):
    done, project = merged(
        tmp_path,
        document("a.json", entry("a.jpg", 5), keys=["1"]),
        document("b.json", entry("b.jpg", 6), keys=["1"]),
    )

    assert project["_via_image_id_list"] == ["1", "b.jpg6"]
    assert done.findings == ()


def test_ids_of_options_keep_their_meaning(tmp_path):
    a = document("a.json", entry("1.jpg", 5, rect(1, "1")), attributes=choices(**{"1": "vest"}))
    b = document(
        "b.json", entry("2.jpg", 6, rect(1, "1"), rect(50, "2")), attributes=choices(**{"1": "mask", "2": "vest"})
    )

    done, project = merged(tmp_path, a, b)

    options = project["_via_attributes"]["region"]["class"]["options"]
    said = [
        options[r["region_attributes"]["class"]] or r["region_attributes"]["class"]
        for key in ("1.jpg5", "2.jpg6")
        for r in regions_of(project, key)
    ]
    assert said == ["vest", "mask", "vest"]
    assert set(rules(done)) == {"attribute-conflict"}


def labels_in(project):
    return annotations_from_via(via_document(project, kind="via2-project", path=None)).label_counts()


@pytest.mark.parametrize(
    ("kind", "value"), [("dropdown", 1), ("radio", 1), ("checkbox", ["1"]), ("checkbox", {"1": True, "2": False})]
)
def test_ids_stored_as_numbers_and_lists_keep_their_meaning(kind, value, tmp_path):
    def choice(**options):
        return {"class": {**choices(**options)["class"], "type": kind}}

    a = document("a.json", entry("1.jpg", 5, rect(1, "1")), attributes=choice(**{"1": "boots", "2": "vest"}))
    b = document("b.json", entry("2.jpg", 6, rect(1, value)), attributes=choice(**{"1": "vest", "2": "boots"}))

    _, project = merged(tmp_path, a, b)

    assert labels_in(project) == {"boots": 1, "vest": 1}


def test_descriptions_that_are_no_texts_keep_their_meaning(tmp_path):
    a = document("a.json", entry("1.jpg", 5, rect(1, "1")), attributes=choices(**{"1": 5}))
    b = document("b.json", entry("2.jpg", 6, rect(1, "1")), attributes=choices(**{"1": 7}))

    _, project = merged(tmp_path, a, b)

    assert labels_in(project) == {"5": 1, "7": 1}


def test_an_attribute_that_a_region_lacks_is_not_added(tmp_path):
    a = document("a.json", entry("1.jpg", 5, rect(1, "1")), attributes=choices(**{"1": "boots"}))
    b = document("b.json", entry("2.jpg", 6, rect(1), rect(50, "1")), attributes=choices(**{"1": "vest"}))

    _, project = merged(tmp_path, a, b)

    assert regions_of(project, "2.jpg6") == [rect(1), rect(50, "vest")]


def test_numbers_are_compared_by_value(tmp_path):
    a = document("a.json", entry("1.jpg", 5, rect(10, "vest")))
    b = document("b.json", entry("1.jpg", 5.0, rect(10.0, "vest")))

    done, _ = merged(tmp_path, a, b)

    assert (done.pictures, done.regions, done.kept_once) == (1, 1, 1)


def test_sizes_of_any_spelling_make_the_keys_of_via(tmp_path):
    a = document("a.json", entry("1.jpg", 5), keys=["1"])
    b = document("b.json", entry("2.jpg", 6.0), entry("3.jpg", "7"), keys=["1", "2"])

    _, project = merged(tmp_path, a, b)

    assert project["_via_image_id_list"] == ["1", "2.jpg6", "2"]


def test_a_table_of_counts_is_refused():
    table = read_table(Path("t.csv"), "width,height,count\n10,20,3\n")

    with pytest.raises(DataError, match="counts"):
        via_document_of(table)


def test_text_and_dropdown_become_a_dropdown_with_every_text(tmp_path):
    text = {"class": {"type": "text", "description": "", "default_value": ""}}
    a = document("a.json", entry("1.jpg", 5, rect(1, "vest"), rect(60, "boot")), attributes=text)
    b = document("b.json", entry("2.jpg", 6, rect(1, "v")), attributes=choices(v="vest", m="mask"))

    done, project = merged(tmp_path, a, b)

    declared = project["_via_attributes"]["region"]["class"]
    assert declared["type"] == "dropdown"
    assert {declared["options"][k] or k for k in declared["options"]} == {"vest", "boot", "mask"}
    assert regions_of(project, "2.jpg6")[0]["region_attributes"]["class"] == "vest"
    assert ("attribute-conflict", "error") in [(f.rule, f.severity) for f in done.findings]


def test_shapes_attributes_and_unknown_keys_survive(tmp_path):
    polygon = {
        "shape_attributes": {"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 5, 1]},
        "region_attributes": {"class": "vest", "seen": {"left": True, "right": True}},
        "by": "first",
    }
    old = {
        "filename": "1.jpg",
        "size": 5,
        "regions": {"0": polygon},
        "file_attributes": {"caption": "x"},
        "fileref": "",
    }

    _, project = merged(tmp_path, document("a.json", old))

    written = project["_via_img_metadata"]["1.jpg5"]
    assert written["regions"] == [polygon]
    assert (written["file_attributes"], written["fileref"]) == ({"caption": "x"}, "")


def test_file_attributes_that_differ_are_both_kept(tmp_path):
    done, project = merged(
        tmp_path,
        document("a.json", entry("1.jpg", 5, caption="one", url="")),
        document("b.json", entry("1.jpg", 5, caption="two", url="there")),
    )

    assert project["_via_img_metadata"]["1.jpg5"]["file_attributes"] == {
        "caption": "one",
        "url": "there",
        "caption (b.json)": "two",
    }
    assert rules(done) == ["file-attribute-conflict"]


def test_what_via_could_not_open_is_left_out_and_listed(tmp_path):
    broken = entry("1.jpg", 5, rect(1, "vest"), None, {"region_attributes": {}})

    done, project = merged(tmp_path, document("a.json", broken))

    assert project["_via_image_id_list"] == ["1.jpg5"]
    assert len(regions_of(project, "1.jpg5")) == 1
    assert rules(done) == ["bad-entry"]


def test_settings_come_from_the_first_project_that_has_a_folder(tmp_path):
    raw = [{"_via_settings": {"core": {"default_filepath": f}}, "_via_attributes": {}} for f in ("/a/", "/b/")]

    done, project = merged(
        tmp_path,
        document("a.json", entry("1.jpg", 5), raw=raw[0]),
        document("b.json", entry("2.jpg", 6), raw=raw[1]),
    )

    assert project["_via_settings"]["core"]["default_filepath"] == "/a/"
    assert rules(done) == ["folder-conflict"]


def test_nothing_is_overwritten_and_nothing_comes_of_nothing(tmp_path):
    (tmp_path / "all.json").write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="exists"):
        merged(tmp_path, document("a.json", entry("1.jpg", 5)))
    with pytest.raises(UsageError, match="no file"):
        merge([], out=tmp_path / "other.json")


def test_iou_by_hand():
    boxes = np.array([[0.0, 0, 2, 2], [1, 1, 2, 2], [5, 5, 1, 1]])

    np.testing.assert_allclose(iou(boxes[:1], boxes), [[1, 1 / 7, 0]])


def test_a_class_in_two_attributes_is_a_conflict(tmp_path):
    other = {"shape_attributes": rect(1)["shape_attributes"], "region_attributes": {"Kind": "vest"}}

    a, b = document("a.json", entry("1.jpg", 5, rect(1, "vest"))), document("b.json", entry("2.jpg", 6, other))
    done, _ = merged(tmp_path, a, b)

    assert [(f.rule, f.severity) for f in done.findings] == [("attribute-conflict", "error")]
    assert '"class" in a.json; "Kind" in b.json' in done.findings[0].message


def test_a_file_that_is_not_vias_is_merged_through_its_annotations(tmp_path):
    coco = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 99, "height": 88}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 10, 20, 20], "area": 400}],
        "categories": [{"id": 3, "name": "vest"}],
    }
    annotations = annotations_from_coco(coco, kind="coco", path=Path("c.json"))

    a = document("a.json", entry("1.jpg", 5, rect(1, "vest")))
    done, project = merged(tmp_path, a, via_document_of(annotations))

    assert (done.pictures, done.regions, done.kept_once) == (1, 1, 1)
    assert project["_via_img_metadata"]["1.jpg5"]["file_attributes"] == {"width": 99, "height": 88}
