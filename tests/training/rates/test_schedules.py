"""The schedules against PyTorch's, and at the places where PyTorch's is not defined."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glauke.errors import UnknownNameError, UsageError
from glauke.training import exponential_ramp, linear_ramp, one_cycle, one_cycle_momentum

ANNEALS = {"linear": "linear", "cosine": "cos"}  # ours: theirs


def test_a_cycle_worked_by_hand():
    rates = [one_cycle(s, num_steps=9, peak_step=4, peak_lr=1.0, start_div=5, end_div=2) for s in range(9)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 0.775, 0.55, 0.325, 0.1], rel=1e-15)
    momenta = [one_cycle_momentum(s, num_steps=5, peak_step=2, low=0.8, high=0.9) for s in range(5)]
    assert momenta == pytest.approx([0.9, 0.85, 0.8, 0.85, 0.9], rel=1e-15)
    halfway = one_cycle(1, num_steps=5, peak_step=4, peak_lr=1.0, start_div=5, anneal="cosine")
    assert halfway == pytest.approx(0.2 + 0.8 * (1 - math.cos(math.pi / 4)) / 2, rel=1e-15)


@settings(deadline=None, max_examples=40)
@given(
    num_steps=st.integers(3, 80),
    peak=st.floats(0.05, 0.95),
    anneal=st.sampled_from(sorted(ANNEALS)),
    peak_lr=st.floats(1e-4, 10),
    start_div=st.floats(1, 100),
    end_div=st.floats(1, 1e6),
    momenta=st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)).map(sorted),
)
def test_the_cycle_is_that_of_pytorch(num_steps, peak, anneal, peak_lr, start_div, end_div, momenta):
    peak_step = peak * num_steps - 1
    if peak_step <= 0:
        return  # theirs divides by it
    low, high = momenta
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.5)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=peak_lr,
        total_steps=num_steps,
        pct_start=peak,
        anneal_strategy=ANNEALS[anneal],
        div_factor=start_div,
        final_div_factor=end_div,
        base_momentum=low,
        max_momentum=high,
    )
    for step in range(num_steps):
        cycle = {"num_steps": num_steps, "peak_step": peak_step, "anneal": anneal}
        rate = one_cycle(step, peak_lr=peak_lr, start_div=start_div, end_div=end_div, **cycle)
        momentum = one_cycle_momentum(step, low=low, high=high, **cycle)
        (group,) = optimizer.param_groups
        assert rate == pytest.approx(group["lr"], rel=1e-9, abs=1e-14 * peak_lr)
        assert momentum == pytest.approx(group["momentum"], rel=1e-9, abs=1e-14)
        optimizer.step()
        if step < num_steps - 1:
            theirs.step()


@settings(deadline=None)
@given(data=st.data(), num_steps=st.integers(1, 60), anneal=st.sampled_from(sorted(ANNEALS)))
def test_the_rate_rises_to_its_peak_and_falls_and_is_never_negative(data, num_steps, anneal):
    peak_step = data.draw(st.floats(0, num_steps - 1) | st.integers(0, num_steps - 1))
    end_div = data.draw(st.sampled_from([1.0, 3.0, 1e4, 1e300, math.inf]))
    cycle = {"num_steps": num_steps, "peak_step": peak_step, "peak_lr": 0.7, "anneal": anneal}
    rates = [one_cycle(step, end_div=end_div, **cycle) for step in range(num_steps)]
    top = max(range(num_steps), key=rates.__getitem__)
    assert all(0 <= rate <= 0.7 for rate in rates)
    assert rates[: top + 1] == sorted(rates[: top + 1]) and rates[top:] == sorted(rates[top:], reverse=True)
    assert abs(top - peak_step) <= 1


@pytest.mark.parametrize("anneal", sorted(ANNEALS))
def test_the_places_where_pytorch_divides_by_zero(anneal):
    first = {"num_steps": 4, "peak_step": 0, "peak_lr": 0.5, "anneal": anneal}
    assert one_cycle(0, **first) == 0.5 and one_cycle(3, **first) == 0.5 / 25 / 1e4
    last = {"num_steps": 4, "peak_step": 3, "peak_lr": 0.5, "anneal": anneal}
    assert one_cycle(0, **last) == 0.5 / 25 and one_cycle(3, **last) == 0.5
    assert one_cycle(0, num_steps=1, peak_step=0, peak_lr=0.5, anneal=anneal) == 0.5
    assert one_cycle_momentum(0, num_steps=1, peak_step=0, anneal=anneal) == 0.85
    with pytest.raises(ZeroDivisionError):  # pct_start * total_steps == 1: if this passes one day, good for them
        torch.optim.lr_scheduler.OneCycleLR(
            torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), 0.5, total_steps=4, pct_start=0.25
        )


def test_the_peak_at_the_end_of_epoch_10():
    rates = [one_cycle(step, num_steps=6850, peak_step=1369, peak_lr=0.4) for step in range(6850)]
    assert rates.index(max(rates)) == 10 * 137 - 1 and max(rates) == 0.4


def test_a_cycle_may_end_at_exactly_zero():
    assert one_cycle(9, num_steps=10, peak_step=3, peak_lr=0.5, end_div=math.inf) == 0.0


@settings(deadline=None)
@given(
    num_steps=st.integers(2, 300),
    start=st.floats(1e-9, 1e-2),
    factor=st.floats(1.5, 1e9),
)
def test_ramps_begin_and_end_exactly_and_climb(num_steps, start, factor):
    for ramp in (linear_ramp, exponential_ramp):
        rates = [ramp(s, num_steps=num_steps, start=start, end=start * factor) for s in range(num_steps)]
        assert rates[0] == start and rates[-1] == start * factor
        assert all(a < b for a, b in pairwise(rates))
    ratios = [b / a for a, b in pairwise(rates)]  # of the exponential one
    assert ratios == pytest.approx([ratios[0]] * len(ratios), rel=1e-9)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"step": -1}, "step -1 .* 0 to 9"),
        ({"step": 10}, "step 10 .* 10 steps"),
        ({"num_steps": 0}, "step 0 .* 0 steps"),
        ({"peak_step": 9.5}, "9.5 .* 0 to 9"),
        ({"peak_step": -0.1}, "-0.1"),
        ({"peak_step": math.nan}, "nan"),
        ({"peak_lr": -0.1}, "-0.1"),
        ({"peak_lr": math.nan}, "nan"),
        ({"peak_lr": math.inf}, "inf"),
        ({"start_div": 0.5}, "0.5"),
        ({"end_div": 0.0}, "0.0"),
        ({"end_div": math.nan}, "nan"),
    ],
)
def test_a_cycle_that_is_none_is_refused_with_its_numbers(change, told):
    numbers = {"step": 0, "num_steps": 10, "peak_step": 3, "peak_lr": 0.1} | change
    with pytest.raises(UsageError, match=told):
        one_cycle(numbers.pop("step"), **numbers)


def test_wrong_names_and_momenta_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'cosine'"):
        one_cycle(0, num_steps=2, peak_step=1, peak_lr=0.1, anneal="cos")
    for low, high in ((0.9, 0.8), (-0.1, 0.5), (0.5, 1.0), (0.5, math.nan)):
        with pytest.raises(UsageError, match=f"{low} to {high}"):
            one_cycle_momentum(0, num_steps=2, peak_step=1, low=low, high=high)


@pytest.mark.parametrize("ramp", [linear_ramp, exponential_ramp])
@pytest.mark.parametrize(
    "change",
    [
        {"step": -1},
        {"step": 5},
        {"num_steps": 1},
        {"start": -0.1},
        {"start": math.nan},
        {"end": math.nan},
        {"end": math.inf},
        {"start": 1.0},
        {"start": 2.0},
    ],
)
def test_a_ramp_that_is_none_is_refused(ramp, change):
    numbers = {"step": 0, "num_steps": 5, "start": 0.1, "end": 1.0} | change
    with pytest.raises(UsageError, match=str(*change.values())):
        ramp(numbers.pop("step"), **numbers)


def test_only_a_linear_ramp_may_begin_at_zero():
    assert linear_ramp(0, num_steps=2, start=0.0, end=1.0) == 0.0
    with pytest.raises(UsageError, match="0 < start"):
        exponential_ramp(0, num_steps=2, start=0.0, end=1.0)
