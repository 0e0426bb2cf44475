import itertools
import json
import sys
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glauke.boxes.clustering import _exact
from glauke.boxes.clustering._exact import exact_curve
from glauke.boxes.clustering._exact_compiled import compiled_row

NUMBERS = st.one_of(st.integers(-20, 20).map(float), st.floats(-1e3, 1e3))
WEIGHTS = st.sampled_from([0.5, 1.0, 2.0, 7.0])
WEIGHTED = st.lists(st.tuples(NUMBERS, WEIGHTS), min_size=1, max_size=9)
RATIO = [83.3613, 28.7904, 14.7886, 8.8081, 5.7715, 4.2803, None, 2.5062, 1.9111, 1.4518]
LOG_RATIO = [61.7565, 19.251, 10.8253, 6.8777, 4.4707, 2.8835, None, 1.7226, 1.3624, 1.0963]
OTHER_RATIO = [129.5144, 52.565, 27.6053, 15.14, 9.3798, 6.1227, None, 3.2973, 2.7117, 2.1898]
OTHER_LOG_RATIO = [81.4143, 27.3321, 15.9837, 9.2889, 6.8701, 4.9727, None, 2.6876, 2.1472, 1.6902]


def inertias(values, **options):
    return [part.inertia for part in exact_curve(np.array(values, dtype=np.float64), **options)]


def by_all_divisions(values, weights, k):
    """The least cost over every way to cut the sorted values into k stretches."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]

    def cost(first, end):
        middle = np.average(values[first:end], weights=weights[first:end])
        return float((weights[first:end] * (values[first:end] - middle) ** 2).sum())

    cuts = itertools.combinations(range(1, len(values)), k - 1)
    return min(sum(cost(a, b) for a, b in itertools.pairwise((0, *cut, len(values)))) for cut in cuts)


def test_by_hand():
    one, two, three = exact_curve(np.array([9.0, 1.0, 8.0, 2.0, 10.0]), max_k=3)

    assert (one.k, one.inertia, one.centers.tolist()) == (1, 70.0, [6.0])
    assert (two.inertia, two.centers.tolist(), two.counts.tolist()) == (2.5, [1.5, 9.0], [2, 3])
    assert two.borders.tolist() == [8.0]
    assert three.inertia == 1.0
    assert three.borders.tolist() in ([8.0, 9.0], [8.0, 10.0], [2.0, 8.0])


@settings(deadline=None, max_examples=30)
@given(WEIGHTED)
def test_no_division_is_better(drawn):
    values, weights = np.array(drawn).T
    curve = exact_curve(values, weights=weights)

    assert len(curve) == len(np.unique(values))
    tiny = 1e-12 * curve[0].inertia + 1e-15
    for part in curve:
        assert part.inertia == pytest.approx(by_all_divisions(values, weights, part.k), rel=1e-9, abs=tiny)
        assert part.counts.sum() == pytest.approx(weights.sum())
        labels = np.searchsorted(part.borders, values, side="right")
        assert (weights * (values - part.centers[labels]) ** 2).sum() == pytest.approx(part.inertia, rel=1e-9, abs=tiny)


@settings(deadline=None, max_examples=30)
@given(WEIGHTED, st.randoms(use_true_random=False))
def test_order_changes_nothing(drawn, random):
    other = drawn.copy()
    random.shuffle(other)
    one, two = (exact_curve(*np.array(rows)[:, :1].T, weights=np.array(rows)[:, 1]) for rows in (drawn, other))

    for a, b in zip(one, two, strict=True):
        assert a.inertia == b.inertia
        assert (a.centers == b.centers).all() and (a.counts == b.counts).all() and (a.borders == b.borders).all()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(NUMBERS, st.integers(0, 4)), min_size=1, max_size=30))
def test_weights_are_repetitions(drawn):
    values, times = np.array(drawn).T
    if times.sum() == 0:
        times[0] = 1
    repeated = np.repeat(values, times.astype(int))

    for a, b in zip(exact_curve(values, weights=times), exact_curve(repeated), strict=True):
        assert a.inertia == pytest.approx(b.inertia, abs=1e-12)
        assert (a.borders == b.borders).all() and (a.counts == b.counts).all()


def test_never_worse_than_lloyds_algorithm():
    cluster = pytest.importorskip("sklearn.cluster")
    rng = np.random.default_rng(0)
    for values in (rng.lognormal(size=300), rng.normal(size=200), rng.integers(1, 9, 300) / rng.integers(1, 9, 300)):
        for part in exact_curve(values, max_k=6):
            other = cluster.KMeans(part.k, n_init=10, random_state=0).fit(values[:, None])
            assert part.inertia <= other.inertia_ * (1 + 1e-9)


def test_agrees_with_another_exact_program():
    kmeans1d = pytest.importorskip("kmeans1d")
    values = np.random.default_rng(1).lognormal(size=500)

    for part in exact_curve(values, max_k=12):
        assert part.centers == pytest.approx(np.array(kmeans1d.cluster(values.tolist(), part.k).centroids))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64, 1000])
def test_both_forms_are_equal(size, monkeypatch):
    if compiled_row() is None:
        pytest.skip("numba is not installed")
    rng = np.random.default_rng(size)
    values, weights = rng.integers(-size, size, size) / 7, rng.integers(1, 5, size).astype(float)
    plain = exact_curve(values, weights=weights)
    monkeypatch.setattr(_exact, "COMPILED_FROM", 1)

    for a, b in zip(plain, exact_curve(values, weights=weights), strict=True):
        assert a.inertia == b.inertia
        assert (a.borders == b.borders).all()


@pytest.mark.parametrize("why", ["no numba", "nowhere to cache"])
def test_without_numba_or_a_cache_the_answer_is_the_same(why, monkeypatch):
    values = np.random.default_rng(5).lognormal(size=100)
    expected = inertias(values)
    stand_in = types.SimpleNamespace(njit=without_cache)
    monkeypatch.setitem(sys.modules, "numba", None if why == "no numba" else stand_in)
    monkeypatch.setattr(_exact, "compiled_row", compiled_row.__wrapped__)
    monkeypatch.setattr(_exact, "COMPILED_FROM", 1)

    assert inertias(values) == expected


def without_cache(function=None, *, cache=False):
    """Like numba's where no folder can be written to, but that nothing is compiled."""
    if cache:
        raise RuntimeError("cannot cache function '_row': no locator available")
    return function


def test_of_equal_divisions_the_first_border_is_least():
    assert exact_curve(np.array([0.0, 1.0, 2.0]))[1].borders.tolist() == [1.0]


def test_numbers_far_from_zero_lose_nothing():
    near = np.random.default_rng(2).integers(0, 1000, 200) / 1024.0  # so that adding 1e9 rounds nothing

    assert inertias(near + 1e9) == pytest.approx(inertias(near), rel=1e-6)
    assert inertias(near - 2.0**31) == pytest.approx(inertias(near), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-140, 1e140])
def test_very_small_and_very_large_numbers(scale):
    values = np.random.default_rng(3).lognormal(size=50)

    curves = exact_curve(values), exact_curve(values * scale)
    assert [part.counts.tolist() for part in curves[0]] == [part.counts.tolist() for part in curves[1]]


def test_the_curve_ends_at_the_number_of_different_values():
    assert inertias([5.0]) == [0.0]
    assert inertias([5.0, 5.0, 5.0]) == [0.0]
    assert inertias([0.0, -0.0, 4.0]) == [pytest.approx(32 / 3), 0.0]
    assert len(inertias(range(50))) == 20
    assert len(inertias(range(50), max_k=3)) == 3


def test_more_clusters_never_cost_more():
    values = np.random.default_rng(4).lognormal(size=2000)

    assert (np.diff(inertias(values, max_k=20)) < 0).all()


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([], {}, "there are no values"),
        ([1.0, np.nan, np.inf], {}, "2 of 3 values"),
        ([1.0, 1e151], {}, "1 of 2 values"),
        ([1.0], {"max_k": 0}, "max_k=0"),
        ([1.0], {"weights": np.array([-1.0])}, "not negative"),
        ([1.0], {"weights": np.array([np.nan])}, "finite"),
        ([1.0, 2.0], {"weights": np.zeros(2)}, "all weights are 0"),
    ],
)
def test_what_cannot_be_clustered_is_refused(values, options, message):
    with pytest.raises(ValueError, match=message):
        exact_curve(np.array(values, dtype=np.float64), **options)


def ratios(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    entries = document.get("_via_img_metadata", document).values()
    regions = [r for e in entries for r in (e["regions"].values() if isinstance(e["regions"], dict) else e["regions"])]
    shapes = [region["shape_attributes"] for region in regions]
    return np.array([shape["width"] / shape["height"] for shape in shapes if "width" in shape])


def assert_begins_as(values, expected):
    for found, known in zip(inertias(values, max_k=len(expected)), expected, strict=True):
        assert known is None or found == pytest.approx(known, abs=6e-5)


def test_the_known_curve_of_the_photographs(datasets):
    values = ratios(datasets / "ppe" / "via_region_data.json")

    assert_begins_as(values, RATIO)
    assert_begins_as(np.log(values), LOG_RATIO)


def test_the_known_curve_of_another_file(datasets):
    texts = {path: path.read_text(encoding="utf-8") for path in sorted((datasets / "via-files").rglob("*.json"))}
    found = [path for path, text in texts.items() if text.count('"shape_attributes"') == 416]
    if not found:
        pytest.skip("the file of 416 boxes is not there")
    values = ratios(found[0])

    assert_begins_as(values, OTHER_RATIO)
    assert_begins_as(np.log(values), OTHER_LOG_RATIO)
