"""Operations that move the pixels of whole batches, each picture with its own strength; uint8 in, uint8 out.

A pixel takes the value of the nearest one where it comes from, and black where that lies outside, as in the code of
TrivialAugment and in torchvision's defaults.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ._pixels import Pictures

Strengths = Float[Tensor, " batch"]


def rotated(pictures: Pictures, angles: Strengths) -> Pictures:
    """Turn about the middle by `angles` in radians, against the clock."""
    _, height, width, _ = pictures.shape
    cos, sin = angles.cos(), angles.sin()
    rows, columns = height / 2, width / 2
    return _moved(
        pictures,
        row=(cos, sin, rows - rows * cos - columns * sin),
        column=(-sin, cos, columns + rows * sin - columns * cos),
    )


def sheared(pictures: Pictures, slopes: Strengths, *, along: str) -> Pictures:
    """Shift each row along x, or each column along y, by `slopes` times its distance from the top left corner."""
    zero, one = torch.zeros_like(slopes), torch.ones_like(slopes)
    if along == "x":
        return _moved(pictures, row=(one, zero, zero), column=(slopes, one, zero))
    return _moved(pictures, row=(one, slopes, zero), column=(zero, one, zero))


def translated(pictures: Pictures, pixels: Strengths, *, along: str) -> Pictures:
    """Shift by whole `pixels` to the right (x) or down (y)."""
    zero, one = torch.zeros_like(pixels), torch.ones_like(pixels)
    if along == "x":
        return _moved(pictures, row=(one, zero, zero), column=(zero, one, -pixels))
    return _moved(pictures, row=(one, zero, -pixels), column=(zero, one, zero))


def _moved(pictures: Pictures, *, row: tuple[Tensor, ...], column: tuple[Tensor, ...]) -> Pictures:
    """Take each pixel from where two linear forms (of its row, of its column, constant) say, in float64.

    A pixel is the point in its middle: the one in row 0 is at 0.5.
    """
    batch, height, width, channels = pictures.shape
    y = (torch.arange(height, device=pictures.device) + 0.5)[None, :, None]
    x = (torch.arange(width, device=pictures.device) + 0.5)[None, None, :]
    rows, columns = (
        (a[:, None, None] * y + b[:, None, None] * x + c[:, None, None] - 0.5).round().long()
        for a, b, c in (row, column)
    )
    outside = (rows < 0) | (rows >= height) | (columns < 0) | (columns >= width)
    places = (rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)).flatten(1)
    flat = pictures.reshape(batch, height * width, channels)
    taken = flat.gather(1, places[:, :, None].expand(-1, -1, channels)).reshape(pictures.shape)
    return taken.masked_fill_(outside[:, :, :, None], 0)
