import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from glauke.boxes._annotations import Annotations
from glauke.boxes._pictures import match_pictures, picture_folder, renamed_pictures
from glauke.boxes._sizes import sizes_from_csv, sizes_from_pictures, with_sizes
from glauke.errors import DataError


def png(width: int, height: int, *, padding: int = 0) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * (width + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"") + b"\0" * padding


def annotations(names, *, byte_sizes=None, sizes=None, boxes=()) -> Annotations:
    sizes = np.array(sizes if sizes is not None else [(0, 0)] * len(names), np.int64).reshape(-1, 2)
    return Annotations(
        kind="via2-region",
        path=None,
        names=tuple(names),
        keys=tuple(names),
        byte_sizes=np.array(byte_sizes if byte_sizes is not None else [-1] * len(names), np.int64),
        widths=sizes[:, 0],
        heights=sizes[:, 1],
        image=np.array([image for image, _ in boxes], np.int64),
        region=np.zeros(len(boxes), np.int64),
        boxes_xywh=np.array([box for _, box in boxes], float).reshape(-1, 4),
        shape=np.zeros(len(boxes), np.int8),
        label=np.full(len(boxes), -1, np.int32),
        labels=(),
        class_attribute=None,
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    root = tmp_path / "pictures"
    for name, data in {
        "b.png": png(30, 20),
        "a.JPG": png(40, 20),
        "train/1.png": png(50, 60, padding=1),
        "val/1.png": png(70, 80, padding=2),
        "val/deep/er/c.png": b"no picture",
        "notes.txt": b"x",
        ".hidden.png": b"x",
        "__MACOSX/b.png": b"x",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def test_a_folder_is_listed_sorted_and_by_name_and_size(folder):
    pictures = picture_folder(folder)

    assert [file.name for file in pictures.files] == ["a.JPG", "b.png", "train/1.png", "val/1.png", "val/deep/er/c.png"]
    assert [file.name for file in pictures.by_name["1.png"]] == ["train/1.png", "val/1.png"]
    assert [file.name for file in pictures.by_size[10]] == ["val/deep/er/c.png"]
    assert pictures.skipped == ()


def test_headers_are_read_when_asked_for(folder):
    pictures = picture_folder(folder)
    [file] = pictures.by_name["a.JPG"]

    assert file.header is not None
    assert (file.header.width, file.header.height, file.header.kind) == (40, 20, "png")
    assert file.header is file.header
    assert pictures.by_name["c.png"][0].header is None


def test_links_out_of_the_folder_are_not_followed(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.png").write_bytes(png(1, 1))
    try:
        (folder / "out.png").symlink_to(outside / "x.png")
        (folder / "more").symlink_to(outside)
        (folder / "loop").symlink_to(folder)
        (folder / "again.png").symlink_to(folder / "b.png")
        (folder / "gone.png").symlink_to(folder / "nothing.png")
    except OSError:
        pytest.skip("this system or user cannot make links")
    pictures = picture_folder(folder)

    assert "again.png" in pictures.by_name
    assert {"x.png", "out.png", "gone.png"}.isdisjoint(pictures.by_name)
    assert len(pictures.files) == 6
    assert sorted(line.split(":")[0] for line in pictures.skipped) == ["loop", "more", "out.png"]


def test_a_folder_that_is_none_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    for name, what in (("missing", "no such folder"), ("file", "a file, not a folder")):
        with pytest.raises(DataError, match=what) as refused:
            picture_folder(tmp_path / name)
        assert refused.value.place == str(tmp_path / name)
        assert refused.value.fix


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_told(folder):
    (folder / "val").chmod(0)
    pictures = picture_folder(folder)
    (folder / "val").chmod(0o755)

    assert [line.split(":")[0] for line in pictures.skipped] == ["val/"]


def test_matches_by_name_and_where_it_is_not_enough_by_bytes(folder):
    pictures = picture_folder(folder)
    index = {file.name: i for i, file in enumerate(pictures.files)}
    size = pictures.files[index["val/1.png"]].byte_size
    names = ["b.png", "C:\\x\\b.png", "A.jpg", "train/1.png", "1.png", "1.png", "none.png"]

    found = match_pictures(annotations(names, byte_sizes=[-1, 7, -1, -1, size, -1, 1]), pictures)

    expected = ["b.png", "b.png", "a.JPG", "train/1.png", "val/1.png", None, None]
    assert found == tuple(None if name is None else index[name] for name in expected)


def test_entries_whose_bytes_say_that_they_were_renamed(tmp_path):
    for i, name in enumerate(("a.png", "b.png", "twin1.png", "twin2.png")):
        (tmp_path / name).write_bytes(png(10 + i, 20, padding=100 * min(i, 2)))
    (tmp_path / "twin2.png").write_bytes((tmp_path / "twin1.png").read_bytes())
    pictures = picture_folder(tmp_path)
    a, b, twin, _ = (file.byte_size for file in pictures.files)
    named = annotations(["a.png", "a.png", "old.png", "a.png", "a.png"], byte_sizes=[a, b, b, twin, 7])

    assert renamed_pictures(named, pictures, match_pictures(named, pictures)) == {1: 1, 2: 1}


def test_sizes_from_pictures_follow_the_bytes(tmp_path):
    (tmp_path / "a.png").write_bytes(png(10, 20))
    (tmp_path / "b.png").write_bytes(png(30, 40, padding=9))
    pictures = picture_folder(tmp_path)
    a, b = (file.byte_size for file in pictures.files)
    named = annotations(["a.png", "a.png", "lost.png"], byte_sizes=[a, b, 5])

    sized = with_sizes(named, sizes_from_pictures(named, pictures))

    assert sized.widths.tolist() == [10, 30, 0]
    assert sized.heights.tolist() == [20, 40, 0]
    assert sized.findings == ()


def test_a_true_size_wins_over_a_stored_one():
    stored = annotations(["a.jpg", "b.jpg", "c.jpg"], sizes=[(100, 50), (80, 80), (9, 9)], boxes=[(0, [0, 0, 150, 20])])
    sized = with_sizes(stored, {"a.jpg": (200, 100), "b.jpg": (100, 50), "photos/c.jpg": (9, 9)})

    assert sized.widths.tolist() == [200, 100, 9]
    assert sized.heights.tolist() == [100, 50, 9]
    assert stored.widths.tolist() == [100, 80, 9]
    first, second = sized.findings
    assert (first.rule, first.severity, first.image) == ("size-mismatch", "error", "a.jpg")
    assert first.message == (
        'the file says 100x50, which is the size of its neighbour "b.jpg", but the picture is 200x100; '
        "1 of its boxes would reach beyond that"
    )
    assert second.message == "the file says 80x80, but the picture is 100x50"
    assert second.change is not None
    assert (second.change.what, second.change.image, second.change.value) == ("picture-size", 1, (100, 50))


def test_a_name_that_may_mean_two_sizes_is_left_alone():
    sized = with_sizes(annotations(["1.jpg"]), {"a/1.jpg": (1, 2), "b/1.jpg": (3, 4)})

    assert sized.widths.tolist() == [0]


@pytest.mark.parametrize(
    "text",
    [
        "filename,width,height\na b.jpg,10,20\nunknown.jpg,,\n",
        "height,filename,more,width\n20,a b.jpg,x,10\n\n",
        '"Filename";"Width";"Height"\r\n"a b.jpg";10;20.0\r\n',
        "width\theight\tfilename\n10\t20\ta b.jpg",
        "\ufefffilename,width,height\na b.jpg,10,20\na b.jpg,10,20\n",
    ],
)
def test_tables_of_sizes(text, tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text(text, encoding="utf-8")

    assert sizes_from_csv(path) == {"a b.jpg": (10, 20)}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "lacks the column filename, width, height"),
        ("filename,width\na,1\n", 1, "lacks the column height"),
        ("filename,width,height\na.jpg,10,0\n", 2, "the height is '0'"),
        ("filename,width,height\na.jpg,1.5,3\n", 2, "the width is '1.5'"),
        ("filename,width,height\na.jpg,-1,3\n", 2, "the width is '-1'"),
        ("filename,width,height\na.jpg,10\n", 2, "the height is ''"),
        ("filename,width,height\n,10,10\n", 2, "the file name is missing"),
        ("filename,width,height\n\na.jpg,10,10\na.jpg,10,11\n", 4, "10x11 here and 10x10 in line 3"),
        ('filename,width,height\n"a.jpg,10,11\n', 2, "not CSV"),
    ],
)
def test_tables_that_are_refused(text, line, what, tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=what) as refused:
        sizes_from_csv(path)
    assert refused.value.place == f"{path}, line {line}"


def test_real_photographs_give_their_sizes(datasets):
    pictures = picture_folder(datasets / "ppe" / "images")
    names = [file.name for file in pictures.files]
    named = annotations(names)

    sized = with_sizes(named, sizes_from_pictures(named, pictures))

    assert len(names) == 97
    assert (sized.widths > 0).all()
    assert (sized.heights > 0).all()
