"""Exports are made here by VIA's own rules, broken ids and all, and mended from what they were made of."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from glauke.boxes._annotations import SHAPES, Annotations
from glauke.boxes.formats._coco import annotations_from_coco
from glauke.boxes.repairing._repair import donor_beside, repaired, unsound
from glauke.errors import DataError

LABELS = ("hardhat", "vest", "mask", "boots")
RECT = SHAPES.index("rect")


def made(names, boxes_of, labels_of, *, kind="via2-region", path=None, labels=LABELS) -> Annotations:
    """Annotations as a VIA JSON gives them: `boxes_of` and `labels_of` hold a list for each picture."""
    image = np.repeat(np.arange(len(names)), [len(boxes) for boxes in boxes_of])
    region = np.concatenate([np.arange(len(boxes)) for boxes in boxes_of]).astype(np.int64)
    texts = [label for of_picture in labels_of for label in of_picture]
    return Annotations(
        kind=kind,
        path=path,
        names=tuple(names),
        keys=tuple(f"{name}{1000 + i}" for i, name in enumerate(names)),
        byte_sizes=np.arange(1000, 1000 + len(names)),
        widths=np.zeros(len(names), np.int64),
        heights=np.zeros(len(names), np.int64),
        image=image.astype(np.int64),
        region=region,
        boxes_xywh=np.array([box for boxes in boxes_of for box in boxes], float).reshape(-1, 4),
        shape=np.full(len(image), RECT, np.int8),
        label=np.array([-1 if text is None else labels.index(text) for text in texts], np.int32),
        labels=labels,
        class_attribute="class",
    )


def parsed_int(text: str) -> int | None:
    """JavaScript's parseInt, whose NaN becomes null in JSON."""
    found = re.match(r"\s*[-+]?\d+", text)
    return int(found.group()) if found else None


def exported(donor: Annotations, *, order=None, descriptions=("", "", "", "")) -> dict:
    """What VIA 2.0.10 exports, after `export_project_to_coco_format` of its source."""
    numbers = [parsed_int(key) for key in donor.keys]
    unique = any(number is None for number in numbers)
    category_of = {label: i + 1 if unique else parsed_int(label) for i, label in enumerate(donor.labels)}
    images, annotations = [], []
    for place, i in enumerate(order or range(len(donor.names))):
        identity = place + 1 if unique else numbers[i]
        images.append({"id": identity, "width": 640, "height": 480, "file_name": donor.names[i]})
        for row in np.flatnonzero(donor.image == i).tolist():
            label = donor.label_of(row)
            if label is not None:  # VIA leaves out what has no option
                bbox = [int(v) for v in donor.boxes_xywh[row]]
                annotation = {"bbox": bbox, "image_id": identity, "category_id": category_of[label]}
                annotations.append({"id": len(annotations) + 1, **annotation})
    categories = [
        {"supercategory": "class", "id": category_of[label], "name": description}
        for label, description in zip(donor.labels, descriptions, strict=True)
    ]
    return {"images": images, "annotations": annotations, "categories": categories}


def read_coco(document: dict) -> Annotations:
    return annotations_from_coco(json.loads(json.dumps(document)), kind="via-coco", path=Path("coco.json"))


def random_donor(seed: int, names: list[str]) -> Annotations:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, len(names))
    boxes = [rng.integers(1, 300, (count, 4)).tolist() for count in counts]
    chances = [0.3, 0.3, 0.2, 0.1, 0.1]
    labels = [[[*LABELS, None][i] for i in rng.choice(5, count, p=chances)] for count in counts]
    return made(names, boxes, labels, path=Path("region.json"))


def rows(annotations: Annotations) -> list[tuple]:
    return sorted(
        (annotations.name_of(i), annotations.label_of(i) or "", *annotations.boxes_xywh[i].tolist())
        for i in range(len(annotations))
    )


def rules(findings) -> set[str]:
    return {finding.rule for finding in findings}


NAMES = {
    "names that begin with letters": [f"image_{i}.jpg" for i in range(60)],
    "numbers": [f"{i + 1}.jpg" for i in range(60)],
    "one number for all": [f"8{chr(97 + i // 26)}{chr(97 + i % 26)}.jpg" for i in range(60)],
    "some numbers shared": [f"{i % 7:02d}x{i}.jpg" for i in range(60)],
    "numbers with leading zeros": [f"{'0' * (i % 3)}{i // 3}_.jpg" for i in range(60)],
}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("seed", range(5))
def test_an_export_becomes_what_it_was_made_from(kind, seed):
    donor = random_donor(seed, NAMES[kind])
    order = np.random.default_rng(seed).permutation(len(donor.names)).tolist() if seed % 2 else None
    broken = read_coco(exported(donor, order=order))
    unlabelled = donor.num_unlabelled()
    assert unsound(broken) is not None
    assert len(broken) == len(donor) - unlabelled

    mended, notes = repaired(broken, donor)

    assert rows(mended) == [row for row in rows(donor) if row[1]]
    assert mended.labels == LABELS
    assert mended.class_attribute == "class"
    assert unsound(mended) is None
    assert mended.findings == ()
    assert len(mended) == len(broken)
    assert {finding.severity for finding in notes} == {"note"}
    assert rules(notes) == {"repaired", "not-exported"}
    for i, name in enumerate(mended.names):
        assert mended.byte_sizes[i] == donor.byte_sizes[donor.names.index(name)]
        numbers = mended.region[mended.image == i]
        assert numbers.tolist() == list(range(len(numbers)))


def test_notes_name_what_was_mended_and_what_the_export_lacks():
    boxes = [[[1, 2, 30, 40], [5, 6, 23, 9]], [[1, 2, 30, 40]]]
    donor = made(["1.jpg", "01.jpg"], boxes, [["vest", None], ["mask"]], path=Path("x/region.json"))
    mended, notes = repaired(read_coco(exported(donor)), donor)

    assert [finding.message for finding in notes] == [
        "the labels of 2 and the pictures of 2 of 2 annotations come from region.json",
        "the export lacks region 1 of region.json, a rect of 23x9 at (5, 6) without a label",
    ]
    assert notes[0].change is not None
    assert notes[0].change.what == "categories"
    assert notes[1].image == "1.jpg"
    assert rows(mended) == [("01.jpg", "mask", 1, 2, 30, 40), ("1.jpg", "vest", 1, 2, 30, 40)]


def test_names_that_the_export_has_kept_stay():
    """A region JSON holds the options' ids, "1"; the export has their descriptions."""
    ids = ("1", "2")
    donor = made(["a.jpg"], [[[1, 1, 5, 5], [2, 2, 6, 6]]], [["1", "2"]], labels=ids)
    mended, notes = repaired(read_coco(exported(donor, descriptions=("hard hat", "vest"))), donor)

    assert mended.labels == ("hard hat", "vest")
    assert mended.label.tolist() == [0, 1]
    assert notes == ()


def test_an_edited_donor_contradicts():
    donor = made(["a.jpg"], [[[1, 1, 5, 5], [2, 2, 6, 6]]], [["vest", "mask"]])
    document = exported(donor, descriptions=LABELS)
    document["annotations"][0]["category_id"] = 4
    mended, notes = repaired(read_coco(document), donor)

    assert [mended.label_of(i) for i in range(2)] == ["vest", "mask"]
    assert "label-differs" in rules(notes)
    assert any('"boots" here and "vest" in the other file' in finding.message for finding in notes)


def test_what_cannot_be_matched_stays_and_is_told():
    donor = made(["1a.jpg", "1b.jpg"], [[[1, 1, 5, 5]], [[2, 2, 6, 6]]], [["vest"], ["mask"]])
    document = exported(donor)
    document["annotations"].append({"id": 9, "image_id": 1, "category_id": None, "bbox": [70, 70, 9, 9]})
    mended, notes = repaired(read_coco(document), donor)

    assert [mended.label_of(i) for i in range(3)] == ["vest", "mask", None]
    assert rules(mended.findings) == {"null-category", "image-id-collision"}
    assert all(finding.message.startswith("1 of 3 annotations") for finding in mended.findings)
    assert unsound(mended) is not None
    [told] = [finding for finding in notes if finding.rule == "not-repaired"]
    assert (told.severity, told.image, told.region) == ("warning", "1a.jpg", 1)
    assert "9x9 at (70, 70)" in told.message


def test_a_blank_category_is_known_by_the_boxes_that_match():
    donor = made(["a.jpg"], [[[1, 1, 5, 5], [2, 2, 6, 6]]], [["vest", "mask"]])
    document = exported(donor)
    document["annotations"].append({"id": 9, "image_id": 1, "category_id": 2, "bbox": [70, 70, 9, 9]})
    mended, _ = repaired(read_coco(document), donor)

    assert [mended.label_of(i) for i in range(3)] == ["vest", "mask", "vest"]
    assert unsound(mended) is None


def test_a_region_exported_twice_gets_its_label_twice():
    donor = made(["a.jpg"], [[[1, 1, 5, 5], [2, 2, 6, 6]]], [["vest", "mask"]])
    document = exported(donor)
    document["annotations"].insert(1, dict(document["annotations"][0]))
    mended, _ = repaired(read_coco(document), donor)

    assert [mended.label_of(i) for i in range(3)] == ["vest", "vest", "mask"]
    assert rules(mended.findings) == {"repeated-annotation"}


def test_a_donor_of_other_pictures_mends_nothing():
    donor = made(["a.jpg"], [[[1, 1, 5, 5]]], [["vest"]])
    other = made(["z.jpg"], [[[1, 1, 5, 5]]], [["mask"]])
    broken = read_coco(exported(donor))
    mended, notes = repaired(broken, other)

    assert rows(mended) == rows(broken)
    assert unsound(mended) is not None
    assert rules(notes) == {"not-repaired", "not-exported"}


def test_empty_annotations_are_no_trouble():
    nothing = made([], [[]], [[]])
    donor = made(["a.jpg"], [[[1, 1, 5, 5]]], [["vest"]])

    assert repaired(nothing, nothing)[1] == ()
    assert len(repaired(nothing, donor)[0]) == 0
    assert rows(repaired(donor, nothing)[0]) == rows(donor)


def test_a_sound_file_is_left_as_it_is():
    donor = random_donor(3, NAMES["numbers"])
    mended, notes = repaired(donor, donor)

    assert rows(mended) == rows(donor)
    assert mended.labels == donor.labels
    assert notes == ()


@pytest.fixture
def beside(tmp_path):
    """A broken export in a folder with other files, and a reader that knows them by name."""
    names = NAMES["one number for all"]
    donor = random_donor(1, names)
    broken = read_coco(exported(donor))
    few = made(names, [[] for _ in names], [[] for _ in names])
    files = {
        "coco.json": broken,
        "a_strangers.json": made(["z.jpg"], [[[1, 1, 5, 5]]], [["mask"]]),
        "b_without_boxes.json": few,
        "c_region.json": donor,
    }

    def read(path: Path) -> Annotations:
        if path.name not in files:
            raise DataError("no annotations", place=str(path))
        return files[path.name]

    for name in files:
        (tmp_path / name).write_text(' {"made": 1}', encoding="utf-8")
    (tmp_path / "list.json").write_text("[1, 2]", encoding="utf-8")
    (tmp_path / "d_broken.json").write_text("{", encoding="utf-8")
    return tmp_path, files, read


def test_the_donor_beside(beside):
    folder, files, read = beside

    assert donor_beside(folder / "coco.json", files["coco.json"], read) == folder / "c_region.json"


def test_a_project_is_trusted_more_than_a_region_json(beside):
    folder, files, read = beside
    project = random_donor(1, NAMES["one number for all"])
    files["z_project.json"] = made(
        project.names,
        [project.boxes_xywh[project.image == i].tolist() for i in range(len(project.names))],
        [
            [project.label_of(row) for row in np.flatnonzero(project.image == i).tolist()]
            for i in range(len(project.names))
        ],
        kind="via2-project",
    )
    (folder / "z_project.json").write_text("{ }", encoding="utf-8")

    assert donor_beside(folder / "coco.json", files["coco.json"], read) == folder / "z_project.json"


def test_no_donor_beside(beside):
    folder, files, read = beside
    del files["c_region.json"]

    assert donor_beside(folder / "coco.json", files["coco.json"], read) is None


def test_unsound_is_the_first_error_of_structure():
    donor = made(["1a.jpg", "1b.jpg"], [[[1, 1, 5, 5]], []], [["vest"], []])
    finding = unsound(read_coco(exported(donor)))

    assert finding is not None
    assert finding.rule == "image-id-collision"
    assert finding.fix is not None
    assert "--repair-from" in finding.fix
    assert unsound(donor) is None
