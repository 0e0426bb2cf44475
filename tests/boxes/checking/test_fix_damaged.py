"""Fixed copies of odd documents: nothing fails, and what is damaged is mended, set aside or still told."""

import copy
import json
import random
from pathlib import Path

import pytest

from glauke.boxes import check, fix, read
from glauke.errors import DataError, InputError

CASES = 200
FIRST = 5000
ODD = (
    None, True, -1, 1.5, 10**17, "", "x", "../a.jpg", [], {}, [[]], [None], ["a"], {"a": True, "b": True}, [1, 2, 3],
    {"name": "rect"}, "9" * 30,
)  # fmt: skip
RECT = {"name": "rect", "x": 1, "y": 2, "width": 30, "height": 40}


def fixed(tmp_path: Path, data: str | dict, *, labels=None) -> tuple[str, list]:
    """The text of the fixed copy, and the findings of a check of it, notes apart."""
    file, out = tmp_path / "made", tmp_path / "fixed"
    out.unlink(missing_ok=True)
    file.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    annotations = read(file)
    fix(file, annotations, check(annotations, labels=labels), out=out)
    left = [finding for finding in check(read(out), labels=labels) if finding.severity != "note"]
    return out.read_text(encoding="utf-8"), left


def via_region(label: object, x: int = 1) -> dict:
    return {"shape_attributes": RECT | {"x": x}, "region_attributes": {"class": label}}


def via_entry(name: object, size: object, regions: list) -> dict:
    return {"filename": name, "size": size, "regions": regions, "file_attributes": {}}


def coco() -> dict:
    return {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 200, "height": 100} for i in (1, 2)],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]},
            {"id": 2, "image_id": 2, "category_id": 2, "bbox": [9, 2, 30, 40]},
        ],
        "categories": [{"id": 1, "name": "boots"}, {"id": 2, "name": "vest"}],
    }


def via3() -> dict:
    return {
        "project": {"vid_list": ["1", "2"]},
        "attribute": {"1": {"aname": "class", "type": 4, "options": {"0": "boots", "1": "vest"}}},
        "file": {i: {"fid": i, "fname": f"{i}.jpg", "type": 2} for i in ("1", "2")},
        "metadata": {f"{i}_a": {"vid": i, "z": [], "xy": [2, 1, 2, 30, 40], "av": {"1": "0"}} for i in ("1", "2")},
        "view": {i: {"fid_list": [i]} for i in ("1", "2")},
    }


def test_coco_without_a_list_of_annotations_gets_one(tmp_path):
    text, left = fixed(tmp_path, coco() | {"annotations": None})

    assert json.loads(text)["annotations"] == [] and left == []


def test_a_copy_that_would_hold_no_picture_is_refused(tmp_path):
    with pytest.raises(DataError, match="no picture would be left in the copy: images is null"):
        fixed(tmp_path, coco() | {"images": None})
    with pytest.raises(DataError, match="no picture would be left"):
        fixed(tmp_path, {"a<b.jpg9": via_entry("a<b.jpg", 9, [])})
    assert not (tmp_path / "fixed").exists()


@pytest.mark.parametrize("name", [["boots"], {"a": 1}, 7])
def test_a_category_whose_name_is_no_text_gives_way_to_the_right_label(tmp_path, name):
    document = coco()
    document["categories"].append({"id": 3, "name": name})
    document["annotations"][0]["category_id"] = 2
    document["categories"][1]["name"] = "vests"

    text, left = fixed(tmp_path, document, labels=("vest",))

    assert left == []
    assert {one["category_id"] for one in json.loads(text)["annotations"]} == {4}


def test_a_size_of_a_picture_that_is_none_becomes_unknown(tmp_path):
    document = coco()
    document["images"][1] |= {"width": -1}

    text, left = fixed(tmp_path, document)

    assert left == []
    assert [(one["width"], one["height"]) for one in json.loads(text)["images"]] == [(200, 100), (0, 100)]


def test_via_3_loses_what_lies_nowhere(tmp_path):
    document = via3()
    document["metadata"] |= {"q": {"vid": "8", "z": [], "xy": [2, 1, 2, 3, 40], "av": {}}, "r": 5}
    document["view"]["9"] = {"fid_list": ["77"]}
    document["metadata"]["9_a"] = document["metadata"]["1_a"] | {"vid": "9"}

    text, left = fixed(tmp_path, document)

    assert left == []
    assert json.loads(text) == via3()


def test_via_3_keeps_views_where_none_shows_a_file(tmp_path):
    text, left = fixed(tmp_path, via3() | {"file": []})

    assert [finding.message[:10] for finding in left] == ["the view '"] * 2
    assert json.loads(text) == via3() | {"file": {}}


def test_via_3_without_views_is_told(tmp_path):
    document = via3()
    document["file"]["1"]["fname"] = "../1.jpg"

    text, left = fixed(tmp_path, document | {"view": []})

    assert json.loads(text)["file"]["1"]["fname"] == "1.jpg"
    assert {finding.rule for finding in left} == {"bad-entry"} and len(left) == 2


@pytest.mark.parametrize("before", ['_via_dp["x"] = ', "_via_dp[3]=", "\ufeffvar _via_dp = "])
def test_an_assignment_with_brackets_stays(tmp_path, before):
    document = via3()
    document["metadata"]["1_a"]["xy"] = [2, -1, 2, 31, 40]

    text, left = fixed(tmp_path, f"{before}{json.dumps(document)};\n")

    assert left == []
    assert text.startswith(before) and text.endswith("}};\n")


@pytest.mark.parametrize(
    ("key", "name", "size", "expected"),
    [
        ("a.jpg5", "a.jpg", {}, {"a.jpg-1": ("a.jpg", -1)}),
        ("a.jpg5", "a.jpg", "9" * 20, {"a.jpg-1": ("a.jpg", "-1")}),
        ("a.jpg5", 7, 5, {"a.jpg5": ("a.jpg", 5)}),
        ("a.jpg", None, None, {"a.jpg": ("a.jpg", None)}),
        ("5", "", 5, {}),
    ],
)
def test_an_entry_of_via_2_gets_a_name_and_a_size(tmp_path, key, name, size, expected):
    sound = {"b.jpg7": via_entry("b.jpg", 7, [via_region("boots")])}

    text, left = fixed(tmp_path, {key: via_entry(name, size, [])} | sound)

    assert left == []
    told = {key: (entry["filename"], entry["size"]) for key, entry in json.loads(text).items()}
    assert told == expected | {"b.jpg7": ("b.jpg", 7)}


def test_a_row_of_a_csv_gets_a_size(tmp_path):
    header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"

    text, left = fixed(tmp_path, f'{header}\na.jpg,{"9" * 20},"{{}}",0,0,"{{}}","{{}}"\n')

    assert left == []
    assert text == f'{header}\na.jpg,-1,"{{}}",0,0,"{{}}","{{}}"\n'


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"region": {"class": None}, "file": {}}, {"region": {}, "file": {}}),
        ({"region": None, "file": {}}, {"region": {}, "file": {}}),
        (5, {}),
    ],
)
def test_a_declaration_that_says_nothing_goes(tmp_path, attributes, expected):
    entries = {"b.jpg7": via_entry("b.jpg", 7, [via_region("boots")])}

    text, left = fixed(tmp_path, {"_via_img_metadata": entries, "_via_attributes": attributes})

    assert left == []
    assert json.loads(text) == {"_via_img_metadata": entries, "_via_attributes": expected}


def test_a_region_with_two_ticks_is_set_aside(tmp_path):
    ticks = [{"1": True}, {"2": True}, {"1": True, "2": True}, {"1": True}]
    regions = [via_region(ticked, x=1 + 50 * i) for i, ticked in enumerate(ticks)]
    declared = {"class": {"type": "checkbox", "options": {"1": "boots", "2": "vest"}}}
    document = {
        "_via_img_metadata": {"b.jpg7": via_entry("b.jpg", 7, regions)},
        "_via_attributes": {"region": declared, "file": {}},
    }

    text, left = fixed(tmp_path, document)

    assert left == []
    kept = json.loads(text)["_via_img_metadata"]["b.jpg7"]["regions"]
    assert kept == [regions[0], regions[1], regions[3]]


def odd(document: dict, rng: random.Random) -> dict:
    """Replace, remove or add a few nodes, at any depth."""
    for _ in range(rng.randint(1, 3)):
        parents: list = [document]
        for node in parents:
            children = node.values() if isinstance(node, dict) else node
            parents += [child for child in children if isinstance(child, dict | list) and child]
        parent = rng.choice(parents)
        key = rng.choice(list(parent)) if isinstance(parent, dict) else rng.randrange(len(parent))
        if rng.random() < 0.8 or len(parent) < 2:
            parent[key] = copy.deepcopy(rng.choice(ODD))
        else:
            del parent[key]
    return document


def test_no_odd_document_makes_a_fix_fail(made_texts, tmp_path):
    kinds = [kind for kind in made_texts if not kind.endswith("csv")]
    done = 0
    for case in range(FIRST, FIRST + CASES):
        rng = random.Random(case)
        document = odd(json.loads(made_texts[kinds[case % len(kinds)]]), rng)
        try:
            fixed(tmp_path, document, labels=rng.choice((None, ("boots", "mask"))))
            done += 1
        except InputError as error:
            assert error.place and "made" in error.place, f"case {case}: the copy is refused: {error}"

    assert done > CASES / 2
