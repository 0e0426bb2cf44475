"""What is written is read back: the same pictures, boxes and labels, in every format."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glauke.boxes._annotations import Annotations
from glauke.boxes._prepare import prepare
from glauke.boxes.formats._read import read
from glauke.boxes.writing._exports import convert

LABELS = (
    "hardhat", "no", "1e3", "08", "2024-01-01", "- a", "a: b", "=1+1", "@x", "it's \"so\"", "<b>&amp;", "ä ö",
    "头盔", "two words", "#1", "true", "~", "{}", "a,b", "x\\y",
)  # fmt: skip
NAMES = ("1.jpg", "a b.png", "ü.jpg", "it's.jpg", "a&b.jpg", "x,y.jpg", "10.jpg", "no boxes.jpg")


@pytest.fixture
def annotations(tmp_path) -> Annotations:
    """Boxes of whole and of broken pixels, every label once at least, in pictures of different sizes."""
    rng = np.random.default_rng(0)
    count = 4 * len(LABELS)
    image = np.sort(rng.integers(0, len(NAMES) - 1, count))
    corner = rng.uniform(0, 150, (count, 2))
    boxes = np.concatenate([corner, rng.uniform(0.6, 150, (count, 2))], axis=1)
    boxes[::2] = np.ceil(boxes[::2])
    return Annotations(
        kind="via2-region",
        path=Path("boxes.json"),
        names=NAMES,
        keys=NAMES,
        byte_sizes=np.arange(1000, 1000 + len(NAMES)),
        widths=300 + 10 * np.arange(len(NAMES)),
        heights=400 - 10 * np.arange(len(NAMES)),
        image=image,
        region=np.array([int((image[:i] == image[i]).sum()) for i in range(count)]),
        boxes_xywh=boxes,
        shape=np.zeros(count, np.int8),
        label=(np.arange(count) % len(LABELS)).astype(np.int32),
        labels=LABELS,
        class_attribute="class",
    )


def rows(annotations: Annotations) -> dict[str, list[tuple[str | None, list[float]]]]:
    """Label and box of every region by picture."""
    found: dict[str, list[tuple[str | None, list[float]]]] = {name: [] for name in annotations.names}
    for row, box in enumerate(annotations.boxes_xywh.tolist()):
        found[annotations.name_of(row)].append((annotations.label_of(row), box))
    return found


def same(back: Annotations, annotations: Annotations) -> None:
    one, other = rows(annotations), rows(back)
    assert one.keys() == other.keys()
    for name, expected in one.items():
        assert [label for label, _ in other[name]] == [label for label, _ in expected], name
        if expected:
            np.testing.assert_allclose([b for _, b in other[name]], [b for _, b in expected], atol=1e-3, err_msg=name)


@pytest.mark.parametrize("to", ["via", "csv", "coco", "voc"])
def test_what_is_written_is_read_back(to, annotations, tmp_path):
    convert(annotations, to=to, out=tmp_path / "out")

    back = read(tmp_path / "out")

    same(back, annotations)
    assert [f for f in back.findings if f.severity != "note"] == []
    if to != "csv":
        assert sorted(zip(back.names, back.widths.tolist(), back.heights.tolist(), strict=True)) == sorted(
            zip(annotations.names, annotations.widths.tolist(), annotations.heights.tolist(), strict=True)
        )


def test_yolo_is_read_back_with_its_pictures(annotations, tmp_path):
    convert(annotations, to="yolo", out=tmp_path / "out")
    (tmp_path / "out" / "images").mkdir()
    for name, width, height in zip(NAMES, annotations.widths.tolist(), annotations.heights.tolist(), strict=True):
        kind = "PNG" if name.endswith("png") else "JPEG"
        Image.new("RGB", (width, height)).save(tmp_path / "out" / "images" / name, format=kind)

    back = read(tmp_path / "out")

    same(back, annotations)


@pytest.mark.parametrize("to", ["via", "csv"])
def test_regions_without_a_label_stay_without(to, annotations, tmp_path):
    label = annotations.label.copy()
    label[::3] = -1

    convert(dataclasses.replace(annotations, label=label), to=to, out=tmp_path / "out")

    same(read(tmp_path / "out"), dataclasses.replace(annotations, label=label))


@pytest.mark.parametrize("to", ["via", "csv"])
def test_every_shape_and_attribute_of_a_via_file_is_kept(to, tmp_path):
    source = tmp_path / "v1.json"
    source.write_text(
        '{"a.jpg5":{"fileref":"","size":5,"filename":"a.jpg","base64_img_data":"","file_attributes":{"caption":"c"},'
        '"regions":{"0":{"shape_attributes":{"name":"polygon","all_points_x":[1,9,5],"all_points_y":[1,2,8]},'
        '"region_attributes":{"class":"vest","by":"one"}},'
        '"1":{"shape_attributes":{"name":"point","cx":3,"cy":4},"region_attributes":{"class":"mask","by":"one"}}}}}',
        encoding="utf-8",
    )
    prepared = prepare(source)

    done = convert(prepared.annotations, to=to, out=tmp_path / "out", document=prepared.document.via)

    back = read(tmp_path / "out")
    assert done.notes == ()
    assert back.shape_counts() == {"polygon": 1, "point": 1}
    assert {a.name for a in back.attributes} == {"class", "by"}
    same(back, prepared.annotations)
