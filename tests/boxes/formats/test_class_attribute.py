from collections import Counter

import pytest

from glauke.boxes._annotations import Attribute
from glauke.boxes.formats._class_attribute import (
    MOST_COUNTS,
    SEVERAL,
    choose_class_attribute,
    counted_attribute,
    label_codes,
    meanings,
    plain_values,
    ticks_several,
)


def used(name, counts, *, regions=None, type=None, options=None):
    regions = sum(counts.values()) if regions is None else regions
    return Attribute(name=name, type=type, options=options or {}, counts=counts, regions=regions)


def counted(values, declaration=None):
    return counted_attribute("class", Counter(plain_values(values)), meanings(declaration))


DEMO = (
    used("name", {"boots": 400, "mask": 380}),
    used("type", {"unknown": 785}),
    used("image_quality", {"good": 700, "frontal": 600}, regions=785, type="checkbox"),
)


def test_the_demo_page_with_labels_in_name():
    assert choose_class_attribute(DEMO) == "name"


@pytest.mark.parametrize(
    ("attributes", "chosen"),
    [
        ([], None),
        ([used("beet", {"beet": 9})], "beet"),
        ([used("note", {}), used("beet", {"beet": 9})], "beet"),
        ([used("type", {"unknown": 9}), used("name", {"not_defined": 9})], None),
        ([used("quality", {"good": 9, "sharp": 9}, regions=9)], None),
        ([used("gear", {"boots": 9, "mask": 2}, regions=10)], "gear"),
        ([used("gear", {"boots": 9, "mask": 2}, regions=10), used("note", {"far": 2, "near": 3})], "note"),
        ([used("kind", {"boots": 5, "mask": 4}, type="checkbox")], "kind"),
        ([used("id", {str(i): 1 for i in range(9)}), used("Class_Name", {"a": 5, "b": 4})], "Class_Name"),
        ([used("id", {str(i): 1 for i in range(9)}), used("thing", {"a": 5, "b": 4})], "thing"),
        ([used("a", {"x": 2, "y": 1}), used("b", {"x": 20, "y": 10})], "b"),
        ([used("a", {"x": 2, "y": 1}), used("b", {"x": 2, "y": 1}, type="radio")], "b"),
        ([used("note", {"blurred": 1, "far": 2}), used("class", {"person": 97})], "class"),
        ([used("note", {"blurred": 1, "far": 2}), used("class", {"unknown": 97})], "note"),
        ([used("note", {"blurred": 1, "far": 2}), used("type", {"person": 97})], "note"),
        ([used("class", {"person": 5}), used("name", {"a": 2, "b": 3})], "name"),
    ],
)
def test_the_class_by_how_values_are_used(attributes, chosen):
    assert choose_class_attribute(attributes) == chosen


def test_expected_labels_outweigh_names():
    attributes = [used("class", {"inside": 5, "outside": 4}), used("note", {" Boots": 5, "mask": 1})]

    assert choose_class_attribute(attributes) == "class"
    assert choose_class_attribute(attributes, expected=["boots", "mask"]) == "note"
    assert choose_class_attribute(attributes, expected=["cat"]) == "class"


def test_of_attributes_that_tick_several_the_expected_one_is_the_class():
    attributes = [used("gear", {"boots": 9, "mask": 2}, regions=10), used("note", {"far": 2, "near": 3})]

    assert choose_class_attribute(attributes, expected=["boots", "mask"]) == "gear"
    assert choose_class_attribute([*attributes, used("kind", {"mask": 1, "hat": 1})], expected=["mask"]) == "kind"


def test_a_constant_that_is_expected_is_the_class_among_constants():
    attributes = [used("type", {"unknown": 9}), used("gear", {"boots": 9})]

    assert choose_class_attribute(attributes, expected=["boots"]) == "gear"


@pytest.mark.parametrize(
    ("declared", "chosen"),
    [
        ([("number", "radio")], "number"),
        ([("track", "text"), ("sound", "radio"), ("name", "dropdown")], "name"),
        ([("sound", "radio"), ("view", "dropdown")], None),
        ([("class", "text")], None),
    ],
)
def test_before_any_region_is_drawn_options_decide(declared, chosen):
    attributes = [used(name, {}, type=kind, options={} if kind == "text" else {"1": ""}) for name, kind in declared]

    assert choose_class_attribute(attributes) == chosen


def test_ids_become_descriptions_and_blank_descriptions_ids():
    declared = {"type": "dropdown", "options": {"1": "boots", "2": " ", "3": None, "4": 7}}

    attribute = counted(["1", "1", "2", "3", "4", "9", "", " "], declared)

    assert attribute.counts == {"boots": 2, "2": 1, "3": 1, "7": 1, "9": 1}
    assert attribute.regions == 6
    assert attribute.options == {"1": "boots", "2": " ", "3": "", "4": "7"}


@pytest.mark.parametrize("kind", ["text", "image", None, 3])
def test_only_options_have_ids(kind):
    assert counted(["1"], {"type": kind, "options": {"1": "boots"}}).counts == {"1": 1}


@pytest.mark.parametrize("declaration", [None, {}, {"type": "radio", "options": ["a"]}, {"type": None}])
def test_a_poor_declaration_means_nothing(declaration):
    assert meanings(declaration).labels == {}


def test_ticks_count_one_by_one_and_texts_beside_them():
    values = [{"1": True}, {"1": True, "2": True}, {}, {"2": False}, "1", "old", None]

    attribute = counted(values, {"type": "checkbox", "options": {"1": "boots", "2": "mask"}})

    assert attribute.counts == {"boots": 3, "mask": 1, "old": 1}
    assert attribute.regions == 4
    assert ticks_several(attribute)


def test_scripts_store_numbers_and_lists():
    assert plain_values([3, 2.5, True, ["a"], ["a", "b"], [], [3], "x"]) == [
        "3", "2.5", "true", "a", ("a", "b"), "", "", "x",
    ]  # fmt: skip


def test_labels_are_declared_ones_first_and_as_they_are_written():
    meaning = meanings({"type": "radio", "options": {"1": "boots", "2": "mask", "3": "boots"}})

    codes, labels = label_codes(["hat ", "2", "3", "", " \n", ("1", "2")], meaning)

    assert labels == ("boots", "mask", "hat ")
    assert codes == {"hat ": 2, "2": 1, "3": 0, "": -1, " \n": -1, ("1", "2"): SEVERAL}


def test_only_so_many_counts_are_kept():
    attribute = counted(["often"] * 2 + [str(i) for i in range(2 * MOST_COUNTS)])

    assert len(attribute.counts) == MOST_COUNTS
    assert next(iter(attribute.counts.items())) == ("often", 2)
    assert attribute.regions == 2 * MOST_COUNTS + 2
    assert not ticks_several(attribute)
