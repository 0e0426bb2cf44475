"""TrivialAugment: one operation for each picture, with a strength of its own (Müller and Hutter, arXiv 2103.10158)."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float, Int
from torch import Tensor

from . import _colour, _shape
from ._keyed import integers
from ._pixels import Pictures

LEVELS = 31
"""Strengths, evenly spaced and equally likely, from nothing to the most."""

Levels = Float[Tensor, " batch"]


def _rotate(pictures: Pictures, levels: Levels) -> Pictures:
    return _shape.rotated(pictures, math.radians(135) * levels)


def _translate(pictures: Pictures, levels: Levels, *, along: str) -> Pictures:
    # The paper's 32 pixels are half of a picture of 64; a part of the side means the same at every size.
    side = pictures.shape[1 if along == "y" else 2]
    return _shape.translated(pictures, (levels * side / 2).trunc(), along=along)


OPERATIONS: Mapping[str, Callable[[Pictures, Levels], Pictures]] = MappingProxyType(
    {
        "identity": lambda pictures, levels: pictures,
        "shear_x": lambda pictures, levels: _shape.sheared(pictures, 0.99 * levels, along="x"),
        "shear_y": lambda pictures, levels: _shape.sheared(pictures, 0.99 * levels, along="y"),
        "translate_x": lambda pictures, levels: _translate(pictures, levels, along="x"),
        "translate_y": lambda pictures, levels: _translate(pictures, levels, along="y"),
        "rotate": _rotate,
        "brightness": lambda pictures, levels: _colour.brightness(pictures, 1 + 0.99 * levels),
        "saturation": lambda pictures, levels: _colour.saturation(pictures, 1 + 0.99 * levels),
        "contrast": lambda pictures, levels: _colour.contrast(pictures, 1 + 0.99 * levels),
        "sharpness": lambda pictures, levels: _colour.sharpness(pictures, 1 + 0.99 * levels),
        "posterize": lambda pictures, levels: _colour.posterize(pictures, 8 - (6 * levels.abs()).round().long()),
        "solarize": lambda pictures, levels: _colour.solarize(pictures, 255 - 255 * levels.abs()),
        "autocontrast": lambda pictures, levels: _colour.autocontrast(pictures),
        "equalize": lambda pictures, levels: _colour.equalize(pictures),
    }
)
"""From pictures and levels in [-1, 1] to pictures, in the ranges of the paper's "wide" space."""


def trivial(pictures: Pictures, samples: Int[Tensor, " batch"], *, seed: int, epoch: int) -> Pictures:
    """Apply one operation to each picture, all of them equally likely, with a level and a sign drawn evenly."""
    chosen, levels = drawn(samples, seed=seed, epoch=epoch)
    order = chosen.argsort(stable=True)
    # One look at the counts, so that a GPU is waited for once and not for every operation.
    counts = torch.bincount(chosen, minlength=len(OPERATIONS)).tolist()
    changed = torch.empty_like(pictures)
    for operation, rows in zip(OPERATIONS.values(), order.split(counts), strict=True):
        if len(rows) > 0:
            changed[rows] = operation(pictures[rows], levels[rows])
    return changed


def drawn(samples: Int[Tensor, " batch"], *, seed: int, epoch: int) -> tuple[Int[Tensor, " batch"], Levels]:
    """The place in `OPERATIONS` and the level, -1 to 1, of each picture."""
    key = {"seed": seed, "epoch": epoch}
    chosen = integers(samples, high=len(OPERATIONS), **key, purpose="trivial operation")
    levels = integers(samples, high=LEVELS, **key, purpose="trivial level").double() / (LEVELS - 1)
    signs = 1 - 2 * integers(samples, high=2, **key, purpose="trivial sign")
    return chosen, levels * signs
