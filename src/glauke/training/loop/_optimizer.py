"""SGD as the recipe wants it, and the rate and momentum of a step put into it."""

import torch
from torch import nn

from glauke.models import later_blocks

from .._recipe import Recipe


def make_optimizer(model: nn.Module, recipe: Recipe, *, lr: float) -> torch.optim.SGD:
    """SGD whose weight decay leaves norms and biases alone: those have at most one dimension.

    Decaying a norm's scale fights the loss instead of regularising it (Goyal et al., arXiv 1706.02677, section 5.1).
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    # What joins later is apart: the fused step wants a momentum of every weight of a group, or of none.
    later = {p for block in later_blocks(model) for p in block.parameters()} if recipe.grow else set()
    groups = [
        {"params": [p for p in part if (p.ndim > 1) is decays], "weight_decay": recipe.weight_decay if decays else 0.0}
        for part in ([p for p in parameters if p not in later], [p for p in parameters if p in later])
        for decays in (True, False)
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov and recipe.momentum > 0,
        fused=True,  # one pass over the weights instead of one per operation; on CPUs too
    )


def set_rate(optimizer: torch.optim.Optimizer, *, lr: float, momentum: float | None = None) -> None:
    """Put a step's rate, and its momentum if given, into every parameter group."""
    for group in optimizer.param_groups:
        group["lr"] = lr
        if momentum is not None:
            group["momentum"] = momentum
