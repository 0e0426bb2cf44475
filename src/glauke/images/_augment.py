"""Augmentation of whole batches, drawn for each picture apart, on whichever device the pictures lie.

Pictures are uint8 with the channels last, (batch, height, width, channels), until `normalise` makes the network's
input of them. Nothing here holds state: every draw is keyed by (seed, epoch, sample), see `_keyed.py`.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from ._keyed import integers, uniform

Pictures = UInt8[Tensor, "batch height width channels"]


def crop_and_flip(
    pictures: Pictures, samples: Int[Tensor, " batch"], *, pad: int, flip: bool, seed: int, epoch: int
) -> Pictures:
    """Shift each picture by up to `pad` pixels each way and mirror half of them, in one gather.

    What comes into view at the border is the picture reflected (without repeating the edge): black bars would be a
    texture of their own. The distribution is that of padding by `pad` and cropping at random.
    """
    if pad == 0 and not flip:
        return pictures
    _, height, width, _ = pictures.shape
    key = {"seed": seed, "epoch": epoch}
    rows = torch.arange(height, device=pictures.device).expand(len(pictures), -1)
    columns = torch.arange(width, device=pictures.device).expand(len(pictures), -1)
    if flip:
        mirrored = uniform(samples, **key, purpose="flip") < 0.5
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    if pad > 0:
        reach = 2 * pad + 1
        rows = rows + (integers(samples, high=reach, **key, purpose="row") - pad)[:, None]
        columns = columns + (integers(samples, high=reach, **key, purpose="column") - pad)[:, None]
        rows, columns = _reflected(rows, height), _reflected(columns, width)
    picked = torch.arange(len(pictures), device=pictures.device)
    return pictures[picked[:, None, None], rows[:, :, None], columns[:, None, :]]


def cutout(
    images: Float[Tensor, "batch channels height width"],
    samples: Int[Tensor, " batch"],
    *,
    size: int,
    seed: int,
    epoch: int,
) -> Float[Tensor, "batch channels height width"]:
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


def resized(pictures: Pictures, size: int) -> UInt8[Tensor, "batch {size} {size} channels"]:
    """Scale square pictures to `size` pixels with antialias; the same object if they have that size."""
    if pictures.shape[1] == size:
        return pictures
    # Channels-last memory under an NCHW view: PyTorch's uint8 path with antialias takes it without a copy.
    scaled = F.interpolate(
        pictures.permute(0, 3, 1, 2), size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )
    return scaled.permute(0, 2, 3, 1).contiguous()


def normalise(
    pictures: Pictures, *, mean: Float[Tensor, " channels"], std: Float[Tensor, " channels"]
) -> Float[Tensor, "batch channels height width"]:
    """Turn uint8 pictures into the network's float input, (x / 255 - mean) / std, in channels-last memory.

    `mean` and `std` are on the scale 0 to 1: those of the whole pack, held-out pictures included, so that every split
    of a data set is normalised alike.
    """
    scaled = (pictures.float() - 255.0 * mean) / (255.0 * std)
    return scaled.permute(0, 3, 1, 2)


def _reflected(index: Tensor, length: int) -> Tensor:
    # -1 -> 1, length -> length - 2; a second fold for shifts beyond one picture.
    period = max(2 * (length - 1), 1)
    index = index.abs() % period
    return torch.minimum(index, period - index) if length > 1 else torch.zeros_like(index)
