"""What a notebook and a terminal show of annotations, clusters, an elbow and anchors."""

import json
from dataclasses import replace

import html5lib
import numpy as np
import pytest

from glauke.boxes import Annotations, anchors, cluster, read


def region(x: int, y: int, width: int, height: int, label: str | None) -> dict[str, object]:
    attributes = {} if label is None else {"object": label}
    shape = {"name": "rect", "x": x, "y": y, "width": width, "height": height}
    return {"shape_attributes": shape, "region_attributes": attributes}


@pytest.fixture
def annotations(tmp_path) -> Annotations:
    regions = [region(i, i, 20 + i % 3, 40 - i, "hardhat" if i % 3 else "<b>vest</b>") for i in range(12)]
    regions.append(region(0, 0, 30, 10, None))
    entry = {"filename": "a.jpg", "size": 1000, "regions": regions, "file_attributes": {"width": 100, "height": 80}}
    path = tmp_path / "via.json"
    path.write_text(json.dumps({"a.jpg1000": entry}), encoding="utf-8")
    return read(path)


def rows(value) -> list[str]:
    tree = html5lib.parseFragment(value._repr_html_(), namespaceHTMLElements=False)
    assert len(list(tree.iter("b"))) == 0
    return ["|".join(cell.text or "" for cell in row) for row in tree.iter("tr")]


def test_annotations(annotations):
    line = "via2-region, 1 picture, 13 boxes: hardhat (8), <b>vest</b> (4)"
    assert repr(annotations) == f"Annotations({line})"
    assert rows(annotations) == [
        "Label|Boxes|Share",
        "hardhat|8|61.5%",
        "<b>vest</b>|4|30.8%",
        "without a label|1|7.7%",
    ]


def test_clusters_and_their_elbow(annotations):
    found = cluster(annotations, k=2)
    assert repr(found).startswith("Clusters(2 of 13 boxes by aspect-ratio: 0.")
    assert [row.partition("|")[0] for row in rows(found)] == ["Cluster", "1", "2"]
    assert found.elbow.reason in found._repr_html_() and "<img" in found._repr_html_()
    assert repr(found.elbow).startswith(f"Elbow({found.elbow.suggested_k}") and found.elbow.reason in repr(found.elbow)
    assert rows(found.elbow)[0] == "Elbow|Where the largest k is"


def test_clusters_by_logarithm_are_told_as_ratios(annotations):
    plain, logarithm = (cluster(annotations, feature=name, k=1) for name in ("aspect-ratio", "log-aspect-ratio"))
    assert 0 < float(repr(logarithm).rstrip(")").rpartition(" ")[2]) < float(repr(plain).rstrip(")").rpartition(" ")[2])


def test_anchors(annotations):
    sized = replace(annotations, widths=np.array([100]), heights=np.array([80]))
    found = anchors(sized, count=2, input_size=100)
    assert repr(found).startswith("Anchors(2 at 100x100 px, mean IoU 0.") and "best possible recall 100.0%" in repr(
        found
    )
    assert rows(found)[0] == "Anchor|Width x height|Boxes|Share" and len(rows(found)) == 3
    by_size = cluster(sized, feature="relative-size", k=2)
    assert " x " in repr(by_size) and rows(by_size)[0] == "Cluster|Width x height|Boxes|Share"
