"""Entries against the files of a folder: the length in bytes tells which picture was annotated."""

import json
import re

import pytest
from PIL import Image

from glauke.boxes import check, fix, picture_folder, read

PICTURES = {"a.png": (200, 100, 1000), "b.png": (200, 100, 2000), "c.png": (60, 40, 3000)}


def rect(x, y, width, height):
    shape = {"name": "rect", "x": x, "y": y, "width": width, "height": height}
    return {"shape_attributes": shape, "region_attributes": {"class": "mask"}}


@pytest.fixture
def folder(tmp_path):
    """Three pictures of known size, in pixels and in bytes."""
    path = tmp_path / "pictures"
    path.mkdir()
    for name, (width, height, length) in PICTURES.items():
        draw(path / name, width, height, length)
    return path


def draw(path, width, height, length, *, kind="PNG"):
    Image.new("RGB", (width, height)).save(path, kind)
    data = path.read_bytes()
    path.write_bytes(data + b"\0" * (length - len(data)))


def document(**renamed):
    """An entry for each picture, with one box at its lower right; `renamed` by the picture's true name."""
    entries = {}
    for stem, (width, height, length) in ((name.removesuffix(".png"), v) for name, v in PICTURES.items()):
        name = renamed.get(stem, f"{stem}.png")
        regions = [rect(width - 30, height - 20, 25, 15)]
        entries[f"{name}{length}"] = {"filename": name, "size": length, "regions": regions, "file_attributes": {}}
    return entries


def checked(tmp_path, folder, entries):
    file = tmp_path / "made.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return check(read(file), pictures=picture_folder(folder)), file


def mended(tmp_path, folder, entries):
    """The fixed copy; a check of it finds neither errors nor warnings."""
    found, file = checked(tmp_path, folder, entries)
    out = tmp_path / "fixed.json"
    applied = fix(file, read(file), found, out=out)
    again = check(read(out), pictures=picture_folder(folder))
    assert [f for f in again if f.severity != "note"] == []
    assert len({a.message for a in applied}) == len(applied) > 0
    return json.loads(out.read_text(encoding="utf-8"))


def test_a_sound_file_matches_its_folder(tmp_path, folder):
    assert checked(tmp_path, folder, document())[0] == ()


def test_a_box_on_another_picture_is_found_though_it_fits(tmp_path, folder):
    entries = document()
    entries["a.png1000"]["filename"] = "b.png"

    found, _ = checked(tmp_path, folder, entries)

    assert [(f.rule, f.severity, f.image) for f in found] == [("size-mismatch", "error", "b.png")]
    assert 'the box belongs to "a.png", the only one of 1,000 bytes, as its key says' in found[0].message
    assert mended(tmp_path, folder, entries) == document()


def test_two_names_that_were_swapped_are_swapped_back(tmp_path, folder):
    entries = document(a="b.png", b="a.png")

    found, _ = checked(tmp_path, folder, entries)

    assert [f.rule for f in found] == ["size-mismatch", "size-mismatch"]
    assert mended(tmp_path, folder, entries) == document()


def test_boxes_are_judged_by_the_picture_that_they_belong_to(tmp_path, folder):
    entries = document(a="c.png")
    del entries["c.png3000"]

    found, _ = checked(tmp_path, folder, entries)

    assert [f.rule for f in found] == ["unlisted-picture", "size-mismatch"]
    assert mended(tmp_path, folder, entries) == {k: v for k, v in document().items() if k != "c.png3000"}


def test_a_picture_that_was_renamed_is_found_by_its_length(tmp_path, folder):
    entries = document(a="old name.png")

    found, _ = checked(tmp_path, folder, entries)

    assert [(f.rule, f.change.what) for f in found] == [("missing-picture", "name")]
    assert mended(tmp_path, folder, entries) == document()


def test_a_picture_saved_again_gets_its_new_size_where_the_boxes_fit(tmp_path, folder):
    draw(folder / "a.png", 200, 100, 1234)

    found, _ = checked(tmp_path, folder, document())

    assert [(f.rule, f.change.what, f.change.value) for f in found] == [("size-mismatch", "byte-size", 1234)]
    assert "fit its 200x100 pixels" in found[0].message
    after = mended(tmp_path, folder, document())
    assert list(after) == ["a.png1234", "b.png2000", "c.png3000"]
    assert after["a.png1234"]["size"] == 1234


def test_another_picture_of_the_name_is_no_picture_saved_again(tmp_path, folder):
    draw(folder / "a.png", 50, 50, 1234)

    found, _ = checked(tmp_path, folder, document())

    assert [(f.rule, f.change.what) for f in found if f.rule == "size-mismatch"] == [("size-mismatch", "drop-picture")]
    assert list(mended(tmp_path, folder, document())) == ["b.png2000", "c.png3000"]


def test_a_length_that_two_files_have_names_neither(tmp_path, folder):
    (folder / "d.png").write_bytes((folder / "a.png").read_bytes())
    entries = document(a="b.png")

    found, _ = checked(tmp_path, folder, entries)

    assert "belong" not in next(f.message for f in found if f.rule == "size-mismatch")


def test_a_missing_picture_is_set_aside(tmp_path, folder):
    (folder / "a.png").unlink()

    found, _ = checked(tmp_path, folder, document())

    assert [(f.rule, f.severity, f.image) for f in found] == [("missing-picture", "error", "a.png")]
    assert list(mended(tmp_path, folder, document())) == ["b.png2000", "c.png3000"]


def test_the_wrong_folder_sets_nothing_aside(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()

    found, _ = checked(tmp_path, empty, document())

    assert [(f.rule, f.image, f.change) for f in found] == [("missing-picture", None, None)]


def test_what_is_no_picture_is_found_and_a_wrong_ending_noted(tmp_path, folder):
    (folder / "a.png").write_bytes(b"\0" * 1000)
    draw(folder / "b.png", 200, 100, 2000, kind="JPEG")

    found, _ = checked(tmp_path, folder, document())

    assert [(f.rule, f.severity) for f in found] == [("unreadable-picture", "error"), ("wrong-ending", "note")]
    assert list(mended(tmp_path, folder, document())) == ["b.png2000", "c.png3000"]


def test_pictures_without_an_entry_are_noted_once(tmp_path, folder):
    entries = document()
    del entries["a.png1000"], entries["b.png2000"]

    found, _ = checked(tmp_path, folder, entries)

    assert [(f.rule, f.severity) for f in found] == [("unlisted-picture", "note")]
    assert "2 pictures" in found[0].message
    assert " have no entry" in found[0].message


def test_one_picture_without_an_entry_has_none(tmp_path, folder):
    entries = document()
    del entries["a.png1000"]

    found, _ = checked(tmp_path, folder, entries)

    assert re.match(r"1 picture of .* has no entry in the file", found[0].message)
