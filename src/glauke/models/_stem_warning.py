"""Whether a network made for large pictures fits small ones, seen on a run with a blank picture."""

import torch
from torch import nn

from glauke.errors import UsageError

SMALL = 96
"""Pixels below which a quarter of the side within the first convolutions is too little."""
FIRST = 3
"""Convolutions that a stem may have; what comes after them are blocks."""
LEAST = 2
"""Side of the smallest map that still has a place for things."""


def stem_warning(model: nn.Module, size: int) -> str | None:
    """One sentence if a network suits pictures of `size` pixels badly, with what to do; None if it suits them.

    Two things are looked at, on the maps of all convolutions wider than a pixel: whether the smallest is below 2 x 2,
    and whether, for less than 96 pixels, a quarter of the side is all that is left after the first three. Networks
    without convolutions are not judged. The network is left as it was.

    Raises:
        UsageError: it cannot take pictures of that size at all.
    """
    maps = _maps(model, size)
    if not maps:
        return None
    smallest = min(after for _, after in maps)
    early = min(before for before, _ in maps[: FIRST + 1])
    if len(maps) <= FIRST:
        early = min(early, maps[-1][1])
    if smallest < LEAST:
        what = f"its smallest maps are {smallest} x {smallest}"
    elif size < SMALL and 4 * early <= size:
        stem = f"its first {FIRST} convolutions leave" if len(maps) > FIRST else "its convolutions leave"
        what = f"{stem} maps of {early} x {early}"
    else:
        return None
    return (
        f"this network was made for larger pictures than {size} x {size} pixels: {what}; choose a model for small "
        "ones, such as --model resnet18, or a larger --size"
    )


def _maps(model: nn.Module, size: int) -> list[tuple[int, int]]:
    """The shorter side of what goes into and comes out of each convolution wider than a pixel, in their order."""
    maps: list[tuple[int, int]] = []

    def note(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        maps.append((min(inputs[0].shape[-2:]), min(output.shape[-2:])))

    convolutions = [each for each in model.modules() if isinstance(each, nn.Conv2d)]
    if not convolutions:
        return maps
    modes = {module: module.training for module in model.modules()}
    hooks = [each.register_forward_hook(note) for each in convolutions if max(each.kernel_size) > 1]
    weight = convolutions[0].weight
    blank = torch.zeros(1, convolutions[0].in_channels, size, size, device=weight.device, dtype=weight.dtype)
    try:
        model.eval()
        with torch.no_grad():
            model(blank)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise UsageError(
            f"this network cannot take pictures of {size} x {size} pixels ({str(error).splitlines()[0].rstrip('.')})",
            place="--model",
            fix="choose another, or the --size that it was made for, often 224",
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
        for module, mode in modes.items():
            module.training = mode
    return maps
