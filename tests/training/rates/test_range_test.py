"""The value that a range test hands out."""

import math

import numpy as np
import pytest

from glauke.errors import UnknownNameError, UsageError
from glauke.runs import RangeCurve
from glauke.training import RangeTest

NAN = math.nan


def test_a_curve_from_elsewhere():
    test = RangeTest.from_curve(np.array([0.1, 0.2, 0.3]), [3, 2, 1], ramp="linear")
    assert (test.rates, test.losses) == ((0.1, 0.2, 0.3), (3.0, 2.0, 1.0))
    assert (test.accuracies, test.val_losses) == ((), ())
    assert (test.ramp, test.num_steps, test.ended) == ("linear", 3, "complete")
    assert test.smoothed == test.losses  # too few to smooth


@pytest.mark.parametrize(("losses", "kept"), [([NAN, 2, 1], 0), ([3, math.inf, 1], 1), ([3, 2, -math.inf], 2)])
def test_it_ends_before_the_first_loss_that_is_not_finite(losses, kept):
    test = RangeTest.from_curve([0.1, 0.2, 0.3], losses, ramp="exponential")
    assert len(test.rates) == len(test.losses) == len(test.smoothed) == kept
    assert (test.num_steps, test.ended) == (3, "not finite")


@pytest.mark.parametrize(
    ("rates", "ramp", "told"),
    [
        ([0.1, 0.2], "linear", r"\(2,\) and \(3,\)"),
        ([0.1, 0.2, 0.2], "linear", "number 2 is 0.2 after 0.2"),
        ([0.3, 0.2, 0.1], "exponential", "number 1 is 0.2 after 0.3"),
        ([-0.1, 0.2, 0.3], "linear", "not negative, but number 0 is -0.1"),
        ([0.0, 0.2, 0.3], "exponential", "positive, but number 0 is 0"),
        ([0.1, NAN, 0.3], "linear", "number 1 is nan"),
        ([0.1, 0.2, math.inf], "linear", "number 2 is inf"),
    ],
)
def test_rates_that_are_no_ramp_are_refused(rates, ramp, told):
    with pytest.raises(UsageError, match=told):
        RangeTest.from_curve(rates, [3.0, 2.0, 1.0], ramp=ramp)


def test_only_a_linear_ramp_may_begin_at_zero():
    assert RangeTest.from_curve([0.0, 0.2], [3.0, 2.0], ramp="linear").rates[0] == 0


def test_an_unknown_ramp_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'exponential'"):
        RangeTest.from_curve([0.1, 0.2], [3.0, 2.0], ramp="exponentail")


def test_smoothed_is_as_long_as_the_curve_and_less_noisy():
    losses = 3 + np.random.default_rng(1).normal(0, 0.1, 50)
    test = RangeTest.from_curve(np.linspace(0.01, 1, 50), losses, ramp="linear")
    assert len(test.smoothed) == 50
    assert np.abs(np.array(test.smoothed) - 3).mean() < np.abs(losses - 3).mean() / 2


def test_held_out_losses_can_be_read_instead():
    steps = np.arange(60)
    falls = [tuple((5 - 2 / (1 + np.exp(-(steps - middle) / 3))).tolist()) for middle in (20, 40)]
    rates = tuple(np.linspace(0.01, 0.6, 60).tolist())
    told = {"accuracies": (), "ramp": "linear", "num_steps": 60, "ended": "complete"}
    test = RangeTest(rates=rates, losses=falls[0], val_losses=falls[1], **told)
    assert test.suggest().index == pytest.approx(20, abs=1)
    assert test.suggest(held_out=True).index == pytest.approx(40, abs=1)
    without = RangeTest(rates=rates, losses=falls[0], val_losses=(), **told)
    with pytest.raises(UsageError, match="0 held-out losses for 60 rates"):
        without.suggest(held_out=True)


def test_it_is_what_figures_and_pages_ask_for():
    assert isinstance(RangeTest.from_curve([0.1], [1.0], ramp="linear"), RangeCurve)
