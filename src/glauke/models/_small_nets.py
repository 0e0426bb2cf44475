"""Two networks that fit into little: one for digits, one for small colour pictures."""

from torch import nn

from ._layers import DepthwiseSeparable, convolved
from ._sizes import check_sizes


def mnist_net(num_classes: int, in_channels: int = 1) -> nn.Sequential:
    """Five convolutions and a mean over what is left of the map: below 10,000 parameters for ten classes.

    >>> sum(p.numel() for p in mnist_net(10).parameters())
    9698
    """
    check_sizes(num_classes, in_channels)
    return nn.Sequential(
        convolved(in_channels, 8),
        convolved(8, 16, pool=True),
        convolved(16, 16),
        convolved(16, 16, pool=True),
        convolved(16, 24),
        *_head(24, num_classes),
    )


def cifar_net(num_classes: int, in_channels: int = 3) -> nn.Sequential:
    """A full convolution and six depthwise separable ones: about 100,000 parameters for ten classes.

    Most of them see half the side or less, since on a CPU such convolutions are as fast as memory is.

    >>> sum(p.numel() for p in cifar_net(10).parameters())
    104010
    """
    check_sizes(num_classes, in_channels)
    return nn.Sequential(
        convolved(in_channels, 32),
        DepthwiseSeparable(32, 64),
        DepthwiseSeparable(64, 128, stride=2),
        DepthwiseSeparable(128, 128),
        DepthwiseSeparable(128, 128),
        DepthwiseSeparable(128, 128),
        DepthwiseSeparable(128, 256, stride=2),
        *_head(256, num_classes),
    )


def _head(channels: int, num_classes: int) -> tuple[nn.Module, ...]:
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes)
