import os

import numpy as np
import pytest

from glauke.boxes.formats._voc import is_voc, read_voc
from glauke.errors import DataError


def thing(name: str = "vest", corners: tuple[object, ...] = (11, 21, 40, 60), more: str = "") -> str:
    values = "".join(f"<{c}>{v}</{c}>" for c, v in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=False))
    return f"<object>\n<name>{name}</name>{more}<bndbox>{values}</bndbox></object>"


def voc(*things: str, name: str = "a.jpg", size: str = "<size><width>200</width><height>100</height></size>") -> str:
    return f"<annotation>\n<folder>x</folder><filename>{name}</filename>{size}{''.join(things)}\n</annotation>"


@pytest.fixture
def read(tmp_path):
    def write(text: str | bytes):
        path = tmp_path / "a.xml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        assert is_voc(path)
        return read_voc(path)

    return write


def test_pixels_count_from_1_and_both_corners_belong_to_the_box(read):
    annotations = read(voc(thing(), thing("boots &amp; co", (1, 1, 200, 100)), thing("vest", (5.5, 6, 5.5, 6))))

    assert (annotations.kind, annotations.names, annotations.keys) == ("voc", ("a.jpg",), ("a.xml",))
    assert annotations.boxes_xywh.tolist() == [[10, 20, 30, 40], [0, 0, 200, 100], [4.5, 5, 1, 1]]
    assert (annotations.labels, annotations.label.tolist()) == (("vest", "boots & co"), [0, 1, 0])
    assert (annotations.widths.tolist(), annotations.heights.tolist()) == ([200], [100])
    assert annotations.lines is not None and annotations.lines.tolist() == [2, 3, 4]


def test_a_folder_is_read_whole_and_broken_files_are_named(tmp_path):
    folder = tmp_path / "Annotations"
    folder.mkdir()
    (folder / "b.xml").write_text(voc(thing("boots"), name="b.jpg"), encoding="utf-8")
    (folder / "a.xml").write_text(voc(thing()), encoding="utf-8")
    (folder / "c.xml").write_text("<annotation><filename>", encoding="utf-8")
    (folder / "d.xml").write_text("<other/>", encoding="utf-8")
    (folder / "e.xml").write_text(voc(name="e.jpg"), encoding="utf-8")

    assert is_voc(tmp_path)
    annotations = read_voc(tmp_path)

    assert annotations.names == ("a.jpg", "b.jpg", "e.jpg")
    assert annotations.keys[0] == "Annotations/a.xml"
    assert annotations.image.tolist() == [0, 1]
    assert [(f.rule, f.severity, f.image) for f in annotations.findings] == [("bad-entry", "error", "c")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings_that_xml_declares(read, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + voc(thing("b\u00e4r"))

    assert read(text.encode(encoding)).labels == ("bär",)


def test_parts_and_polygons_are_passed_over(read):
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part><polygon><x1>3</x1></polygon>"

    annotations = read(voc(thing(more=part)))

    assert annotations.boxes_xywh.tolist() == [[10, 20, 30, 40]]
    assert annotations.labels == ("vest",)


def test_what_is_missing_is_unknown(read):
    annotations = read("<annotation><object><bndbox><xmin>1</xmin></bndbox></object><object/></annotation>")

    assert annotations.names == ("a",)
    assert (annotations.widths.tolist(), annotations.label.tolist()) == ([0], [-1, -1])
    assert [f.message for f in annotations.findings] == ["region 0 has no ymin", "region 1 has no xmin"]
    assert read(voc(thing(" \n"))).label.tolist() == [-1]
    assert read(voc(size="<size><width>-3</width><height>x</height></size>")).heights.tolist() == [0]


@pytest.mark.parametrize(
    "corners", [("x", 1, 2, 3), ("nan", 1, 2, 3), ("1e999", 1, 2, 3), (9, 1, 3, 3), ("1_0", 1, 20, 3), ("", 1, 2, 3)]
)
def test_corners_that_make_no_box(read, corners):
    annotations = read(voc(thing(corners=corners)))

    assert np.isnan(annotations.boxes_xywh).all()
    assert annotations.shape_counts() == {"unknown": 1}
    assert [(f.rule, f.region) for f in annotations.findings] == [("bad-shape", 0)]


BOMB = '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><annotation><filename>&z;</filename></annotation>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, r"line 1 column \d+: it declares a document type"),
        ('<!DOCTYPE annotation SYSTEM "file:///etc/passwd"><annotation/>', "it declares a document type"),
        ("<annotation>\n<a></b></annotation>", r"line 2 column \d+: it is not XML \(mismatched tag\)"),
        ("<annotation>&other;</annotation>", "it is not XML"),
        ("<annotation>" + "<a>" * 100, "more than 64 tags are nested"),
    ],
)
def test_what_is_refused_says_where(tmp_path, text, message):
    path = tmp_path / "a.xml"
    path.write_text(text, encoding="utf-8")

    assert is_voc(path)
    with pytest.raises(DataError, match=message) as refused:
        read_voc(path)

    assert str(path) in (refused.value.place or "")


@pytest.mark.parametrize("encoding", ["foo", "idna", "utf-7", "shift_jis", "hex", "undefined"])
def test_an_encoding_that_nobody_knows_is_refused(tmp_path, encoding):
    path = tmp_path / "a.xml"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?>{voc(thing())}', encoding="utf-8")

    with pytest.raises(DataError, match=r"its encoding is not known|it is not XML"):
        read_voc(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_named_pipe_in_a_folder_is_named(tmp_path):
    (tmp_path / "a.xml").write_text(voc(thing()), encoding="utf-8")
    os.mkfifo(tmp_path / "b.xml")

    assert [f.message for f in read_voc(tmp_path).findings] == ["b.xml cannot be read: it is not a file"]


@pytest.mark.parametrize("text", ["<html></html>", "", "{}", "<annotations/>"])
def test_other_files_are_not_voc(tmp_path, text):
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")

    assert not is_voc(tmp_path / "a.xml")
    assert not is_voc(tmp_path)
