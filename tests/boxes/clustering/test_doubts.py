from dataclasses import replace

import numpy as np
import pytest
from made_boxes import made

from glauke.boxes.clustering._cluster import cluster
from glauke.boxes.clustering._doubts import without_groups
from glauke.boxes.clustering._features import features


def of_ratios(ratios, labels=None, *, weight=None):
    """Boxes of these ratios, all as high."""
    return made([(100 * ratio, 100.0) for ratio in ratios], labels, weight=weight)


def bell(count, *, deviation=0.3, seed=0):
    return np.exp(np.random.default_rng(seed).normal(0, deviation, count))


def told(found, words):
    return [doubt for doubt in found.doubts if words in doubt]


def test_three_clear_groups_leave_no_doubt():
    rng = np.random.default_rng(0)
    ratios = np.concatenate([center * rng.uniform(0.99, 1.01, 40) for center in (0.5, 1.0, 1.5)])

    found = cluster(of_ratios(ratios))

    assert found.elbow.suggested_k == 3
    assert told(found, "silhouette") == []
    assert told(found, "of their own") == []


def test_a_silhouette_that_is_higher_elsewhere():
    rng = np.random.default_rng(0)
    ratios = np.concatenate([center * rng.uniform(0.98, 1.02, 50) for center in 0.3 * 1.4 ** np.arange(8)])

    found = cluster(of_ratios(ratios))
    best = max(found.curve[1:], key=lambda point: point.silhouette)
    taken = found.curve[found.elbow.suggested_k - 1].silhouette

    assert (best.k, found.elbow.suggested_range[1] < 8) == (8, True)
    assert found.doubts[0] == (
        f"the silhouette is highest at 8 clusters ({best.silhouette:.2f}, against {taken:.2f} at "
        f"{found.elbow.suggested_k}): look at the histogram before you take {found.elbow.suggested_k}"
    )


@pytest.mark.parametrize("feature", ["aspect-ratio", "log-aspect-ratio"])
def test_one_bell_bends_as_one_bell(feature):
    found = cluster(of_ratios(bell(400)), feature=feature)

    assert told(found, "values without any groups, spread as wide as these, bend at 3 too") != []
    assert found.elbow.suggested_k == 3


def test_another_bend_than_that_of_a_bell_is_no_doubt():
    rng = np.random.default_rng(0)
    ratios = np.concatenate([center * rng.uniform(0.999, 1.001, 40) for center in (1.0, 5.0)])

    found = cluster(of_ratios(ratios))

    assert found.elbow.suggested_k == 2
    assert told(found, "without any groups") == []


@pytest.mark.parametrize("feature", ["aspect-ratio", "log-aspect-ratio"])
def test_the_bell_is_as_wide_as_the_boxes(feature):
    weight = np.array([1, 2, 3, 4_000])
    found = features(of_ratios([0.5, 1.0, 2.0, 3.0], weight=weight), feature=feature)

    values = without_groups(found)
    logarithms = np.log(values) if feature == "aspect-ratio" else values
    theirs = np.log([0.5, 1.0, 2.0, 3.0])
    mean = np.average(theirs, weights=weight)

    assert len(values) == 2_000
    assert logarithms.mean() == pytest.approx(mean)
    assert logarithms.std() == pytest.approx(np.sqrt(np.average((theirs - mean) ** 2, weights=weight)), rel=0.01)
    assert (np.diff(values) > 0).all()


def test_the_plane_has_no_bell():
    assert without_groups(features(made([(10, 20), (30, 40)]), feature="relative-size")) is None


def test_few_boxes_are_a_doubt_and_no_others_are_looked_for():
    found = cluster(of_ratios([*bell(28), 9.0]), k=2)

    assert found.doubts == ("29 boxes are fewer than 30: one more or less can move the elbow and the centres",)
    assert told(cluster(of_ratios(bell(30))), "fewer than 30") == []


@pytest.mark.parametrize(
    ("count", "outliers", "doubt"),
    [
        (410, 2, "2 of the 412 boxes are a cluster of their own: outliers rather than a kind"),
        (40, 1, "1 of the 41 boxes is a cluster of its own: an outlier rather than a kind"),
        (1000, 12, "12 of the 1,012 boxes are a cluster of their own: a rare kind, or outliers"),
    ],
)
def test_a_handful_far_away_is_told(count, outliers, doubt):
    assert doubt in cluster(of_ratios([*bell(count), *[60.0] * outliers]), k=2).doubts


def test_a_cluster_of_some_size_is_none_of_them():
    assert told(cluster(of_ratios([*bell(200), *[60.0] * 5]), k=2), "of their own") == []


def test_labels_that_bend_elsewhere_than_all_boxes():
    rng = np.random.default_rng(0)
    two = np.concatenate([center * rng.uniform(0.999, 1.001, 30) for center in (1.0, 5.0)])
    boxes = of_ratios([*two, *bell(400, deviation=0.5)], ["boots"] * 60 + ["mask"] * 400)

    found = cluster(boxes, by_label=True)
    bends = {name: own.elbow.suggested_k for name, own in found.by_label.items()}

    assert bends["boots"] == 2
    assert found.elbow.suggested_k == bends["mask"] == 3
    [doubt] = told(found, "boxes of one label bend elsewhere")
    assert 'which bend at 3: "boots" at 2; ' in doubt
    assert "mask" not in doubt
    same = replace(boxes, label=np.zeros(len(boxes), dtype=np.int32))
    assert told(cluster(same, by_label=True), "boxes of one label") == []
