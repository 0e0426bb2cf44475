"""The small residual network that David Page trained on CIFAR-10 in 79 seconds (DAWNBench, 2018).

"How to Train Your ResNet" and the code beside it, github.com/davidcpage/cifar10-fast. Nine layers with weights, hence
"ResNet9" elsewhere.
"""

from jaxtyping import Float
from torch import Tensor, nn

from ._layers import convolved
from ._sizes import check_sizes

LOGIT_SCALE = 0.125
"""By which the scores are multiplied, since no norm holds them: "Net" in the code."""


class Residual(nn.Module):
    """Two convolutions whose output is added to their input.

    The second ends in ReLU, before the sum. Its norm can therefore not start at zero: behind it nothing would learn.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.res1 = convolved(channels, channels)
        self.res2 = convolved(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (batch, channels, h, w)."""
        return x + self.res2(self.res1(x))


class DavidNet(nn.Module):
    """Page's network; the last max-pool takes all that is left of a map, so that any size from 16 pixels on will do."""

    def __init__(self, *, num_classes: int, in_channels: int) -> None:
        super().__init__()
        check_sizes(num_classes, in_channels)
        self.prep = convolved(in_channels, 64)
        self.layer1 = nn.Sequential(convolved(64, 128, pool=True), Residual(128))
        self.layer2 = convolved(128, 256, pool=True)
        self.layer3 = nn.Sequential(convolved(256, 512, pool=True), Residual(512))
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.linear = nn.Linear(512, num_classes, bias=False)

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        """Score each picture for each class (logits, not probabilities)."""
        x = self.layer3(self.layer2(self.layer1(self.prep(images))))
        return LOGIT_SCALE * self.linear(self.pool(x).flatten(1))


def davidnet(num_classes: int, in_channels: int = 3) -> DavidNet:
    """David Page's network for 32-pixel pictures, for any number of classes and channels.

    >>> sum(p.numel() for p in davidnet(10).parameters())
    6573120
    """
    return DavidNet(num_classes=num_classes, in_channels=in_channels)
