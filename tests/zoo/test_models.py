"""torchvision as an oracle for our networks: the same names, the same parameters, the same scores."""

import pytest
import torch
from torch import nn

from glauke import models

NAMES = ("resnet18", "resnet34", "resnet50")


def full_stem(network: nn.Module, *, maxpool: bool) -> nn.Module:
    """Give torchvision's network our stem: 3x3 and stride 1 in place of 7x7 and stride 2."""
    network.conv1 = nn.Conv2d(3, 64, 3, stride=1, padding=1, bias=False)
    if not maxpool:
        network.maxpool = nn.Identity()
    return network


def lived_in(network: nn.Module) -> nn.Module:
    """Draw every weight and statistic anew: fresh ones hide a swapped pair of batch norms."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            if name.endswith("running_var"):
                value.uniform_(0.5, 2.0)
            elif value.ndim == 1:
                value.uniform_(-0.5, 1.0)
            else:
                nn.init.kaiming_normal_(value, mode="fan_out")
    return network.eval()


def test_both_zoos_open(torchvision, timm):
    ours = sum(p.numel() for p in torchvision.models.resnet18(num_classes=200).parameters())
    theirs = sum(p.numel() for p in timm.create_model("resnet18", num_classes=200).parameters())

    assert ours == theirs == 11_279_112


def test_the_full_stem_saves_what_the_smaller_kernel_saves(torchvision):
    ours = models.resnet18(200, in_channels=3, stem="full")
    theirs = full_stem(torchvision.models.resnet18(num_classes=200), maxpool=False)

    assert sum(p.numel() for p in ours.parameters()) == 11_271_432
    assert sum(p.numel() for p in theirs.parameters()) == 11_271_432


@pytest.mark.parametrize("stem", ["full", "maxpool"])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_weights_give_the_same_scores(torchvision, name, stem):
    theirs = getattr(torchvision.models, name)(num_classes=10)
    theirs = lived_in(full_stem(theirs, maxpool=stem == "maxpool"))
    ours = getattr(models, name)(10, in_channels=3, stem=stem).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    pictures = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))

    with torch.inference_mode():
        expected = theirs(pictures)
        torch.testing.assert_close(ours(pictures), expected)

    assert expected.std() > 1e-3  # scores that are all alike would agree too
