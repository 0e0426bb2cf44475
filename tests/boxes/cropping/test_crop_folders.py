import pytest

from glauke.boxes.cropping._crop_folders import class_folders, plain_stem
from glauke.errors import DataError
from glauke.files import is_formula, problem_with_name


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("hardhat", "hardhat"),
        ("hard hat", "hard hat"),
        ("Größe", "Größe"),
        ("n/a", "n%2Fa"),
        ("..", "%2E%2E"),
        (".git", "%2Egit"),
        ("groups.csv", "groups%2Ecsv"),
        ("hardhat, vest and boots.", "hardhat, vest and boots%2E"),
        ("100%", "100%25"),
        ('a\\b:c*d?e"f<g>h|', "a%5Cb%3Ac%2Ad%3Fe%22f%3Cg%3Eh%7C"),
        ("two\nlines", "two%0Alines"),
        (" boots\n", "boots"),
        ("CON", "%43ON"),
        ("com1", "%63om1"),
        ("=1+1", "%3D1+1"),
        ("'quoted'", "%27quoted'"),
        ("\ud800", "%ED%A0%80"),
        ("e\u0301", "é"),
    ],
)
def test_folder_of_a_label(label, folder):
    assert class_folders([label], place=None) == {label: folder}
    assert problem_with_name(folder) is None
    assert not is_formula(folder)


@pytest.mark.parametrize(
    ("one", "other"), [("mask", "Mask"), ("mask", "mask "), ("é", "e\u0301"), ("Straße", "STRASSE")]
)
def test_labels_that_would_share_a_folder_are_refused(one, other):
    with pytest.raises(DataError, match=r"boxes\.json: the labels .* would share the folder .*; mend the labels first"):
        class_folders([one, other], place="boxes.json")


def test_a_label_that_is_too_long_is_refused():
    with pytest.raises(DataError, match=r"no folder can be named after the label .*300 bytes"):
        class_folders(["x" * 300], place=None)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("img1.jpg", "img1"),
        ("a/b/c d.jpg", "c_d"),
        ("../../x.jpg", "x"),
        ("....jpg", "picture"),
        ("", "picture"),
        ("照片.jpg", "picture"),
        ("x" * 500 + ".jpg", "x" * 60),
        ("https://host/a.jpg?size=3", "a"),
    ],
)
def test_stem_of_a_picture(name, stem):
    assert plain_stem(name) == stem
