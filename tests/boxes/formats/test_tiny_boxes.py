import tarfile
import zipfile
from pathlib import Path

import pytest

from glauke.boxes.formats._tiny_boxes import is_tiny_imagenet, read_tiny_imagenet

FILES = {
    "train/n00000002/n00000002_boxes.txt": "n00000002_0.JPEG\t0\t0\t63\t63\nn00000002_1.JPEG\t5\t6\t5\t9\n",
    "train/n00000001/n00000001_boxes.txt": "n00000001_0.JPEG\t1\t2\t11\t22\n",
    "val/val_annotations.txt": "val_0.JPEG\tn00000002\t0\t32\t44\t62\n",
    "wnids.txt": "n00000002\nn00000001\n",
    "words.txt": "n00000001\tcrane, bird\nn00000002\tbus, autobus\nn00000003\tcrane\n",
}


def folder(root: Path, changes: dict[str, str] | None = None) -> Path:
    for name, text in (FILES | (changes or {})).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def zipped(root: Path) -> Path:
    with zipfile.ZipFile(root / "some.zip", "w") as archive:
        for name, text in reversed(FILES.items()):
            archive.writestr(f"tiny-imagenet-200/{name}", text)
    return root / "some.zip"


def tarred(root: Path) -> Path:
    folder(root / "tiny-imagenet-200")
    with tarfile.open(root / "some.tar.xz", "w:xz") as archive:
        archive.add(root / "tiny-imagenet-200", arcname="tiny-imagenet-200")
    return root / "some.tar.xz"


def parent(root: Path) -> Path:
    folder(root / "tiny-imagenet-200")
    return root


@pytest.mark.parametrize("made", [folder, parent, zipped, tarred])
def test_every_box_with_both_corners_in_it(tmp_path, made):
    path = made(tmp_path)

    assert is_tiny_imagenet(path)
    annotations = read_tiny_imagenet(path)

    boxes = {annotations.name_of(i): annotations.boxes_xywh[i].tolist() for i in range(4)}
    assert boxes == {
        "n00000001_0.JPEG": [1, 2, 11, 21],
        "n00000002_0.JPEG": [0, 0, 64, 64],
        "n00000002_1.JPEG": [5, 6, 1, 4],
        "val_0.JPEG": [0, 32, 45, 31],
    }
    assert annotations.labels == ("bus", "crane")
    assert annotations.label_counts() == {"bus": 3, "crane": 1}
    assert annotations.keys[-1] == "val/images/val_0.JPEG"
    assert set(annotations.widths.tolist()) == set(annotations.heights.tolist()) == {64}
    assert annotations.findings == ()


def test_a_name_that_two_classes_share_gives_way_to_their_ids(tmp_path):
    words = "n00000001\tcrane, bird\nn00000002\tcrane, machine\n"

    assert read_tiny_imagenet(folder(tmp_path, {"words.txt": words})).labels == ("n00000002", "n00000001")


def test_broken_lines_are_findings(tmp_path):
    broken = "val_0.JPEG\tn00000001\t0\t32\t44\nval_1.JPEG\tn00000001\t9\t1\t3\t4\nval_2.JPEG\tn00000001\tx\t1\t3\t4\n"

    annotations = read_tiny_imagenet(folder(tmp_path, {"val/val_annotations.txt": broken}))

    assert len(annotations) == 5
    assert annotations.shape_counts() == {"rect": 3, "unknown": 2}
    assert [(f.rule, f.image) for f in annotations.findings] == [
        ("bad-row", None),
        ("bad-shape", "val_1.JPEG"),
        ("bad-shape", "val_2.JPEG"),
    ]
    assert annotations.findings[0].message.startswith("line 1 of val/val_annotations.txt")


def test_other_folders_and_archives_are_not_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("train/cat/1.jpg", "x")

    assert not is_tiny_imagenet(tmp_path / "a.zip")
    assert not is_tiny_imagenet(tmp_path)


@pytest.mark.slow
def test_the_real_archive(datasets):
    path = datasets / "tiny-imagenet-200.tar.xz"

    assert is_tiny_imagenet(path)
    annotations = read_tiny_imagenet(path)

    assert (len(annotations), len(annotations.labels)) == (110_000, 200)
    assert set(annotations.label_counts().values()) == {550}
    assert annotations.findings == ()
    assert annotations.boxes_xywh[:, :2].min() == 0
    assert (annotations.boxes_xywh[:, :2] + annotations.boxes_xywh[:, 2:]).max() == 64
