"""Smoothing without lag, on curves whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glauke.training.rates._smoothing import MIN_POINTS, smooth

STEPS = np.arange(100.0)


def logistic(middle: float, width: float, *, fall: float = 3.0) -> np.ndarray:
    return 5 - fall / (1 + np.exp(-(STEPS - middle) / width))


def noise(seed: int, deviation: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, deviation, 100)


def test_a_parabola_is_its_own_smooth_curve():
    curve = 0.01 * (STEPS - 30) ** 2
    made = smooth(curve)
    assert made.values == pytest.approx(curve, abs=1e-9)
    assert made.slopes == pytest.approx(0.02 * (STEPS - 30), abs=1e-9)


@pytest.mark.parametrize("middle", [15, 40, 62, 85])
def test_there_is_no_lag(middle):
    """An average that looks back moves the steepest point by about its memory: 20 steps at a weight of 0.05."""
    assert abs(int(smooth(logistic(middle, 3)).slopes.argmin()) - middle) <= 1
    found = [int(smooth(logistic(middle, 3) + noise(s, 0.05)).slopes.argmin()) for s in range(20)]
    assert abs(np.mean(found) - middle) < 1


def test_it_takes_the_noise_away_and_keeps_the_shape():
    truth = logistic(25, 4, fall=0.5)  # as Tiny ImageNet falls in a range test
    before, after = [], []
    for seed in range(20):
        curve = truth + noise(seed, 0.07)
        before.append(np.square(curve - truth).mean())
        after.append(np.square(smooth(curve).values - truth).mean())
    assert np.mean(after) < np.mean(before) / 4


def test_its_errors_are_those_that_it_makes():
    """Of the errors over their standard errors about 68 % must lie within 1, and the noise must be measured."""
    truth = logistic(50, 12, fall=0.5)
    made = [smooth(truth + noise(seed, 0.07)) for seed in range(40)]
    within = np.mean([np.abs(m.values - truth) < m.value_errors for m in made])
    assert 0.5 < within < 0.8
    assert np.mean([m.noise for m in made]) == pytest.approx(0.07, rel=0.1)
    assert all(m.slope_errors[0] > 2 * m.slope_errors[50] for m in made)


@pytest.mark.parametrize("height", [1e2, 1e10, 1e30, 1e300])
def test_an_explosion_at_the_end_leaves_the_rest_alone(height):
    curve = logistic(50, 4) + noise(0, 0.05)
    exploded = curve + np.where(STEPS > 92, height, 0)
    assert smooth(exploded).values[:80] == pytest.approx(smooth(curve).values[:80], abs=0.05)
    assert int(smooth(exploded).slopes[:80].argmin()) == pytest.approx(50, abs=2)


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=MIN_POINTS, max_size=40))
def test_any_finite_curve_gives_finite_numbers(points):
    made = smooth(np.array(points))
    for values in (made.values, made.slopes, made.value_errors, made.slope_errors):
        assert len(values) == len(points) and np.isfinite(values).all()


@pytest.mark.parametrize("count", range(MIN_POINTS))
def test_too_few_points_come_back_as_they_are(count):
    points = np.arange(count, dtype=float)
    made = smooth(points)
    assert made.values.tolist() == points.tolist() and np.isinf(made.value_errors).all()


def test_the_curve_is_not_written_to():
    curve = logistic(50, 4)
    before = curve.copy()
    smooth(curve).values[:] = 0
    smooth(curve[:3]).values[:] = 0
    assert (curve == before).all()
