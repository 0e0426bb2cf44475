"""The choice of device and precision."""

import pytest
import torch

from glauke.errors import UnknownNameError, UsageError
from glauke.training import _device, choose_device, choose_precision

CPU = torch.device("cpu")


@pytest.fixture
def features(monkeypatch):
    def pretend(**values):
        monkeypatch.setattr(_device, "cpu_features", lambda: values)

    return pretend


@pytest.mark.parametrize("feature", ["avx512_bf16", "amx_bf16"])
def test_a_cpu_that_computes_bf16_gets_bf16(features, feature):
    features(**{feature: True})
    chosen = choose_precision("auto", CPU)
    assert chosen.name == "bf16" and feature.replace("_", "-") in chosen.reason


def test_a_cpu_that_emulates_bf16_gets_fp32(features):
    features(avx2=True, avx512_bf16=False)
    assert choose_precision("auto", CPU).name == "fp32"


@pytest.mark.parametrize(("capability", "name"), [((7, 5), "fp16"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_cuda_goes_by_its_capability(monkeypatch, capability, name):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    chosen = choose_precision("auto", torch.device("cuda"))
    assert chosen.name == name and chosen.device == "cuda"


def test_autocast_does_what_the_name_says():
    layer = torch.nn.Linear(2, 2)
    with choose_precision("bf16", CPU).autocast():
        assert layer(torch.ones(1, 2)).dtype == torch.bfloat16
    with choose_precision("fp32", CPU).autocast():
        assert layer(torch.ones(1, 2)).dtype == torch.float32
    assert not choose_precision("bf16", CPU).scaler().is_enabled()


def test_a_gpu_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="sees none") as caught:
        choose_device("cuda")
    assert caught.value.place == "--device" and "--device cpu" in (caught.value.fix or "")
    assert choose_device("auto") == CPU


def test_wrong_names_are_refused():
    with pytest.raises(UnknownNameError):
        choose_device("gpu")
    with pytest.raises(UnknownNameError):
        choose_precision("bf32", CPU)
    with pytest.raises(UsageError, match="fp16 needs"):
        choose_precision("fp16", CPU)
