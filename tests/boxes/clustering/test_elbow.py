import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glauke.boxes.clustering._elbow import elbow, suggest_k
from glauke.boxes.clustering._exact import exact_curve

FALLS = st.lists(st.floats(0.01, 0.95), min_size=2, max_size=20)


def test_by_hand():
    # Scaled, the line runs from (0, 1) to (1, 0); below it lie 0.25, 0.4, 0.2 at k = 2, 3, 4.
    assert elbow([1, 2, 3, 4, 5], [10, 5, 1, 0.5, 0]) == 3
    assert elbow([1, 2, 3, 4, 5], [10, 2, 1, 0.5, 0]) == 2


@pytest.mark.parametrize(
    ("ks", "costs"),
    [
        ([], []),
        ([1], [3.0]),
        ([1, 2], [3.0, 1.0]),
        ([1, 2, 3], [3.0, 2.0, 1.0]),
        ([1, 2, 3, 4], [0.3, 0.2, 0.1, 0.0]),
        ([1, 2, 3], [3.0, 3.0, 3.0]),
        ([1, 2, 3], [3.0, 2.9, 0.0]),
        ([1, 2, 3], [0.0, 1.0, 2.0]),
    ],
)
def test_no_bend_no_elbow(ks, costs):
    assert elbow(ks, costs) is None


def test_of_equal_bends_the_smaller():
    assert elbow([1, 2, 3, 4], [9, 4, 1, 0]) == 2
    assert elbow([1, 2, 3, 4], [0.9, 0.4, 0.1, 0.0]) == 2


@settings(deadline=None, max_examples=30)
@given(FALLS, st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_units_do_not_matter(falls, scale, offset):
    costs = np.cumprod([1.0, *falls])
    ks = list(range(1, len(costs) + 1))
    found = elbow(ks, costs.tolist())

    below = (costs[0] - costs) / (costs[0] - costs[-1]) - np.arange(len(costs)) / (len(costs) - 1)
    moved = elbow(ks, (costs * scale + offset * scale).tolist())
    if found is None or moved is None:
        assert below.max() < 1e-6
    else:
        assert below[moved - 1] == pytest.approx(below[found - 1], abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=19))
def test_agrees_with_kneed_on_convex_curves(falls):
    """kneed takes the first bump of the curve of differences, we the highest; a convex curve has only one.

    S=0 lets any decline after the bump count; with more, kneed finds no knee where the decline is slow.
    """
    kneed = pytest.importorskip("kneed")
    falls = sorted(falls, reverse=True)
    if falls[0] - falls[-1] < 1e-3:
        return  # nearly straight: which point lies farthest below is rounding
    costs = (sum(falls) - np.cumsum([0.0, *falls])).tolist()
    ks = list(range(1, len(costs) + 1))

    ours = elbow(ks, costs)
    theirs = kneed.KneeLocator(ks, costs, S=0.0, curve="convex", direction="decreasing").elbow

    def height(k):
        return (costs[0] - costs[k - 1]) / costs[0] - (k - 1) / (len(ks) - 1)

    assert ours is not None
    assert theirs is not None
    assert height(ours) == pytest.approx(height(int(theirs)), abs=1e-9)


@pytest.mark.parametrize(
    ("ks", "costs"), [([1, 2], [1.0]), ([2, 1], [1.0, 2.0]), ([1, 1], [1.0, 2.0]), ([1, 2], [1.0, float("nan")])]
)
def test_what_is_no_curve_is_refused(ks, costs):
    with pytest.raises(ValueError, match="ks"):
        elbow(ks, costs)


def test_a_clear_elbow_is_the_same_for_every_range():
    costs = [100.0, 40.0, 2.0, *np.linspace(1.9, 1.0, 17)]

    found = suggest_k(range(1, 21), costs)

    assert (found.suggested_k, found.suggested_range) == (3, (3, 3))
    assert dict(found.by_range) == dict.fromkeys(range(6, 21), 3)
    assert found.reason == "3 clusters: the curve bends at 3 however far it is drawn, to 6 clusters or to 20"


def test_an_elbow_that_moves_says_so():
    costs = [1 / k**1.2 for k in range(1, 21)]

    found = suggest_k(range(1, 21), costs)

    assert (found.suggested_k, found.suggested_range) == (3, (2, 4))
    assert set(found.by_range) == set(range(6, 21))
    assert found.reason == (
        "3 clusters, perhaps 2 or 4: the curve drawn to 6 clusters bends at 2, to 7-13 at 3, to 14-20 at 4; "
        "3 and 4 are equally common, and the smaller is taken"
    )
    assert suggest_k(range(1, 20), costs[:19]).reason == (
        "3 clusters, perhaps 2 or 4: the curve drawn to 6 clusters bends at 2, to 7-13 at 3, to 14-19 at 4"
    )


def test_ranges_without_an_elbow_and_apart_are_told():
    costs = [10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 1.0, 0.0]  # straight to 7, bent at 8

    found = suggest_k(range(1, 10), costs)

    assert dict(found.by_range) == {9: 8}
    assert found.reason == "8 clusters: the curve drawn to 6-8 clusters bends nowhere, to 9 at 8"


def test_of_one_bend_there_is_no_other():
    assert suggest_k(range(1, 7), [100.0, 40.0, 2.0, 1.9, 1.8, 1.7]).reason == (
        "3 clusters: the curve bends at 3 drawn to 6 clusters"
    )


def test_of_equally_common_elbows_the_smaller():
    costs = [1 / k**1.2 for k in range(1, 21)]
    by_range = suggest_k(range(1, 21), costs).by_range
    first = {k: next(largest for largest, found in by_range.items() if found == k) for k in set(by_range.values())}

    found = suggest_k(range(1, 21), costs, ranges=sorted(first.values()))

    assert len(found.by_range) == len(first) > 1
    assert found.suggested_k == min(first)
    assert found.reason == (
        "2 clusters, perhaps 3 or 4: the curve drawn to 6 clusters bends at 2, to 7 at 3, to 14 at 4; "
        "2, 3 and 4 are equally common, and the smallest is taken"
    )
    two = suggest_k(range(1, 21), costs, ranges=(6, 7)).reason
    assert two.endswith("; 2 and 3 are equally common, and the smaller is taken")


def test_too_few_boxes_come_first():
    costs = [100.0, 40.0, 2.0, 1.9, 1.8, 1.7]

    assert suggest_k(range(1, 7), costs, boxes=7).reason.startswith("7 boxes are too few to tell; 3 clusters: ")
    assert suggest_k([1], [0.0], boxes=1).reason.startswith("1 box is too few to tell; 1 cluster, for there is no ")
    assert suggest_k(range(1, 7), costs, boxes=30).reason.startswith("3 clusters: ")


def test_a_curve_is_read_as_far_as_it_goes():
    found = suggest_k(range(1, 9), [100.0, 40.0, 2.0, 1.9, 1.8, 1.7, 1.6, 1.5])

    assert list(found.by_range) == [6, 7, 8]
    assert found.reason.endswith("to 6 clusters or to 8")


@pytest.mark.parametrize(
    ("costs", "suggested", "told"),
    [
        ([0.0], 1, "all values are the same"),
        ([4.0, 0.0], 2, "each different value is a cluster"),
        ([9.0, 1.0, 0.0], 2, "bends at 2 and ends at 3 already"),
        ([4.0], 1, "the curve ends at 1 cluster, before it can bend"),
        ([4.0, 1.0], 2, "the curve ends at 2 clusters, before it can bend"),
        ([2.0, 1.0, 0.0], 1, "there is no elbow"),
        ([9.0, 4.0, 1.0, 0.5, 0.0], 3, "bends at 3 and ends at 5 already"),
    ],
)
def test_short_curves_say_what_is_used(costs, suggested, told):
    found = suggest_k(range(1, len(costs) + 1), costs)

    assert found.suggested_k == suggested
    assert found.suggested_range == (suggested, suggested)
    assert told in found.reason


def test_a_curve_without_a_bend_suggests_nothing_more_than_one():
    found = suggest_k(range(1, 21), [float(21 - k) for k in range(1, 21)])

    assert (found.suggested_k, dict(found.by_range)) == (1, {})
    assert "no elbow" in found.reason
    with pytest.raises(ValueError, match="no points"):
        suggest_k([], [])


def test_the_known_elbows_of_the_photographs(datasets):
    entries = json.loads((datasets / "ppe" / "via_region_data.json").read_text(encoding="utf-8")).values()
    shapes = [r["shape_attributes"] for e in entries for r in e["regions"]]
    values = np.array([shape["width"] / shape["height"] for shape in shapes])
    costs = {name: [p.inertia for p in exact_curve(v)] for name, v in (("ratio", values), ("log", np.log(values)))}

    def elbows(name):
        return [elbow(range(1, last + 1), costs[name][:last]) for last in (6, 8, 10, 12, 14)]

    assert elbows("ratio") == [2, 3, 3, 3, 3]
    assert elbows("log") == [2, 2, 3, 3, 3]
    found = suggest_k(range(1, 21), costs["ratio"])
    assert found.suggested_k == 3
    assert found.suggested_range[0] == 2
