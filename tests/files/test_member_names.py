import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glauke.files._member_names import problem_with_name, same_file_key

REFUSED = {
    "": "empty",
    "/etc/passwd": "absolute",
    "//server/share/a.jpg": "absolute",
    "..": '".."',
    "../evil.txt": '".."',
    "a/../../b.txt": '".."',
    "a/..": '".."',
    "a/./b": '"."',
    ".": '"."',
    "a//b": "empty part",
    "a/": "empty part",
    "C:/a.jpg": "drive",
    "c:a.jpg": "drive",
    "a/C:/b": "drive",
    "\\\\server\\share": "backslash",
    "a\\b.jpg": "backslash",
    "..\\evil": "backslash",
    "a\0.jpg": "NUL",
    "a\nb": "control",
    "a\tb": "control",
    "a\x1b[31m": "control",
    "a\x7f": "control",
    "a\x85b": "control",
    "a\u2028b": "control",
    "a\udcff": "control",
    "CON": "reserves",
    "con.jpg": "reserves",
    "train/nul.tar.gz": "reserves",
    "Aux/a.jpg": "reserves",
    "com1": "reserves",
    "LPT9.txt": "reserves",
    "COM\u00b9.jpg": "reserves",
    "conout$": "reserves",
    "prn .txt": "reserves",
    "a.": "dot or a space",
    "a. ": "dot or a space",
    "folder /a.jpg": "dot or a space",
    "folder./a.jpg": "dot or a space",
    "...": "dot or a space",
    "a" * 256: "256 bytes",
    "\u00e9" * 128: "256 bytes",
    "/".join(["a" * 200] * 6): "1,205 bytes",
}
ALLOWED = [
    "a",
    "train/n01443537/images/n01443537_0.JPEG",
    ".hidden",
    "..a",
    "a..b",
    "a b (1).jpg",
    "Caf\u00e9/\u65e5\u672c.png",
    "__MACOSX/._a.jpg",
    ".DS_Store",
    "console.jpg",
    "com0",
    "com10.jpg",
    "nul_.jpg",
    "12:30.jpg",
    "-rf",
    "~root",
    "$HOME",
    "a" * 255,
    "/".join(["a" * 200] * 5),
]


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_refused(name):
    assert REFUSED[name] in (problem_with_name(name) or "allowed")


@pytest.mark.parametrize("name", ALLOWED, ids=ascii)
def test_allowed(name):
    assert problem_with_name(name) is None


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + "_-./ :\\\0\n\u00e9"), max_size=30))
def test_what_is_allowed_stays_below_its_folder(name):
    if problem_with_name(name) is not None:
        return
    parts = name.split("/")
    assert not {"", ".", ".."} & set(parts)
    assert not any(part[-1] in ". " or (part[1:2] == ":" and part[0].isalpha() and part[0].isascii()) for part in parts)
    assert name.isprintable()


@pytest.mark.parametrize(
    ("one", "other"), [("A.jpg", "a.JPG"), ("caf\u00e9", "CAFE\u0301"), ("stra\u00dfe", "STRASSE")]
)
def test_names_that_meet_on_some_file_system_have_one_key(one, other):
    assert same_file_key(one) == same_file_key(other)
    assert same_file_key(one) != same_file_key(one + "x")
