import pytest

from glauke.boxes.formats._via_pictures import pictures_of

ENTRY = {"filename": "a.jpg", "size": 12, "regions": [], "file_attributes": {}}


@pytest.mark.parametrize(
    ("size", "expected"),
    [(12, 12), (0, 0), ("123", 123), (" 7 ", 7), ("-1", -1), (-1, -1), (None, -1), ("", -1), (5.0, 5)],
)
def test_sizes_as_via_writes_them(size, expected):
    pictures = pictures_of({"a": ENTRY | {"size": size}})

    assert pictures.byte_sizes.tolist() == [expected]
    assert pictures.findings == ()


@pytest.mark.parametrize("size", [-5, "12 kB", True, [], {}, 2.5, float("nan"), 10**30, "9" * 30, "٣"])
def test_a_size_that_is_none_is_unknown_with_a_finding(size):
    pictures = pictures_of({"a": ENTRY | {"size": size}})

    assert pictures.byte_sizes.tolist() == [-1]
    assert [(f.rule, f.severity, f.image) for f in pictures.findings] == [("bad-entry", "warning", "a.jpg")]


def test_a_missing_size_is_unknown():
    pictures = pictures_of({"a": {"filename": "a.jpg", "regions": []}})

    assert pictures.byte_sizes.tolist() == [-1]
    assert pictures.findings == ()


@pytest.mark.parametrize("name", [None, "", 3, ["a.jpg"]])
def test_the_key_stands_for_a_missing_name(name):
    pictures = pictures_of({"a.jpg12": ENTRY | {"filename": name}})

    assert pictures.names == ("a.jpg",)
    assert [f.rule for f in pictures.findings] == ["bad-entry"]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"width": 640, "height": 480}, (640, 480)),
        ({"width": "640", "height": "480"}, (640, 480)),
        ({"width": 640}, (0, 0)),
        ({"width": 640, "height": "high"}, (0, 0)),
        ({"width": 0, "height": 480}, (0, 0)),
        ({"width": -640, "height": 480}, (0, 0)),
        ({"width": 1e300, "height": 480}, (0, 0)),
        ({}, (0, 0)),
        (None, (0, 0)),
        (["width", "height"], (0, 0)),
    ],
)
def test_a_coco_import_keeps_width_and_height(attributes, expected):
    pictures = pictures_of({"a": ENTRY | {"file_attributes": attributes}})

    assert (pictures.widths.tolist(), pictures.heights.tolist()) == ([expected[0]], [expected[1]])
