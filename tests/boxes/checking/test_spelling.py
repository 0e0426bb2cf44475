import pytest

from glauke.boxes.checking._spelling import nearest

LABELS = ("hardhat", "vest", "mask", "boots")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("HardHat", "hardhat"), ("hard hat", "hardhat"), ("Hard_Hat\n", "hardhat"), ("harhat", "hardhat"),
        ("hradhat", "hardhat"), ("boot", "boots"), ("Boots ", "boots"), ("Vests", "vest"), ("MASK", "mask"),
        ("masks", "mask"), ("maask", "mask"), ("\uff4d\uff41\uff53\uff4b", "mask"),
        ("person", None), ("", None), ("not_defined", None), ("hardhat, vest, mask and boots.", None), ("m", None),
        ("x" * 10_000, None),
    ],
)  # fmt: skip
def test_nearest_of_four_labels(written, meant):
    assert nearest(written, LABELS) == meant


def test_numbers_are_never_misspelt():
    assert nearest("class 11", ["class 1", "class 12"]) is None
    assert nearest("11", ["1", "2"]) is None


def test_two_labels_equally_near_are_no_answer():
    assert nearest("gloves x", ["glovesy", "glovesz"]) is None


def test_several_plurals():
    assert nearest("boxes", ["box"]) == "box"
    assert nearest("body", ["bodies"]) == "bodies"
