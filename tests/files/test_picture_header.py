"""Against Pillow where it can write the picture, and by hand where it cannot."""

import os
import struct
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from glauke.errors import DataError
from glauke.files import PICTURE_ENDINGS, PictureHeader, picture_header

ORIENTATION = 0x112


def picture(kind, *, size=(31, 17), turn=None, **options):
    exif = Image.Exif()
    if turn is not None:
        exif[ORIENTATION] = turn
        options["exif"] = exif
    stream = BytesIO()
    Image.new("RGB", size, "red").save(stream, kind, **options)
    return stream.getvalue()


def header_of(data, tmp_path):
    path = tmp_path / "a.jpg"  # whatever it is
    path.write_bytes(data)
    return picture_header(path)


def app(marker, payload):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(payload) + 2) + payload


def tiff(entries, *, order="<"):
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    return head + b"".join(struct.pack(f"{order}HHI", *entry[:3]) + entry[3] for entry in entries)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("jpeg", {}),
        ("jpeg", {"progressive": True}),
        ("png", {}),
        ("webp", {}),
        ("webp", {"lossless": True}),
        ("webp", {"exif": b"Exif\0\0"}),
        ("gif", {}),
        ("bmp", {}),
        ("tiff", {}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("tiff", {"big_endian": True}),
    ],
)
@pytest.mark.parametrize("size", [(31, 17), (300, 1), (1, 700)])
def test_size_and_kind(kind, options, size, tmp_path):
    data = picture(kind, size=size, **options)

    assert header_of(data, tmp_path) == PictureHeader(kind=kind, width=size[0], height=size[1])


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_the_turn_is_applied_as_pillow_applies_it(kind, turn, tmp_path):
    data = picture(kind, turn=turn)

    header = header_of(data, tmp_path)

    with Image.open(BytesIO(data)) as image:
        assert (header.width, header.height) == ImageOps.exif_transpose(image).size
    assert header.turn == turn


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders(order, tmp_path):
    exif = tiff([(ORIENTATION, 3, 1, struct.pack(f"{order}HH", 6, 0))], order=order)
    plain = picture("jpeg")

    turned = header_of(plain[:2] + app(0xE1, b"Exif\0\0" + exif) + plain[2:], tmp_path)

    assert turned == PictureHeader(kind="jpeg", width=17, height=31, turn=6)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\0",
        b"XX*\0\x08\0\0\0",
        b"II*\0\xff\xff\xff\xff",
        tiff([(ORIENTATION, 3, 1, struct.pack("<HH", 9, 0))]),
        tiff([(ORIENTATION, 3, 1, struct.pack("<HH", 0, 0))]),
        tiff([(ORIENTATION, 2, 1, b"6\0\0\0")]),
        tiff([(ORIENTATION, 3, 2, struct.pack("<I", 8))]),
        tiff([(ORIENTATION, 3, 1, struct.pack("<HH", 6, 0))])[:-3],
    ],
)
def test_broken_exif_turns_nothing(exif, tmp_path):
    plain = picture("jpeg")

    assert header_of(plain[:2] + app(0xE1, b"Exif\0\0" + exif) + plain[2:], tmp_path).turn == 1


def test_a_frame_behind_megabytes_of_profiles(tmp_path):
    plain = picture("jpeg", turn=8)
    segments = b"".join(app(0xE2, b"ICC_PROFILE\0" + bytes(65_000)) for _ in range(40))

    header = header_of(
        plain[:2] + app(0xE1, b"http://ns.adobe.com/xap/1.0/\0") + segments + b"\xff\xff" + plain[2:], tmp_path
    )

    assert header == PictureHeader(kind="jpeg", width=17, height=31, turn=8)


def test_an_os2_bitmap_and_one_from_top_to_bottom(tmp_path):
    os2 = b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 40, 30, 1, 24)
    down = b"BM" + bytes(12) + struct.pack("<IiiHH", 40, 40, -30, 1, 24)

    assert header_of(os2, tmp_path) == PictureHeader(kind="bmp", width=40, height=30)
    assert header_of(down, tmp_path) == PictureHeader(kind="bmp", width=40, height=30)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff"])
def test_a_header_cut_anywhere_is_none_or_right(kind, tmp_path):
    whole = picture(kind, turn=6 if kind in ("jpeg", "png", "webp", "tiff") else None)
    full = header_of(whole, tmp_path)

    for length in (*range(40), *range(40, min(len(whole), 300), 7)):
        header = header_of(whole[:length], tmp_path)
        assert header is None or {header.width, header.height} == {full.width, full.height}
    assert header_of(whole[:8], tmp_path) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8", b"<html>", b"BM a text that begins so", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xda\0\x0c",
     b"RIFF\0\0\0\0WAVEfmt ", b"\x89PNG\r\n\x1a\n" + bytes(30), b"GIF89a" + bytes(20),
     b"\0\0\0\x20ftypheic" + bytes(20),
     b"\xff\xd8" + app(0xC0, struct.pack(">BHHB", 8, 0, 10, 3)), b"II*\0\x08\0\0\0\0\0"],
)  # fmt: skip
def test_what_is_no_picture(data, tmp_path):
    assert header_of(data, tmp_path) is None


def test_files_that_are_none(tmp_path):
    assert picture_header(tmp_path) is None
    with pytest.raises(DataError, match="cannot be read"):
        picture_header(tmp_path / "missing.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    assert picture_header(tmp_path / "pipe") is None


STARTS = [picture(kind, turn=6) for kind in ("jpeg", "png", "webp", "tiff")] + [picture("gif"), picture("bmp")]


@settings(max_examples=150)
@given(st.sampled_from(STARTS), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=5))
def test_damage_never_crashes(tmp_path_factory, data, changes):
    damaged = bytearray(data)
    for at, byte in changes:
        damaged[at % len(damaged)] = byte

    header = header_of(bytes(damaged), tmp_path_factory.getbasetemp())

    assert header is None or (header.width > 0 and header.height > 0 and 1 <= header.turn <= 8)


def test_endings_are_lower_case():
    assert {".jpg", ".png"} < PICTURE_ENDINGS
    assert all(ending.startswith(".") and ending == ending.lower() for ending in PICTURE_ENDINGS)


def test_real_photographs(datasets):
    paths = sorted((datasets / "ppe" / "images").iterdir())

    for path in paths:
        with Image.open(path) as image:
            header = picture_header(path)
            assert (header.width, header.height) == ImageOps.exif_transpose(image).size
            assert header.kind == ("jpeg" if image.format == "MPO" else image.format.lower())
    assert len(paths) > 90
