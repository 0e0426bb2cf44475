"""Residual blocks that begin as the identity."""

from torch import nn

from glauke.errors import UsageError


def zero_last_norms(model: nn.Module) -> int:
    """Set the scale of the last norm of every residual block to zero; return how many blocks there are.

    Each block then starts as its shortcut and the network as a shallow one: Goyal et al., "Accurate, Large Minibatch
    SGD", 2017, arXiv 1706.02677, section 5.1. Blocks are known by torchvision's names, which timm's residual networks
    and ours share: a `downsample`, and the norms `bn2` and perhaps `bn3`.

    Raises:
        UsageError: there is no block whose norm stands right before the sum.
    """
    count = 0
    for block in model.modules():
        if not hasattr(block, "downsample"):
            continue
        norm = getattr(block, "bn3", None) or getattr(block, "bn2", None)
        scale = getattr(norm, "weight", None)
        if scale is not None:
            nn.init.zeros_(scale)
            count += 1
    if not count:
        raise UsageError(
            "zero_gamma is for networks of residual blocks that end in a norm, and this one has none",
            fix="leave it out, or choose a resnet",
        )
    return count
