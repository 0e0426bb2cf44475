"""Learning rates and momentum as arithmetic: step in, number out. Nothing here knows an optimizer.

Steps count from 0, so a run of `num_steps` ends with step `num_steps - 1`.
"""

from collections.abc import Callable
from math import cos, inf, isfinite, pi

from glauke.errors import UnknownNameError, UsageError

ANNEALS = ("linear", "cosine")
Number = float | int  # to people and static checkers an int is a float; to the checker in the tests it is not


def one_cycle(
    step: int,
    *,
    num_steps: int,
    peak_step: Number,
    peak_lr: Number,
    start_div: Number = 25.0,
    end_div: Number = 1e4,
    anneal: str = "linear",
) -> float:
    """Rate at `step` of a cycle from `peak_lr / start_div` up to `peak_lr` and down far below its start.

    Smith & Topin, "Super-Convergence", arXiv 1708.07120, in the two-phase form of fastai and of PyTorch's
    `OneCycleLR(pct_start=p)`, which is `peak_step = p * num_steps - 1` here. The rate at `peak_step` is
    exactly `peak_lr`. The last step has `peak_lr / start_div / end_div`, which is 0 for `end_div=inf`, unless
    the peak is the last step. A peak at the end of epoch 10 with 137 steps an epoch is step 1369: the last
    one of that epoch.

    Raises `UsageError` for a step outside the cycle, a peak outside it, and numbers that make no cycle;
    `UnknownNameError` for an anneal that is neither "linear" nor "cosine".

    >>> [round(one_cycle(step, num_steps=6850, peak_step=1369, peak_lr=0.4), 6) for step in (0, 1369, 6849)]
    [0.016, 0.4, 2e-06]
    """
    if not (isfinite(peak_lr) and peak_lr > 0):
        raise UsageError(f"the peak learning rate must be a positive number, not {peak_lr}")
    if not start_div >= 1:
        raise UsageError(
            f"the rate cannot climb from its peak divided by {start_div}", fix="let start_div be at least 1"
        )
    if not end_div > 0:
        raise UsageError(
            f"the starting rate cannot be divided by {end_div}", fix="let end_div be positive; inf ends at 0"
        )
    start = peak_lr / start_div
    end = 0.0 if end_div == inf else start / end_div
    return _there_and_back(
        step, num_steps=num_steps, peak_step=peak_step, start=start, peak=peak_lr, end=end, anneal=anneal
    )


def one_cycle_momentum(
    step: int,
    *,
    num_steps: int,
    peak_step: Number,
    low: Number = 0.85,
    high: Number = 0.95,
    anneal: str = "linear",
) -> float:
    """Momentum at `step`: `high` at both ends, `low` where the rate peaks (Smith, arXiv 1803.09820).

    The mirror image of `one_cycle`, with the same errors.

    >>> [one_cycle_momentum(step, num_steps=11, peak_step=5) for step in (0, 5, 10)]
    [0.95, 0.85, 0.95]
    """
    if not 0 <= low <= high < 1:
        raise UsageError(f"momentum must go from 0 <= low to high < 1, not from {low} to {high}")
    return _there_and_back(
        step, num_steps=num_steps, peak_step=peak_step, start=high, peak=low, end=high, anneal=anneal
    )


def linear_ramp(step: int, *, num_steps: int, start: Number, end: Number) -> float:
    """Rate at `step` of a climb by equal differences, as in Smith's range test (arXiv 1506.01186, 3.3).

    The first step has `start`, the last one `end`, exactly. Raises `UsageError` unless 0 <= start < end.

    >>> [linear_ramp(step, num_steps=5, start=0.0, end=1.0) for step in range(5)]
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    part = _part_of_ramp(step, num_steps=num_steps, start=start, end=end, least="0 <=")
    return _between(start, end, part)


def exponential_ramp(step: int, *, num_steps: int, start: Number, end: Number) -> float:
    """Rate at `step` of a climb by equal ratios, fastai's variant of the range test.

    The first step has `start`, the last one `end`, exactly. Raises `UsageError` unless 0 < start < end.

    >>> [round(exponential_ramp(step, num_steps=4, start=0.001, end=1.0), 6) for step in range(4)]
    [0.001, 0.01, 0.1, 1.0]
    """
    part = _part_of_ramp(step, num_steps=num_steps, start=start, end=end, least="0 <")
    return end if part == 1 else start * (end / start) ** part


RAMPS: dict[str, Callable[..., float]] = {"linear": linear_ramp, "exponential": exponential_ramp}
"""Every ramp by its name."""


def _there_and_back(
    step: int, *, num_steps: int, peak_step: Number, start: Number, peak: Number, end: Number, anneal: str
) -> float:
    if anneal not in ANNEALS:
        raise UnknownNameError(anneal, kind="anneal", known=ANNEALS)
    last = num_steps - 1
    _check_step(step, num_steps)
    if not 0 <= peak_step <= last:
        raise UsageError(f"a peak at step {peak_step} lies outside a run of {num_steps} steps, which are 0 to {last}")
    if step == peak_step:
        return peak
    if step < peak_step:
        part, begin, aim = step / peak_step, start, peak
    else:
        part, begin, aim = (step - peak_step) / (last - peak_step), peak, end
    return _between(begin, aim, part if anneal == "linear" else (1 - cos(pi * part)) / 2)


def _between(begin: Number, aim: Number, part: Number) -> float:
    # A weighted sum is exact at both ends and never below 0, which begin + part * (aim - begin) is not.
    return (1 - part) * begin + part * aim


def _part_of_ramp(step: int, *, num_steps: int, start: Number, end: Number, least: str) -> float:
    if num_steps < 2:
        raise UsageError(f"a ramp needs at least 2 steps, not {num_steps}")
    enough = start >= 0 if least == "0 <=" else start > 0
    if not (enough and start < end and isfinite(end)):
        raise UsageError(f"a ramp needs {least} start < end, not start {start} and end {end}")
    _check_step(step, num_steps)
    return step / (num_steps - 1)


def _check_step(step: int, num_steps: int) -> None:
    if not 0 <= step < num_steps:
        raise UsageError(f"step {step} lies outside a run of {num_steps} steps, which are 0 to {num_steps - 1}")
