"""What is alike comes to stand together."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glauke.insight.numbers._seriation import seriation


def cost(order, likeness):
    distance = np.abs(np.subtract.outer(range(len(order)), range(len(order))))
    return float((likeness[np.ix_(order, order)] * distance).sum())


def symmetric(rng, size, share=0.5):
    values = np.triu(rng.random((size, size)) * (rng.random((size, size)) < share), 1)
    return values + values.T


def test_by_hand():
    # 0-3 and 3-1 are alike: 3 stands between them; 2 is like nothing and comes last.
    likeness = np.zeros((4, 4))
    likeness[0, 3] = likeness[3, 0] = likeness[1, 3] = likeness[3, 1] = 1.0

    assert seriation(likeness).tolist() == [0, 3, 1, 2]


def test_a_shuffled_line_is_found_again():
    shuffled = np.random.default_rng(0).permutation(30)
    likeness = np.zeros((30, 30))
    likeness[shuffled[:-1], shuffled[1:]] = likeness[shuffled[1:], shuffled[:-1]] = 1.0

    found = seriation(likeness).tolist()
    assert found in (shuffled.tolist(), shuffled[::-1].tolist())


def test_shuffled_blocks_stay_together():
    rng = np.random.default_rng(1)
    block = rng.permutation(np.repeat(np.arange(5), 6))
    likeness = 0.02 * symmetric(rng, 30, share=1.0) + (block[:, None] == block)

    ordered = block[seriation(likeness)]
    assert len(list(itertools.groupby(ordered))) == 5


def test_groups_that_share_nothing_come_the_largest_first():
    likeness = np.zeros((6, 6))
    for a, b in ((1, 3), (3, 5), (0, 4)):
        likeness[a, b] = likeness[b, a] = 1.0

    assert seriation(likeness).tolist() == [1, 3, 5, 0, 4, 2]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 25), st.integers(0, 10**6), st.sampled_from([0.1, 0.4, 1.0]))
def test_an_order_whose_neighbourhood_has_no_better_one(size, seed, share):
    likeness = symmetric(np.random.default_rng(seed), size, share)
    order = seriation(likeness)

    assert sorted(order.tolist()) == list(range(size))
    best = cost(order, likeness)
    for place, to in itertools.product(range(size), range(size)):
        moved = np.insert(np.delete(order, place), to, order[place])
        assert cost(moved, likeness) >= best - 1e-9 * max(best, 1)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_neither_scale_nor_diagonal_matters(scale):
    likeness = symmetric(np.random.default_rng(3), 12)
    expected = seriation(likeness).tolist()

    assert seriation(likeness * scale).tolist() == expected
    assert seriation(likeness + np.diag(np.arange(12.0))).tolist() == expected


def test_without_any_likeness_the_order_stays():
    assert seriation(np.zeros((5, 5))).tolist() == [0, 1, 2, 3, 4]
