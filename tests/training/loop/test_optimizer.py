"""SGD whose momentum begins at zero, whatever happens at the first step."""

import torch
from torch import nn

from glauke.training import Recipe
from glauke.training.loop._optimizer import make_optimizer

RECIPE = Recipe(name="test", why="", epochs=1, max_lr=0.1, weight_decay=0.01)


def stepped(optimizer, model, gradients):
    for value in gradients:
        for p in model.parameters():
            p.grad = torch.full_like(p, value)
        optimizer.step()
    return [p.detach().clone() for p in model.parameters()]


def test_it_is_pytorchs_own():
    ours, theirs = nn.Linear(3, 2), nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    groups = [{"params": [theirs.weight], "weight_decay": 0.01}, {"params": [theirs.bias]}]
    gradients = (0.5, -0.25, 1.0)
    one = stepped(make_optimizer(ours, RECIPE, lr=0.1), ours, gradients)
    other = stepped(torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True), theirs, gradients)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-7) for a, b in zip(one, other, strict=True))


def test_weights_may_join_a_group_later():
    model = nn.Linear(3, 2)
    optimizer = make_optimizer(model, RECIPE, lr=0.1)
    model.bias.grad = torch.ones(2)
    optimizer.step()
    before = model.weight.detach().clone()
    stepped(optimizer, model, (1.0,))
    assert not torch.equal(model.weight, before)


def test_a_first_step_that_loss_scaling_skips_leaves_no_momentum():
    model = nn.Linear(3, 2)
    optimizer, scaler = make_optimizer(model, RECIPE, lr=0.1), torch.amp.GradScaler("cpu")
    before = [p.detach().clone() for p in model.parameters()]
    scaler.scale(model(torch.full((1, 3), torch.inf)).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    assert all(not optimizer.state[p]["momentum_buffer"].any() for p in model.parameters())
