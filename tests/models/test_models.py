"""Contracts of every network, and the numbers of those in the reports."""

import inspect

import pytest
import torch

from glauke.errors import UnknownNameError, UsageError
from glauke.models import MODELS, build_model, check_model, has_stems, resnet18

OF_EACH_KIND = ("resnet18", "resnet50", "davidnet", "cifar_net", "mnist_net")
"""The deeper ones are of the same blocks; their shapes are checked without numbers, which would take seconds."""


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def on_meta(name, num_classes, *, channels=3):
    """A network that has shapes and no numbers."""
    with torch.device("meta"):
        return MODELS[name](num_classes, channels)


def built(name, *, num_classes=7, channels=3, stem="full", seed=0, **options):
    return build_model(name, num_classes=num_classes, in_channels=channels, stem=stem, seed=seed, **options)


@pytest.mark.parametrize("stem", ["full", "maxpool"])
def test_resnet18_has_the_reports_parameters(stem):
    assert parameters(resnet18(200, stem=stem)) == 11_271_432


@pytest.mark.parametrize(
    ("name", "published"),
    [("resnet34", 21_797_672), ("resnet50", 25_557_032), ("resnet101", 44_549_160), ("resnet152", 60_192_808)],
)
def test_deeper_networks_have_the_published_sizes(name, published):
    # torchvision's numbers for 1,000 classes, less the difference of a 7x7 and a 3x3 stem.
    assert parameters(on_meta(name, 1000)) == published - 3 * 64 * (49 - 9)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_a_score_for_every_class(name):
    for channels, size in ((1, 28), (3, 17)):
        model = on_meta(name, 7, channels=channels)
        assert model(torch.zeros(2, channels, size, size, device="meta")).shape == (2, 7)


@pytest.mark.parametrize(("name", "stem"), [*((name, "full") for name in OF_EACH_KIND), ("resnet18", "maxpool")])
def test_every_weight_learns(name, stem):
    model = built(name, stem=stem)
    logits = model(torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0)))
    assert torch.isfinite(logits).all()
    torch.nn.functional.cross_entropy(logits, torch.arange(4)).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_first_weights_depend_on_the_seed_alone(name):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again, other = (built(name, seed=seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert all(not torch.equal(first[key], other[key]) for key in first if first[key].ndim == 4)


def test_every_model_explains_itself():
    for name, model in MODELS.items():
        assert ("stem" in inspect.signature(model).parameters) == has_stems(name) == name.startswith("resnet")
        assert model.__doc__


def test_the_full_stem_costs_four_times_the_arithmetic():
    macs = {}
    for stem in ("full", "maxpool"):
        total = 0

        def count(module, inputs, output):
            nonlocal total
            total += output.numel() * module.weight[0].numel()

        with torch.device("meta"):
            model = resnet18(200, stem=stem)
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.register_forward_hook(count)
        model(torch.zeros(1, 3, 64, 64, device="meta"))
        macs[stem] = total / 1e9
    assert macs["full"] == pytest.approx(2.222, abs=0.002)
    assert macs["maxpool"] == pytest.approx(0.561, abs=0.002)


@pytest.mark.parametrize("name", MODELS)
def test_wrong_sizes_are_refused(name):
    for sizes in ((0, 3), (2, 0)):
        with pytest.raises(UsageError, match=f"num_classes={sizes[0]} and in_channels={sizes[1]}"):
            MODELS[name](*sizes)


def test_wrong_names_are_refused():
    for refuse in (check_model, built):
        with pytest.raises(UnknownNameError, match=r"did you mean 'resnet18'.* choose one of: cifar_net, davidnet, "):
            refuse("resnet81")
    with pytest.raises(UnknownNameError, match="there is no library of models 'tim'; did you mean 'timm'"):
        check_model("tim/resnet18")
    check_model("resnet18")


def test_ours_have_no_published_weights():
    with pytest.raises(UsageError, match=r"--pretrained: .* our resnet18; take torchvision/resnet18 .*--weights"):
        built("resnet18", pretrained=True)
