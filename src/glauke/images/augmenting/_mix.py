"""Two pictures in one: mixup and CutMix, with a partner and a share for each picture.

Shares and rectangles depend on (seed, epoch, sample) alone, as all augmentation does. The partner is another picture of
the same batch, so it is the one thing that depends on what else is in the batch.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._keyed import integers, uniform
from ._pixels import Images


def mixed(
    images: Images,
    samples: Int[Tensor, " batch"],
    *,
    mixup: float | int,
    cutmix: float | int,
    seed: int,
    epoch: int,
) -> tuple[Images, Int[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Blend each image with its partner (mixup) or paste a rectangle of the partner over it (CutMix).

    `mixup` and `cutmix` are the alphas of Beta(alpha, alpha), from which shares come; 0 switches that kind off, and
    with both on each picture draws one of the two. Returns the images, the position of each one's partner in the batch,
    and each one's own share: of its brightness for mixup (Zhang et al., arXiv 1710.09412), of its visible pixels for
    CutMix (Yun et al., arXiv 1905.04899).
    """
    key = {"seed": seed, "epoch": epoch}
    partners = partners_of(samples, **key)
    blends = _either(samples, mixup=mixup, cutmix=cutmix, **key)
    share = torch.ones(len(images), dtype=images.dtype, device=images.device)
    if mixup:
        drawn = beta(samples, alpha=mixup, **key, purpose="mixup").to(images.dtype)
        share = torch.where(blends, drawn, share)
    weights = share[:, None, None]
    if cutmix:
        visible = (~rectangles(samples, tuple(images.shape[2:]), alpha=cutmix, **key)).to(images.dtype)
        weights = torch.where(blends[:, None, None], weights, visible)
        share = torch.where(blends, share, visible.mean(dim=(1, 2)))
    pixels = images.permute(0, 2, 3, 1)  # in the order of the memory, so that the result has it too
    blended = torch.lerp(pixels[partners], pixels, weights[:, :, :, None])
    return blended.permute(0, 3, 1, 2), partners, share


def partners_of(samples: Int[Tensor, " batch"], *, seed: int, epoch: int) -> Int[Tensor, " batch"]:
    """Position of each picture's partner in the batch: the pictures in a keyed order, each with the one before it.

    Nobody is its own partner but the only picture of a batch.

    >>> sorted(partners_of(torch.tensor([7, 3, 12]), seed=0, epoch=0).tolist())
    [0, 1, 2]
    """
    order = uniform(samples, seed=seed, epoch=epoch, purpose="partner").argsort(stable=True)
    return torch.empty_like(order).scatter_(0, order, order.roll(1))


def beta(
    samples: Int[Tensor, " batch"], *, alpha: float | int, seed: int, epoch: int, purpose: str
) -> Float[Tensor, " batch"]:
    """One number from Beta(alpha, alpha) for each sample, out of two uniform ones, without rejection; float64.

    Devroye, "Random variate generation in one line of code" (Winter Simulation Conference 1996): Bailey's
    polar method for Student's t with 2 alpha degrees of freedom, of which the symmetric beta is a function.

    >>> bool((beta(torch.arange(9), alpha=1, seed=0, epoch=0, purpose="mixup") < 1).all())
    True
    """
    radius = uniform(samples, seed=seed, epoch=epoch, purpose=f"{purpose} radius")
    angle = (2 * math.pi * uniform(samples, seed=seed, epoch=epoch, purpose=f"{purpose} angle")).cos()
    return 0.5 + 0.5 * angle.sign() / (1 + 1 / ((radius ** (-1 / alpha) - 1) * angle**2)).sqrt()


def rectangles(
    samples: Int[Tensor, " batch"], shape: tuple[int, ...], *, alpha: float | int, seed: int, epoch: int
) -> Bool[Tensor, "batch height width"]:
    """Where the partner covers each picture of (height, width) pixels: the picture's shape, centred anywhere.

    Part of it may fall outside, as in the paper's code: what counts is the area that is left.
    """
    key = {"seed": seed, "epoch": epoch}
    part = (1 - beta(samples, alpha=alpha, **key, purpose="cutmix")).sqrt()
    inside = []
    for side, purpose in zip(shape, ("cutmix row", "cutmix column"), strict=True):
        reach = (side * part).long() // 2
        centre = integers(samples, high=side, **key, purpose=purpose)
        pixels = torch.arange(side, device=samples.device)
        inside.append((pixels >= (centre - reach)[:, None]) & (pixels < (centre + reach)[:, None]))
    return inside[0][:, :, None] & inside[1][:, None, :]


def _either(
    samples: Tensor, *, mixup: float | int, cutmix: float | int, seed: int, epoch: int
) -> Bool[Tensor, " batch"]:
    """Which pictures are blended; the others have a rectangle pasted over them."""
    if mixup and cutmix:
        return uniform(samples, seed=seed, epoch=epoch, purpose="mixup or cutmix") < 0.5
    return torch.full(samples.shape, bool(mixup), device=samples.device)
