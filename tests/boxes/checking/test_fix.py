"""A fixed copy: clean when it is checked again, changed nowhere else, and of the same bytes where nothing is wrong."""

import copy
import csv
import io
import json
import random

import pytest

from glauke.boxes import check, fix, read
from glauke.errors import DataError

LABELS = ("boots", "hardhat", "mask", "vest")
WIDTH, HEIGHT = 300, 200


def sound_entries(pictures=4):
    """Entries in VIA 2's form, with attributes and shapes of several kinds, and nothing wrong."""
    entries = {}
    for i in range(pictures):
        regions = []
        for j, label in enumerate(LABELS):
            x, y = 20 + 60 * j, 30 + 2 * i
            shapes = (
                {"name": "rect", "x": x, "y": y, "width": 40, "height": 50 + j},
                {"name": "polygon", "all_points_x": [x, x + 40, x + 9], "all_points_y": [y, y + 9, y + 60]},
                {"name": "circle", "cx": x + 20, "cy": y + 25, "r": 18.5},
            )
            attributes = {"note": f"n{i}{j}", "class": label}
            regions.append({"shape_attributes": shapes[(i + j) % 3 if i else 0], "region_attributes": attributes})
        name, size = f"picture, {i}.jpg", 1000 + i
        file_attributes = {"caption": "é", "width": WIDTH, "height": HEIGHT}
        entries[f"{name}{size}"] = {
            "filename": name, "size": size, "regions": regions, "file_attributes": file_attributes
        }  # fmt: skip
    return entries


def as_region(entries):
    return json.dumps(entries, indent=1)


def as_via1(entries):
    entries = {key: {"fileref": "", "base64_img_data": "", **one} for key, one in entries.items()}
    for one in entries.values():
        one["regions"] = {str(i): region for i, region in enumerate(one["regions"])}
    return json.dumps(entries, separators=(",", ":"), ensure_ascii=False)


def as_project(entries):
    """With the class as a dropdown whose ids are numbers."""
    ids = {label: str(i) for i, label in enumerate(LABELS)}
    entries = copy.deepcopy(entries)
    for one in entries.values():
        for region in one["regions"]:
            label = region["region_attributes"].get("class")
            if label is not None:
                ids.setdefault(label, str(len(ids)))
                region["region_attributes"]["class"] = ids[label]
    declared = {
        "note": {"type": "text", "description": "", "default_value": ""},
        "class": {
            "type": "dropdown",
            "description": "",
            "options": {i: label for label, i in ids.items()},
            "default_options": {},
        },
    }
    return json.dumps(
        {
            "_via_settings": {"ui": {"own": [1, 2.5]}, "project": {"name": "made"}},
            "_via_img_metadata": entries,
            "_via_attributes": {"region": declared, "file": {}},
            "_via_data_format_version": "2.0.10",
            "_via_image_id_list": list(entries),
        },
        indent="\t",
    )


def as_csv(entries, *, first="", newline="\n"):
    header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    lines = [first + header]
    for one in entries.values():
        regions = one["regions"]
        rows = [(len(regions), i, r["shape_attributes"], r["region_attributes"]) for i, r in enumerate(regions)]
        for count, i, shape, attributes in rows or [(0, 0, {}, {})]:
            cells = ['"' + json.dumps(c).replace('"', '""') + '"' for c in (one["file_attributes"], shape, attributes)]
            lines.append(f"{one['filename']},{one['size']},{cells[0]},{count},{i},{cells[1]},{cells[2]}")
    return newline.join(lines)


def as_via3(entries):
    options = {label: str(i) for i, label in enumerate(LABELS)}
    metadata, files, views = {}, {}, {}
    for i, one in enumerate(entries.values(), 1):
        files[str(i)] = {"fid": str(i), "fname": one["filename"], "type": 2, "loc": 1, "src": one["filename"]}
        views[str(i)] = {"fid_list": [str(i)]}
        for j, region in enumerate(one["regions"]):
            label = region["region_attributes"].get("class")
            if label is not None:
                options.setdefault(label, str(len(options)))
            said = {"1": region["region_attributes"]["note"]} | ({} if label is None else {"2": options[label]})
            xy = via3_shape(region["shape_attributes"])
            metadata[f"{i}_{j}"] = {"vid": str(i), "flg": 0, "z": [], "xy": xy, "av": said}
    attributes = {
        "1": {"aname": "note", "anchor_id": "FILE1_Z0_XY1", "type": 1, "desc": "", "options": {}},
        "2": {
            "aname": "class",
            "anchor_id": "FILE1_Z0_XY1",
            "type": 4,
            "desc": "",
            "options": {i: label for label, i in options.items()},
        },
    }
    project = {"pid": "x", "pname": "made", "data_format_version": "3.1.1", "vid_list": list(views)}
    parts = {"config": {}, "attribute": attributes, "file": files, "metadata": metadata, "view": views}
    return json.dumps({"project": project, **parts})


def via3_shape(shape):
    match shape["name"]:
        case "rect":
            return [2, shape["x"], shape["y"], shape["width"], shape["height"]]
        case "circle":
            return [3, shape["cx"], shape["cy"], shape["r"]]
    pairs = zip(shape["all_points_x"], shape["all_points_y"], strict=True)
    return [7, *(value for pair in pairs for value in pair)]


def as_coco(entries):
    labels = dict.fromkeys(LABELS)
    annotations, images = [], []
    for i, one in enumerate(entries.values(), 1):
        images.append({"id": i, "width": WIDTH, "height": HEIGHT, "file_name": one["filename"], "own": i})
        for region in one["regions"]:
            shape, label = region["shape_attributes"], region["region_attributes"].get("class")
            labels.setdefault(label)
            if shape["name"] == "rect":
                x, y, w, h = (shape[k] for k in ("x", "y", "width", "height"))
                box, outline = [x, y, w, h], [[x, y, x + w, y, x + w, y + h, x, y + h]]
            elif shape["name"] == "circle":
                box, outline = [shape["cx"] - shape["r"], shape["cy"] - shape["r"], 2 * shape["r"], 2 * shape["r"]], []
            else:
                xs, ys = shape["all_points_x"], shape["all_points_y"]
                box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
                outline = [[v for pair in zip(xs, ys, strict=True) for v in pair]]
            annotations.append(
                {"id": len(annotations), "image_id": i, "category_id": label, "bbox": box, "segmentation": outline}
            )
    ids = {label: i for i, label in enumerate(label for label in labels if label is not None)}
    for one in annotations:
        one["category_id"] = ids.get(one["category_id"])
    categories = [{"id": i, "name": label} for label, i in ids.items()]
    return json.dumps({"info": {}, "images": images, "annotations": annotations, "categories": categories}, indent=4)


KINDS = {
    "via1-region": as_via1,
    "via2-region": as_region,
    "via2-project": as_project,
    "via3-project": as_via3,
    "via1-csv": lambda entries: as_csv(entries, first="#", newline="\r\n"),
    "via2-csv": as_csv,
    "coco": as_coco,
}
DEFECTS = ("label", "blanks", "foreign", "unlabelled", "empty", "tiny", "slip", "over", "out", "copy", "near", "unsafe")


def spoil(entries, defect, rng):
    """Plant a defect in some region; the region number is -1 for a new one."""
    regions = entries[rng.choice(list(entries))]["regions"]
    region = rng.choice(regions)
    values, (x, y) = region["region_attributes"], (rng.randrange(100), rng.randrange(100))
    box = {"name": "rect", "x": x, "y": y, "width": rng.randrange(20, 60), "height": rng.randrange(20, 60)}
    match defect:
        case "label":
            values["class"] = rng.choice(["Boots", "harhat", "masks", "VEST"])
        case "blanks":
            values["class"] = " mask\n"
        case "foreign":
            values["class"] = "bicycle"
        case "unsafe":
            values["class"] = "<script>"
        case "unlabelled":
            values.pop("class", None)
        case "empty":
            region["shape_attributes"] = box | {"width": 0}
        case "tiny":
            region["shape_attributes"] = box | {"height": 2}
        case "slip":
            region["shape_attributes"] = box | {"x": -2}
        case "over":
            region["shape_attributes"] = box | {"x": WIDTH - box["width"] + 8, "y": HEIGHT - box["height"] + 3}
        case "out":
            region["shape_attributes"] = box | {"y": HEIGHT + 9}
        case "copy":
            regions.append(copy.deepcopy(region))
        case "near":
            twin = {"name": "rect", "x": x, "y": y, "width": 100, "height": 90}
            regions.append({"shape_attributes": twin, "region_attributes": dict(values)})
            other = {"shape_attributes": twin | {"x": x + 1}, "region_attributes": {"note": "", "class": "vest"}}
            regions.append(other)


def repaired_copy(tmp_path, kind, text, *, labels=LABELS):
    """The text of the fixed copy, and what was done to it."""
    file, out = tmp_path / "made", tmp_path / "fixed"
    file.write_bytes(text.encode())
    before = read(file)
    assert before.kind == kind
    applied = fix(file, before, check(before, labels=labels), out=out)
    assert file.read_bytes() == text.encode()
    return out.read_bytes().decode(), applied


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_wrong_gives_the_same_bytes(kind, tmp_path):
    text = KINDS[kind](sound_entries())

    assert repaired_copy(tmp_path, kind, text) == (text, ())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("defect", DEFECTS)
def test_one_defect_is_mended_and_the_copy_is_clean(kind, defect, tmp_path):
    if kind == "coco" and defect == "unlabelled":
        pytest.skip("a category that is null is for a repair")
    if kind == "via3-project" and defect in ("over", "out"):
        pytest.skip("VIA 3 stores no size of a picture")
    entries = sound_entries()
    spoil(entries, defect, random.Random(1))

    text, applied = repaired_copy(tmp_path, kind, KINDS[kind](entries))

    again = read(tmp_path / "fixed")
    assert len(applied) >= 1
    assert [f for f in check(again, labels=LABELS) if f.severity != "note"] == []
    assert len(again.names) == 4
    assert repaired_copy(tmp_path, kind, text) == (text, ())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_many_defects_at_once_leave_a_clean_copy(kind, seed, tmp_path):
    rng = random.Random(seed)
    entries = sound_entries(pictures=6)
    for _ in range(rng.randint(2, 25)):
        defects = [d for d in DEFECTS if kind != "coco" or d != "unlabelled"]
        spoil(entries, rng.choice(defects), rng)
    file = tmp_path / "made"
    file.write_text(KINDS[kind](entries), encoding="utf-8")
    before, labels = read(file), LABELS if seed % 4 else None
    found = check(before, labels=labels)

    applied = fix(file, before, found, out=tmp_path / "fixed")

    after = read(tmp_path / "fixed")
    rest = [f for f in check(after, labels=labels) if f.severity != "note"]
    assert rest == []
    dropped = {a.finding.change.region for a in applied if a.finding.change.what == "drop-region"}
    assert len(after) == len(before) - len(dropped)
    assert len(applied) == len({(a.finding.change.what, a.finding.change.region) for a in applied})


@pytest.mark.parametrize("kind", KINDS)
def test_all_but_the_change_stays(kind, tmp_path):
    entries = sound_entries()
    entries["picture, 1.jpg1001"]["regions"][2]["region_attributes"]["class"] = "Mask"
    entries["picture, 2.jpg1002"]["regions"][1]["shape_attributes"] = {
        "name": "polygon", "all_points_x": [-2, 20, 50], "all_points_y": [9, 90, 30]
    }  # fmt: skip
    del entries["picture, 3.jpg1003"]["regions"][0]["region_attributes"]["class"]
    if kind == "coco":
        entries["picture, 3.jpg1003"]["regions"][0]["region_attributes"]["class"] = "bicycle"
    expected = copy.deepcopy(entries)
    expected["picture, 1.jpg1001"]["regions"][2]["region_attributes"]["class"] = "mask"
    expected["picture, 2.jpg1002"]["regions"][1]["shape_attributes"]["all_points_x"][0] = 0
    del expected["picture, 3.jpg1003"]["regions"][0]
    text = KINDS[kind](entries)

    fixed, applied = repaired_copy(tmp_path, kind, text)

    assert len(applied) == 3
    assert "".join(a.message for a in applied).count("picture, ") == 3
    if kind.endswith("csv"):
        assert rows_of(fixed) == rows_of(KINDS[kind](expected))
        same = set(text.splitlines()) & set(fixed.splitlines())
        assert len(same) == len(text.splitlines()) - 1 - 2 - 3 - 1 + 1  # but two edits and the picture with one less
    elif kind not in ("coco", "via3-project"):
        old_options = json.loads(fixed).get("_via_attributes"), json.loads(text).get("_via_attributes")
        assert old_options[0] == old_options[1]
        assert entries_of(fixed) == entries_of(KINDS[kind](expected))
    else:
        kept, wanted = json.loads(fixed), json.loads(KINDS[kind](expected))
        assert kept.keys() == wanted.keys()
        assert len(kept.get("annotations", kept.get("metadata"))) == 15


def rows_of(text):
    return [[cell for cell in row if cell != "\n"] for row in csv.reader(io.StringIO(text))]


def entries_of(text):
    document = json.loads(text)
    return document.get("_via_img_metadata", document)


def test_a_project_keeps_its_order_and_ids(tmp_path):
    entries = sound_entries()
    entries["picture, 0.jpg1000"]["size"] = 77
    entries["picture, 2.jpg1002"]["filename"] = "a\u0007.jpg"
    entries["picture, 1.jpg1001"]["regions"][0]["region_attributes"]["class"] = "harhat"

    text, _ = repaired_copy(tmp_path, "via2-project", as_project(entries))

    document = json.loads(text)
    order = ["picture, 0.jpg77", "picture, 1.jpg1001", "picture, 3.jpg1003"]
    assert document["_via_image_id_list"] == order == list(document["_via_img_metadata"])
    region = document["_via_img_metadata"]["picture, 1.jpg1001"]["regions"][0]
    assert list(region["region_attributes"].items()) == [("note", "n10"), ("class", "1")]


def test_a_label_that_is_no_option_yet_becomes_one(tmp_path):
    entries = sound_entries()
    entries["picture, 1.jpg1001"]["regions"][0]["region_attributes"]["class"] = "glove"

    text, _ = repaired_copy(tmp_path, "via2-project", as_project(entries), labels=(*LABELS, "gloves"))

    options = json.loads(text)["_via_attributes"]["region"]["class"]["options"]
    assert options["gloves"] == "gloves"
    assert read(tmp_path / "fixed").label_counts()["gloves"] == 1


def test_rows_that_cannot_be_read_are_left_out_and_listed(tmp_path):
    lines = as_csv(sound_entries()).splitlines()
    lines[3] = lines[3].replace('""class"":""mask""', '""class"":undefined')
    lines[6] = 'picture, 1.jpg,1001,"{'
    lines[9] = lines[9].rsplit(",", 1)[0] + ',"{""note"":undefined,""class"":""mask""}"'

    text, applied = repaired_copy(tmp_path, "via2-csv", "\n".join(lines) + "\n")

    assert "undefined" not in text and len(text.splitlines()) == len(lines) - 2
    assert any("line 7 was left out" in a.message for a in applied)
    assert [f for f in check(read(tmp_path / "fixed"), labels=LABELS) if f.severity != "note"] == []


def test_a_picture_that_loses_all_regions_in_a_csv_keeps_its_row(tmp_path):
    entries = sound_entries()
    for region in entries["picture, 1.jpg1001"]["regions"]:
        region["region_attributes"].pop("class")

    text, applied = repaired_copy(tmp_path, "via2-csv", as_csv(entries))

    assert len(applied) == 4
    assert next(line for line in text.splitlines() if "picture, 1" in line).endswith(',0,0,"{}","{}"')
    assert read(tmp_path / "fixed").names == tuple(f"picture, {i}.jpg" for i in range(4))


def test_coco_is_written_anew_from_what_was_repaired(tmp_path):
    entries = sound_entries()
    document = json.loads(as_coco(entries))
    for one in document["annotations"]:
        one["category_id"], one["image_id"] = None, 1
    for one in document["images"]:
        one["id"] = 1
    file, out = tmp_path / "made.json", tmp_path / "fixed.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    as_read = read(file)
    with pytest.raises(DataError, match="repair-from"):
        fix(file, as_read, check(as_read), out=out)
    donor = tmp_path / "via.json"
    donor.write_text(as_region(entries), encoding="utf-8")
    from glauke.boxes.repairing._repair import repaired

    annotations, _ = repaired(as_read, read(donor))
    found = check(annotations, labels=LABELS, unrepaired=as_read)
    assert {f.rule for f in found if f.severity == "error"} >= {"null-category", "image-id-collision"}

    applied = fix(file, annotations, found, out=out)

    after = read(out)
    assert len(applied) >= 2
    assert [f for f in check(after, labels=LABELS) if f.severity != "note"] == []
    assert after.image.tolist() == read(donor).image.tolist()
    assert [after.label_of(i) for i in range(16)] == list(LABELS) * 4
    assert [one["own"] for one in json.loads(out.read_text(encoding="utf-8"))["images"]] == [1, 2, 3, 4]
