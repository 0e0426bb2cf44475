"""Randomness keyed by (seed, epoch, sample, purpose)."""

import torch

from glauke.images.augmenting import _keyed
from glauke.images.augmenting._keyed import _mix_int, integers, permutation, uniform


def key(**changes):
    return {"seed": 0, "epoch": 0, "purpose": "test", **changes}


def test_the_mixer_is_splitmix64():
    # First outputs of SplitMix64 from state 0 (the reference implementation's).
    state, outputs = 0, []
    for _ in range(3):
        outputs.append(_mix_int(state))
        state = (state + 0x9E3779B97F4A7C15) % 2**64
    assert outputs == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_a_sample_draws_the_same_wherever_it_stands():
    every = uniform(torch.arange(1000), **key())
    some = torch.tensor([999, 3, 500])
    assert torch.equal(uniform(some, **key()), every[some])


def test_every_part_of_the_key_counts():
    samples = torch.arange(64)
    first = uniform(samples, **key())
    assert first.dtype == torch.float64
    for other in (key(seed=1), key(epoch=1), key(purpose="other")):
        assert (uniform(samples, **other) == first).sum() == 0


def test_every_letter_of_a_purpose_counts():
    first, second = (uniform(torch.arange(64), **key(purpose=f"a long purpose {word}")) for word in ("x", "y"))
    assert (first == second).sum() == 0


def test_the_largest_number_is_below_1(monkeypatch):
    monkeypatch.setattr(_keyed, "_bits", lambda samples, *rest: torch.full_like(samples, -1))
    assert uniform(torch.arange(1), **key()).item() == 1 - 2**-53
    assert integers(torch.arange(1), high=9, **key()).item() == 8


def test_the_numbers_are_uniform_and_independent():
    draws = torch.stack([uniform(torch.arange(20_000), **key(epoch=e)) for e in range(10)])
    assert draws.min() >= 0 and draws.max() < 1
    counts = torch.histc(draws, bins=20, min=0, max=1)
    chi_squared = ((counts - 10_000) ** 2 / 10_000).sum()
    assert chi_squared < 43.8  # 99.9 % point of chi-squared with 19 degrees of freedom
    correlation = torch.corrcoef(draws) - torch.eye(10)
    assert correlation.abs().max() < 0.035  # five deviations of 1 / sqrt(20,000)
    neighbours = torch.corrcoef(torch.stack([draws[:, 1:].flatten(), draws[:, :-1].flatten()]))[0, 1]
    assert abs(neighbours) < 0.012


def test_integers_reach_every_value_and_no_other():
    drawn = integers(torch.arange(1000), high=9, **key())
    assert sorted(set(drawn.tolist())) == list(range(9))


def test_a_permutation_is_one_and_depends_on_the_epoch():
    first, second = (permutation(101, seed=3, epoch=e, purpose="order") for e in (0, 1))
    assert sorted(first.tolist()) == list(range(101))
    assert not torch.equal(first, second)
    assert torch.equal(first, permutation(101, seed=3, epoch=0, purpose="order"))
