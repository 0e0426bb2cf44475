import json

import pytest

from glauke.boxes.formats._columns import annotations_from_via
from glauke.boxes.formats._shapes import enclosing_box
from glauke.boxes.formats._via3 import recognise_via3, via3_csv_document, via3_document, via3_regions
from glauke.boxes.formats._via3_shapes import via2_shape
from glauke.errors import DataError

CSV_TOP = """# Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)
# - metadata of {""1"":""3""} sets attribute 1
# ATTRIBUTE = {"1":{"aname":"class","anchor_id":"FILE1_Z0_XY1","type":4,"desc":", ","options":{"0":"boots","1":"mask"}}}
# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata
"""


@pytest.fixture
def project(made_texts) -> dict:
    return json.loads(made_texts["via3-project"])


def messages(document) -> list[tuple[str, str, str]]:
    return [(f.rule, f.severity, f.message) for f in document.findings]


def test_a_project_becomes_entries_by_view(project):
    assert recognise_via3(project)
    document = via3_document(project, path=None)
    annotations = annotations_from_via(document)

    assert (document.kind, annotations.names, annotations.keys) == ("via3-project", ("a.jpg", "b.jpg"), ("1", "2"))
    assert annotations.boxes_xywh[:2].tolist() == [[10, 20, 30, 40], [5, 5, 10, 20]]
    assert annotations.boxes_xywh[2].tolist() == [27.5, 24, 25, 12]
    assert [annotations.label_of(i) for i in range(3)] == ["boots", "mask", "boots"]
    assert (annotations.class_attribute, annotations.byte_sizes.tolist()) == ("class", [-1, -1])
    assert document.attributes["class"] == {
        "type": "dropdown",
        "description": "",
        "options": {"0": "boots", "1": "mask"},
        "default_options": {},
    }
    assert document.raw is project
    assert document.findings == ()
    assert via3_regions(project) == {"1": ["1_x", "1_y"], "2": ["2_x"]}


@pytest.mark.parametrize(
    "document", [[], {}, {"images": [], "annotations": []}, {"a1": {"filename": "a", "regions": []}}]
)
def test_other_json_is_not_a_project(document):
    assert not recognise_via3(document)


def test_ids_are_texts_or_numbers_as_it_comes(project):
    project["metadata"]["1_x"]["vid"] = 1
    project["view"]["1"]["fid_list"] = [1]
    project["metadata"]["1_x"]["av"] = {"1": 1}

    annotations = annotations_from_via(via3_document(project, path=None))

    assert annotations.names == ("a.jpg", "b.jpg")
    assert annotations.label_of(0) == "mask"


@pytest.mark.parametrize(
    ("xy", "name", "box"),
    [
        ([1, 4, 5], "point", (4, 5, 0, 0)),
        ([2, 4, 5, 6, 7], "rect", (4, 5, 6, 7)),
        ([3, 10, 20, 5], "circle", (5, 15, 10, 10)),
        ([4, 10, 20, 5, 6], "ellipse", (5, 14, 10, 12)),
        ([5, 1, 9, 4, 2], "line", (1, 2, 3, 7)),
        ([6, 1, 2, 3, 8, 0, 4], "polyline", (0, 2, 3, 6)),
        ([7, 1, 2, 3, 8, 0, 4], "polygon", (0, 2, 3, 6)),
        ([8, 0, 3, 4, 0, 9, 5, 4, 7], "extreme_rectangle", (0, 0, 9, 7)),
        ([8, 1, 2, 3, 4], "extreme_rectangle", (1, 2, 3, 4)),
        ([9, 0, 5, 5, 0, 10, 5], "extreme_circle", (0, 0, 10, 10)),
        ([9, 5, 5, 5], "extreme_circle", (0, 0, 10, 10)),
    ],
)
def test_every_shape(xy, name, box):
    shape = via2_shape(xy)

    assert shape["name"] == name
    assert enclosing_box(shape)[1] == pytest.approx(box)


@pytest.mark.parametrize(
    "xy", [[2, 1, 2, 3], [77, 1, 2], ["2", 1, 2, 3, 4], [True, 1], "x", 3, {}, [7, 1, 2, 3], [2, 1, 2, None, 4]]
)
def test_a_damaged_shape_is_a_region_without_a_box(project, xy):
    project["metadata"]["1_x"]["xy"] = xy

    annotations = annotations_from_via(via3_document(project, path=None))

    assert len(annotations) == 3
    assert [(f.rule, f.image, f.region) for f in annotations.findings] == [("bad-shape", "a.jpg", 0)]


def test_videos_and_moments_are_left_out_and_counted(project):
    project["file"]["3"] = {"fid": "3", "fname": "c.mp4", "type": 4, "loc": 1, "src": ""}
    project["view"]["3"] = {"fid_list": ["3"]}
    project["metadata"]["3_x"] = {"vid": "3", "z": [1.5, 2.5], "xy": [], "av": {"1": "0"}}
    project["metadata"]["3_y"] = {"vid": "3", "z": [1.5], "xy": [2, 1, 2, 3, 4], "av": {"1": "0"}}
    project["metadata"]["1_z"] = {"vid": "1", "z": [1.5], "xy": [2, 1, 2, 3, 4], "av": {}}

    document = via3_document(project, path=None)

    assert list(document.entries) == ["1", "2"]
    assert len(document.entries["1"]["regions"]) == 2
    assert messages(document) == [
        ("not-a-picture", "note", "'c.mp4' is a video: 2 annotations in it left out"),
        ("not-a-picture", "note", "'a.jpg' is seen at some time of a video: 1 annotation in it left out"),
    ]


def test_what_is_said_of_a_picture_as_a_whole_is_its_attribute(project):
    project["attribute"]["2"] = {"aname": "weather", "anchor_id": "FILE1_Z0_XY0", "type": 1, "options": {}}
    project["metadata"]["1_w"] = {"vid": "1", "z": [], "xy": [], "av": {"2": "rain"}}

    document = via3_document(project, path=None)

    assert document.entries["1"]["file_attributes"] == {"weather": "rain"}
    assert list(document.attributes) == ["class"]


def test_checkboxes_are_objects_as_in_via_2(project):
    project["attribute"]["1"]["type"] = 2
    project["metadata"]["1_x"]["av"] = {"1": "0,1"}

    annotations = annotations_from_via(via3_document(project, path=None), attribute="class")

    assert [annotations.label_of(i) for i in range(3)] == [None, "mask", "boots"]


def test_two_attributes_of_one_name_stay_two(project):
    project["attribute"]["2"] = {"aname": "class", "anchor_id": "FILE1_Z0_XY1", "type": 1, "options": {}}

    assert list(via3_document(project, path=None).attributes) == ["class", "class (2)"]


def test_files_and_views_that_do_not_fit_are_findings(project):
    project["view"]["9"] = {"fid_list": ["77"]}
    project["view"]["1"]["fid_list"] = ["1", "2"]
    project["metadata"]["q"] = {"vid": "8", "z": [], "xy": [2, 1, 2, 3, 4], "av": {}}
    project["metadata"]["r"] = None
    project["file"]["5"] = {"fid": "5", "fname": "e.jpg", "type": 2}

    document = via3_document(project, path=None)

    assert [entry["filename"] for entry in document.entries.values()] == ["a.jpg", "b.jpg", "9", "e.jpg"]
    assert [message for _, _, message in messages(document)] == [
        "the view '1' shows 2 files; its regions are taken for the first's",
        "the view '9' shows no file that is there; its key stands for the name",
        "the region 'q' lies in the view the text '8', which is not there",
        "the region 'r' is null, and an object is expected",
    ]


@pytest.mark.parametrize("part", ["file", "view", "metadata", "attribute"])
@pytest.mark.parametrize("value", [None, [], "x", 3])
def test_a_part_of_another_type_is_a_finding(project, part, value):
    project[part] = value

    document = via3_document(project, path=None)

    assert document.findings or part == "attribute"
    annotations_from_via(document)
    via3_regions(project)


def test_the_csv_has_lines_and_options():
    text = CSV_TOP + "\r\n".join(
        [
            '"1_x","[""a, b.jpg""]",0,"[]","[2,10,20,30,40]","{""1"":""0""}"',
            '"2_y","[""b.jpg""]",0,"[]","[3,10,20,5]","{""1"":""1""}"',
            '"2_z","[""b.jpg""]",0,"[]","[]","{}"',
            '"3_z","[""c.mp4""]",0,"[1.0]","[2,1,2,3,4]","{}"',
            '"1_x","[""a, b.jpg""]",0,"[]","[2,1,2,3,4]","{}"',
        ]
    )

    document = via3_csv_document(text, path=None)
    annotations = annotations_from_via(document)

    assert (document.kind, document.raw) == ("via3-csv", None)
    assert annotations.names == annotations.keys == ("a, b.jpg", "b.jpg")
    assert [annotations.label_of(i) for i in range(3)] == ["boots", None, "mask"]
    assert annotations.lines.tolist() == [5, 9, 6]
    assert messages(document) == [
        ("not-a-picture", "note", "'c.mp4' is seen at some time of a video: 1 annotation in it left out")
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('"1_x","[""a.jpg""]",0', "line 5 has only 3 cells; it was left out"),
        ('"1_x","[]",0,"[]","[2,1,2,3,4]","{}"', "line 5 names no file in file_list; it was left out"),
        ('"1_x","[""a.jpg""]",0,"[]","[2,1","{}"', "line 5 holds no JSON in spatial_coordinates"),
        ('"1_x","[""a.jpg""]",0,"[]","[2]","{}', "line 5 opens a quote that is never closed; it was left out"),
    ],
)
def test_a_broken_row_of_the_csv_is_a_finding(line, message):
    document = via3_csv_document(f'{CSV_TOP}{line}\n"2","[""b.jpg""]",0,"[]","[2,1,2,3,4]","{{}}"', path=None)

    assert list(document.entries) == ["b.jpg"]
    ((rule, severity, text),) = messages(document)
    assert (rule, severity) == ("bad-row", "error")
    assert text.startswith(message)


def test_the_csv_of_time_segments_is_refused():
    text = "# one\n# CSV_HEADER = metadata_id,file_list,temporal_segment_start,temporal_segment_end,metadata\n"

    with pytest.raises(DataError, match="no column temporal_coordinates and no column spatial_coordinates") as refused:
        via3_csv_document(text, path=None)

    assert refused.value.place == "the CSV, line 2"
