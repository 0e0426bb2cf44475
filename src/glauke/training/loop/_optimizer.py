"""SGD as the recipe wants it, and the rate and momentum of a step put into it."""

import torch
from torch import nn

from .._recipe import Recipe


def make_optimizer(model: nn.Module, recipe: Recipe, *, lr: float) -> torch.optim.SGD:
    """SGD whose weight decay leaves norms and biases alone: those have at most one dimension.

    Decaying a norm's scale fights the loss instead of regularising it (Goyal et al., arXiv 1706.02677, section 5.1).
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov and recipe.momentum > 0,
        fused=True,  # one pass over the weights instead of one per operation; on CPUs too
    )
    if recipe.momentum:
        # Zero is what momentum begins with. PyTorch would make it at the first step that has a gradient, which fails
        # where some weights of a group join later, and leaves it unset where loss scaling skips that step.
        for parameter in parameters:
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


def set_rate(optimizer: torch.optim.Optimizer, *, lr: float, momentum: float | None = None) -> None:
    """Put a step's rate, and its momentum if given, into every parameter group."""
    for group in optimizer.param_groups:
        group["lr"] = lr
        if momentum is not None:
            group["momentum"] = momentum
