"""`glauke boxes ...`: what each command prints, writes and answers."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

LABELS = ("hardhat", "vest", "boots")


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(4):
        noise = np.random.default_rng(i).integers(0, 255, (120, 200 + i, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"p{i}.png")
    return folder


@pytest.fixture
def annotated(photos, tmp_path) -> Path:
    """A sound VIA file of the photos: twelve boxes of three labels and shapes."""
    entries = {}
    for i, path in enumerate(sorted(photos.iterdir())):
        size = path.stat().st_size
        regions = [
            {
                "shape_attributes": {"name": "rect", "x": 10 + 60 * j, "y": 8 + i, "width": w, "height": h + i},
                "region_attributes": {"class": label},
            }
            for j, (label, w, h) in enumerate(zip(LABELS, (40, 30, 18), (24, 40, 44), strict=True))
        ]
        entries[f"{path.name}{size}"] = {
            "filename": path.name, "size": size, "regions": regions, "file_attributes": {}
        }  # fmt: skip
    file = tmp_path / "via.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return file


def edited(file: Path, edit) -> Path:
    document = json.loads(file.read_text(encoding="utf-8"))
    edit(list(document.values()))
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_describe_explains_the_file_itself(glauke, annotated):
    said = glauke("boxes", "describe", annotated)

    assert said.code == 0
    for words in ("p0.png", "TOP-LEFT CORNER", "bytes", "hardhat", '"regions"'):
        assert words in said.out


def test_describe_as_json(glauke, annotated):
    answer = json.loads(glauke("boxes", "describe", annotated, "--json").out)

    assert answer["kind"] == "via2-region"
    assert len(answer["sections"]) > 5


def test_a_sound_file_is_clean(glauke, annotated, photos):
    said = glauke("boxes", "check", annotated, "--images", photos, "--labels", ",".join(LABELS))

    assert (said.code, said.out) == (0, "")
    assert "nothing to report" in said.err


def test_check_as_json_is_the_contract(glauke, annotated):
    edited(annotated, lambda entries: entries[0]["regions"][0]["region_attributes"].update({"class": "HardHat "}))
    said = glauke("boxes", "check", annotated, "--labels", ",".join(LABELS), "--json")
    answer = json.loads(said.out)

    assert said.code == 1
    assert answer["kind"] == "via2-region"
    assert (answer["images"], answer["images_without_regions"], answer["regions"]) == (4, 0, 12)
    assert answer["shapes"] == {"rect": 12}
    assert answer["class_attribute"] == "class"
    assert answer["labels"] == {"vest": 4, "boots": 4, "hardhat": 3, "HardHat ": 1}
    assert answer["unlabelled"] == 0
    (finding,) = answer["findings"]
    assert (finding["rule"], finding["image"], finding["region"]) == ("unknown-label", "p0.png", 0)
    assert "hardhat" in finding["fix"]


def test_fix_writes_a_clean_copy_and_leaves_the_file(glauke, annotated, photos, tmp_path):
    def spoil(entries):
        entries[0]["regions"][0]["region_attributes"]["class"] = "boot"
        entries[1]["regions"][1]["shape_attributes"]["x"] = -9
        entries[2]["regions"].append(entries[2]["regions"][0])

    edited(annotated, spoil)
    before = annotated.read_bytes()
    given = ("--images", photos, "--labels", ",".join(LABELS))
    said = glauke("boxes", "check", annotated, *given, "--fix", tmp_path / "mended.json")
    again = glauke("boxes", "check", tmp_path / "mended.json", *given)

    assert said.code == 1
    assert said.err.count("changed: ") == 3
    assert annotated.read_bytes() == before
    assert (again.code, again.out) == (0, "")


def test_fix_overwrites_nothing(glauke, annotated):
    said = glauke("boxes", "check", annotated, "--fix", annotated)

    assert said.code == 2
    assert "exists" in said.sentence


def test_a_thousand_findings_do_not_hide_the_others(glauke, annotated):
    def spoil(entries):
        entries[0]["regions"] += [{"shape_attributes": {}, "region_attributes": {"class": "vest"}}] * 200
        entries[3]["regions"][0]["region_attributes"] = {}

    edited(annotated, spoil)
    said = glauke("boxes", "check", annotated)

    assert said.out.count("bad-shape: p0.png") == 50
    assert "150 more findings of the rule bad-shape" in said.out
    assert "unlabelled: p3.png" in said.out


@pytest.mark.parametrize("to", ["via", "coco", "voc", "csv", "yolo"])
def test_convert_and_read_again(glauke, annotated, photos, tmp_path, to):
    out = tmp_path / "converted"
    said = glauke("boxes", "convert", annotated, "--to", to, "--out", out, "--images", photos)
    again = json.loads(glauke("boxes", "check", out, "--json").out)

    assert said.code == 0
    assert said.out.strip() == str(out)
    assert again["regions"] == 12
    assert again["labels"] == {"hardhat": 4, "vest": 4, "boots": 4}


def test_several_files_are_joined_and_converted(glauke, annotated, photos, tmp_path):
    other = tmp_path / "other.json"
    other.write_bytes(annotated.read_bytes())
    edited(other, lambda entries: [entry.update(regions=entry["regions"][:1]) for entry in entries])
    edited(other, lambda entries: entries[0]["regions"][0]["region_attributes"].update({"class": "boots"}))
    glauke("boxes", "convert", other, "--to", "coco", "--out", tmp_path / "other.coco.json", "--images", photos)
    files = (annotated, tmp_path / "other.coco.json")
    said = glauke("boxes", "convert", *files, "--to", "coco", "--out", tmp_path / "all.json", "--images", photos)
    again = json.loads(glauke("boxes", "check", tmp_path / "all.json", "--json").out)

    assert said.code == 0
    assert "error: label-conflict: p0.png" in said.err
    assert (again["kind"], again["images"], again["regions"]) == ("coco", 4, 13)


def test_merge_lists_conflicts_and_loses_nothing(glauke, annotated, tmp_path):
    other = tmp_path / "other.json"
    other.write_bytes(annotated.read_bytes())
    edited(other, lambda entries: entries[0]["regions"][0]["region_attributes"].update({"class": "boots"}))
    answer = json.loads(glauke("boxes", "merge", annotated, other, "--out", tmp_path / "all.json", "--json").out)

    assert answer["images"] == 4
    assert answer["regions"] == 13
    assert "label-conflict" in {finding["rule"] for finding in answer["findings"]}


def test_project_is_read_back_and_names_its_labels(glauke, photos, tmp_path):
    said = glauke("boxes", "project", photos, "--labels", ", ".join(LABELS), "--out", tmp_path / "p.json")
    document = json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))
    check = json.loads(glauke("boxes", "check", tmp_path / "p.json", "--json").out)

    assert said.code == 0
    assert list(document["_via_attributes"]["region"]["class"]["options"]) == list(LABELS)
    assert document["_via_settings"]["core"]["default_filepath"].startswith(str(photos))
    assert (check["kind"], check["images_without_regions"]) == ("via2-project", 4)


def test_cluster_as_json_is_the_contract(glauke, annotated):
    answer = json.loads(glauke("boxes", "cluster", annotated, "--json").out)

    assert set(answer) == {
        "feature", "distance", "boxes", "curve", "k", "suggested_k", "suggested_range", "reason", "centers", "counts",
        "exact", "by_range", "doubts", "left_out", "borders",
    }  # fmt: skip
    assert (answer["feature"], answer["boxes"], answer["exact"]) == ("aspect-ratio", 12, True)
    assert [point["k"] for point in answer["curve"]] == list(range(1, 13))
    assert answer["k"] == answer["suggested_k"]
    assert sum(answer["counts"]) == 12


def test_cluster_shows_the_curve_and_the_reason(glauke, annotated):
    said = glauke("boxes", "cluster", annotated, "--k", "3", "--by-label")

    assert said.code == 0
    assert "3 clusters at" in said.out
    assert "vest" in said.out
    assert "elbow: 12 boxes are too few to tell; " in said.out
    assert "but: 12 boxes are fewer than 30: " in said.out
    assert "mean IoU" not in said.out
    assert said.err == ""


def test_cluster_tells_logarithms_as_ratios_and_what_a_cluster_gains(glauke, annotated, photos):
    logarithms = glauke("boxes", "cluster", annotated, "--feature", "log-aspect-ratio", "--k", 1)
    plane = glauke("boxes", "cluster", annotated, "--feature", "relative-size", "--images", photos)

    center = float(re.search(r"\(log (\S+)\)", logarithms.out)[1])
    told = float(re.search(r"1 cluster at (\S+) \(log", logarithms.out)[1])
    assert told == pytest.approx(math.exp(center), rel=0.02)
    assert "gain" in plane.out.splitlines()[0]


def test_anchors_are_ready_to_paste(glauke, annotated, photos):
    given = ("--images", photos, "--count", 3, "--input-size", 320)
    text = glauke("boxes", "anchors", annotated, *given, "--for", "yolov3").out
    answer = json.loads(glauke("boxes", "anchors", annotated, *given, "--json").out)

    assert "anchors = " in text
    assert "num=3" in text
    assert len(answer["sizes"]) == 3
    assert 0 < answer["mean_iou"] <= 1
    assert {"mean_iou_held_out", "below_half", "iou_by_count"} <= set(answer)


def test_anchors_go_to_the_output_with_how_well_they_fit(glauke, annotated, photos):
    given = ("--images", photos, "--count", 3, "--input-size", "320x240")
    said = glauke("boxes", "anchors", annotated, *given)
    pasted = glauke("boxes", "anchors", annotated, *given, "--for", "yolov3")

    assert "12 boxes at 320 x 240 px (stretch): mean IoU" in said.out
    assert "note: 3 of 3 anchors stand for fewer than 10 boxes" in said.out
    assert said.err == ""
    assert "anchors = " in pasted.out and "YOLOv3" in pasted.out.splitlines()[0]
    assert "mean IoU by number of anchors: 1: " in pasted.err


def test_crops_train_a_classifier(glauke, annotated, photos, tmp_path, small_model, monkeypatch):
    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "cache"))
    said = glauke("boxes", "crops", annotated, "--images", photos, "--out", tmp_path / "crops")
    trained = glauke(
        "train", tmp_path / "crops", "--epochs", 1, "--batch-size", 4, "--max-lr", 0.1, "--size", 32,
        "--out", tmp_path / "run",
    )  # fmt: skip

    assert said.code == 0
    assert sorted(p.name for p in (tmp_path / "crops").iterdir()) == ["boots", "groups.csv", "hardhat", "vest"]
    assert trained.code == 0, trained.err
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("check", "nothing.json"), "no such file"),
        (("describe", "empty.json"), "empty"),
        (("check", "cut.json"), "line 1"),
        (("cluster", "via.json", "--k", "many"), "--k"),
        (("cluster", "via.json", "--k", "99"), "99"),
        (("cluster", "via.json", "--distance", "iou"), "relative-size"),
        (("cluster", "via.json", "--feature", "relative-size"), "--images"),
        (("cluster", "via.json", "--attribute", "clas"), "'class'"),
        (("anchors", "via.json"), "--images"),
        (("crops", "via.json", "--out", "c"), "--images"),
        (("anchors", "via.json", "--for", "yolov8"), "no anchors"),
        (("anchors", "via.json", "--input-size", "large"), "--input-size"),
        (("anchors", "via.json", "--count", "0"), "--count"),
        (("cluster", "via.json", "--k", "0"), "--k: the number of clusters must be at least 1"),
        (("cluster", "photos/p0.png"), "this is a PNG picture; give the annotation file"),
        (("report", "via.json", "--count", "0", "--out", "page.html"), "--count"),
        (("report", "via.json", "--input-size", "0", "--out", "page.html"), "--input-size"),
        (("report", "via.json", "--out", "via.json/page.html"), "it is a file, and no folder can be in it"),
        (("report", "via.json", "--k", "99", "--out", "page.html"), "ask for at most"),
        (("anchors", "via.json", "--for", "yolo3"), "yolov3"),
        (("convert", "via.json", "--to", "yolo", "--out", "y"), "--images"),
        (("convert", "via.json", "--to", "coco", "--out", "via.json"), "exists"),
        (("project", "photos", "--labels", " , ", "--out", "p.json"), "label"),
        (("project", "nowhere", "--labels", "a", "--out", "p.json"), "nowhere"),
        (("check", "via.json", "--images", "nowhere"), "nowhere"),
        (("check", "photos"), "photos"),
        (("merge", "--out", "m.json"), "merge"),
        (("convert", "--to", "via", "--out", "v.json"), "no file"),
        (("check", "via.json", "--labels", ",,"), "--labels"),
    ],
)
def test_wrong_input_gets_one_sentence(glauke, annotated, tmp_path, words, told):
    (tmp_path / "empty.json").write_bytes(b"")
    (tmp_path / "cut.json").write_bytes(annotated.read_bytes()[:300])
    before = sorted(p.name for p in tmp_path.iterdir())
    said = glauke("boxes", *words)

    assert said.code == 2
    assert told in said.sentence
    assert len(said.err.strip().splitlines()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_letters_that_the_output_cannot_write_are_escaped(annotated, tmp_path):
    edited(annotated, lambda entries: entries[0]["regions"][0]["region_attributes"].update({"class": "шлем"}))
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "glauke", "boxes", "describe", annotated], env=environment, capture_output=True
    )

    assert done.returncode == 0, done.stderr
    assert rb"\u0448\u043b\u0435\u043c" in done.stdout


def test_what_a_fix_leaves_is_told(glauke, annotated, tmp_path):
    """A name that only a person can change stays wrong."""
    edited(annotated, lambda entries: entries[0].update(filename="a&b.png"))
    said = glauke("boxes", "check", annotated, "--fix", tmp_path / "mended.json")

    assert said.code == 1
    assert "left for you in the copy: warning: unsafe-name: a&b.png" in said.err


def test_a_fix_that_leaves_no_region_with_the_attribute(glauke, annotated, tmp_path):
    def spoil(entries):
        entries[0]["regions"][0]["region_attributes"]["kind"] = {"a": True, "b": True}

    edited(annotated, spoil)
    said = glauke("boxes", "check", annotated, "--attribute", "kind", "--fix", tmp_path / "mended.json")

    assert said.code == 1
    assert "1 change in" in said.err


def test_the_report_is_one_page_with_the_answer_first(glauke, annotated, photos, tmp_path):
    given = ("--images", photos, "--labels", ",".join(LABELS), "--count", 3)
    said = glauke("boxes", "report", annotated, *given, "--out", tmp_path / "page.html")
    assert said.code == 0, said.err
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    again = glauke("boxes", "report", annotated, *given, "--out", tmp_path / "page.html")

    assert said.code == 0
    assert said.out.strip() == str(tmp_path / "page.html")
    assert "<script" not in page
    assert page.index("12 boxes") < page.index("What was found in the file")
    assert page.count("data:image/jpeg;base64,") == len(LABELS) + 4
    assert {p.suffix for p in (tmp_path / "page_plots").iterdir()} == {".svg", ".png", ".csv"}
    assert again.code == 2
    assert "exists already" in again.sentence


def test_a_report_without_pictures_says_what_is_missing(glauke, annotated, tmp_path):
    said = glauke("boxes", "report", annotated, "--out", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert said.code == 0
    assert "--images" in page
    assert "data:image/jpeg" not in page


def test_a_report_that_finds_no_picture_says_so(glauke, annotated, tmp_path):
    (tmp_path / "others").mkdir()
    said = glauke("boxes", "report", annotated, "--images", tmp_path / "others", "--out", tmp_path / "page.html")

    assert said.code == 0
    assert "none of the 4 pictures is in" in said.err
    assert "12 boxes are too few to tell; " in said.err


def test_a_report_as_json_has_its_answer(glauke, annotated, photos, tmp_path):
    given = ("--images", photos, "--count", 3, "--feature", "log-aspect-ratio", "--k", 2, "--json")
    answer = json.loads(glauke("boxes", "report", annotated, *given, "--out", tmp_path / "page.html").out)

    assert answer["out"] == str(tmp_path / "page.html")
    assert (answer["clusters"]["feature"], answer["clusters"]["k"]) == ("log-aspect-ratio", 2)
    assert len(answer["anchors"]["sizes"]) == 3
    assert set(answer["findings"]) == {"error", "warning", "note"}


def lost_labels(tmp_path, *, shared_id=False):
    """COCO whose categories have no names, as VIA may write it."""
    images = [{"id": 1 if shared_id else i, "file_name": f"p{i}.png", "width": 64, "height": 64} for i in (1, 2)]
    annotations = [
        {"id": i, "image_id": 1 if shared_id else 1 + i % 2, "category_id": 1, "bbox": [1, 1, 5 + i, 9]}
        for i in range(8)
    ]
    path = tmp_path / "lost.json"
    categories = [{"id": 1, "name": ""}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def test_boxes_without_their_labels_have_clusters_and_anchors(glauke, tmp_path):
    path = lost_labels(tmp_path)
    clusters = glauke("boxes", "cluster", path)
    by_label = glauke("boxes", "cluster", path, "--by-label")
    anchors = glauke("boxes", "anchors", path, "--count", 2)
    report = glauke("boxes", "report", path, "--count", 2, "--out", tmp_path / "page.html")

    assert clusters.code == anchors.code == report.code == 0
    assert "note: the file has lost labels or pictures (" in clusters.err
    assert "note: the file has lost labels or pictures (" in anchors.out
    assert "note: no clusters by label: " in report.err
    assert by_label.code == 2
    assert "blank name" in by_label.sentence


def test_labels_from_a_neighbour_are_told(glauke, annotated, tmp_path):
    entries = json.loads(annotated.read_text(encoding="utf-8"))
    names = [entry["filename"] for entry in entries.values()]
    boxes = [
        (i, [r["shape_attributes"][side] for side in ("x", "y", "width", "height")])
        for i, entry in enumerate(entries.values())
        for r in entry["regions"]
    ]
    coco = {
        "images": [{"id": i, "file_name": name, "width": 64, "height": 64} for i, name in enumerate(names)],
        "annotations": [
            {"id": i, "image_id": image, "category_id": None, "bbox": box} for i, (image, box) in enumerate(boxes)
        ],
        "categories": [],
    }
    (tmp_path / "coco.json").write_text(json.dumps(coco))

    for command in (("cluster",), ("anchors", "--count", 2), ("report", "--out", tmp_path / "page.html")):
        said = glauke("boxes", command[0], tmp_path / "coco.json", *command[1:])
        assert "note: repaired from " in said.err + said.out, said.err
        assert "via.json" in said.err + said.out
