"""Networks, each a function `(num_classes, in_channels, stem) -> nn.Module`, and the list of their names."""

from ._registry import MODELS as MODELS
from ._registry import build_model as build_model
from ._resnet import ResNet as ResNet
from ._resnet import Stem as Stem
from ._resnet import resnet18 as resnet18
from ._resnet import resnet34 as resnet34
from ._resnet import resnet50 as resnet50
