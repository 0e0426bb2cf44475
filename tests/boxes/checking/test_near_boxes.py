"""Near duplicates: against every pair compared, and at sizes at which that cannot be done."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glauke.boxes.checking import _near_boxes
from glauke.boxes.checking._near_boxes import near_boxes, overlap

LEAST = 0.9


def found(boxes, group=None, unwanted=None):
    n = len(boxes)
    return near_boxes(
        boxes,
        group=np.zeros(n, np.int64) if group is None else group,
        unwanted=np.zeros(n, np.bool_) if unwanted is None else unwanted,
        least_iou=LEAST,
    )


def assert_promises_hold(boxes, group, unwanted, stands_for):
    kept = np.flatnonzero(stands_for < 0)
    late = np.flatnonzero(stands_for >= 0)
    for i in kept:
        others = kept[(kept != i) & (group[kept] == group[i])]
        assert (overlap(np.repeat(boxes[[i]], len(others), axis=0), boxes[others]) < LEAST).all()
    assert (stands_for[stands_for[late]] < 0).all()
    assert (group[late] == group[stands_for[late]]).all()
    assert (overlap(boxes[late], boxes[stands_for[late]]) >= LEAST).all()
    assert (unwanted[late] | ~unwanted[stands_for[late]]).all()


def random_boxes(rng, n, side, spread):
    return np.concatenate([rng.random((n, 2)) * spread, side + rng.random((n, 2)) * spread], axis=1)


def test_the_later_of_two_gives_way():
    boxes = np.array([[0.0, 0, 100, 100], [500, 0, 100, 100], [2, 1, 100, 100]])

    assert found(boxes).tolist() == [-1, -1, 0]
    assert found(boxes, unwanted=np.array([True, False, False])).tolist() == [2, -1, -1]
    assert found(boxes, group=np.array([0, 0, 1])).tolist() == [-1, -1, -1]


def test_the_end_of_a_chain_is_not_lost_with_its_middle():
    boxes = np.array([[0.0, 0, 100, 100], [4, 0, 100, 100], [8, 0, 100, 100]])

    assert found(boxes).tolist() == [-1, 0, -1]


@pytest.mark.parametrize(("crowded", "few"), [(512, 64), (1, 64), (1, 2), (10**9, 1)])
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 120))
def test_promises_hold_on_random_boxes(crowded, few, seed, n):
    rng = np.random.default_rng(seed)
    boxes = random_boxes(rng, n, side=rng.uniform(1, 80), spread=rng.uniform(1, 40))
    group, unwanted = rng.integers(0, 3, n), rng.random(n) < 0.3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_near_boxes, "_CROWDED", crowded)
        patch.setattr(_near_boxes, "_FEW", few)
        stands_for = found(boxes, group, unwanted)

    assert_promises_hold(boxes, group, unwanted, stands_for)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e6])
def test_strips_lose_no_pair_at_any_scale(unit, monkeypatch):
    monkeypatch.setattr(_near_boxes, "_CROWDED", 1)
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.random((400, 2)) * 1e4, np.exp(rng.random((400, 2)) * 8)], axis=1) * unit
    nudged = boxes + (rng.random((400, 4)) - 0.5) * 0.04 * np.tile(boxes[:, 2:], 2)
    is_near = overlap(boxes, nudged) >= LEAST

    stands_for = found(np.concatenate([boxes, nudged]))

    assert is_near.sum() > 300
    assert (stands_for[400:][is_near] >= 0).all()


CROWDS = {
    "apart": lambda rng, n: random_boxes(rng, n, side=5, spread=1000) * [4, 4, 0.06, 0.06] + [0, 0, 5, 5],
    "all near": lambda rng, n: np.concatenate([rng.random((n, 2)), 100 + rng.random((n, 2))], axis=1),
    "chain": lambda rng, n: np.stack([np.arange(n), np.zeros(n), np.full(n, 99), np.full(n, 99)], axis=1) * 1.0,
    "nested": lambda rng, n: np.concatenate([np.zeros((n, 2)), 1 + rng.random((n, 2)) * 3000], axis=1),
    "one wide": lambda rng, n: np.concatenate(
        [[[0.0, 0, 4000, 4000]], np.concatenate([rng.random((n, 2)) * 4000, 5 + rng.random((n, 2)) * 9], axis=1)]
    ),
}


@pytest.mark.parametrize("crowd", CROWDS)
def test_twenty_thousand_boxes_in_one_picture_compare_few_pairs(crowd, monkeypatch):
    compared = 0
    compare = _near_boxes._compare

    def counting(boxes, first, *rest):
        nonlocal compared
        compared += len(first)
        compare(boxes, first, *rest)

    monkeypatch.setattr(_near_boxes, "_compare", counting)
    n = 20_000
    found(CROWDS[crowd](np.random.default_rng(0), n))

    assert compared < 200 * n  # every pair would be 10,000 * n
