"""Operations on the colours of whole batches, each picture with its own strength; uint8 in, uint8 out.

They are Pillow's, as torchvision computes them on tensors: what is blended is cut off at 0 and 255, and fractions are
dropped. In grey pictures, of one channel, the channel is the brightness.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ._pixels import Pictures

Strengths = Float[Tensor, " batch"]

LUMA = (0.2989, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""


def brightness(pictures: Pictures, factors: Strengths) -> Pictures:
    """Blend with black: 0 is black, 1 the picture, 2 twice as bright."""
    return _blended(pictures, torch.zeros((), device=pictures.device), factors)


def contrast(pictures: Pictures, factors: Strengths) -> Pictures:
    """Blend with the picture's mean brightness: 0 is an even grey, 1 the picture."""
    return _blended(pictures, _grey(pictures).mean(dim=(1, 2, 3), keepdim=True), factors)


def saturation(pictures: Pictures, factors: Strengths) -> Pictures:
    """Blend with the picture in grey: 0 is grey, 1 the picture; grey pictures stay as they are."""
    return pictures if pictures.shape[3] == 1 else _blended(pictures, _grey(pictures), factors)


def sharpness(pictures: Pictures, factors: Strengths) -> Pictures:
    """Blend with a smoothed picture: 0 is smooth, 1 the picture; the outermost pixels stay as they are."""
    _, height, width, _ = pictures.shape
    if min(height, width) < 3:
        return pictures
    values = pictures.float()
    # Nine neighbours, the pixel itself five times, as sums along rows and then along columns.
    rows = values[:, :-2] + values[:, 1:-1] + values[:, 2:]
    around = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    smooth = values.clone()
    smooth[:, 1:-1, 1:-1] = ((around + 4 * values[:, 1:-1, 1:-1]) / 13).round()
    return _blended(pictures, smooth, factors)


def posterize(pictures: Pictures, bits: Int[Tensor, " batch"]) -> Pictures:
    """Keep the upper `bits` of each channel's eight."""
    mask = 256 - torch.ones_like(bits).bitwise_left_shift(8 - bits)
    return pictures & _each(mask).to(torch.uint8)


def solarize(pictures: Pictures, thresholds: Strengths) -> Pictures:
    """Invert what is as bright as the threshold, on the scale 0 to 255, or brighter."""
    return torch.where(pictures >= _each(thresholds), 255 - pictures, pictures)


def autocontrast(pictures: Pictures) -> Pictures:
    """Stretch each channel so that its darkest pixel becomes 0 and its brightest 255; an even channel stays."""
    values = pictures.float()
    low, high = values.amin(dim=(1, 2), keepdim=True), values.amax(dim=(1, 2), keepdim=True)
    even = low == high
    scale = 255 / torch.where(even, 255.0, high - low)
    return ((values - torch.where(even, 0.0, low)) * scale).clamp(0, 255).to(torch.uint8)


def equalize(pictures: Pictures) -> Pictures:
    """Spread each channel's values so that each is about as frequent; a channel with few values stays."""
    batch, height, width, channels = pictures.shape
    planes = pictures.permute(0, 3, 1, 2).reshape(batch * channels, height * width).long()
    offsets = 256 * torch.arange(len(planes), device=planes.device)[:, None]
    counts = torch.bincount((planes + offsets).flatten(), minlength=256 * len(planes)).reshape(-1, 256)
    # Pillow leaves the brightest value's pixels out of the step, so that this value becomes 255.
    brightest = counts.gather(1, planes.amax(dim=1, keepdim=True))
    step = (height * width - brightest) // 255
    below = counts.cumsum(dim=1) - counts
    table = ((below + step // 2) // step.clamp(min=1)).clamp(0, 255)
    spread = torch.where(step == 0, planes, table.gather(1, planes)).to(torch.uint8)
    return spread.reshape(batch, channels, height, width).permute(0, 2, 3, 1).contiguous()


def _grey(pictures: Pictures) -> Float[Tensor, "batch height width one"]:
    if pictures.shape[3] != len(LUMA):
        return pictures.float()
    # Numbers, not a tensor: a tensor would have to be copied to the device, and the copy waits for all work there.
    red, green, blue = pictures.float().split(1, dim=3)
    return (red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]).floor()


def _blended(pictures: Pictures, other: Tensor, factors: Strengths) -> Pictures:
    share, rest = _each(factors).float(), _each(1 - factors).float()
    return (share * pictures.float() + rest * other).clamp(0, 255).to(torch.uint8)


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]
