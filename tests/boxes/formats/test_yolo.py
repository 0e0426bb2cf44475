from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glauke.boxes.formats._yolo import is_yolo, read_yolo
from glauke.boxes.formats._yolo_names import yolo_names
from glauke.errors import DataError


def put(folder: Path, files: dict[str, str | tuple[int, int]]) -> Path:
    """Write text files, and pictures of a size."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            Image.new("RGB", content).save(path)
    return folder


def findings(annotations) -> list[tuple[str, str]]:
    return [(f.rule, f.severity) for f in annotations.findings]


BOX = "1 0.5 0.5 0.25 0.5\n"


@pytest.mark.parametrize(
    ("picture", "labels"),
    [
        ("images/train/a.png", "labels/train/a.txt"),
        ("train/images/a.png", "train/labels/a.txt"),
        ("images/a.png", "labels/a.txt"),
        ("a.png", "a.txt"),
        ("obj_train_data/a.png", "obj_train_data/a.txt"),
        ("pictures/a.png", "labels/a.txt"),
    ],
)
@pytest.mark.parametrize("names", ["data.yaml", "classes.txt", "labels/classes.txt", "obj.names"])
def test_pictures_are_found_beside_their_labels(tmp_path, picture, labels, names):
    listed = "names: [vest, boots]\nnc: 2\n" if names.endswith("yaml") else "vest\nboots\n"
    put(tmp_path, {picture: (200, 100), labels: BOX, names: listed, "train.txt": f"{picture}\n"})

    assert is_yolo(tmp_path)
    annotations = read_yolo(tmp_path)

    assert (annotations.names, annotations.keys) == (("a.png",), (labels,))
    assert (annotations.widths.tolist(), annotations.heights.tolist()) == ([200], [100])
    assert annotations.boxes_xywh.tolist() == [[75, 25, 50, 50]]
    assert (annotations.labels, annotations.label_of(0)) == (("vest", "boots"), "boots")
    assert annotations.findings == ()


def test_all_parts_come_together_and_names_that_occur_twice_have_their_folders(tmp_path):
    put(
        tmp_path,
        {
            "train/images/a.png": (20, 10),
            "train/labels/a.txt": BOX + "\n0 0 0 0.1 0.1",
            "val/images/a.png": (40, 10),
            "val/labels/a.txt": BOX,
            "val/images/b.png": (40, 10),
            "data.yaml": "names:\n  0: vest\n  1: boots\n",
        },
    )

    annotations = read_yolo(tmp_path)

    assert annotations.names == ("train/images/a.png", "val/images/a.png", "b.png")
    assert annotations.image.tolist() == [0, 0, 1]
    assert annotations.region.tolist() == [0, 1, 0]
    assert annotations.lines is not None and annotations.lines.tolist() == [1, 3, 1]
    assert annotations.boxes_xywh[:, 2].tolist() == [5, 2, 10]


def test_a_turned_photograph_has_the_size_that_a_person_sees(tmp_path):
    picture = Image.new("RGB", (200, 100))
    exif = picture.getexif()
    exif[0x112] = 6
    picture.save(put(tmp_path, {"a.txt": BOX}) / "a.jpg", exif=exif)

    assert read_yolo(tmp_path).boxes_xywh.tolist() == [[37.5, 50, 25, 100]]


@pytest.mark.parametrize("picture", [{}, {"images/a.png": "no picture"}])
def test_without_its_picture_a_box_has_no_pixels_unless_sizes_are_given(tmp_path, picture):
    put(tmp_path, {"labels/a.txt": BOX * 2, "classes.txt": "vest\nboots\n", **picture})

    bare, given = read_yolo(tmp_path), read_yolo(tmp_path, sizes={"a.jpg": (200, 100)})

    assert np.isnan(bare.boxes_xywh).all() and bare.boxes_xywh.shape == (2, 4)
    assert findings(bare) == [("size-unknown", "error")]
    assert "2 boxes" in bare.findings[0].message
    assert given.boxes_xywh.tolist() == [[75, 25, 50, 50]] * 2
    assert given.findings == ()
    assert given.names == (("a.png",) if picture else ("a.jpg",))


def test_sizes_are_those_of_the_same_path_where_file_names_repeat(tmp_path):
    put(tmp_path, {"labels/train/1.txt": BOX, "labels/val/1.txt": BOX, "labels/val/2.txt": BOX})
    sizes = {"train/1.jpg": (100, 100), "C:\\images\\train\\2.jpg": (80, 80), "images/val/1.jpg": (400, 40)}

    annotations = read_yolo(tmp_path, sizes=sizes)

    assert annotations.names == ("train/1.jpg", "images/val/1.jpg", "C:\\images\\train\\2.jpg")
    assert annotations.widths.tolist() == [100, 400, 80]
    assert annotations.boxes_xywh[:, 2].tolist() == [25, 100, 20]


@pytest.mark.parametrize(
    ("sizes", "widths"),
    [
        ({"1.jpg": (9, 9), ".": (1, 1)}, [0, 0]),
        ({"train/1.jpg": (9, 9)}, [9, 0]),
        ({"train/1.jpg": (9, 9), "train/1.png": (8, 8)}, [0, 0]),
    ],
)
def test_a_size_that_may_be_another_pictures_is_not_taken(tmp_path, sizes, widths):
    put(tmp_path, {"labels/train/1.txt": BOX, "labels/val/1.txt": BOX})

    annotations = read_yolo(tmp_path, sizes=sizes)

    assert annotations.widths.tolist() == widths
    assert findings(annotations) == [("size-unknown", "error")] * widths.count(0)


def test_polygons_are_enclosed_and_confidences_are_noted(tmp_path):
    lines = [
        "0 0.1 0.2 0.5 0.2 0.5 0.8 0.1 0.8",
        "0 0.1 0.2 0.5 0.2 0.3 0.8",
        "0 0.5 0.5 0.2 0.4 0.93",
        "0 0.1 0.2 0.5 0.2 0.3 0.8 0.93",
    ]
    put(tmp_path, {"a.png": (100, 100), "a.txt": "\n".join(lines)})

    annotations = read_yolo(tmp_path)

    assert annotations.boxes_xywh == pytest.approx(
        np.array([[10, 20, 40, 60]] * 2 + [[40, 30, 20, 40], [10, 20, 40, 60]])
    )
    assert annotations.shape_counts() == {"rect": 1, "polygon": 3}
    assert findings(annotations) == [("bad-row", "note")]
    assert annotations.findings[0].message.startswith("2 lines have a confidence")


def test_key_points_follow_the_box(tmp_path):
    put(
        tmp_path,
        {
            "a.png": (100, 100),
            "a.txt": "0 0.5 0.5 0.2 0.4 0.1 0.1 2 0.3 0.3 2\n",
            "data.yaml": "kpt_shape: [2, 3]\nnames: [person]",
        },
    )

    assert read_yolo(tmp_path).boxes_xywh.tolist() == [pytest.approx([40, 30, 20, 40])]


@pytest.mark.parametrize(
    "line", ["x 0.1 0.1 0.1 0.1", "0 0.1 0.1 0.1", "0 0.1 0.1 0.1 nan", "-1 0.1 0.1 0.1 0.1", "0 0,1 0,1 0,1 0,1"]
)
def test_a_line_of_something_else_is_a_finding(tmp_path, line):
    put(tmp_path, {"a.png": (100, 100), "a.txt": f"{BOX}{line}\n{BOX}"})

    annotations = read_yolo(tmp_path)

    assert annotations.lines is not None and annotations.lines.tolist() == [1, 3]
    assert findings(annotations) == [("bad-row", "error")]
    assert annotations.findings[0].message.startswith("line 2 of a.txt")


@pytest.mark.parametrize("line", ["0 320 240 50 60", "0 0.5 0.5 -0.1 0.1", "0 1e300 0.5 0.1 0.1"])
def test_numbers_that_are_no_fractions_make_no_box(tmp_path, line):
    put(tmp_path, {"a.png": (100, 100), "a.txt": line})

    annotations = read_yolo(tmp_path)

    assert annotations.shape_counts() == {"unknown": 1}
    assert findings(annotations) == [("bad-shape", "error")]


def test_classes_without_a_name_go_by_their_number(tmp_path):
    put(tmp_path, {"a.png": (10, 10), "a.txt": f"{BOX}7 0.5 0.5 1 1\n", "classes.txt": "vest\n"})

    annotations = read_yolo(tmp_path)

    assert (annotations.labels, annotations.label.tolist()) == (("vest", "1", "7"), [1, 2])
    assert findings(annotations) == [("unknown-category", "warning")] * 2
    (tmp_path / "classes.txt").unlink()
    assert read_yolo(tmp_path).labels == ("1", "7")
    assert read_yolo(tmp_path).findings == ()


def test_two_classes_of_one_name_are_one_label(tmp_path):
    put(tmp_path, {"a.png": (10, 10), "a.txt": "0 0 0 1 1\n2 0 0 1 1\n1 0 0 1 1", "classes.txt": "vest\nboots\nvest"})

    annotations = read_yolo(tmp_path)

    assert (annotations.labels, annotations.label.tolist()) == (("vest", "boots"), [0, 0, 1])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("""names: ['a', "b # x", c d]  # hi\nnc: 3""", ["a", "b # x", "c d"]),
        ("names: {0: a, 1: 'it''s'}", ["a", "it's"]),
        ('nc: 2\nnames:\n  0: "no"\n\n  # two\n  1: b c # more\nval: 3', ["no", "b c"]),
        ("names:\n- a\n- b#c\nnc: 2", ["a", "b#c"]),
        ("names:\r\n    - 'a'\r\n    - b\r\nroboflow:\r\n  x: y", ["a", "b"]),
        ("names: [a,\n  b,  # c\n  c,\n]\ntrain: x", ["a", "b", "c"]),
        ('names:\n  0: "\\u00e9"\n', ["é"]),
        ("names: []", []),
        ("names:\n  {}\n", []),
        ("train: images  # names: [x]\n", []),
        ('"names": [a, b]', ["a", "b"]),
        ("'names' :\n  0: a", ["a"]),
        ("---\n{names: [a, b], nc: 2}", ["a", "b"]),
        ('{"nc": 2, "path": "x",\n "names": [\n  "a", "b"]}', ["a", "b"]),
        ("{nc: 2,  # two\n names: {0: a,\n 1: b}}", ["a", "b"]),
    ],
)
def test_the_forms_of_names(tmp_path, text, names):
    (tmp_path / "data.yaml").write_bytes(text.encode())

    assert list(yolo_names(tmp_path, ["data.yaml"]).names.values()) == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("names:\n  0: a\n  0: b", "data.yaml names class 0 twice, 'a' and 'b'; the last was taken"),
        ("names: {0: a, 0: b}", "data.yaml names class 0 twice, 'a' and 'b'; the last was taken"),
        ("{names: [[a]]}", "data.yaml has names: where they are not looked for, and they were not read"),
        ("data:\n  names: [a]", "data.yaml has names: where they are not looked for, and they were not read"),
    ],
)
def test_what_is_not_understood_of_yaml_is_a_finding(tmp_path, text, said):
    put(tmp_path, {"a.png": (10, 10), "a.txt": "0 0.5 0.5 1 1", "data.yaml": text})

    annotations = read_yolo(tmp_path)

    assert findings(annotations)[0] == ("bad-entry", "warning")
    assert annotations.findings[0].message == said


@pytest.mark.parametrize(
    "text",
    [
        "names: &x [a]",
        "names: *x",
        "names:\n  0: |\n",
        "names: a",
        "names:\n  0: a\n  b: c",
        "names: [a, [b]]",
        "names: [a",
        "names: !!x [a]",
        "names: ['a]",
        "names: [a]\nnames: [b]",
    ],
)
def test_other_yaml_is_refused_with_its_line(tmp_path, text):
    put(tmp_path, {"data.yaml": text})

    with pytest.raises(DataError, match=r"data\.yaml, line \d: "):
        yolo_names(tmp_path, ["data.yaml"])


def test_files_that_name_the_classes_differently_are_a_warning(tmp_path):
    put(tmp_path, {"a.png": (10, 10), "a.txt": BOX, "classes.txt": "x\ny\n", "data.yaml": "names: [vest, boots]"})

    annotations = read_yolo(tmp_path)

    assert annotations.labels == ("vest", "boots")
    assert [f.message for f in annotations.findings] == [
        "classes.txt names the classes differently from data.yaml, which was taken"
    ]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"a.txt": "hello\n"},
        {"train.txt": "images/a.jpg\n"},
        {"Annotations/a.xml": "<annotation/>", "ImageSets/Main/train.txt": "0001\n", "ImageSets/a.txt": "0001 1\n"},
        {"a.png": (10, 10), "notes.yaml": "names: [a]"},
    ],
)
def test_other_folders_are_not_yolo(tmp_path, files):
    assert not is_yolo(put(tmp_path, files))


@pytest.mark.parametrize("files", [{"a.txt": f"0 nan 0.5 1 1\n{BOX}"}, {"a.txt": "hello\n", "b.txt": BOX}])
def test_a_bad_first_line_is_a_finding_of_a_folder_that_is_known(tmp_path, files):
    assert is_yolo(put(tmp_path, {"a.png": (10, 10), "b.png": (10, 10), **files}))

    assert findings(read_yolo(tmp_path)) == [("bad-row", "error")]


def test_a_folder_without_any_box_is_known_by_its_names(tmp_path):
    put(tmp_path, {"labels/a.txt": "", "classes.txt": "vest\n", "images/a.png": (10, 10), "images/b.png": (10, 10)})

    assert is_yolo(tmp_path)
    annotations = read_yolo(tmp_path)
    assert (annotations.names, len(annotations), annotations.labels) == (("a.png", "b.png"), 0, ("vest",))
