"""The gradients that an optimizer steps along."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def parameters_of(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """What the optimizer changes: it need not be all of a model, and a learnt loss may be among it.

    >>> layer = nn.Linear(2, 1)
    >>> [tuple(parameter.shape) for parameter in parameters_of(torch.optim.SGD([layer.bias], lr=0.1))]
    [(1,)]
    """
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def largest_entry(parameters: Sequence[Tensor]) -> Tensor:
    """The largest absolute entry of the gradients: NaN shows in it, and unlike a sum of squares it cannot overflow."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    dense = [gradient.coalesce().values() if gradient.is_sparse else gradient for gradient in gradients]
    return nn.utils.get_total_norm(dense, math.inf)
