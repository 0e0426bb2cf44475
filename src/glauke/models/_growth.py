"""Networks that begin shallow and grow to their whole depth while they train."""

from torch import nn

from glauke.errors import UsageError

from ._last_norms import zero_last_norms
from ._resnet import ResNet


def later_blocks(model: nn.Module) -> list[nn.Module]:
    """The blocks behind the first of each stage: what a shallow network leaves out; none where nothing can grow.

    >>> from glauke.models import resnet18
    >>> sum(p.numel() for block in later_blocks(resnet18(200)) for p in block.parameters())
    6270720
    """
    return [block for stage in model.stages for block in stage[1:]] if isinstance(model, ResNet) else []


def can_grow(model: nn.Module) -> bool:
    """Whether the network has blocks that it can leave out at first."""
    return bool(later_blocks(model))


def begin_shallow(model: nn.Module) -> None:
    """Make the later blocks the identity and leave them out, until `set_shallow(model, False)`.

    A block whose last norm is zero hands on what it gets, so the network computes the same with it and without, and
    goes on learning from where it stands when the block takes part: Chen, Goodfellow and Shlens, "Net2Net", 2015, arXiv
    1511.05641, section 2.3.

    Raises:
        UsageError: the network has no such blocks.
    """
    blocks = later_blocks(model)
    if not blocks:
        raise UsageError(
            "grow is for our residual networks, whose stages have several blocks, and this is none of them",
            fix="leave it out, or choose a resnet",
        )
    zero_last_norms(nn.ModuleList(blocks))
    set_shallow(model, True)


def set_shallow(model: nn.Module, shallow: bool) -> None:
    """Leave the later blocks out, or let them take part; a network that cannot grow is left as it is."""
    if isinstance(model, ResNet):
        model.shallow = shallow
