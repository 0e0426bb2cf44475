import csv
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from glauke.boxes._annotations import Annotations
from glauke.boxes._pictures import picture_folder
from glauke.boxes.cropping._crops import crops
from glauke.boxes.formats._columns import annotations_from_via
from glauke.boxes.formats._via_document import recognise_via, via_document
from glauke.boxes.writing._picture_boxes import only_rows
from glauke.errors import DataError, UsageError
from glauke.files import read_json
from glauke.images import open_pack


def annotations(
    boxes: list[tuple[float, ...]],
    *,
    names: tuple[str, ...] = ("1.png", "2.png"),
    labels: tuple[str, ...] = ("hardhat", "vest"),
    **changes: object,
) -> Annotations:
    """Rows of (picture, x, y, width, height, label)."""
    rows = np.array(boxes, np.float64).reshape(-1, 6)
    value = Annotations(
        kind="via2-region",
        path=Path("boxes.json"),
        names=names,
        keys=names,
        byte_sizes=np.full(len(names), -1),
        widths=np.zeros(len(names), np.int64),
        heights=np.zeros(len(names), np.int64),
        image=rows[:, 0].astype(np.int64),
        region=np.arange(len(rows)),
        boxes_xywh=rows[:, 1:5],
        shape=np.zeros(len(rows), np.int8),
        label=rows[:, 5].astype(np.int32),
        labels=labels,
        class_attribute="class",
    )
    return replace(value, **changes)


def picture(width: int = 120, height: int = 90, *, blue: int = 0) -> Image.Image:
    """Every pixel says where it is: red is x, green is y."""
    y, x = np.mgrid[:height, :width].astype(np.uint8)
    return Image.fromarray(np.stack([x, y, np.full_like(x, blue)], axis=-1))


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    picture().save(folder / "1.png")
    picture(blue=9).save(folder / "2.png")
    return folder


def corners(path: Path) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a crop of `picture()`, by its pixels."""
    pixels = np.asarray(Image.open(path))
    return (*pixels[0, 0, :2].tolist(), *(pixels[-1, -1, :2] + 1).tolist())


def groups(out: Path) -> dict[str, str]:
    with (out / "groups.csv").open(encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file)
    assert heading == ["file", "group"]
    return dict(rows)


def test_a_box_becomes_a_picture_with_a_tenth_around_it(tmp_path, folder):
    out = tmp_path / "out"

    done = crops(annotations([(0, 10, 20, 30, 40, 0), (1, 50, 40, 20, 20, 1)]), images=folder, out=out)

    first, second = out / "hardhat" / "000000_1.png", out / "vest" / "000001_2.png"
    assert corners(first) == (7, 16, 43, 64)
    assert corners(second) == (48, 38, 72, 62)
    assert groups(out) == {"hardhat/000000_1.png": "000000_1", "vest/000001_2.png": "000001_2"}
    assert (done.crops, done.pictures, done.labels) == (2, 2, {"hardhat": 1, "vest": 1})
    assert (done.folders, done.left_out, done.notes) == ({"hardhat": "hardhat", "vest": "vest"}, {}, ())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "pictures"]


@pytest.mark.parametrize(
    ("box", "margin", "expected"),
    [
        ((10, 20, 30, 40), 0, (10, 20, 40, 60)),
        ((10.4, 20.6, 29.2, 39), 0, (10, 20, 40, 60)),
        ((-1, -2, 41, 42), 0.1, (0, 0, 44, 44)),
        ((100, 60, 50, 50), 0.1, (98, 57, 120, 90)),
        ((40, 30, 30, 20), 2, (0, 0, 120, 90)),
    ],
)
def test_crops_are_whole_pixels_within_the_picture(tmp_path, folder, box, margin, expected):
    crops(annotations([(0, *box, 0)]), images=folder, out=tmp_path / "out", margin=margin)

    assert corners(tmp_path / "out" / "hardhat" / "000000_1.png") == expected


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_pictures_are_turned_as_a_person_sees_them(tmp_path, turn, ending):
    folder = tmp_path / "pictures"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x112] = turn
    picture(100, 60).save(folder / f"1.{ending}", exif=exif)

    crops(annotations([(0, 5, 7, 40, 30, 0)], names=(f"1.{ending}",)), images=folder, out=tmp_path / "out", margin=0)

    seen = ImageOps.exif_transpose(Image.open(folder / f"1.{ending}")).crop((5, 7, 45, 37))
    assert np.array_equal(np.asarray(seen), np.asarray(Image.open(tmp_path / "out" / "hardhat" / "000000_1.png")))


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "I;16", "CMYK"])
def test_pictures_of_every_mode_become_grey_or_colour(tmp_path, mode):
    folder = tmp_path / "pictures"
    folder.mkdir()
    ending = "tiff" if mode == "CMYK" else "png"
    made = Image.new(
        mode, (40, 40), {"RGBA": (0, 0, 0, 0), "LA": (0, 0), "I;16": 0xFFFF, "CMYK": (0, 0, 0, 0)}.get(mode, 1)
    )
    made.save(folder / f"1.{ending}")

    crops(annotations([(0, 5, 5, 20, 20, 0)], names=(f"1.{ending}",)), images=folder, out=tmp_path / "out")

    with Image.open(tmp_path / "out" / "hardhat" / "000000_1.png") as crop:
        assert crop.mode in ("L", "RGB")
        if mode in ("RGBA", "LA", "I;16", "CMYK"):
            assert set(np.asarray(crop).ravel().tolist()) == {255}


def test_what_cannot_be_cut_out_is_counted_by_reason(tmp_path, folder):
    rows = [
        (0, 10, 20, 30, 40, 0),
        (0, 10, 20, 30, 40, -1),
        (0, 10, 20, 30, 40, 2),
        (0, 10, 20, 0, 0, 0),
        (0, float("nan"), 20, 30, 30, 0),
        (0, 10, 20, 15.9, 40, 0),
        (0, 119, 20, 40, 40, 0),
        (0, 120, 20, 40, 40, 0),
        (2, 10, 20, 30, 40, 0),
    ]

    done = crops(
        annotations(rows, names=("1.png", "2.png", "3.png"), labels=("hardhat", "vest", " ")),
        images=folder,
        out=tmp_path / "out",
    )

    assert done.crops == 1
    assert done.left_out == {
        "without a label": 2,
        "without an area": 2,
        "whose picture is not there": 1,
        "outside of the picture": 1,
        "with a side of less than 16 pixels": 2,
    }
    assert done.notes[0] == "left out: 2 boxes without a label"
    assert done.notes[-1] == "there is one label only, and a classifier needs at least two"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["groups.csv", "hardhat"]


def test_a_damaged_picture_is_left_out_and_named(tmp_path, folder):
    whole = (folder / "2.png").read_bytes()
    (folder / "2.png").write_bytes(whole[: len(whole) // 2])

    done = crops(
        annotations([(0, 10, 20, 30, 40, 0), (1, 10, 20, 30, 40, 1), (1, 10, 20, 30, 40, 0)]),
        images=folder,
        out=tmp_path / "out",
    )

    assert (done.crops, done.left_out, done.labels) == (1, {"whose picture cannot be read": 2}, {"hardhat": 1})
    assert 'damaged: "2.png"' in done.notes[1]
    assert not (tmp_path / "out" / "vest").exists()


def test_a_file_that_is_no_picture_is_left_out(tmp_path, folder):
    (folder / "2.png").write_text("not a picture", encoding="utf-8")

    done = crops(annotations([(0, 10, 20, 30, 40, 0), (1, 10, 20, 30, 40, 1)]), images=folder, out=tmp_path / "out")

    assert done.left_out == {"whose picture cannot be read": 1}


def test_nothing_to_cut_out_is_refused_and_nothing_written(tmp_path, folder):
    with pytest.raises(DataError, match=r"none of 1 region can be cut out \(1 whose picture is not there\).*--images"):
        crops(annotations([(0, 10, 20, 30, 40, 0)], names=("9.png",)), images=folder, out=tmp_path / "out")

    (folder / "1.png").write_bytes((folder / "1.png").read_bytes()[:60])
    with pytest.raises(DataError, match="1 whose picture cannot be read"):
        crops(annotations([(0, 10, 20, 30, 40, 0)]), images=folder, out=tmp_path / "out")
    with pytest.raises(DataError, match="none of 0 regions"):
        crops(annotations([]), images=folder, out=tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["pictures"]


def test_labels_that_would_share_a_folder_are_refused_before_anything_is_written(tmp_path, folder):
    rows = [(0, 10, 20, 30, 40, 0), (1, 10, 20, 30, 40, 1)]

    with pytest.raises(DataError, match='"Mask" and "mask" would share'):
        crops(annotations(rows, labels=("Mask", "mask")), images=folder, out=tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(tmp_path, folder):
    with pytest.raises(UsageError, match="exists"):
        crops(annotations([(0, 10, 20, 30, 40, 0)]), images=folder, out=folder)


@pytest.mark.parametrize("wrong", [{"margin": -0.1}, {"margin": float("nan")}, {"margin": 11}, {"least_size": 0}])
def test_settings_that_cannot_be_are_refused(tmp_path, folder, wrong):
    with pytest.raises(UsageError, match="must be"):
        crops(annotations([(0, 10, 20, 30, 40, 0)]), images=folder, out=tmp_path / "out", **wrong)


def test_a_count_table_is_refused(tmp_path, folder):
    with pytest.raises(DataError, match="a table of counts has no pictures"):
        crops(annotations([(0, 0, 0, 30, 40, 0)], kind="table"), images=folder, out=tmp_path / "out")


def test_an_entry_that_names_another_picture_is_cut_from_its_own(tmp_path, folder):
    picture(110, 80, blue=200).save(folder / "renamed.png")
    size = (folder / "renamed.png").stat().st_size
    entry = annotations([(0, 10, 20, 30, 40, 0)], names=("1.png",), byte_sizes=np.array([size]))

    done = crops(entry, images=picture_folder(folder), out=tmp_path / "out")

    assert np.asarray(Image.open(tmp_path / "out" / "hardhat" / "000000_renamed.png"))[0, 0, 2] == 200
    assert done.crops == 1


def test_pictures_of_another_size_are_noted(tmp_path, folder):
    entry = annotations(
        [(0, 10, 20, 30, 40, 0), (1, 10, 20, 30, 40, 1)],
        byte_sizes=np.array([123_456, -1]),
        widths=np.array([0, 640]),
        heights=np.array([0, 480]),
    )

    bytes_differ, pixels_differ = crops(entry, images=folder, out=tmp_path / "out").notes

    assert bytes_differ.startswith("the file has another size in bytes")
    assert '1 picture ("1.png")' in bytes_differ
    assert '1 picture ("2.png")' in pixels_differ


def test_equal_files_are_one_group(tmp_path, folder):
    (folder / "3.png").write_bytes((folder / "1.png").read_bytes())
    rows = [(i, 10, 20, 30, 40, i % 2) for i in range(3)]

    done = crops(annotations(rows, names=("1.png", "2.png", "3.png")), images=folder, out=tmp_path / "out")

    by_row = [group for _, group in sorted(groups(tmp_path / "out").items(), key=lambda item: item[0].split("/")[1])]
    assert by_row == ["000000_1", "000001_2", "000000_1"]
    assert done.pictures == 2


def test_the_other_half_reads_classes_and_groups(tmp_path, folder):
    odd = ("=1+1", "'quoted'", ".hidden", "n/a", "CON", 'a, "b"', " vest ", "x.jpg", "groups.csv", "train")
    rows = [(i % 2, 2 * i, i, 30 + i, 40, i // 2) for i in range(2 * len(odd))]
    out = tmp_path / "out"

    done = crops(annotations(rows, labels=odd), images=folder, out=out)
    pack = open_pack(str(out), size=16)

    assert done.crops == len(pack.labels) == 2 * len(odd)
    assert sorted(pack.classes) == sorted(done.folders.values())
    assert pack.findings == ()
    group_of = dict(zip(pack.names, pack.duplicates.tolist(), strict=True))
    by_picture = {stem: {n for name, n in group_of.items() if name.endswith(f"_{stem}.png")} for stem in ("1", "2")}
    assert [len(numbers) for numbers in by_picture.values()] == [1, 1]
    assert by_picture["1"] != by_picture["2"]


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for rights to make links")
def test_links_that_lead_out_are_not_followed(tmp_path, folder):
    (tmp_path / "secret.png").write_bytes((folder / "1.png").read_bytes())
    (folder / "3.png").symlink_to(tmp_path / "secret.png")

    with pytest.raises(DataError, match="1 whose picture is not there"):
        crops(annotations([(0, 10, 20, 30, 40, 0)], names=("3.png",)), images=folder, out=tmp_path / "out")


def test_real_boxes_are_cut_out(tmp_path, datasets):
    path = datasets / "ppe" / "via_region_data.json"
    document = read_json(path)
    boxes = annotations_from_via(via_document(document, kind=recognise_via(document), path=path))
    few = only_rows(boxes, boxes.image < 4)

    done = crops(few, images=path.parent, out=tmp_path / "out")

    assert done.crops + sum(done.left_out.values()) == len(few)
    assert done.pictures == 4
    assert len(set(groups(tmp_path / "out").values())) == 4
