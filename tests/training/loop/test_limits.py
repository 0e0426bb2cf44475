"""The machine's limits, and how near a run came to them."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from glauke.errors import UsageError
from glauke.models import resnet18
from glauke.runs import read
from glauke.training import Limits, Stage, choose_precision, measure_limits, train
from glauke.training.loop._limits import gflop_per_picture, matrix_rate, speed_facts

CPU = torch.device("cpu")
FP32 = choose_precision("fp32", CPU)


@pytest.fixture(scope="module")
def measured() -> tuple[Limits, list[Stage]]:
    told = []
    before = torch.get_rng_state()
    limits = measure_limits(
        seconds=0.01, device="cpu", size=16, batch_size=4, matrix_side=64, copied=4096, watch=told.append
    )
    assert torch.equal(before, torch.get_rng_state())
    return limits, told


def test_every_limit_is_a_rate(measured):
    limits, _ = measured
    assert limits.device == "cpu" and (limits.size, limits.batch_size) == (16, 4) and limits.cores >= 1
    assert limits.rates[0].precision == "fp32" and limits.rate("fp32") == limits.rates[0]
    for rate in limits.rates:
        assert 0 < rate.matrix_gflops < 1e7 and 0 < rate.convolution_gflops < 1e7
    for each in (limits.copy_gb_per_second, limits.jpegs_per_second, limits.jpegs_per_second_all):
        assert each > 0
    assert limits.images_per_second > 0


def test_what_the_hardware_does_not_compute_has_no_rate(measured):
    limits, _ = measured
    assert (limits.rate("bf16") is not None) == (choose_precision("auto", CPU).name == "bf16")
    assert limits.rate("fp16") is None


def test_whoever_watches_sees_it_go_on(measured):
    _, told = measured
    assert [event.done for event in told] == list(range(len(told))) and told[-1].total == len(told) - 1


def test_a_device_that_is_not_there_is_refused():
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(UsageError, match="sees none"):
        measure_limits(device="cuda")


def test_operations_of_a_convolution_by_hand():
    # 5 x 5 places, 4 maps out of 2, 3 x 3 weights, 2 operations each, three passes.
    layer = nn.Conv2d(2, 4, 3, padding=1)
    assert gflop_per_picture(layer, channels=2, size=5) * 1e9 == 5 * 5 * 4 * 2 * 3 * 3 * 2 * 3


@pytest.mark.parametrize(("stem", "gmac"), [("full", 2.22), ("maxpool", 0.56)])
def test_operations_of_resnet18_are_the_known_ones(stem, gmac):
    model = resnet18(200, stem=stem)
    assert gflop_per_picture(model, channels=3, size=64) == pytest.approx(6 * gmac, rel=0.005)


def test_counting_leaves_the_model_as_it_was():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.LazyLinear(2))
    model(torch.zeros(2, 3, 8, 8))
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    assert gflop_per_picture(model, channels=3, size=8) > 0
    assert [module.training for module in model] == [True, False, True, True, True]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(random, torch.get_rng_state()) and all(p.grad is None for p in model.parameters())


def test_a_matrix_product_has_two_operations_for_each_multiplication(monkeypatch):
    monkeypatch.setattr("glauke.training.loop._limits._fastest", lambda act, device, *, seconds: 0.5)
    assert matrix_rate("fp32", CPU, seconds=1, side=100) == pytest.approx(2 * 100**3 / 0.5 / 1e9)


def speed(layer, *, sizes, images_per_second=100.0, seconds=10.0):
    return speed_facts(
        layer,
        sizes=sizes,
        channels=3,
        images_per_second=images_per_second,
        seconds=seconds,
        device=CPU,
        precision=FP32,
    )


def test_a_run_is_measured_at_its_own_sizes(monkeypatch):
    monkeypatch.setattr("glauke.training.loop._limits.matrix_rate", lambda precision, device, *, seconds: 40.0)
    facts = speed(nn.Conv2d(3, 10, 1), sizes=(10, 10, 20))  # 60 operations a pixel forward, 180 in all
    assert facts["gflop_per_picture"] == pytest.approx(180 * (100 + 100 + 400) / 3 / 1e9)
    assert facts["gflops"] == pytest.approx(100 * facts["gflop_per_picture"]) and facts["matrix_gflops"] == 40.0


def test_a_run_is_given_little_time_to_measure_in(monkeypatch):
    spent = []
    monkeypatch.setattr("glauke.training.loop._limits.matrix_rate", lambda *_, seconds: spent.append(seconds) or 1.0)
    for seconds in (10.0, 36_000.0):
        speed(nn.Conv2d(3, 1, 1), sizes=(4,), seconds=seconds)
    assert spent == [0.1, 1.0]


def test_where_nothing_can_be_compared_there_are_no_facts():
    layer = nn.Conv2d(3, 1, 1)
    assert speed(nn.ReLU(), sizes=(8,)) == {}
    assert speed(layer, sizes=()) == speed(layer, sizes=(0,)) == speed(layer, sizes=(8,), images_per_second=None) == {}


def test_a_run_says_how_near_it_came(pack, split, recipe, tmp_path):
    record = train(replace(recipe, epochs=1), pack, split, tmp_path)
    facts = read(tmp_path).extra["speed"]
    assert facts == record.extra["speed"] and facts["gflops"] > 0 and facts["matrix_gflops"] > 0
    assert facts["gflops"] == pytest.approx(facts["gflop_per_picture"] * record.images_per_second, rel=0.5)
