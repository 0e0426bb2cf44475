"""Pictures as uint8 for people and files, and as numbers around 0 for networks.

A batch of pictures is uint8 with the channels last, (batch, height, width, channels); a batch of images, the network's
input, is float32 with the channels second.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

Pictures = UInt8[Tensor, "batch height width channels"]
Images = Float[Tensor, "batch channels height width"]
PerChannel = Sequence[float] | Float[Tensor, " channels"]


def resized(pictures: Pictures, size: int) -> UInt8[Tensor, "batch {size} {size} channels"]:
    """Scale square pictures to `size` pixels with antialias; the same object if they have that size."""
    if pictures.shape[1] == size:
        return pictures
    # Channels-last memory under an NCHW view: PyTorch's uint8 path with antialias takes it without a copy.
    scaled = F.interpolate(
        pictures.permute(0, 3, 1, 2), size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )
    return scaled.permute(0, 2, 3, 1).contiguous()


def normalise(pictures: Pictures, *, mean: Float[Tensor, " channels"], std: Float[Tensor, " channels"]) -> Images:
    """Turn uint8 pictures into the network's float input, (x / 255 - mean) / std, in channels-last memory.

    `mean` and `std` are on the scale 0 to 1: those of the whole pack, held-out pictures included, so that every split
    of a data set is normalised alike.
    """
    scaled = (pictures.float() - 255.0 * mean) / (255.0 * std)
    return scaled.permute(0, 3, 1, 2)


def unnormalised(images: Images, *, mean: PerChannel, std: PerChannel) -> Pictures:
    """Turn a network's input back into pictures for people: what `normalise` does, undone to the bit.

    What augmentation has blended between two grey levels is rounded to the nearer one.

    >>> images = torch.tensor([-0.5, 0.0, 0.5]).reshape(1, 1, 1, 3)
    >>> unnormalised(images, mean=(0.4,), std=(0.2,)).flatten().tolist()
    [76, 102, 128]
    """
    mean, std = (torch.as_tensor(values, dtype=torch.float32, device=images.device) for values in (mean, std))
    scaled = images.detach().float().permute(0, 2, 3, 1) * (255.0 * std) + 255.0 * mean
    return scaled.round().clamp(0, 255).to(torch.uint8).contiguous()
