"""Augmentation of whole batches, drawn for each picture apart, on whichever device the pictures lie.

Nothing here holds state: every draw is keyed by (seed, epoch, sample), see `_keyed.py`.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from ._crop import mirrored, shifted, stretched
from ._keyed import integers
from ._pixels import Images, Pictures
from ._trivial import trivial


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """What happens to a training picture, drawn anew for every picture in every epoch.

    The order is that of the fields: crop and flip, an operation of TrivialAugment, the blanked square, the mix. A
    picture's own draws depend on (seed, epoch, sample) alone; whom it is mixed with depends on its batch too.
    """

    pad: int = 0
    """Shift by up to this many pixels each way, at the training size; not used where `area` is given."""
    area: float | int | None = None
    """Stretch a part of at least this share of the area to the whole picture."""
    flip: bool = False
    """Mirror half of the pictures; wrong where left and right differ, as in letters and digits."""
    alternate: bool = False
    """Mirror each picture in every other epoch, instead of by a new draw; needs `flip`."""
    trivial: bool = False
    """One random operation on colour or shape, as TrivialAugment."""
    cutout: int = 0
    """Side of the blanked square in pixels; 0 is none."""
    mixup: float | int = 0.0
    """Alpha of the shares in which two pictures are blended; 0 is none."""
    cutmix: float | int = 0.0
    """Alpha of the areas that a rectangle of another picture covers; 0 is none."""


def augmented(
    pictures: Pictures, samples: Int[Tensor, " batch"], plan: Augmentation, *, seed: int, epoch: int
) -> Pictures:
    """Do to pictures, still uint8, all of a plan that can be done to them; the same object if that is nothing."""
    key = {"seed": seed, "epoch": epoch}
    mirror = mirrored(samples, alternate=plan.alternate, **key) if plan.flip else None
    if plan.area is None:
        pictures = shifted(pictures, samples, mirror, pad=plan.pad, **key)
    else:
        pictures = stretched(pictures, samples, mirror, area=plan.area, **key)
    return trivial(pictures, samples, **key) if plan.trivial else pictures


def cutout(images: Images, samples: Int[Tensor, " batch"], *, size: int, seed: int, epoch: int) -> Images:
    """Set a square of `size` pixels to zero, the mean of normalised pictures (DeVries and Taylor, arXiv 1708.04552).

    The square's centre lies anywhere in the picture, so that part of it may fall outside, as in the paper.
    """
    if size == 0:
        return images
    _, _, height, width = images.shape
    key = {"seed": seed, "epoch": epoch}
    top = integers(samples, high=height, **key, purpose="cutout row") - size // 2
    left = integers(samples, high=width, **key, purpose="cutout column") - size // 2
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    in_rows = (rows >= top[:, None]) & (rows < top[:, None] + size)
    in_columns = (columns >= left[:, None]) & (columns < left[:, None] + size)
    return images.masked_fill((in_rows[:, :, None] & in_columns[:, None, :])[:, None], 0.0)
