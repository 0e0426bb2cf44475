"""`glauke boxes cluster`, `anchors`, `crops` and `report`: what they print and write."""

import json
import math
import re

import pytest

LABELS = ("hardhat", "vest", "boots")


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


def test_the_report_is_one_page_with_the_answer_first(glauke, annotated, photos, tmp_path):
    given = ("--images", photos, "--labels", ",".join(LABELS), "--count", 3)
    said = glauke("boxes", "report", annotated, *given, "--out", tmp_path / "page.html")
    assert said.code == 0, said.err
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    again = glauke("boxes", "report", annotated, *given, "--out", tmp_path / "page.html")

    assert said.code == 0
    assert said.out.strip() == str(tmp_path / "page.html")
    assert "<script" not in page
    assert page.index("12 boxes") < page.index("Problems in the file")
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
    """COCO whose category has no name, as VIA may write it; with `shared_id` its pictures share an id, too."""
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


def test_boxes_without_their_pictures_have_neither(glauke, tmp_path):
    path = lost_labels(tmp_path, shared_id=True)

    assert glauke("boxes", "cluster", path).code == 2
    assert glauke("boxes", "anchors", path).code == 2


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
