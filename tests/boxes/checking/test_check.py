"""One planted defect in a sound file: the rule of that defect is found, and no other."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glauke.boxes import RULES, check, read

LABELS = ("boots", "hardhat", "mask", "vest")
SOURCE = Path(__file__).parent.parent.parent / "src" / "glauke" / "boxes"


def rect(label, x, y, width, height):
    shape = {"name": "rect", "x": x, "y": y, "width": width, "height": height}
    return {"shape_attributes": shape, "region_attributes": {"class": label}}


def sound(names=("a.jpg", "b.jpg", "c.jpg"), sizes=(1000, 2000, 3000)):
    """A region file in which every label occurs, and nothing is wrong."""
    document = {}
    for i, (name, size) in enumerate(zip(names, sizes, strict=True)):
        regions = [rect(label, 10 + 40 * j, 10 + i, 30, 20 + j) for j, label in enumerate(LABELS)]
        document[f"{name}{size}"] = {"filename": name, "size": size, "regions": regions, "file_attributes": {}}
    return document


def entry(document, i):
    return document[list(document)[i]]


def shape(document, i, j):
    return entry(document, i)["regions"][j]["shape_attributes"]


def values(document, i, j):
    return entry(document, i)["regions"][j]["region_attributes"]


def sizes_of(document, width=200, height=100):
    """As an imported COCO file has them: under `file_attributes`."""
    for one in document.values():
        one["file_attributes"] |= {"width": width, "height": height}


def checked(document, tmp_path, **options):
    file = tmp_path / "made.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return check(read(file), **options)


def planted(change):
    document = sound()
    sizes_of(document)
    change(document)
    return document


def copy_region(document):
    entry(document, 1)["regions"].append(json.loads(json.dumps(entry(document, 1)["regions"][2])))


def nudged_copy(document, label="vest"):
    copy_region(document)
    shape(document, 1, 4).update(x=91, label="more")
    values(document, 1, 4)["class"] = label


def rename_key(document, i, key):
    items = list(document.items())
    items[i] = (key, items[i][1])
    document.clear()
    document.update(items)


def rename(document, i, name):
    entry(document, i)["filename"] = name
    rename_key(document, i, f"{name}{entry(document, i)['size']}")


PLANTED = {  # defect: (how, rule, severity, index of the picture or None, number of the region or None)
    "nothing": (lambda d: None, None, None, None, None),
    "no label": (lambda d: values(d, 1, 2).clear(), "unlabelled", "error", 1, 2),
    "blank label": (lambda d: values(d, 1, 2).update({"class": "  "}), "unlabelled", "error", 1, 2),
    "misspelt label": (lambda d: values(d, 1, 2).update({"class": "Mask"}), "unknown-label", "error", 1, 2),
    "label with a line end": (lambda d: values(d, 1, 2).update({"class": "mask\n"}), "unknown-label", "error", 1, 2),
    "foreign label": (lambda d: values(d, 1, 2).update({"class": "bicycle"}), "unknown-label", "error", 1, 2),
    "no width": (lambda d: shape(d, 2, 0).update(width=0), "empty-box", "error", 2, 0),
    "no height": (lambda d: shape(d, 2, 0).update(height=0), "empty-box", "error", 2, 0),
    "three pixels": (lambda d: shape(d, 2, 0).update(height=3), "tiny-box", "warning", 2, 0),
    "text for x": (lambda d: shape(d, 2, 0).update(x="left"), "bad-shape", "error", 2, 0),
    "negative width": (lambda d: shape(d, 2, 0).update(width=-4), "bad-shape", "error", 2, 0),
    "a pixel outside": (lambda d: shape(d, 0, 3).update(x=-1), "outside-picture", "note", 0, 3),
    "two pixels outside": (lambda d: shape(d, 0, 3).update(y=79), "outside-picture", "note", 0, 3),
    "three pixels outside": (lambda d: shape(d, 0, 3).update(y=80), "outside-picture", "error", 0, 3),
    "wholly outside": (lambda d: shape(d, 0, 3).update(x=1000), "outside-picture", "error", 0, 3),
    "copy": (copy_region, "duplicate", "warning", 1, 4),
    "nudged copy": (lambda d: nudged_copy(d, "mask"), "near-duplicate", "warning", 1, 4),
    "nudged copy, other label": (nudged_copy, "near-duplicate", "warning", 1, 4),
    "key": (lambda d: rename_key(d, 1, "b2.jpg2000"), "key-mismatch", "warning", 1, None),
    "key of another size": (lambda d: entry(d, 1).update(size=2001), "key-mismatch", "warning", 1, None),
    "key without size": (lambda d: rename_key(d, 1, "b.jpg"), "key-mismatch", "warning", 1, None),
    "no regions": (lambda d: entry(d, 1)["regions"].clear(), "never-annotated", "note", 1, None),
    "one name twice": (lambda d: rename(d, 2, "b.jpg"), "same-name", "warning", 2, None),
    "name with markup": (lambda d: rename(d, 2, "<img src=x onerror=y>.jpg"), "unsafe-name", "warning", 2, None),
    "name with a bell": (lambda d: rename(d, 2, "a\u0007.jpg"), "unsafe-name", "warning", 2, None),
    "name with an apostrophe": (lambda d: rename(d, 2, "dog's.jpg"), "unsafe-name", "warning", 2, None),
    "name that climbs": (lambda d: rename(d, 2, "../../c.jpg"), "unsafe-name", "warning", 2, None),
    "name of a drive": (lambda d: rename(d, 2, "C:\\pictures\\c.jpg"), "unsafe-name", "warning", 2, None),
    "absolute name": (lambda d: rename(d, 2, "/pictures/c.jpg"), "unsafe-name", "warning", 2, None),
    "circle": (lambda d: shape(d, 2, 0).update(name="circle", cx=40, cy=40, r=9), "other-shape", "note", None, None),
    "point": (lambda d: shape(d, 2, 0).update(name="point", cx=40, cy=40), "other-shape", "note", None, None),
}


@pytest.mark.parametrize("defect", PLANTED)
def test_a_planted_defect_is_found_and_nothing_else(defect, tmp_path):
    change, rule, severity, image, region = PLANTED[defect]
    document = planted(change)

    found = checked(document, tmp_path, labels=LABELS)

    assert [f.rule for f in found] == ([rule] if rule else [])
    for finding in found:
        assert finding.severity == severity
        assert finding.image == (None if image is None else entry(document, image)["filename"])
        assert finding.region == region
        assert len(finding.message) > 10


ALLOWED = {
    "key of imported COCO": lambda d: rename_key(d, 1, "17"),
    "size as text": lambda d: entry(d, 1).update(size="2000"),
    "by address": lambda d: (entry(d, 1).update(size=-1), rename(d, 1, "https://example.org/b.jpg?a=1&b=2")),
    "size unknown": lambda d: (entry(d, 1).update(size=-1), rename_key(d, 1, "b.jpg")),
    "in a folder": lambda d: rename(d, 1, "pictures/b.jpg"),
    "one name, two spellings": lambda d: rename(d, 1, "A.jpg"),
    "half a pixel of rounding": lambda d: shape(d, 0, 0).update(x=-0.01),
    "four pixels": lambda d: shape(d, 0, 0).update(width=4, height=4),
    "half of a box": lambda d: (copy_region(d), shape(d, 1, 4).update(x=105)),
    "the same box in another picture": lambda d: shape(d, 0, 0).update(shape(d, 1, 0)),
    "two lines in one box": lambda d: entry(d, 0)["regions"].extend(
        {
            "shape_attributes": {"name": "polyline", "all_points_x": [20, 60], "all_points_y": ys},
            "region_attributes": {"class": "mask"},
        }
        for ys in ([50, 70], [70, 50])
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_is_allowed_is_not_found(case, tmp_path):
    found = checked(planted(ALLOWED[case]), tmp_path, labels=LABELS)

    assert [f for f in found if f.rule != "other-shape"] == []


def test_without_sizes_only_left_and_top_can_be_judged(tmp_path):
    document = sound()
    shape(document, 0, 0).update(x=-9)
    shape(document, 1, 0).update(x=10**6)

    assert [(f.rule, f.image) for f in checked(document, tmp_path)] == [("outside-picture", "a.jpg")]


def test_rare_spellings_are_found_without_a_list_of_labels(tmp_path):
    document = {}
    for i in range(40):
        document |= sound(names=(f"{i}.jpg",), sizes=(i,))
    values(document, 3, 1)["class"] = "harhat"
    values(document, 4, 1)["class"] = "Hardhat "
    values(document, 5, 0)["class"] = "boot"
    values(document, 6, 0)["class"] = "person"

    found = checked(document, tmp_path)

    assert [(f.rule, f.severity, f.image, f.change and f.change.value) for f in found] == [
        ("unknown-label", "warning", "3.jpg", "hardhat"),
        ("unknown-label", "warning", "4.jpg", "hardhat"),
        ("unknown-label", "warning", "5.jpg", "boots"),
    ]


def test_labels_that_differ_in_earnest_are_left_alone(tmp_path):
    document = sound()
    for i, label in enumerate(("class 1", "class 2", "cat", "car", "mask", "task", "1", "10")):
        entry(document, 0)["regions"].append(rect(label, 5 * i, 60, 20, 20))

    assert checked(document, tmp_path) == ()


def test_an_unsafe_label_is_told_apart_from_an_expected_one(tmp_path):
    document = sound()
    values(document, 0, 0)["class"] = "<b>boots</b>"

    found = checked(document, tmp_path)

    assert [(f.rule, f.region, f.change and f.change.value) for f in found] == [("unsafe-label", 0, "b boots /b")]
    assert "unsafe-label" not in {f.rule for f in checked(document, tmp_path, labels=(*LABELS, "<b>boots</b>"))}


def test_an_expected_label_that_nobody_used_is_noted(tmp_path):
    found = checked(sound(), tmp_path, labels=(*LABELS, "gloves"))

    assert [(f.rule, f.severity) for f in found] == [("missing-label", "note")]


def test_where_nothing_is_labelled_nothing_would_be_set_aside(tmp_path):
    document = sound()
    for one in document.values():
        for region in one["regions"]:
            region["region_attributes"] = {}

    found = checked(document, tmp_path)

    assert [f.rule for f in found] == ["unlabelled"] * 12
    assert {f.change for f in found} == {None}


def test_labels_of_another_file_set_nothing_aside(tmp_path):
    found = checked(sound(), tmp_path, labels=("cat", "dog"))

    assert [f.rule for f in found] == ["missing-label"] * 2 + ["unknown-label"] * 12
    assert {f.change for f in found} == {None}


def test_a_duplicate_never_costs_the_better_one(tmp_path):
    document = sound()
    twin = rect("boots", 10, 10, 30, 20)
    entry(document, 0)["regions"].append(twin)
    values(document, 0, 0).clear()

    found = checked(document, tmp_path, labels=LABELS)

    assert {(f.rule, f.region) for f in found} == {("unlabelled", 0), ("near-duplicate", 0)}


def test_findings_come_by_picture_and_region(tmp_path):
    document = planted(
        lambda d: (shape(d, 2, 0).update(width=2), values(d, 2, 0).clear(), shape(d, 0, 1).update(width=1))
    )
    shape(document, 1, 1).update(name="circle", cx=9, cy=9, r=4)

    found = checked(document, tmp_path, labels=(*LABELS, "gloves"))

    places = [(f.image or "", -1 if f.region is None else f.region) for f in found]
    assert places == sorted(places)
    assert len(found) == 5


def test_every_rule_in_the_source_is_explained():
    told = set()
    for file in SOURCE.glob("*.py"):
        told |= set(re.findall(r'rule="([a-z-]+)"', file.read_text(encoding="utf-8")))

    assert told - set(RULES) == set()
    assert all(sentence.endswith(".") for sentence in RULES.values())


def test_findings_cost_only_where_there_are_any(made_columns):
    annotations = made_columns(1_000, 10)

    assert len(check(annotations)) < 100
    assert len(check(replace(annotations, label=annotations.label * 0 - 1))) >= 10_000


@pytest.fixture
def made_columns(tmp_path):
    """Columns of so many pictures with so many random boxes each."""
    template = read(_written(sound(), tmp_path))

    def make(pictures, per_picture):
        rng, n = np.random.default_rng(0), pictures * per_picture
        sides = rng.integers(10, 200, (n, 2))
        return replace(
            template,
            names=tuple(f"{i}.jpg" for i in range(pictures)),
            keys=tuple(f"{i}.jpg7" for i in range(pictures)),
            byte_sizes=np.full(pictures, 7),
            widths=np.full(pictures, 1000),
            heights=np.full(pictures, 1000),
            image=np.repeat(np.arange(pictures), per_picture),
            region=np.tile(np.arange(per_picture), pictures),
            boxes_xywh=np.concatenate([rng.integers(0, 1000 - sides), sides], axis=1).astype(np.float64),
            shape=np.zeros(n, np.int8),
            label=rng.integers(0, 4, n).astype(np.int32),
        )

    return make


def _written(document, tmp_path):
    file = tmp_path / "made.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file
