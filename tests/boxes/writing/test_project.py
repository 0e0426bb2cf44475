import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from glauke.boxes.formats._read import read
from glauke.boxes.writing._new_pictures import NEAR, look_alikes, look_at, natural_order
from glauke.boxes.writing._project import project
from glauke.errors import DataError, UsageError


def picture(seed: int, *, width: int = 320, height: int = 240) -> Image.Image:
    """Patches of colour, different for every seed."""
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(4):
        x, y = rng.random(2) * (0.9 * width, 0.9 * height)
        draw.rectangle((x, y, x + width / 8, y + height / 8), fill=tuple(rng.integers(0, 256, 3).tolist()))
    return image


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "pictures").mkdir()
    for number in (1, 2, 10):
        picture(number).save(tmp_path / "pictures" / f"{number}.jpg", quality=90)
    return tmp_path / "pictures"


def made(folder, **options):
    out = folder.parent / "p.json"
    done = project(folder, labels=("hardhat", "vest"), out=out, **options)
    return done, json.loads(out.read_text(encoding="utf-8"))


def rules(done):
    return [(f.rule, f.image) for f in done.findings]


def test_the_project_is_ready_to_open(folder):
    done, document = made(folder)

    sizes = {n: (folder / n).stat().st_size for n in ("1.jpg", "2.jpg", "10.jpg")}
    assert document["_via_image_id_list"] == [f"{n}{size}" for n, size in sizes.items()]
    assert document["_via_img_metadata"][f"2.jpg{sizes['2.jpg']}"] == {
        "filename": "2.jpg",
        "size": sizes["2.jpg"],
        "regions": [],
        "file_attributes": {},
    }
    assert document["_via_settings"]["core"]["default_filepath"] == str(folder) + os.sep
    assert document["_via_attributes"] == {
        "region": {
            "class": {
                "type": "dropdown",
                "description": "",
                "options": {"hardhat": "hardhat", "vest": "vest"},
                "default_options": {},
            }
        },
        "file": {},
    }
    assert document["_via_data_format_version"] == "2.0.10"
    assert (done.pictures, done.labels, done.findings) == (3, ("hardhat", "vest"), ())


def test_a_relative_folder_becomes_absolute(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)

    project(Path("pictures"), labels=["a"], out=Path("q.json"))

    document = json.loads(Path("q.json").read_text(encoding="utf-8"))
    assert document["_via_settings"]["core"]["default_filepath"] == str(folder) + os.sep


def test_copies_are_found_by_content_and_by_looks(folder):
    (folder / "copy.jpg").write_bytes((folder / "1.jpg").read_bytes())
    with Image.open(folder / "2.jpg") as image:
        image.resize((160, 120)).save(folder / "small.jpg", quality=50)

    done, _ = made(folder)

    assert rules(done) == [("same-picture", "copy.jpg"), ("near-same-picture", "small.jpg")]


def test_what_is_wrong_with_single_pictures(folder):
    (folder / "damaged.jpg").write_bytes((folder / "1.jpg").read_bytes()[:-3000])
    (folder / "empty.png").touch()
    (folder / "text.jpg").write_text("no picture", encoding="utf-8")
    picture(3).save(folder / "really.jpg", format="PNG")
    picture(4, width=40, height=30).save(folder / "tiny.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(5).save(folder / "turned.jpg", exif=exif)
    picture(6).save(folder / "a#1.png")

    done, document = made(folder)

    assert sorted(rules(done)) == [
        ("awkward-name", "a#1.png"),
        ("small-picture", "tiny.png"),
        ("turned-picture", "turned.jpg"),
        ("unreadable-picture", "damaged.jpg"),
        ("unreadable-picture", "empty.png"),
        ("unreadable-picture", "text.jpg"),
        ("wrong-ending", "really.jpg"),
    ]
    assert done.pictures == len(document["_via_img_metadata"]) == 7


def test_one_name_in_two_folders(folder):
    (folder / "more").mkdir()
    picture(7).save(folder / "more" / "1.jpg")

    done, document = made(folder)

    assert rules(done) == [("same-name", "more/1.jpg")]
    assert [e["filename"] for e in document["_via_img_metadata"].values()][-1] == "more/1.jpg"


def test_too_few_pictures_count_without_copies(folder):
    (folder / "copy.jpg").write_bytes((folder / "1.jpg").read_bytes())

    done, _ = made(folder, at_least=4)

    assert done.findings[-1].rule == "too-few-pictures"
    assert done.findings[-1].message == "the folder has 3 pictures (and 1 copy), and at least 4 are asked for"
    assert done.findings[-1].fix == "add 1 more"


def test_even_pictures_are_not_taken_for_each_other(tmp_path):
    for i, colour in enumerate(("white", "black", "grey")):
        Image.new("RGB", (100, 100), colour).save(tmp_path / f"{i}.png")

    assert list(look_alikes([look_at(tmp_path, f"{i}.png") for i in range(3)])) == []


def test_how_far_apart_different_pictures_are(tmp_path):
    for seed in range(12):
        picture(seed).save(tmp_path / f"{seed}.png")
        picture(seed).resize((160, 120)).save(tmp_path / f"{seed}.jpg", quality=50)
    hashes = [int.from_bytes(look_at(tmp_path, f"{i}.png").outlines, "big") for i in range(12)]
    again = [int.from_bytes(look_at(tmp_path, f"{i}.jpg").outlines, "big") for i in range(12)]
    bits = [(a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]

    assert min(bits) > 5 * NEAR
    assert max((a ^ b).bit_count() for a, b in zip(hashes, again, strict=True)) <= NEAR


@pytest.mark.parametrize("labels", [(), ("a", "a"), ("Vest", "vest"), (" a",), ("",)])
def test_labels_that_would_make_trouble_are_refused(labels, folder):
    with pytest.raises(UsageError):
        project(folder, labels=labels, out=folder.parent / "p.json")


def test_a_name_that_no_file_can_hold_is_left_out(folder):
    odd = folder / "b\udcff.jpg"  # the byte FF, which is no UTF-8
    try:
        picture(5).save(odd)
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system has only names that are text")

    done, document = made(folder)

    assert document["_via_image_id_list"] == [f"{n}.jpg{(folder / f'{n}.jpg').stat().st_size}" for n in (1, 2, 10)]
    assert [(f.rule, f.severity, f.image) for f in done.findings] == [("awkward-name", "error", "b\\udcff.jpg")]
    assert read(folder.parent / "p.json").names == ("1.jpg", "2.jpg", "10.jpg")


def test_a_path_that_no_file_can_hold_is_refused(folder):
    try:
        renamed = folder.rename(folder.parent / "p\udcff")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system has only names that are text")

    with pytest.raises(DataError, match="Unicode"):
        project(renamed, labels=["a"], out=folder.parent / "p.json")


def test_no_folder_no_pictures_nothing_overwritten(folder, tmp_path):
    (tmp_path / "none").mkdir()
    for place in (tmp_path / "missing", folder / "1.jpg", tmp_path / "none"):
        with pytest.raises(DataError):
            project(place, labels=["a"], out=tmp_path / "p.json")
    (tmp_path / "p.json").touch()
    with pytest.raises(UsageError, match="exists"):
        project(folder, labels=["a"], out=tmp_path / "p.json")


def test_numbers_are_counted_in_any_name():
    assert sorted(["a10", "a", "a2b", "A2a", "2", ""], key=natural_order) == ["", "2", "a", "A2a", "a2b", "a10"]
