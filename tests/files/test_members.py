from pathlib import Path

import pytest

from glauke.errors import DataError
from glauke.files import Limits, Member
from glauke.files._members import Register


def register(**limits):
    return Register(Path("set.zip"), Limits(**limits))


def test_an_error_names_the_archive_the_member_and_the_rule():
    with pytest.raises(DataError) as caught:
        register().admit_file("../evil.txt", 5)

    assert str(caught.value) == (
        "set.zip: member '../evil.txt' has a name that is not allowed: it has a part \"..\"; "
        "make the archive again without it"
    )


def test_a_long_name_is_shortened_in_the_sentence_and_control_characters_are_spelt_out():
    with pytest.raises(DataError) as caught:
        register().admit_file("\x1b[31m" + "a" * 5000, 5)

    assert len(str(caught.value)) < 300
    assert "\x1b" not in str(caught.value)
    assert "\\x1b" in str(caught.value)


def test_a_folder_that_was_good_once_does_not_excuse_the_rest_of_a_name():
    admitted = register()
    admitted.admit_file("good/a", 1)

    for name in ("good/..", "good/con.jpg", "good/b/../c", "good//b", "good/b\0", "good/b\\c", "good/" + "b" * 256):
        with pytest.raises(DataError, match="not allowed"):
            admitted.admit_file(name, 1)
    assert admitted.admit_file("good/b", 2) == Member(name="good/b", size=2)


def test_long_names_are_noticed_in_known_folders():
    admitted, folder = register(), "/".join(["a" * 200] * 4) + "/" + "b" * 150
    admitted.admit_file(f"{folder}/a", 1)

    with pytest.raises(DataError, match="1,155 bytes"):
        admitted.admit_file(f"{folder}/" + "c" * 200, 1)


def test_only_one_leading_dot_is_taken_off():
    admitted = register()
    admitted.admit_folder("./")
    assert admitted.admit_file("./a", 1).name == "a"

    for name in ("././b", ".//b", "a/./b", "./../b", "./"):
        with pytest.raises(DataError, match="not allowed"):
            admitted.admit_file(name, 1)
    with pytest.raises(DataError, match="occurs twice"):
        admitted.admit_file("a", 1)


def test_a_folder_may_occur_again_but_not_as_a_file():
    admitted = register()
    admitted.admit_folder("d/e/")
    admitted.admit_folder("d/e")
    admitted.admit_folder("d")

    for name in ("d", "D/E"):
        with pytest.raises(DataError, match="a file and a folder"):
            admitted.admit_file(name, 1)
    admitted.admit_file("f", 1)
    for name in ("f/", "F/g/"):
        with pytest.raises(DataError, match="a file and a folder"):
            admitted.admit_folder(name)


def test_the_limits_are_inclusive():
    admitted = register(entries=2, member_bytes=5, total_bytes=8)
    admitted.admit_file("a", 5)
    admitted.admit_file("b", 3)

    with pytest.raises(DataError, match="more than 2 entries"):
        admitted.admit_folder(".")
    with pytest.raises(DataError, match="is said to hold 6 bytes, more than 5"):
        register(member_bytes=5).admit_file("a", 6)
    with pytest.raises(DataError, match="unpacks to more than 8 bytes"):
        register(total_bytes=8).admit_file("a", 9)
