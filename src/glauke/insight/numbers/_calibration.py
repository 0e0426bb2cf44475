"""Whether a network that says 80 % is right in 80 of 100 cases, and the temperature that mends it.

The expected calibration error is that of Naeini et al., "Obtaining well calibrated probabilities using Bayesian
binning", 2015, as in Guo et al., "On calibration of modern neural networks", 2017 (arXiv 1706.04599), equations 1 to 3;
the temperature is section 4.2 of the latter.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from glauke.errors import UsageError

from ._predictions import ROWS, Predictions

LOWEST, HIGHEST = 0.01, 100.0
"""The temperature's limits: it would fall to 0 where all pictures are right, and rise for ever where few are."""
CHANCES = 200  # draws; their mean is then within a hundredth or two of itself


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reliability:
    """Confidence against accuracy in bins of equal width; a bin holds its upper edge, and NaN where it is empty."""

    edges: Float64[np.ndarray, " edges"]
    """One more than bins, from 0 to 1."""
    confidence: Float64[np.ndarray, " bins"]
    """Mean in each bin."""
    accuracy: Float64[np.ndarray, " bins"]
    """Share of the bin's pictures that are right."""
    counts: Int64[np.ndarray, " bins"]
    ece: float
    """Expected calibration error: distance of the two, averaged over pictures; 0 is perfect."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration(Reliability):
    """Reliability as it is, and after the logits were divided by a temperature.

    What is said of the scaled probabilities is honest: each half of the pictures is scaled by the temperature that
    was fitted on the other half.
    """

    ece_by_chance: float
    """What `ece` would be on average of as many pictures, were each right with the probability that it was given: the
    error counts every deviation, so that it is never 0, and of few pictures it is large."""
    gap: float
    """Mean confidence less accuracy: above 0 the network claims too much."""
    gap_error: float
    """Standard error of `gap`, were each picture right with the probability that it was given."""
    nll: float
    """Mean negative log-likelihood in nats, the cross-entropy."""
    temperature: float
    """Fitted on all pictures: the one to use from now on. Above 1 it makes every answer less sure."""
    fold_temperatures: tuple[float, float]
    """Fitted on either half; what the scaled probabilities were made with."""
    scaled: Reliability
    nll_scaled: float

    @property
    def ece_scaled(self) -> float:
        """Expected calibration error of the scaled probabilities."""
        return self.scaled.ece

    @property
    def gap_shown(self) -> bool:
        """Whether `gap` is more than chance makes of as many pictures, at a level of 5 %."""
        return abs(self.gap) > 1.96 * self.gap_error

    @property
    def fits(self) -> bool:
        """Whether there is a best temperature: none where the loss falls all the way to one of the limits."""
        return LOWEST < self.temperature < HIGHEST

    @property
    def helps(self) -> bool:
        """Whether the temperature of either half lessens the loss and the calibration error of the other."""
        return self.fits and self.nll_scaled < self.nll and self.ece_scaled < self.ece

    def __repr__(self) -> str:
        """In one line; the numbers are in the fields."""
        from .._cards import calibration_line

        return f"Calibration({calibration_line(self)})"

    def _repr_html_(self) -> str:
        from .._cards import calibration_card

        return calibration_card(self)


def calibration(predictions: Predictions, *, bins: int = 15) -> Calibration:
    """Compare confidence with accuracy, and find the temperature with the least negative log-likelihood.

    The halves alternate within each class, in the order of the pack, so that they are always the same.

    Raises:
        UsageError: less than one bin, or a single picture.
    """
    if bins < 1:
        raise UsageError(f"the number of bins must be at least 1, not {bins}")
    if len(predictions) < 2:
        raise UsageError("calibration is judged on one half of the pictures and fitted on the other: 1 is too few")
    logits, labels = predictions.logits, predictions.labels
    right = predictions.predicted == labels
    odd = _odd_half(predictions)
    of_even, of_odd = (fit_temperature(logits[half], labels[half]) for half in (~odd, odd))
    temperatures = np.where(odd, of_even, of_odd)
    confidence = predictions.confidence
    raw = reliability(confidence, right, bins=bins)
    return Calibration(
        edges=raw.edges,
        confidence=raw.confidence,
        accuracy=raw.accuracy,
        counts=raw.counts,
        ece=raw.ece,
        ece_by_chance=ece_by_chance(confidence, bins=bins),
        gap=float(confidence.mean() - right.mean()),
        gap_error=float(np.sqrt((confidence * (1 - confidence)).sum()) / len(confidence)),
        nll=float(predictions.losses.mean()),
        temperature=fit_temperature(logits, labels),
        fold_temperatures=(of_even, of_odd),
        scaled=reliability(_confidence(logits, temperatures), right, bins=bins),
        nll_scaled=_likelihood(logits, labels, temperatures),
    )


def reliability(confidence: Float64[np.ndarray, " n"], right: Bool[np.ndarray, " n"], *, bins: int) -> Reliability:
    """Put pictures into bins (i / bins, (i + 1) / bins] by their confidence.

    >>> found = reliability(np.array([0.5, 0.9, 0.7]), np.array([False, True, True]), bins=2)
    >>> found.counts.tolist(), found.accuracy.tolist(), round(found.ece, 4)
    ([1, 2], [0.0, 1.0], 0.3)
    """
    edges = np.linspace(0, 1, bins + 1)
    place = _bins(confidence, edges)
    counts = np.bincount(place, minlength=bins)
    said = np.bincount(place, weights=confidence, minlength=bins)
    hits = np.bincount(place, weights=right, minlength=bins)
    filled = np.where(counts > 0, counts, np.nan)
    return Reliability(
        edges=edges,
        confidence=said / filled,
        accuracy=hits / filled,
        counts=counts.astype(np.int64),
        ece=float(np.abs(hits - said).sum() / len(confidence)),
    )


def ece_by_chance(confidence: Float64[np.ndarray, " n"], *, bins: int) -> float:
    """Mean calibration error of pictures that are right exactly as often as they were said to be.

    Found by drawing, always with the same numbers. The error's bias: Kumar, Liang and Ma, "Verified uncertainty
    calibration", 2019 (arXiv 1909.10155), section 4.

    >>> found = ece_by_chance(np.full(100, 0.5), bins=15)  # 0.5 * sqrt(2 / pi / 100) for many pictures
    >>> abs(found - 0.040) < 0.005
    True
    """
    place = _bins(confidence, np.linspace(0, 1, bins + 1))
    said, draws, total = np.bincount(place, weights=confidence, minlength=bins), np.random.default_rng(0), 0.0
    for _ in range(CHANCES):
        hits = np.bincount(place[draws.random(len(confidence)) < confidence], minlength=bins)
        total += float(np.abs(hits - said).sum())
    return total / CHANCES / len(confidence)


def fit_temperature(logits: Float32[np.ndarray, "n classes"], labels: Int64[np.ndarray, " n"]) -> float:
    """The temperature T with the least cross-entropy of softmax(logits / T).

    The cross-entropy is convex in 1 / T, so Newton's method finds the only minimum, with bisection wherever a step
    would leave the bracket. Where there is none inside `LOWEST` to `HIGHEST`, the nearer of the two; 1 where T
    changes nothing.
    """
    low, high = 1 / HIGHEST, 1 / LOWEST
    if _slopes(logits, labels, high)[0] < 0:
        return LOWEST
    if _slopes(logits, labels, low)[0] > 0:
        return HIGHEST
    scale = 1.0
    for _ in range(100):
        slope, curvature = _slopes(logits, labels, scale)
        if slope == 0:
            break
        low, high = (low, scale) if slope > 0 else (scale, high)
        newton = scale - slope / curvature if curvature > 0 else np.inf
        following = newton if low < newton < high else float(np.sqrt(low * high))
        settled = abs(following - scale) <= 1e-6 * scale
        scale = following
        if settled:
            break
    return 1 / scale


def _bins(confidence: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The bin of each picture; it holds its upper edge."""
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, len(edges) - 2)


def _odd_half(predictions: Predictions) -> Bool[np.ndarray, " n"]:
    odd = np.zeros(len(predictions), bool)
    odd[np.lexsort((predictions.samples, predictions.labels))[1::2]] = True
    return odd


def _slopes(logits: np.ndarray, labels: np.ndarray, scale: float) -> tuple[float, float]:
    """First and second derivative of the mean cross-entropy by `scale`: mean and variance of the logits' distances."""
    first = second = 0.0
    for _, distances in _distances(logits, labels):
        weights = np.exp(scale * (distances - distances.max(axis=1, keepdims=True)))
        weights /= weights.sum(axis=1, keepdims=True)
        mean = (weights * distances).sum(axis=1)
        first += float(mean.sum())
        second += float((weights * (distances - mean[:, None]) ** 2).sum())
    return first / len(labels), second / len(labels)


def _likelihood(logits: np.ndarray, labels: np.ndarray, temperatures: np.ndarray) -> float:
    total = 0.0
    for rows, distances in _distances(logits, labels):
        scaled = distances / temperatures[rows, None]
        highest = scaled.max(axis=1)
        total += float((highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))).sum())
    return total / len(labels)


def _confidence(logits: np.ndarray, temperatures: np.ndarray) -> Float64[np.ndarray, " n"]:
    found = np.empty(len(logits), np.float64)
    for rows, distances in _distances(logits, logits.argmax(axis=1)):
        found[rows] = 1 / np.exp(distances / temperatures[rows, None]).sum(axis=1)
    return found


def _distances(logits: np.ndarray, classes: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Each row's logits less the one of its class, some thousand rows at a time."""
    for start in range(0, len(logits), ROWS):
        rows = slice(start, start + ROWS)
        block = logits[rows].astype(np.float64)
        yield rows, block - np.take_along_axis(block, classes[rows, None], axis=1)
