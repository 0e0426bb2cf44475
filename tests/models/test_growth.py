"""Networks that begin with one block a stage."""

import pytest
import torch
import torch.nn.functional as F

from glauke.errors import UsageError
from glauke.models import begin_shallow, build_model, can_grow, later_blocks, set_shallow


def built(name):
    return build_model(name, num_classes=5, in_channels=3, stem="maxpool", seed=0)


def pictures(seed):
    return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


def learn(model, steps=2):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for seed in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(pictures(seed)), torch.arange(4)).backward()
        optimizer.step()


@pytest.mark.parametrize(("name", "left_out"), [("resnet18", 4), ("resnet50", 12)])
def test_a_shallow_network_computes_what_the_whole_one_does_and_less(name, left_out):
    model = built(name)
    begin_shallow(model)
    assert model.shallow and len(later_blocks(model)) == left_out
    learn(model)  # the norms' statistics too: the blocks that are left out have seen nothing
    model.eval()
    shallow = model(pictures(9))
    set_shallow(model, False)
    assert torch.equal(model(pictures(9)), shallow)


def test_only_the_first_blocks_learn_until_the_others_join():
    model = built("resnet18")
    begin_shallow(model)
    before = [block.conv1.weight.detach().clone() for block in later_blocks(model)]
    learn(model)
    assert all(torch.equal(b.conv1.weight, w) for b, w in zip(later_blocks(model), before, strict=True))
    assert all(p.grad is None for block in later_blocks(model) for p in block.parameters())
    set_shallow(model, False)
    learn(model, steps=3)  # the scale of the last norm first; through it the convolutions
    assert all(not torch.equal(b.conv1.weight, w) for b, w in zip(later_blocks(model), before, strict=True))


@pytest.mark.parametrize("name", ["davidnet", "cifar_net"])
def test_a_network_without_stages_is_refused_and_otherwise_left_alone(name):
    model = built(name)
    assert not can_grow(model)
    set_shallow(model, True)
    with pytest.raises(UsageError, match="it is for our residual networks"):
        begin_shallow(model)
