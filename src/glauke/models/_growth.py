"""Networks that begin shallow and grow to their whole depth while they train."""

from collections.abc import Iterator
from contextlib import contextmanager

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
    return [block for stage in model.stages for block in list(stage)[1:]] if isinstance(model, ResNet) else []


def can_grow(model: nn.Module) -> bool:
    """Whether the network has blocks that it can leave out at first."""
    return bool(later_blocks(model))


def begin_shallow(model: nn.Module) -> None:
    """Make the later blocks of an untrained network the identity and leave them out, until `set_shallow(model, False)`.

    A block whose last norm has scale and shift zero hands on what it gets, so the network computes the same with it and
    without, and goes on learning from where it stands when the block takes part: Chen, Goodfellow and Shlens,
    "Net2Net", 2015, arXiv 1511.05641, section 2.3.

    Raises:
        UsageError: the network has no such blocks.
    """
    require_growth(model)
    zero_last_norms(nn.ModuleList(later_blocks(model)))
    set_shallow(model, True)


def require_growth(model: nn.Module) -> None:
    """Raise `UsageError` for a network that has no blocks to leave out."""
    if not can_grow(model):
        raise UsageError(
            "it is for our residual networks, whose stages have several blocks, and this is none of them",
            place="grow",
            fix="leave it out, or choose a resnet",
        )


def set_shallow(model: nn.Module, shallow: bool) -> None:
    """Leave the later blocks out, or let them take part; a network that cannot grow is left as it is."""
    if isinstance(model, ResNet):
        model.shallow = shallow


@contextmanager
def in_form(model: nn.Module, *, shallow: bool) -> Iterator[None]:
    """Inside, the later blocks are left out or take part; afterwards it is as before."""
    before = isinstance(model, ResNet) and model.shallow
    set_shallow(model, shallow)
    try:
        yield
    finally:
        set_shallow(model, before)
