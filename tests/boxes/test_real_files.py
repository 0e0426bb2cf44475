"""Real files by other people: read, described, checked and converted, and counted a second time without our code."""

import csv
import json
import os
from pathlib import Path

import pytest

from glauke import boxes
from glauke.errors import InputError
from glauke.jobs import boxes as jobs
from glauke.options import BoxOptions

DATASETS = os.environ.get("GLAUKE_DATASETS")
pytestmark = pytest.mark.skipif(
    DATASETS is None, reason="GLAUKE_DATASETS does not name a folder with real annotation files"
)
ROOT = Path(DATASETS or ".")
OTHERS = (p for p in (ROOT / "via-files").rglob("*") if p.suffix in (".json", ".csv") and not p.name.startswith("_"))
FILES = [ROOT / "ppe" / "via_region_data.json", *sorted(OTHERS)] if DATASETS else []


def counted(path: Path) -> tuple[int, int] | None:
    """Pictures and regions, by the plainest reading of each format; None where the file holds no annotations."""
    if path.suffix == ".csv":
        return counted_csv(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    if "annotations" in document:
        return len(document["images"]), len(document["annotations"])
    if set(document) == {"region", "file"}:
        return None
    entries = document.get("_via_img_metadata", document)
    return len(entries), sum(len(entry["regions"]) for entry in entries.values())


def counted_csv(path: Path) -> tuple[int, int] | None:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    if "region_count" not in header:
        return None
    # The last three cells are well formed even where a comma in the file name has split the first.
    pictures = {tuple(row[: len(row) - 5]) for row in rows}
    return len(pictures), sum(row[-2] not in ("{}", "") for row in rows)


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name[:12]}-{p.name[:24]}")
def test_every_file_is_read_whole(path, tmp_path):
    expected = counted(path)
    if expected is None:
        with pytest.raises(InputError) as refused:
            jobs.check(path)
        assert str(path) in str(refused.value)
        return

    checked = jobs.check(path)
    annotations = checked.annotations

    assert (len(annotations.names), len(annotations)) == expected
    assert sum(annotations.shape_counts().values()) == expected[1]
    assert sum(annotations.label_counts().values()) + annotations.num_unlabelled() == expected[1]
    assert len(boxes.description_as_text(jobs.describe(path)).splitlines()) > 20


@pytest.mark.parametrize("path", [p for p in FILES if counted(p)], ids=lambda p: f"{p.parent.name[:12]}-{p.name[:24]}")
@pytest.mark.parametrize("to", ["via", "csv", "coco", "voc", "yolo"])
def test_every_file_converts_and_reads_back_or_says_why_not(path, to, tmp_path):
    sizes = path.parent / "_derived_image_sizes.csv"
    out = tmp_path / "converted"
    try:
        jobs.convert([path], BoxOptions(sizes=sizes if sizes.exists() else None), to=to, out=out)
    except InputError as error:
        assert error.place and error.message
        assert not out.exists()
        return
    before = boxes.sound(boxes.prepare(path, sizes=sizes if sizes.exists() else None))
    after = boxes.read(out)

    assert after.encloses.sum() == before.encloses.sum()
    assert_same_boxes(before, after, within=0.5)


def assert_same_boxes(before: boxes.Annotations, after: boxes.Annotations, *, within: float) -> None:
    def rows(a: boxes.Annotations) -> list[tuple[str, str, list[float]]]:
        found = [
            (Path(a.name_of(i)).stem, a.label_of(i) or "", a.boxes_xywh[i].tolist())
            for i in range(len(a))
            if a.encloses[i]
        ]
        return sorted(found, key=lambda row: (row[0], [round(v) for v in row[2]], row[1]))

    for one, other in zip(rows(before), rows(after), strict=True):
        assert one[0] == other[0]
        assert one[1] == (other[1] if other[1] != "object" or one[1] else "")
        assert one[2] == pytest.approx(other[2], abs=within)


def test_the_real_photographs_match_their_file():
    checked = jobs.check(
        ROOT / "ppe" / "via_region_data.json",
        BoxOptions(images=ROOT / "ppe" / "images"),
        labels=("hardhat", "vest", "mask", "boots"),
    )
    rules = {finding.rule for finding in checked.findings}

    assert (checked.annotations.widths > 0).all()
    assert rules.isdisjoint({"missing-picture", "size-mismatch", "unknown-label", "key-mismatch"})
