"""What a file is, and what is said of files that are none of the known kinds."""

import json
import os

import pytest
from PIL import Image

from glauke.boxes import read
from glauke.errors import DataError


@pytest.mark.parametrize("text", ["", " " * 5000, "\u00a0", "\u3000\n", "\x1c"])
def test_a_file_of_blanks_is_empty(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=r"a\.csv: the file is empty; give"):
        read(path)


@pytest.mark.parametrize("kind", ["via2-region", "via2-csv", "via-coco"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_many_blanks_before_the_beginning_change_nothing(made, kind, mark):
    path = made(kind)
    path.write_bytes(mark + b"\n" * 5000 + path.read_bytes())

    assert (read(path).kind, len(read(path))) == (kind, 3)


def test_a_script_of_via3_is_known_behind_blanks(tmp_path, made_texts):
    path = tmp_path / "a.js"
    path.write_text(" " * 4090 + "_via_dp[1] = " + json.dumps(json.loads(made_texts["via3-project"])), encoding="utf-8")

    assert read(path).kind == "via3-project"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(DataError, match="neither a file nor a folder"):
        read(tmp_path / "pipe")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_a_picture_is_named_as_such(tmp_path, kind):
    Image.new("RGB", (8, 8)).save(tmp_path / "a", format=kind)

    with pytest.raises(DataError, match=f"a: this is a {kind} picture; give the annotation file, .*--images"):
        read(tmp_path / "a")


def test_an_empty_path_is_refused():
    with pytest.raises(DataError, match="the path is empty"):
        read("")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<annotation", r"a\.xml, line 1 column 1: it is not XML \(unclosed token\)"),
        ("<annotation>\n<object></annotation>", r"a\.xml, line 2 column \d+: it is not XML \(mismatched tag\)"),
        ("<!-- x -->\n<annotation a=1/>", r"a\.xml, line 2 column \d+: it is not XML"),
        ('<?xml version="1.0" encoding="foo"?><annotation/>', "its encoding is not known"),
        ('<?xml version="1.0" encoding="utf-16"?><annotation/>', r"line 1 column \d+: it is not XML"),
        ("<svg/>", "it is XML or HTML, and not Pascal VOC"),
        ("<!doctype html><p>", "it is XML or HTML, and not Pascal VOC"),
    ],
)
def test_broken_xml_is_told_with_its_reason(tmp_path, text, said):
    path = tmp_path / "a.xml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=said):
        read(path)
