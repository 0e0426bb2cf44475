"""Layers that networks are built of."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from glauke.errors import UsageError

from ._convolution import Conv3x3


class GhostBatchNorm(nn.BatchNorm2d):
    """Batch norm over parts of the batch: the noise of small batches at the speed of a large one.

    In training, each of `num_splits` parts of the batch is normalised by its own statistics, and the running ones take
    them in one after the other; in evaluation it is `nn.BatchNorm2d`, with the same weights and names. A batch that
    does not divide evenly gives parts that differ by one picture; one of fewer than two pictures a part gives fewer
    parts, since a picture alone has no statistics.

    Hoffer, Hubara and Soudry, "Train longer, generalize better", 2017, arXiv 1705.08741, section 4, algorithm 1.

    >>> GhostBatchNorm(3, num_splits=4)(torch.zeros(10, 3, 2, 2)).shape  # parts of 3, 3, 2 and 2 pictures
    torch.Size([10, 3, 2, 2])
    """

    def __init__(self, num_features: int, num_splits: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(num_features, eps=eps, momentum=momentum)
        if num_splits < 1:
            raise UsageError(f"a batch is normalised in at least one part, not num_splits={num_splits}")
        self.num_splits = num_splits

    def forward(self, input: Tensor) -> Tensor:
        """Map (batch, channels, h, w) to the same shape."""
        parts = max(1, min(self.num_splits, len(input) // 2))
        if parts == 1 or not self.training:
            return super().forward(input)
        normalised = super().forward
        return torch.cat([normalised(part) for part in input.tensor_split(parts)])

    def extra_repr(self) -> str:
        """Batch norm's own line with the parts."""
        return f"{super().extra_repr()}, num_splits={self.num_splits}"


class DepthwiseSeparable(nn.Sequential):
    """A 3x3 convolution within each channel, then a 1x1 convolution across them, each with batch norm and ReLU.

    9 * in + in * out weights where a full convolution has 9 * in * out: Howard et al., "MobileNets", 2017, arXiv
    1704.04861, section 3.1 and figure 3. Maps (batch, in_channels, h, w) to (batch, out_channels, ceil(h / stride),
    ceil(w / stride)).

    >>> sum(weight.numel() for weight in DepthwiseSeparable(32, 64).parameters() if weight.ndim == 4)
    2336
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        depthwise = nn.Conv2d(in_channels, in_channels, 3, stride=stride, padding=1, groups=in_channels, bias=False)
        super().__init__(
            OrderedDict(
                depthwise=depthwise,
                bn1=nn.BatchNorm2d(in_channels),
                relu1=nn.ReLU(inplace=True),
                pointwise=nn.Conv2d(in_channels, out_channels, 1, bias=False),
                bn2=nn.BatchNorm2d(out_channels),
                relu2=nn.ReLU(inplace=True),
            )
        )


def convolved(in_channels: int, out_channels: int, *, stride: int = 1, pool: bool = False) -> nn.Sequential:
    """A 3x3 convolution with batch norm and ReLU, and with `pool` a 2x2 max-pool after them."""
    layers = OrderedDict[str, nn.Module](
        conv=Conv3x3(in_channels, out_channels, stride), bn=nn.BatchNorm2d(out_channels), relu=nn.ReLU(inplace=True)
    )
    if pool:
        layers["pool"] = nn.MaxPool2d(2)
    return nn.Sequential(layers)
