"""McNemar's test, its interval and the correction: by hand, against SciPy, and as properties."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from glauke.runs._paired import PairCounts, holm, mcnemar, newcombe, pair_counts
from glauke.runs._predictions_csv import Answers


def counted(both: int, only_first: int, only_second: int, neither: int) -> PairCounts:
    return PairCounts(both=both, only_first=only_first, only_second=only_second, neither=neither)


def test_by_hand():
    # Three tosses, none heads: 1/8 on either side. The mid-p value has half of both.
    assert mcnemar(0, 3) == (0.25, 0.125)
    # Two of four: everything is at least as extreme, and half of C(4, 2) / 16 is taken off.
    assert mcnemar(2, 2) == (1.0, 1 - 6 / 32)


def test_the_published_example():
    """Bentur et al. in Fagerland, Lydersen and Laake (2013), table 1; the interval in their paper of 2014."""
    exact, mid = mcnemar(1, 7)
    low, high = newcombe(counted(1, 7, 1, 12))

    assert (round(exact, 4), round(mid, 4)) == (0.0703, 0.0391)
    assert (round(low, 3), round(high, 3)) == (-0.507, -0.026)


def test_no_picture_tells_them_apart():
    assert mcnemar(0, 0) == (1.0, 1.0)


@pytest.mark.parametrize("pair", list(product([0, 1, 2, 7, 30], repeat=2))[1:], ids=str)
def test_against_scipy(pair):
    exact, mid = mcnemar(*pair)
    n = sum(pair)

    assert exact == pytest.approx(binomtest(pair[0], n).pvalue, rel=1e-12)
    # The definition of mid-p, summed over every outcome by how far it lies from the middle.
    far = [abs(2 * k - n) for k in range(n + 1)]
    seen = abs(pair[0] - pair[1])
    weights = [1.0 if d > seen else 0.5 if d == seen else 0.0 for d in far]
    assert mid == pytest.approx(sum(w * binom.pmf(k, n, 0.5) for k, w in enumerate(weights)), rel=1e-9)


@pytest.mark.parametrize("pair", [(12_000, 12_300), (45_000, 47_000), (3, 20_000)], ids=str)
def test_many_pictures(pair):
    exact, mid = mcnemar(*pair)

    assert exact == pytest.approx(binomtest(pair[0], sum(pair)).pvalue, rel=1e-9, abs=1e-300)
    assert 0 <= mid <= exact


@given(st.integers(0, 60), st.integers(0, 60))
def test_neither_side_is_preferred(a, b):
    exact, mid = mcnemar(a, b)

    assert mcnemar(b, a) == (exact, mid)
    assert 0 < mid <= exact <= 1 or a == b == 0


@given(*[st.integers(0, 40)] * 3, st.integers(1, 40))
def test_the_interval_holds_the_difference_and_mirrors(both, first, second, neither):
    counts = counted(both, first, second, neither)
    low, high = newcombe(counts)
    mirrored = newcombe(counted(both, second, first, neither))

    assert -1 <= low <= counts.difference <= high <= 1
    assert mirrored == pytest.approx((-high, -low))


def test_the_interval_narrows_with_the_pictures():
    def width(times: int) -> float:
        low, high = newcombe(counted(60 * times, 10 * times, 15 * times, 15 * times))
        return high - low

    # To Wald's limit, where 95 % reach 1.96 standard errors of the paired difference on both sides.
    wald = 2 * 1.959964 * math.sqrt((0.25 - 0.05**2) / 100_000)
    assert width(1000) == pytest.approx(wald, rel=0.01)
    assert width(1) > width(10) > width(1000)


def test_pairs_are_counted_by_name():
    first = Answers(right=frozenset("abc"), wrong=frozenset("de"))
    second = Answers(right=frozenset("bd"), wrong=frozenset("ace"))

    assert pair_counts(first, second) == counted(1, 2, 1, 1)
    assert counted(1, 2, 1, 1).difference == pytest.approx(-0.2)
    assert pair_counts(first, Answers(right=frozenset("abc"), wrong=frozenset("dx"))) is None


def test_holm_by_hand():
    # Sorted 0.01, 0.03, 0.04 times 3, 2, 1, and never below the one before.
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == () and holm([0.7, 0.9]) == (1.0, 1.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_nothing_and_bonferroni(ps):
    for p, adjusted in zip(ps, holm(ps), strict=True):
        assert p <= adjusted <= min(1.0, len(ps) * p) + 1e-12
