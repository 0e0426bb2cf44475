"""Contracts of every network, and the numbers of those in the reports."""

import pytest
import torch

from glauke.errors import UnknownNameError, UsageError
from glauke.models import MODELS, build_model, resnet18


def parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("stem", ["full", "maxpool"])
def test_resnet18_has_the_reports_parameters(stem):
    assert parameters(resnet18(200, stem=stem)) == 11_271_432


def test_deeper_networks_have_the_published_sizes():
    # torchvision's 21,797,672 and 25,557,032 for 1,000 classes, less the difference of a 7x7 and a 3x3 stem.
    stem = 3 * 64 * (49 - 9)
    assert parameters(MODELS["resnet34"](1000)) == 21_797_672 - stem
    assert parameters(MODELS["resnet50"](1000)) == 25_557_032 - stem


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("stem", ["full", "maxpool"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_model_scores_every_class(name, stem, channels):
    model = build_model(name, num_classes=7, in_channels=channels, stem=stem, seed=0)
    logits = model(torch.zeros(2, channels, 16, 16))
    assert logits.shape == (2, 7) and torch.isfinite(logits).all()
    logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_first_weights_depend_on_the_seed_alone(name):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again, other = (build_model(name, num_classes=5, in_channels=3, stem="full", seed=s) for s in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)


def test_the_full_stem_costs_four_times_the_arithmetic():
    macs = {}
    for stem in ("full", "maxpool"):
        total = 0

        def count(module, inputs, output):
            nonlocal total
            total += output.numel() * module.weight[0].numel()

        model = resnet18(200, stem=stem)
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.register_forward_hook(count)
        model.eval()
        with torch.inference_mode():
            model(torch.zeros(1, 3, 64, 64))
        macs[stem] = total / 1e9
    assert macs["full"] == pytest.approx(2.222, abs=0.002)
    assert macs["maxpool"] == pytest.approx(0.561, abs=0.002)


def test_wrong_names_and_sizes_are_refused():
    with pytest.raises(UnknownNameError, match="resnet18"):
        build_model("resnet81", num_classes=2, in_channels=3, stem="full", seed=0)
    with pytest.raises(UsageError, match="num_classes=0"):
        resnet18(0)
