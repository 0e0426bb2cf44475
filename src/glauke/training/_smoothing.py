"""A noisy curve made smooth without lag, with the uncertainty of its level and slope. NumPy only.

An exponential moving average looks back, so whatever it shows happened earlier: by a factor of 3 to 5 in the
learning rate on the usual range test. Here a parabola is fitted around every point, as far to the right as to
the left (local polynomial regression: Cleveland, "Robust locally weighted regression", 1979; Fan & Gijbels,
"Local polynomial modelling", 1996).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

Curve = Float[np.ndarray, " n"]

MIN_POINTS = 6
"""A parabola through fewer points leaves nothing to tell noise from shape."""

_DEGREE = 2
_MAX_WIDTH = 250  # steps each way; keeps a curve of 10,000 points within a second
_NUM_WIDTHS = 12
_SLACK = (
    1.1  # of two widths that predict about equally well the wider one wins, because it invents fewer wiggles
)


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
    fits = [_fit(curve, width) for width in _widths(n)]
    errors = np.stack([_local_error(curve, values, leverage) for values, _, leverage, _, _ in fits])
    good = errors <= _SLACK * errors.min(axis=0)
    choice = len(fits) - 1 - good[::-1].argmax(axis=0)

    def chosen(column: int) -> Curve:
        return np.stack([fit[column] for fit in fits])[choice, np.arange(n)]

    noise = _noise(curve)
    return Smooth(
        values=chosen(0),
        slopes=chosen(1),
        value_errors=noise * chosen(3),
        slope_errors=noise * chosen(4),
        noise=noise,
    )


def _widths(n: int) -> Int[np.ndarray, " k"]:
    narrowest = _DEGREE + 2  # at the ends, where half of the window is missing, still two points to spare
    widest = max(narrowest, min(n / 2, _MAX_WIDTH))
    return np.unique(np.geomspace(narrowest, widest, _NUM_WIDTHS).round().astype(int))


def _fit(curve: Curve, width: int) -> tuple[Curve, Curve, Curve, Curve, Curve]:
    """Level, slope, leverage, and the errors of level and slope for noise of deviation 1."""
    steps = np.arange(-width, width + 1)
    scaled = steps / width  # so that the powers below stay near 1
    kernel = (1 - np.abs(steps / (width + 1)) ** 3) ** 3  # tricube

    def moment(values: Curve, weights: Curve, power: int) -> Curve:
        # Sum over the window of weight * offset^power * value; what lies beyond the ends counts nothing.
        return np.convolve(values, (weights * scaled**power)[::-1])[width : width + len(values)]

    def matrices(weights: Curve) -> Float[np.ndarray, "n d d"]:
        ones = np.ones(len(curve))
        moments = [moment(ones, weights, power) for power in range(2 * _DEGREE + 1)]
        rows = [np.stack(moments[row : row + _DEGREE + 1], axis=-1) for row in range(_DEGREE + 1)]
        return np.stack(rows, axis=-2)

    inverse = np.linalg.inv(matrices(kernel))
    right = np.stack([moment(curve, kernel, power) for power in range(_DEGREE + 1)], axis=-1)
    level, slope = np.einsum("nij,nj->in", inverse, right)[:2]
    covariance = inverse @ matrices(kernel**2) @ inverse
    leverage = inverse[:, 0, 0] * kernel[width]
    value_error, slope_error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2).T[:2])
    return level, slope / width, leverage, value_error, slope_error / width


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
    kernel = (1 - np.abs(np.arange(-reach, reach + 1) / (reach + 1)) ** 3) ** 3
    near = slice(reach, reach + n)
    return np.convolve(squared, kernel)[near] / np.convolve(np.ones(n), kernel)[near]


def _noise(curve: Curve) -> float:
    """Deviation from the middle of the neighbours (Gasser et al., 1986); the median forgives an explosion."""
    bends = (curve[1:-1] - (curve[:-2] + curve[2:]) / 2) * np.sqrt(2 / 3)
    return float(1.4826 * np.median(np.abs(bends)))  # 1.4826: median of |x| to deviation for Gaussian noise
