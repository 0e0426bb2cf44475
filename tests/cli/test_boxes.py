"""`glauke boxes ...`: what each command prints, writes and answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LABELS = ("hardhat", "vest", "boots")


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
