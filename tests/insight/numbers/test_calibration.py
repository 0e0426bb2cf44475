"""Reliability worked by hand; a temperature that is put in is found again."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from glauke.errors import UsageError
from glauke.insight import calibration
from glauke.insight.numbers._calibration import HIGHEST, LOWEST, ece_by_chance, fit_temperature, reliability


def drawn(said, *, temperature, count=4000, classes=5, seed=0):
    """Labels drawn from softmax(logits / temperature): the temperature that makes the logits honest."""
    rng = np.random.default_rng(seed)
    logits = 3 * rng.normal(size=(count, classes))
    labels = (logits / temperature + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return said(logits=logits, labels=labels.tolist())


def test_bins_by_hand():
    # Bins of a fifth: 0.2 lies on an edge and belongs to the lower one; 0.5 and 0.6 share the third.
    confidence = np.array([0.2, 0.5, 0.6, 0.9, 1.0])
    found = reliability(confidence, np.array([True, True, False, True, True]), bins=5)

    assert found.edges == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert found.counts.tolist() == [1, 0, 2, 0, 2]
    assert found.confidence == pytest.approx([0.2, np.nan, 0.55, np.nan, 0.95], nan_ok=True)
    assert found.accuracy == pytest.approx([1, np.nan, 0.5, np.nan, 1], nan_ok=True)
    assert found.ece == pytest.approx((0.8 + 2 * 0.05 + 2 * 0.05) / 5)


def test_what_is_calibrated_stays_so(said):
    found = calibration(drawn(said, temperature=1))

    assert found.temperature == pytest.approx(1, abs=0.05)
    assert found.ece < 0.02 and found.ece_scaled < 0.02
    assert found.nll_scaled == pytest.approx(found.nll, abs=1e-3)


@pytest.mark.parametrize("temperature", [0.5, 2.5])
def test_a_temperature_is_found_and_mends(said, temperature):
    found = calibration(drawn(said, temperature=temperature))

    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.fold_temperatures == pytest.approx((temperature, temperature), rel=0.1)
    assert found.ece_scaled < 0.025 < found.ece
    assert found.nll_scaled < found.nll


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.3, 4))
def test_the_temperature_is_a_minimum_by_torch(said, seed, scale):
    found = drawn(said, temperature=1, count=60, seed=seed)
    logits, labels = found.logits * np.float32(scale), found.labels
    best = fit_temperature(logits, labels)

    def loss(temperature):
        return cross_entropy(torch.from_numpy(logits).double() / temperature, torch.from_numpy(labels)).item()

    assert LOWEST < best < HIGHEST
    assert loss(best) <= min(loss(best * 1.001), loss(best / 1.001)) + 1e-12


def test_each_half_is_scaled_by_what_the_other_says(said):
    """Of two pictures of each class one is right and the other wrong; no fit on a half can know of the other."""
    logits = np.array([[4.0, 0], [4.0, 0], [0, 4.0], [0, 4.0]])
    found = calibration(said(logits=logits, labels=[0, 0, 1, 1]))
    assert found.fold_temperatures == pytest.approx((LOWEST, LOWEST)) and found.nll_scaled == pytest.approx(0)

    mixed = calibration(said(logits=np.array([[4.0, 0], [0, 4.0], [0, 4.0], [4.0, 0]]), labels=[0, 0, 1, 1]))
    # The first half (rows 0 and 2) is right throughout and asks for certainty, which costs the other half 4 / 0.01.
    assert mixed.fold_temperatures == pytest.approx((LOWEST, HIGHEST))
    assert mixed.nll_scaled > 100
    # Fitted on all: half right, half wrong, so nothing should be said at all.
    assert mixed.temperature == pytest.approx(HIGHEST)


def test_the_numbers_are_those_of_the_scaled_logits(said):
    found = drawn(said, temperature=2, count=500)
    result = calibration(found, bins=7)
    odd = np.zeros(500, bool)
    odd[np.lexsort((found.samples, found.labels))[1::2]] = True
    of_even, of_odd = result.fold_temperatures
    assert of_even == pytest.approx(fit_temperature(found.logits[~odd], found.labels[~odd]))

    scaled = torch.from_numpy(found.logits).double() / torch.from_numpy(np.where(odd, of_even, of_odd))[:, None]
    assert result.nll_scaled == pytest.approx(cross_entropy(scaled, torch.from_numpy(found.labels)).item())
    confidence = scaled.softmax(1).amax(1).numpy()
    expected = reliability(confidence, found.predicted == found.labels, bins=7)
    assert result.scaled.counts.tolist() == expected.counts.tolist()
    assert result.ece_scaled == pytest.approx(expected.ece)
    assert result.counts.sum() == 500 and len(result.edges) == 8


def test_where_temperature_changes_nothing_it_is_1(said):
    assert calibration(said(logits=np.zeros((6, 3)), labels=[0, 1, 2, 0, 1, 2])).temperature == 1


def test_too_few_are_refused(said, noise):
    with pytest.raises(UsageError, match="1 is too few"):
        calibration(said([[0.5, 0.5]], [0]))
    with pytest.raises(UsageError, match="bins must be at least 1, not 0"):
        calibration(noise, bins=0)


def test_the_gap_and_its_standard_error_by_hand(said):
    found = calibration(said([[0.8, 0.2]] * 4, [0, 0, 0, 1]))

    assert found.gap == pytest.approx(0.8 - 0.75, abs=1e-6)
    assert found.gap_error == pytest.approx((4 * 0.8 * 0.2) ** 0.5 / 4, abs=1e-6)
    assert not found.gap_shown
    assert calibration(said([[0.99, 0.01]] * 20, [0] * 10 + [1] * 10)).gap_shown


def test_honest_networks_are_seldom_accused(said):
    """Of networks that are right exactly as often as they say, one in twenty at a level of 5 %."""
    accused = [calibration(drawn(said, temperature=1, count=539, seed=seed)).gap_shown for seed in range(60)]

    assert 0 < sum(accused) <= 9  # with p = 0.05 more than 9 of 60 come once in 2,000 such tests


@pytest.mark.parametrize("count", [30, 500])
def test_the_error_of_honest_networks_is_that_of_chance(said, count):
    found = [calibration(drawn(said, temperature=1, count=count, seed=seed)) for seed in range(60)]

    by_chance = np.mean([each.ece_by_chance for each in found])
    assert np.mean([each.ece for each in found]) == pytest.approx(by_chance, rel=0.1)


def test_the_error_by_chance_falls_with_the_root_of_the_number():
    few, many = (ece_by_chance(np.full(count, 0.7), bins=15) for count in (100, 10_000))

    assert many == pytest.approx(np.sqrt(0.7 * 0.3 * 2 / np.pi / 10_000), rel=0.15)
    assert few == pytest.approx(10 * many, rel=0.15)
    assert ece_by_chance(np.ones(10), bins=5) == 0


def test_a_temperature_at_its_limit_is_no_fit(said):
    perfect = calibration(said([[0.9, 0.1], [0.2, 0.8]] * 4, [0, 1] * 4))

    assert perfect.temperature == LOWEST and not perfect.fits and not perfect.helps
    honest = drawn(said, temperature=2.5)
    assert calibration(honest).fits and calibration(honest).helps
