import os

import pytest

from glauke.errors import DataError
from glauke.files import read_text


def written(tmp_path, data):
    path = tmp_path / "boxes.csv"
    path.write_bytes(data)
    return path


def test_text_comes_as_it_is(tmp_path):
    assert read_text(written(tmp_path, "a\r\nω€😀\rb\n".encode())) == "a\r\nω€😀\rb\n"


def test_one_byte_order_mark_is_taken_off(tmp_path):
    assert read_text(written(tmp_path, b"\xef\xbb\xbffilename")) == "filename"
    assert read_text(written(tmp_path, b"")) == ""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_named(tmp_path, encoding):
    path = written(tmp_path, "filename,size".encode(encoding))

    with pytest.raises(DataError) as caught:
        read_text(path)

    name = "UTF-16" if "16" in encoding else "UTF-32"
    assert str(caught.value) == f"{path}, line 1 column 1: it is {name}, not UTF-8; save it as UTF-8"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_latin_1_is_found_with_line_and_column(tmp_path, end, mark):
    path = written(tmp_path, mark + f"ä{end}bö".encode() + b"c\xe9d")

    with pytest.raises(DataError, match="byte 0xE9 is not UTF-8") as caught:
        read_text(path)

    assert caught.value.place == f"{path}, line 2 column 4"


def test_a_character_cut_in_two(tmp_path):
    path = written(tmp_path, "a\nbé".encode()[:-1])

    with pytest.raises(DataError, match="ends in the middle of a character") as caught:
        read_text(path)

    assert caught.value.place == f"{path}, line 2 column 2"


def test_a_nul_is_refused(tmp_path):
    path = written(tmp_path, b"filename\na.jpg\0,1")

    with pytest.raises(DataError, match="NUL") as caught:
        read_text(path)

    assert caught.value.place == f"{path}, line 2 column 6"


def test_size_is_looked_at_before_reading(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse

    with pytest.raises(DataError, match="1,099,511,627,776 bytes; at most 536,870,912 are read"):
        read_text(path)


def test_what_is_no_file(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_text(tmp_path / "missing.csv")
    with pytest.raises(DataError, match="not a file"):
        read_text(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(DataError, match="not a file"):
        read_text(tmp_path / "pipe")
