"""Where in a picture the network looks: random shifts, mirror images, and parts stretched to the whole."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._keyed import integers, uniform
from ._pixels import Pictures

LONGEST = 4 / 3
"""Most that a stretched part may be longer than wide, or wider than long, as in torchvision."""


def mirrored(samples: Int[Tensor, " batch"], *, alternate: bool, seed: int, epoch: int) -> Bool[Tensor, " batch"]:
    """Which pictures to mirror in an epoch: half of them, drawn anew or, with `alternate`, the other half each time.

    Alternating flip (Jordan, arXiv 2404.00498, section 3.6): the draw of epoch 0 holds for every even epoch, its
    opposite for every odd one. The two kinds agree in epoch 0.

    >>> first, second = (mirrored(torch.arange(100), alternate=True, seed=0, epoch=epoch) for epoch in (0, 1))
    >>> bool((first != second).all())
    True
    """
    drawn = uniform(samples, seed=seed, epoch=0 if alternate else epoch, purpose="flip") < 0.5
    return ~drawn if alternate and epoch % 2 else drawn


def shifted(
    pictures: Pictures,
    samples: Int[Tensor, " batch"],
    mirror: Bool[Tensor, " batch"] | None,
    *,
    pad: int,
    seed: int,
    epoch: int,
) -> Pictures:
    """Shift each picture by up to `pad` pixels each way and mirror those of `mirror`, in one gather.

    What comes into view at the border is the picture reflected (without repeating the edge): black bars would be a
    texture of their own. The distribution is that of padding by `pad` and cropping at random.
    """
    if pad == 0 and mirror is None:
        return pictures
    _, height, width, _ = pictures.shape
    key = {"seed": seed, "epoch": epoch}
    rows = torch.arange(height, device=pictures.device).expand(len(pictures), -1)
    columns = torch.arange(width, device=pictures.device).expand(len(pictures), -1)
    if mirror is not None:
        columns = torch.where(mirror[:, None], columns.flip(1), columns)
    if pad > 0:
        reach = 2 * pad + 1
        rows = rows + (integers(samples, high=reach, **key, purpose="row") - pad)[:, None]
        columns = columns + (integers(samples, high=reach, **key, purpose="column") - pad)[:, None]
        rows, columns = _reflected(rows, height), _reflected(columns, width)
    picked = torch.arange(len(pictures), device=pictures.device)
    return pictures[picked[:, None, None], rows[:, :, None], columns[:, None, :]]


def stretched(
    pictures: Pictures,
    samples: Int[Tensor, " batch"],
    mirror: Bool[Tensor, " batch"] | None,
    *,
    area: float | int,
    seed: int,
    epoch: int,
) -> Pictures:
    """Stretch a part of each picture to the whole, bilinearly, and mirror those of `mirror`.

    "Random resized crop" (Szegedy et al., arXiv 1409.4842, section 6), with the parts of `parts`. A part is never
    larger than what is made of it: nothing is scaled down, so there is nothing for an antialias to do.
    """
    batch, height, width, channels = pictures.shape
    tops, lefts, heights, widths = parts(samples, area=area, seed=seed, epoch=epoch)
    down, across = _scaling(tops, heights, height), _scaling(lefts, widths, width)
    if mirror is not None:
        across = torch.where(mirror[:, None, None], across.flip(1), across)
    # Bilinear scaling is one matrix product along each side; on CPUs that takes three quarters of grid_sample's time.
    # The bytes are put in order before they become floats, a quarter of the memory.
    rows = pictures.transpose(2, 3).contiguous().float().reshape(batch, height * channels, width)
    scaled = torch.bmm(rows, across.transpose(1, 2)).reshape(batch, height, channels * width)
    scaled = torch.bmm(down, scaled).reshape(batch, height, channels, width)
    return scaled.round_().clamp_(0, 255).to(torch.uint8).transpose(2, 3).contiguous()


def parts(samples: Int[Tensor, " batch"], *, area: float | int, seed: int, epoch: int) -> Float[Tensor, "4 batch"]:
    """Top, left, height and width of the part of each picture, as shares of its sides; float64.

    The share of the area is uniform in [`area`, 1], the ratio of the sides log-uniform from 3/4 to 4/3, or as far as
    the part still fits. torchvision draws both anew where it does not fit, which makes large parts rare.
    """
    key = {"seed": seed, "epoch": epoch}
    share = area + (1 - area) * uniform(samples, **key, purpose="crop area")
    reach = (-share.log()).clamp(max=math.log(LONGEST))  # a part fits where |log ratio| <= -log share
    ratio = ((2 * uniform(samples, **key, purpose="crop ratio") - 1) * reach).exp()
    heights, widths = (share / ratio).sqrt().clamp(max=1), (share * ratio).sqrt().clamp(max=1)
    tops = (1 - heights) * uniform(samples, **key, purpose="crop row")
    lefts = (1 - widths) * uniform(samples, **key, purpose="crop column")
    return torch.stack([tops, lefts, heights, widths])


def _scaling(starts: Tensor, lengths: Tensor, size: int) -> Float[Tensor, "batch size size"]:
    """Matrices that stretch the part of a side from `starts` on (shares of the side) over its `size` pixels."""
    pixels = torch.arange(size, device=starts.device)
    centres = (starts[:, None] + (pixels + 0.5) / size * lengths[:, None]) * size - 0.5
    return (1 - (centres.clamp(0, size - 1).float()[:, :, None] - pixels).abs_()).clamp_(min=0)


def _reflected(index: Tensor, length: int) -> Tensor:
    # -1 -> 1, length -> length - 2; a second fold for shifts beyond one picture.
    period = max(2 * (length - 1), 1)
    index = index.abs() % period
    return torch.minimum(index, period - index) if length > 1 else torch.zeros_like(index)
