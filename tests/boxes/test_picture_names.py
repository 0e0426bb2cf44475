import pytest

from glauke.boxes._picture_names import last_part, name_finder


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("1.jpg", "1.jpg"),
        ("a/b/1.jpg", "1.jpg"),
        ("/home/x/1.jpg", "1.jpg"),
        ("C:\\photos\\1.jpg", "1.jpg"),
        ("\\\\server\\share\\1.jpg", "1.jpg"),
        ("https://example.org/a/1.jpg", "1.jpg"),
        ("https://example.org/a/my%20dog.jpg?size=9#top", "my dog.jpg"),
        ("www.example.org/1.jpg", "1.jpg"),
        ("file:///C:/photos/1.jpg", "1.jpg"),
        ("50%20off?.jpg", "50%20off?.jpg"),
        ("", ""),
        ("/", ""),
    ],
)
def test_last_part(name, last):
    assert last_part(name) == last


NAMES = ["1.jpg", "train/1.jpg", "val/1.jpg", "train/2.JPG", "val/caf\u00e9.png", "train/3.jpg", "val/3.jpg", ""]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("1.jpg", [0]),
        ("./1.jpg", [0]),
        ("train/1.jpg", [1]),
        ("train\\1.jpg", [1]),
        ("D:\\data\\val\\1.jpg", [2]),
        ("https://example.org/val/1.jpg", [2]),
        ("test/1.jpg", [0, 1, 2]),
        ("2.jpg", [3]),
        ("2.JPG", [3]),
        ("CAFE\u0301.png", [4]),
        ("3.jpg", [5, 6]),
        ("4.jpg", []),
        ("", []),
    ],
)
def test_found_by_the_best_kind_of_match(name, found):
    assert name_finder(NAMES)(name) == found
