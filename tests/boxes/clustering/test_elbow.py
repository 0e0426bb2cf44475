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
    assert found.reason == "the elbow lies at 3 for every largest k from 6 to 20"


def test_an_elbow_that_moves_says_so():
    costs = [1 / k**1.2 for k in range(1, 21)]

    found = suggest_k(range(1, 21), costs)
    low, high = found.suggested_range
    times = list(found.by_range.values()).count(found.suggested_k)

    assert low < high and low <= found.suggested_k <= high
    assert set(found.by_range) == set(range(6, 21))
    assert found.reason == (
        f"the elbow lies at {found.suggested_k} for {times} of 15 largest k from 6 to 20 and between {low} and {high} "
        f"for all: it moves with the range, so read {found.suggested_k} as one of {low} to {high}"
    )


def test_of_equally_common_elbows_the_smaller():
    costs = [1 / k**1.2 for k in range(1, 21)]
    by_range = suggest_k(range(1, 21), costs).by_range
    first = {k: next(largest for largest, found in by_range.items() if found == k) for k in set(by_range.values())}

    found = suggest_k(range(1, 21), costs, ranges=sorted(first.values()))

    assert len(found.by_range) == len(first) > 1
    assert found.suggested_k == min(first)


def test_a_curve_is_read_as_far_as_it_goes():
    found = suggest_k(range(1, 9), [100.0, 40.0, 2.0, 1.9, 1.8, 1.7, 1.6, 1.5])

    assert list(found.by_range) == [6, 7, 8]
    assert found.reason.endswith("for every largest k from 6 to 8")
    assert "the one range" in suggest_k(range(1, 7), [100.0, 40.0, 2.0, 1.9, 1.8, 1.7]).reason


@pytest.mark.parametrize(
    ("costs", "suggested", "told"),
    [
        ([0.0], 1, "ends at k=1"),
        ([4.0, 0.0], 2, "each of them is a cluster"),
        ([9.0, 1.0, 0.0], 2, "over all of it the elbow lies at 2, which 3 points hardly tell"),
        ([2.0, 1.0, 0.0], 1, "there is no elbow"),
        ([9.0, 4.0, 1.0, 0.5, 0.0], 3, "ends at k=5"),
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
