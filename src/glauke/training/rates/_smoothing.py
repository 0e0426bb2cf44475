"""A noisy curve made smooth without lag, with the uncertainty of its level and slope. NumPy only.

An exponential moving average looks back, so whatever it shows happened earlier: by a factor of 3 to 5 in the
learning rate on the usual range test. Here a parabola is fitted around every point, as far to the right as to
the left (local polynomial regression: Cleveland, "Robust locally weighted regression", 1979; Fan & Gijbels,
"Local polynomial modelling", 1996).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

Curve = Float[np.ndarray, " n"]
Weights = Float[np.ndarray, " window"]

MIN_POINTS = 6
"""A parabola through fewer points leaves nothing to tell noise from shape."""

_DEGREE = 2
_MAX_WIDTH = 250  # steps each way; keeps a curve of 10,000 points within a second
_NUM_WIDTHS = 12
_SLACK = 1.1  # of two widths that predict about equally well the wider one wins, because it invents fewer wiggles


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Smooth:
    """A curve with its noise taken off; everything per step, in the units of the curve."""

    values: Curve
    """Level at every step."""

    slopes: Curve
    """Change per step at every step, from the fitted parabola itself."""

    value_errors: Curve
    """Standard error of `values`, from the noise alone."""

    slope_errors: Curve
    """Standard error of `slopes`, from the noise alone; largest at both ends, where one side is missing."""

    noise: float
    """Standard deviation of one point about the curve."""


def smooth(curve: Curve) -> Smooth:
    """Fit a parabola around every point, over a width that leave-one-out prediction chooses there.

    The width follows the curve: a few steps where a loss drops, half the curve where it lies flat. A width is
    judged by how well it predicts the points nearby from their neighbours; of those within 10 % of the best
    the widest is taken. Fewer than `MIN_POINTS` points come back as they are, with no slope and infinite
    errors.

    >>> line = smooth(np.linspace(5.0, 4.0, 11))
    >>> line.values[:3].round(6).tolist(), line.slopes[:2].round(6).tolist()
    ([5.0, 4.9, 4.8], [-0.1, -0.1])
    """
    n = len(curve)
    if n < MIN_POINTS:
        unknown = np.full(n, np.inf)
        return Smooth(
            values=curve.copy(),
            slopes=np.zeros(n),
            value_errors=unknown,
            slope_errors=unknown.copy(),
            noise=0.0,
        )
    curve = np.clip(curve, -1e100, 1e100)  # squares stay finite
    designs = [_design(n, width) for width in _widths(n)]
    fits = [_fit(curve, design) for design in designs]
    errors = [_local_error(curve, fit[0], design.leverage) for fit, design in zip(fits, designs, strict=True)]
    good = np.stack(errors) <= _SLACK * np.min(errors, axis=0)
    choice = len(fits) - 1 - good[::-1].argmax(axis=0)

    def chosen(columns: list[Curve]) -> Curve:
        return np.stack(columns)[choice, np.arange(n)]

    noise = _noise(curve)
    return Smooth(
        values=chosen([values for values, _ in fits]),
        slopes=chosen([slopes for _, slopes in fits]),
        value_errors=noise * chosen([design.value_errors for design in designs]),
        slope_errors=noise * chosen([design.slope_errors for design in designs]),
        noise=noise,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Design:
    """What a fit of one width to a curve of n points needs and the points themselves do not change."""

    width: int
    kernel: Weights
    inverse: Float[np.ndarray, "n d d"]
    leverage: Curve
    """Weight of a point in its own level."""
    value_errors: Curve
    """Standard error of the level for noise of deviation 1; the next one is that of the slope."""
    slope_errors: Curve


def _widths(n: int) -> list[int]:
    narrowest = _DEGREE + 2  # at the ends, where half of the window is missing, still two points to spare
    widest = max(narrowest, min(n / 2, _MAX_WIDTH))
    return np.unique(np.geomspace(narrowest, widest, _NUM_WIDTHS).round().astype(int)).tolist()


@lru_cache(maxsize=4 * _NUM_WIDTHS)  # every rule of a test asks for the same ones
def _design(n: int, width: int) -> _Design:
    kernel = _tricube(width)
    ones = np.ones(n)

    def matrices(weights: Weights) -> Float[np.ndarray, "n d d"]:
        moments = [_moment(ones, weights, power) for power in range(2 * _DEGREE + 1)]
        rows = [np.stack(moments[row : row + _DEGREE + 1], axis=-1) for row in range(_DEGREE + 1)]
        return np.stack(rows, axis=-2)

    inverse = np.linalg.inv(matrices(kernel))
    covariance = inverse @ matrices(kernel**2) @ inverse
    return _Design(
        width=width,
        kernel=kernel,
        inverse=inverse,
        leverage=inverse[:, 0, 0] * kernel[width],
        value_errors=np.sqrt(covariance[:, 0, 0]),
        slope_errors=np.sqrt(covariance[:, 1, 1]) / width,
    )


def _fit(curve: Curve, design: _Design) -> tuple[Curve, Curve]:
    """Level and slope of the parabola around every point."""
    right = np.stack([_moment(curve, design.kernel, power) for power in range(_DEGREE + 1)], axis=-1)
    level, slope = np.einsum("nij,nj->in", design.inverse, right)[:2]
    return level, slope / design.width


def _moment(values: Curve, weights: Weights, power: int) -> Curve:
    """Sum over the window of weight * offset^power * value; what lies beyond the ends counts nothing."""
    width = len(weights) // 2
    offsets = np.arange(-width, width + 1) / width  # in window widths, so that powers stay near 1
    return np.convolve(values, (weights * offsets**power)[::-1])[width : width + len(values)]


def _tricube(width: int) -> Weights:
    return (1 - np.abs(np.arange(-width, width + 1) / (width + 1)) ** 3) ** 3


def _local_error(curve: Curve, values: Curve, leverage: Curve) -> Curve:
    """Mean squared leave-one-out error around every step, an eighth of the curve each way."""
    n = len(curve)
    squared = ((curve - values) / np.maximum(1 - leverage, 1e-3)) ** 2
    # A loss that explodes at the end must not speak for the steps before it: above the level at which the
    # curve began, errors count in proportion to the height.
    top, bottom = curve[: max(3, n // 10)].max(), curve.min()
    above = curve > top
    squared[above] *= ((top - bottom) / (curve[above] - bottom)) ** 2
    reach = max(5, n // 8)
    kernel = _tricube(reach)
    near = slice(reach, reach + n)
    return np.convolve(squared, kernel)[near] / np.convolve(np.ones(n), kernel)[near]


def _noise(curve: Curve) -> float:
    """Deviation from the middle of the neighbours (Gasser et al., 1986); the median forgives an explosion."""
    bends = (curve[1:-1] - (curve[:-2] + curve[2:]) / 2) * np.sqrt(2 / 3)
    return float(1.4826 * np.median(np.abs(bends)))  # 1.4826: median of |x| to deviation for Gaussian noise
