"""What commands begin with: `prepare`, and the refusals of `sound`."""

from pathlib import Path

import pytest
from PIL import Image

from glauke.boxes._prepare import prepare, sound
from glauke.errors import DataError
from glauke.jobs.clusters import crops
from glauke.options import BoxOptions


@pytest.fixture
def yolo(tmp_path) -> Path:
    """Two boxes in a.jpg and one in b.jpg; only the size of b.jpg is known."""
    folder = tmp_path / "yolo"
    (folder / "labels").mkdir(parents=True)
    (folder / "labels/a.txt").write_text("0 0.5 0.5 0.1 0.1\n0 0.2 0.2 0.1 0.1\n", encoding="utf-8")
    (folder / "labels/b.txt").write_text("0 0.5 0.5 0.1 0.1\n", encoding="utf-8")
    (folder / "classes.txt").write_text("vest\n", encoding="utf-8")
    (folder / "sizes.csv").write_text("filename,width,height\nb.jpg,100,50\n", encoding="utf-8")
    return folder


def test_boxes_of_pictures_of_unknown_size_are_refused(yolo):
    with pytest.raises(DataError, match=r"size of 1 picture is not known, so that 2 boxes.*--images.*--sizes"):
        sound(prepare(yolo))
    assert len(sound(prepare(yolo), sizes=False)) == 3


def test_known_sizes_are_enough(yolo, tmp_path):
    table = tmp_path / "s.csv"
    table.write_text("filename,width,height\na.jpg,100,50\nb.jpg,100,50\n", encoding="utf-8")

    assert sound(prepare(yolo, sizes=table)).encloses.all()


def test_sizes_fill_in_for_pictures_that_are_not_there(yolo, tmp_path):
    Image.new("RGB", (200, 100)).save(_folder(tmp_path / "photos") / "b.jpg")
    table = tmp_path / "s.csv"
    table.write_text("filename,width,height\na.jpg,100,50\nb.jpg,9,9\n", encoding="utf-8")

    prepared = prepare(yolo, images=tmp_path / "photos", sizes=table)

    assert sound(prepared).widths.tolist() == [100, 200]


def test_lines_without_a_box_need_no_size(yolo):
    (yolo / "labels/a.txt").write_text("0 7 7 7 7\n", encoding="utf-8")

    assert len(sound(prepare(yolo))) == 2


def test_crops_leave_out_what_is_not_there(yolo, tmp_path):
    Image.new("RGB", (200, 400)).save(_folder(tmp_path / "photos") / "b.jpg")

    done = crops(yolo, BoxOptions(images=tmp_path / "photos"), out=tmp_path / "crops")

    assert done.crops == 1
    assert list(done.left_out.values()) == [2]
    assert "without an area" not in done.left_out


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
