"""The running average of the weights: by hand, against its definition, and what it leaves alone."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from glauke.errors import UsageError
from glauke.training.loop._ema import Average


def number(value, dtype=torch.float32):
    layer = nn.Linear(1, 1, bias=False, dtype=dtype)
    with torch.no_grad():
        layer.weight.fill_(value)
    return layer


def test_two_steps_by_hand():
    layer = number(8.0)
    average = Average(layer, decay=0.5)
    for value, wanted in ((4.0, 0.1 * 8 + 0.9 * 4), (2.0, 2 / 11 * 4.4 + 9 / 11 * 2)):
        layer.weight.data.fill_(value)
        average.update()
        assert average.shadow["weight"].item() == pytest.approx(wanted, rel=1e-6)


def test_a_long_run_averages_with_its_own_decay():
    layer = number(0.0)
    average = Average(layer, decay=0.5)
    for _ in range(8):  # (1 + 8) / (10 + 8) is 0.5
        average.update()
    layer.weight.data.fill_(1.0)
    for wanted in (0.5, 0.75, 0.875):
        average.update()
        assert average.shadow["weight"].item() == wanted


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=30), st.floats(0.01, 0.9999))
def test_it_is_a_weighted_mean_of_all_the_weights_so_far(values, decay):
    layer = number(1e6)
    average = Average(layer, decay=decay)
    shares = [1.0]  # of the untrained weights, then of those after each step
    for step, value in enumerate(values):
        layer.weight.data.fill_(value)
        average.update()
        kept = min(decay, (1 + step) / (10 + step))
        shares = [share * kept for share in shares] + [1 - kept]
    wanted = sum(share * value for share, value in zip(shares, [1e6, *values], strict=True))
    assert sum(shares) == pytest.approx(1.0)
    assert average.shadow["weight"].item() == pytest.approx(wanted, rel=1e-3, abs=1e-2)


def test_the_untrained_weights_fade_within_a_few_steps_whatever_the_decay():
    layer = number(1.0)
    average = Average(layer, decay=0.9999)
    layer.weight.data.fill_(0.0)
    for _ in range(20):
        average.update()
    assert average.shadow["weight"].item() < 1e-6  # 0.9999^20 would have kept 0.998


def trained(steps=3, decay=0.9):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    model = model.to(memory_format=torch.channels_last)
    average = Average(model, decay=decay)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        model(torch.randn(8, 3, 4, 4)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        average.update()
    return model, average


def test_statistics_of_batch_norm_are_averaged_and_its_count_is_copied():
    model, average = trained()
    assert average.shadow["1.num_batches_tracked"] == 3 == model[1].num_batches_tracked
    assert not torch.equal(average.shadow["1.running_mean"], model[1].running_mean)
    assert average.shadow["1.running_mean"].abs().sum() > 0


def test_inside_the_model_holds_the_averages_and_afterwards_its_own_bits():
    model, average = trained()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(RuntimeError), average.in_place():
        assert all(torch.equal(value, average.shadow[name]) for name, value in model.state_dict().items())
        raise RuntimeError
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_averages_lie_in_memory_as_their_weights():
    model, average = trained()
    assert average.shadow["0.weight"].stride() == model[0].weight.stride()
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_tied_and_constant_tensors_are_counted_once_and_stay():
    layer = number(3.0)
    model = nn.ModuleList([layer, layer])
    model.register_buffer("constant", torch.tensor([0.1, 0.7]), persistent=False)
    average = Average(model, decay=0.99)
    for _ in range(5):
        average.update()
    assert set(average.shadow) == {"0.weight", "constant"}
    assert torch.equal(average.shadow["constant"], torch.tensor([0.1, 0.7]))


def test_a_buffer_that_was_replaced_is_followed():
    layer = number(1.0)
    layer.register_buffer("seen", torch.zeros(1))
    average = Average(layer, decay=0.5)
    layer.seen = layer.seen + 1
    average.update()
    assert average.shadow["seen"].item() == pytest.approx(0.9)
    with average.in_place():
        assert layer.seen.item() == pytest.approx(0.9)
    assert layer.seen.item() == 1


def test_weights_of_few_bits_are_averaged_in_many():
    layer = number(1.0, torch.bfloat16)
    average = Average(layer, decay=0.999)
    average.updates = 10_000
    layer.weight.data.fill_(0.0)
    for _ in range(100):
        average.update()
    assert average.shadow["weight"].dtype == torch.float32
    assert average.shadow["weight"].item() == pytest.approx(0.999**100, rel=1e-4)  # bfloat16 would have stayed at 1


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.1, 1.5])
def test_a_decay_that_averages_nothing_is_refused(decay):
    with pytest.raises(UsageError, match="between 0 and 1"):
        Average(number(0.0), decay=decay)
