"""The rules that read a learning rate from a range test, and the cases in which none can be read.

Whether a rate is meant to stay constant or to be the peak of a cycle is part of the answer, because the two
differ: a constant rate has to suit the whole run, the peak of One Cycle is held for a few steps only and is
usually higher.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from glauke.errors import UnknownNameError

from ._smoothing import MIN_POINTS, Curve, Smooth, smooth

CONSTANT, PEAK = "constant rate", "one-cycle peak"

_SURE = 4.0  # standard errors: the least of a hundred slopes is looked at, so two would often be noise

_EDGES = {
    "complete": "the largest rate tested; go on to a higher one",
    "not finite": "the last rate before the loss was not finite; take more steps",
    "interrupted": "the largest rate before the test was interrupted; let it run on",
    "out of data": "the largest rate before the batches ended; give more of them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What one rule makes of a range test."""

    rule: str
    """"steepest", "minimum" or "valley"."""

    rate: float | None
    """Inside the tested range, or None: there is no safe suggestion, and `reason` says why."""

    reason: str
    """A sentence with the numbers that led here."""

    estimates: str
    """"constant rate" for a run at one rate, or "one-cycle peak" for the highest rate of a cycle."""

    index: int | None
    """The tested rate nearest to `rate`, as an index into the curve."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Evidence:
    """A curve that falls by more than its noise, as the rules look at it."""

    rates: Curve
    axis: Curve
    """What the ramp climbs evenly: the rate, or its decimal logarithm."""
    unit: str
    """What one unit of `axis` is called."""
    edge: str
    """What the last point is, and what to do if the answer lies there."""
    curve: Smooth


def suggest(rule: str, *, rates: Curve, losses: Curve, ramp: str, num_steps: int, ended: str) -> Suggestion:
    """Apply a rule to the points before the first loss that is not finite.

    Raises `UnknownNameError` for a rule that is not in `RULES`.
    """
    if rule not in RULES:
        raise UnknownNameError(rule, kind="rule", known=RULES)
    apply, estimates = RULES[rule]
    finite = np.isfinite(losses)
    count = len(losses) if finite.all() else int(finite.argmin())
    rates, curve = rates[:count], smooth(losses[:count])
    trouble = _too_few(rates, num_steps, ended) or _no_fall(rates, curve)
    if trouble:
        return Suggestion(rule=rule, rate=None, reason=trouble, estimates=estimates, index=None)
    linear = ramp == "linear"
    axis = rates if linear else np.log10(rates)
    edge = _EDGES.get("not finite" if count < len(losses) else ended, _EDGES["complete"])
    evidence = _Evidence(rates=rates, axis=axis, unit="unit" if linear else "decade", edge=edge, curve=curve)
    rate, reason = apply(evidence)
    if rate is None:
        return Suggestion(rule=rule, rate=None, reason=reason, estimates=estimates, index=None)
    place = rate if linear else np.log10(rate)
    index = int(np.abs(axis - place).argmin())
    return Suggestion(rule=rule, rate=rate, reason=reason, estimates=estimates, index=index)


def _steepest(evidence: _Evidence) -> tuple[float | None, str]:
    """Where the smoothed loss falls fastest along the ramp's own axis. Estimates a constant rate.

    The usual rule of range tests in Lightning, torch-lr-finder and fastai's `steep`. At that rate training
    gains most per step right now, which makes it a guess for a rate that stays; a good One Cycle peak usually
    lies above it.

    Two surprises. Four standard errors are added to every slope before the least is taken, so noise at the
    ends of the curve, where a slope is hardly known, is not mistaken for a fall. And only new lows count:
    coming back from a bump is no progress.
    """
    curve, rates = evidence.curve, evidence.rates
    per_step = np.gradient(evidence.axis)
    slopes, errors = curve.slopes / per_step, curve.slope_errors / per_step
    low = curve.values <= np.minimum.accumulate(curve.values)
    sure = slopes + _SURE * errors
    index = int(np.where(low, sure, np.inf).argmin())
    rate = float(rates[index])
    if index == 0:
        return None, f"the loss falls fastest at the smallest rate tested, {rate:.3g}; start lower"
    if index == len(rates) - 1:
        return None, f"the loss falls fastest at {rate:.3g}, {evidence.edge}"
    first, last = _stretch(slopes <= sure[index], index)
    return rate, (
        f"the smoothed loss falls fastest at {rate:.3g}, by {-slopes[index]:.2g} per {evidence.unit}"
        + _about(rates, first, last, "it falls about as fast")
    )


def _minimum(evidence: _Evidence) -> tuple[float | None, str]:
    """A tenth of the rate at which the smoothed loss is least. Estimates a One Cycle peak.

    fastai's `minimum`: where the loss is least it is about to rise, so the largest safe rate lies an order
    below.
    """
    values, rates = evidence.curve.values, evidence.rates
    index = int(values.argmin())
    rate, least = float(rates[index]) / 10, f"{rates[index]:.3g}"
    if index == len(rates) - 1:
        return None, f"the smoothed loss is least at {least}, {evidence.edge}"
    if rate < rates[0]:
        return (
            None,
            f"a tenth of {least}, where the smoothed loss is least, is below the tested range; start lower",
        )
    near = values <= values[index] + 2 * evidence.curve.value_errors[index]
    first, last = _stretch(near, index)
    return rate, (
        f"the smoothed loss is least, {values[index]:.3g}, at {least}; a tenth of that is {rate:.3g}"
        + _about(rates, first, last, "the loss is about as low")
    )


def _valley(evidence: _Evidence) -> tuple[float | None, str]:
    """The middle of the longest decline of the smoothed loss. Estimates a One Cycle peak, cautiously.

    After fastai's default rule of the same name, which looks for the longest decreasing subsequence and takes
    its middle. Here the flat tops and bottoms do not count: the middle is that of the part from 5 % to 95 %
    of the way down.
    """
    curve, rates = evidence.curve, evidence.rates
    decline = longest_decline(curve.values)
    values = curve.values[decline]
    fall = float(values[0] - values[-1])
    if not _stands_out(curve, decline[0], decline[-1]):
        return (
            None,
            f"the longest decline of the loss, by {fall:.2g}, is within its noise of {curve.noise:.2g}",
        )
    steep = [i for i, value in zip(decline, values, strict=True) if 0.05 * fall <= values[0] - value <= 0.95 * fall]
    first, last = (steep[0], steep[-1]) if steep else (decline[0], decline[-1])
    rate = float(rates[(first + last) // 2])
    return rate, (
        f"the longest decline of the smoothed loss, from {values[0]:.3g} to {values[-1]:.3g}, "
        f"happens between {rates[first]:.3g} and {rates[last]:.3g}; its middle is {rate:.3g}"
    )


RULES: dict[str, tuple[Callable[[_Evidence], tuple[float | None, str]], str]] = {
    "steepest": (_steepest, CONSTANT),
    "minimum": (_minimum, PEAK),
    "valley": (_valley, PEAK),
}
"""Every rule by its name, with what it estimates."""


def longest_decline(values: Curve) -> list[int]:
    """Indices of the longest strictly decreasing subsequence, by patience sorting in O(n log n).

    >>> longest_decline(np.array([5.0, 9.0, 4.0, 4.5, 3.0, 8.0, 1.0]))
    [1, 3, 4, 6]
    """
    ends: list[float] = []  # ends[k]: the best last value, negated, of a decline of k + 1 points
    tails: list[int] = []  # and where it is
    before: list[int] = []  # the point before each point in the best decline that ends there
    for index, value in enumerate((-values).tolist()):
        length = bisect_left(ends, value)
        before.append(tails[length - 1] if length else -1)
        ends[length:] = [value, *ends[length + 1 :]]
        tails[length:] = [index, *tails[length + 1 :]]
    found = []
    index = tails[-1] if tails else -1
    while index >= 0:
        found.append(index)
        index = before[index]
    return found[::-1]


def _too_few(rates: Curve, num_steps: int, ended: str) -> str | None:
    count = len(rates)
    if count >= MIN_POINTS:
        return None
    short = f"{count} of {num_steps} points, and at least {MIN_POINTS} are needed to read a rate"
    if count == 0 and ended == "not finite":
        return "the loss was not finite before the first step; look at the data, the loss and the precision"
    if ended in ("diverged", "not finite"):
        return f"the test diverged at once, leaving {short}; start below {rates[0]:.3g}"
    if ended == "out of data":
        return f"the batches ended after {short}; give more of them, or an iterable that can begin again"
    return f"there are {short}"


def _no_fall(rates: Curve, curve: Smooth) -> str | None:
    """Say so if the loss never gets below where it began by more than the noise explains."""
    values = curve.values
    if _stands_out(curve, 0, int(values.argmin())):
        return None
    high = int(values.argmax())
    low = int(values[: high + 1].argmin())
    if _stands_out(curve, high, low):
        rise = f"rises, from {values[low]:.3g} at a rate of {rates[low]:.3g} to {values[high]:.3g} at {rates[high]:.3g}"
        if low < len(values) / 10:
            return f"the loss only {rise}; start below {rates[0]:.3g}"
        return f"the loss falls by no more than its noise before it {rise}; take more steps or larger batches"
    fall = round(float(values[0] - values.min()), 9)
    return (
        f"the loss looks flat from {rates[0]:.3g} to {rates[-1]:.3g}: it falls by {fall:.2g}, "
        f"which {len(rates)} points with a noise of {curve.noise:.2g} each cannot tell from chance; "
        "try a wider range, larger batches or more steps"
    )


def _stands_out(curve: Smooth, above: int, below: int) -> bool:
    """Whether a fall is larger than noise makes one on a flat curve in about one test of a hundred."""
    fall = curve.values[above] - curve.values[below]
    # Four standard errors, for the best of all pairs is looked at; more where few points tell of the noise.
    enough = 4 * (1 + 4 / len(curve.values)) * np.hypot(curve.value_errors[above], curve.value_errors[below])
    return bool(fall > max(enough, 1e-6 * np.abs(curve.values[above])))


def _stretch(holds: Float[np.ndarray, " n"] | np.ndarray, index: int) -> tuple[int, int]:
    """First and last place of the unbroken run of True around `index`."""
    breaks = np.flatnonzero(~holds)
    before, after = breaks[breaks < index], breaks[breaks > index]
    return (int(before[-1]) + 1 if len(before) else 0), (int(after[0]) - 1 if len(after) else len(holds) - 1)


def _about(rates: Curve, first: int, last: int, what: str) -> str:
    return f"; from {rates[first]:.3g} to {rates[last]:.3g} {what}" if last > first else ""
