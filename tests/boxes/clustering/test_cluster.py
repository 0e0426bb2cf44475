import json
from dataclasses import replace

import numpy as np
import pytest
from made_boxes import made

from glauke.boxes._findings import Finding
from glauke.boxes.clustering._cluster import cluster, clusters_as_dict
from glauke.errors import DataError, UnknownNameError, UsageError

FEATURES = [
    ("aspect-ratio", "euclidean"),
    ("log-aspect-ratio", "euclidean"),
    ("relative-size", "euclidean"),
    ("relative-size", "iou"),
]


def three_shapes(count=30):
    """Upright, square and lying boxes, a little different each."""
    rng = np.random.default_rng(0)
    shapes = np.array([[10.0, 40.0], [30.0, 30.0], [60.0, 20.0]])
    sides = np.concatenate([shape * rng.uniform(0.9, 1.1, (count, 2)) for shape in shapes])
    return made(sides, ["boots", "mask", "vest"] * count)


@pytest.mark.parametrize(("feature", "distance"), FEATURES)
def test_three_shapes_are_found(feature, distance):
    annotations = three_shapes()

    found = cluster(annotations, feature=feature, distance=distance, k=3, max_k=7)

    assert (found.k, found.boxes, found.left_out) == (3, 90, 0)
    assert found.elbow.suggested_k in (2, 3)  # by ratio, 1:4 and 1:1 are nearly the same beside 3:1
    assert sorted(found.counts.tolist()) == [30, 30, 30]
    assert found.rows.tolist() == list(range(90))
    assert all(len(set(part.tolist())) == 1 for part in np.split(found.assignment, 3))
    assert [point.k for point in found.curve] == list(range(1, 8))
    assert found.exact == (feature != "relative-size")
    best = max(found.curve[1:], key=lambda point: point.silhouette)
    assert best.k == 3


def test_ratios_are_clustered_on_a_line():
    found = cluster(made([(10, 10), (20, 10), (21, 10), (40, 10), (0, 5)]), k=2)

    assert found.centers.tolist() == [pytest.approx(1.7), 4.0] or found.centers.tolist() == [1.0, pytest.approx(2.7)]
    assert (found.boxes, found.left_out) == (4, 1)
    assert len(found.borders) == 1
    assert found.assignment.tolist() == (np.array([1, 2, 2.1, 4]) >= found.borders[0]).astype(int).tolist()
    assert [point.mean_iou for point in found.curve] == [None] * 4
    assert [point.gain for point in found.curve] == [None] * 4
    assert found.curve[0].silhouette is None and found.curve[-1].silhouette is None
    assert found.curve[-1].inertia == 0


@pytest.mark.parametrize("distance", ["euclidean", "iou"])
def test_sizes_are_clustered_in_the_plane(distance):
    found = cluster(three_shapes(), feature="relative-size", distance=distance, k=4, max_k=4)

    assert found.centers.shape == (4, 2)
    assert found.borders is None
    overlaps = [point.mean_iou for point in found.curve]
    assert found.curve[0].gain is None
    assert [point.gain for point in found.curve[1:]] == pytest.approx(np.diff(overlaps))
    if distance == "iou":
        assert found.curve[3].inertia == pytest.approx(90 * (1 - overlaps[3]))


def test_k_is_taken_as_asked_and_the_elbow_is_told_all_the_same():
    found = cluster(three_shapes(), feature="log-aspect-ratio", k=7)
    more = cluster(three_shapes(), feature="log-aspect-ratio", k=25)

    assert (found.k, len(found.centers), found.elbow.suggested_k) == (7, 7, 3)
    assert (more.k, len(more.curve), more.elbow.suggested_k) == (25, 25, 3)


def test_counts_of_a_table_are_boxes():
    found = cluster(made([(10, 10), (20, 10), (40, 10)], weight=[5, 1, 10**12]), k=2)

    assert found.boxes == 10**12 + 6
    assert found.counts.tolist() == [6, 10**12]


def test_labels_have_clusters_of_their_own():
    sides = [(10, 10), (12, 10), (30, 10), (20, 10), (20, 10), (5, 10), (0, 0), (9, 9)]
    labels = ["vest", "vest", "vest", "mask", "mask", None, "boots", "hardhat"]

    found = cluster(made(sides, labels), by_label=True)

    assert list(found.by_label) == ["vest"]
    assert found.by_label["vest"].rows.tolist() == [0, 1, 2]
    assert found.by_label["vest"].boxes == 3
    assert "3 boxes are too few to tell" in found.by_label["vest"].elbow.reason
    assert found.notes == (
        "3 labels have no clusters, for fewer than 2 different values of aspect-ratio: "
        '"mask" (2 boxes), "boots" (no box), "hardhat" (1 box)',
        "1 box without a label belongs to no label's clusters",
    )
    assert clusters_as_dict(found)["notes"] == list(found.notes)
    three = cluster(made(sides, labels), by_label=True, k=4)
    assert (dict(three.by_label), three.k) == ({}, 4)
    assert "fewer than 4" in three.notes[0]


def test_what_could_not_be_read_is_told():
    def found(*rules):
        findings = tuple(Finding(rule=rule, severity=severity, message="x") for rule, severity in rules)
        return cluster(replace(made([(10, 10), (20, 10)]), findings=findings)).notes

    row, entry = ("bad-row", "error"), ("bad-entry", "error")
    assert found(row) == ("1 row of the file could not be read; `glauke boxes check` lists it",)
    assert found(entry, row, row, entry) == (
        "2 rows of the file could not be read; `glauke boxes check` lists them",
        "2 places of the file could be read only in part or not at all; `glauke boxes check` lists them",
    )
    assert found(("bad-row", "warning"), ("bad-entry", "note"), ("bad-shape", "error")) == ()
    assert found(("null-category", "error")) == (
        "the file has lost labels or pictures (x): here all boxes count, whatever their label",
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"k": 0}, UsageError, "at least 1, not 0"),
        ({"k": -3}, UsageError, "at least 1, not -3"),
        ({"max_k": 0}, UsageError, "at least 1, not 0"),
        ({"k": 3}, UsageError, "k=3 is more than the 2 different values of aspect-ratio of 3 boxes; ask for at most 2"),
        ({"k": 4, "feature": "relative-size"}, UsageError, "k=4 is more than the 3 different values"),
        ({"distance": "iou"}, UsageError, "aspect-ratio has none; use relative-size"),
        ({"feature": "size"}, UnknownNameError, "relative-size"),
        ({"distance": "manhattan"}, UnknownNameError, "no distance 'manhattan'"),
    ],
)
def test_what_cannot_be_done_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        cluster(made([(10, 10), (20, 10), (40, 20)]), **options)


def test_no_boxes_are_refused():
    with pytest.raises(DataError, match=r"boxes.json: there are no boxes to cluster: none of 2 regions encloses"):
        cluster(made([(0, 10), (np.nan, 10)]))


def test_a_file_without_regions_says_so():
    with pytest.raises(DataError, match="there are no boxes to cluster: the file has no regions"):
        cluster(made([]))


def test_relative_sizes_need_pictures():
    annotations = replace(made([(10, 10), (20, 10)]), widths=np.array([0]))

    with pytest.raises(DataError, match="--images"):
        cluster(annotations, feature="relative-size")


@pytest.mark.parametrize(("feature", "distance"), FEATURES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_boxes_have_a_short_curve(feature, distance, count):
    found = cluster(made([(10, 10), (20, 10), (45, 10)][:count]), feature=feature, distance=distance)

    assert [point.k for point in found.curve] == list(range(1, count + 1))
    assert found.elbow.reason
    assert json.loads(json.dumps(clusters_as_dict(found), allow_nan=False))["boxes"] == count


@pytest.mark.parametrize(("feature", "distance"), FEATURES)
def test_order_changes_nothing(feature, distance):
    annotations = three_shapes()
    order = np.random.default_rng(1).permutation(len(annotations))
    turned = replace(annotations, boxes_xywh=annotations.boxes_xywh[order], label=annotations.label[order])

    one, two = (cluster(a, feature=feature, distance=distance, max_k=4) for a in (annotations, turned))

    assert clusters_as_dict(one) == clusters_as_dict(two)
    assert (one.assignment[order] == two.assignment).all()


@pytest.mark.parametrize(("feature", "distance"), FEATURES)
def test_as_json(feature, distance):
    found = cluster(three_shapes(), feature=feature, distance=distance, by_label=True, max_k=3)

    described = json.loads(json.dumps(clusters_as_dict(found), allow_nan=False))

    more = (
        {"borders", "ratios"} if feature == "log-aspect-ratio" else {"borders"} if feature == "aspect-ratio" else set()
    )
    assert set(described) == more | {
        "feature", "distance", "boxes", "curve", "k", "suggested_k", "suggested_range", "reason", "centers", "counts",
        "exact", "by_range", "doubts", "left_out", "by_label",
    }  # fmt: skip
    assert described["doubts"] == list(found.doubts)
    assert {int(largest): k for largest, k in described["by_range"].items()} == dict(found.elbow.by_range)
    if feature == "log-aspect-ratio":
        assert described["ratios"] == pytest.approx(np.exp(found.centers))
    point = {"k", "inertia", "silhouette"} | ({"mean_iou"} if feature == "relative-size" else set())
    assert set(described["curve"][0]) == point - {"silhouette"}
    assert set(described["curve"][1]) == point | ({"gain"} if feature == "relative-size" else set())
    assert described["suggested_range"] == list(found.elbow.suggested_range)
    assert set(described["by_label"]) == {"boots", "mask", "vest"}
    assert "by_label" not in described["by_label"]["boots"]
    assert "by_label" not in clusters_as_dict(cluster(three_shapes()))
    assert described["k"] == len(described["centers"]) == len(described["counts"])
