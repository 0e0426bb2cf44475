"""A network made for large pictures is told apart from one made for small ones."""

import pytest
import torch
from torch import nn

from glauke.errors import UsageError
from glauke.models import build_model, stem_warning


def convolution(in_channels, out_channels, kernel=3, stride=1):
    return nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2)


def made_for_large(channels=3):
    """The stem of torchvision's ResNets, then four convolutions of which two halve the map."""
    return nn.Sequential(
        convolution(channels, 4, 7, 2),
        nn.BatchNorm2d(4),
        nn.MaxPool2d(3, 2, 1),
        convolution(4, 4),
        convolution(4, 4, stride=2),
        nn.Dropout(0.5),
        convolution(4, 4, stride=2),
        nn.AdaptiveAvgPool2d(1),
        convolution(4, 4, 1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (16, "its smallest maps are 1 x 1"),
        (64, "its first 3 convolutions leave maps of 8 x 8"),
        (95, "its first 3 convolutions leave maps of 12 x 12"),
        (96, None),
        (224, None),
    ],
)
def test_a_stem_for_large_pictures_is_told_below_96_pixels(size, said):
    warning = stem_warning(made_for_large(), size)
    if said is None:
        assert warning is None
    else:
        assert said in warning and f"larger pictures than {size} x {size} pixels" in warning
        assert "--model resnet18" in warning and "--size" in warning and "\n" not in warning


@pytest.mark.parametrize("name", ["resnet18", "davidnet", "cifar_net", "mnist_net"])
@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("stem", ["full", "maxpool"])
def test_our_own_suit_small_pictures(name, size, stem):
    channels = 1 if size == 28 else 3
    assert stem_warning(build_model(name, num_classes=4, in_channels=channels, stem=stem, seed=0), size) is None


def test_the_network_is_left_as_it_was():
    model = made_for_large().train()
    model[1].eval()  # as people freeze a norm
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    random = torch.get_rng_state()
    stem_warning(model, 32)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert [each.training for each in model] == [True, False] + 9 * [True]
    assert not any(module._forward_hooks for module in model.modules())


def test_a_size_that_cannot_be_taken_is_refused_and_the_network_left_as_it_was():
    model = nn.Sequential(convolution(1, 2), nn.Flatten(), nn.Linear(2 * 8 * 8, 2))
    assert stem_warning(model, 8) is None
    with pytest.raises(UsageError, match=r"cannot take pictures of 9 x 9 pixels \(.*--size"):
        stem_warning(model, 9)
    assert model.training and not model[0]._forward_hooks


def test_a_network_without_convolutions_is_not_judged():
    assert stem_warning(nn.Sequential(nn.Flatten(), nn.Linear(48, 2)), 4) is None
