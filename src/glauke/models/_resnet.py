"""Residual networks for small pictures (He et al., "Deep Residual Learning", 2015, arXiv 1512.03385).

The networks are those of the paper but for the stem, where pictures of 32 to 64 pixels would lose most of what they
hold: a 3x3 convolution of stride 1 takes the place of the 7x7 of stride 2. The names of the weights are torchvision's,
so weights travel between the two wherever the shapes agree.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from glauke.errors import UnknownNameError

from ._convolution import Conv3x3
from ._sizes import check_sizes

Stem = Literal["full", "maxpool"]


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; section 3.3 of the paper."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = Conv3x3(in_channels, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = Conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, h, w) to (batch, width, h / stride, w / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; the stride sits in the 3x3, as in torchvision ("v1.5")."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = Conv3x3(width, width, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, h, w) to (batch, 4 * width, h / stride, w / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A residual network; build it with `resnet18` and its neighbours.

    `shallow` leaves out all blocks but the first of each stage, in training and in evaluation: half of the arithmetic
    of ResNet-18. While those blocks are the identity (see `begin_shallow`), it changes no result.
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        blocks: Sequence[int],
        *,
        num_classes: int,
        in_channels: int,
        stem: Stem,
    ) -> None:
        super().__init__()
        check_sizes(num_classes, in_channels)
        if stem not in get_args(Stem):
            raise UnknownNameError(stem, kind="stem", known=get_args(Stem))
        self.shallow = False
        self.conv1 = Conv3x3(in_channels, 64)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if stem == "maxpool" else nn.Identity()
        channels, stages = 64, []
        for count, width, stride in zip(blocks, (64, 128, 256, 512), (1, 2, 2, 2), strict=True):
            stage = []
            for position in range(count):
                stage.append(block(channels, width, stride if position == 0 else 1))
                channels = width * block.expansion
            stages.append(nn.Sequential(*stage))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @property
    def stages(self) -> tuple[nn.Sequential, ...]:
        """The four stages, each a sequence of blocks of one width."""
        return self.layer1, self.layer2, self.layer3, self.layer4

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        """Score each picture for each class (logits, not probabilities)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for stage in self.stages:
            x = stage[0](x) if self.shallow else stage(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


def resnet18(num_classes: int, in_channels: int = 3, stem: Stem = "full") -> ResNet:
    """ResNet-18 with a 3x3 stem of stride 1.

    `stem="full"` keeps the full resolution into the first stage: the network of the Tiny ImageNet reports.
    `stem="maxpool"` halves it with a max-pool: the same parameters at a quarter of the cost.

    >>> sum(p.numel() for p in resnet18(200).parameters())
    11271432
    """
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes=num_classes, in_channels=in_channels, stem=stem)


def resnet34(num_classes: int, in_channels: int = 3, stem: Stem = "full") -> ResNet:
    """ResNet-34 in the same form: twice the depth of ResNet-18."""
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes=num_classes, in_channels=in_channels, stem=stem)


def resnet50(num_classes: int, in_channels: int = 3, stem: Stem = "full") -> ResNet:
    """ResNet-50 in the same form: bottleneck blocks, 2,048 features."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes=num_classes, in_channels=in_channels, stem=stem)


def resnet101(num_classes: int, in_channels: int = 3, stem: Stem = "full") -> ResNet:
    """ResNet-101 in the same form: 23 blocks in the third stage, where ResNet-50 has 6."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes=num_classes, in_channels=in_channels, stem=stem)


def resnet152(num_classes: int, in_channels: int = 3, stem: Stem = "full") -> ResNet:
    """ResNet-152 in the same form: 8 blocks in the second stage and 36 in the third."""
    return ResNet(Bottleneck, (3, 8, 36, 3), num_classes=num_classes, in_channels=in_channels, stem=stem)


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm2d(out_channels)
    )
