"""Residual blocks whose last norm starts at zero are their shortcuts."""

import pytest
import torch

from glauke.errors import UsageError
from glauke.models import build_model
from glauke.models._last_norms import zero_last_norms


def built(name, **options):
    return build_model(name, num_classes=5, in_channels=3, stem="full", seed=0, **options)


@pytest.mark.parametrize(("name", "blocks"), [("resnet18", 8), ("resnet50", 16)])
def test_every_block_begins_as_its_shortcut(name, blocks):
    model = built(name, zero_gamma=True)
    assert zero_last_norms(model) == blocks
    block = model.layer1[1].eval()
    x = torch.rand(2, block.conv1.in_channels, 4, 4)
    assert torch.equal(block(x), x)  # x is not negative, so the last ReLU keeps it


def test_nothing_else_changes_and_the_zeros_learn():
    plain, zeroed = built("resnet18"), built("resnet18", zero_gamma=True)
    different = [
        name
        for (name, a), (_, b) in zip(plain.named_parameters(), zeroed.named_parameters(), strict=True)
        if not torch.equal(a, b)
    ]
    assert different == [f"layer{i}.{j}.bn2.weight" for i in (1, 2, 3, 4) for j in (0, 1)]
    logits = zeroed(torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0)))
    torch.nn.functional.cross_entropy(logits, torch.arange(4)).backward()
    assert all(zeroed.get_parameter(name).grad.any() for name in different)


@pytest.mark.parametrize("name", ["davidnet", "cifar_net"])
def test_where_no_block_ends_in_a_norm_it_is_refused(name):
    with pytest.raises(UsageError, match="residual blocks that end in a norm, and this one has none"):
        built(name, zero_gamma=True)
