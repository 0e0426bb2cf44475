"""Networks, each a function `(num_classes, in_channels, stem) -> nn.Module`, and the list of their names.

Beside ours, those of torchvision and timm by their names, and weights from files.
"""

from ._davidnet import DavidNet as DavidNet
from ._davidnet import davidnet as davidnet
from ._growth import begin_shallow as begin_shallow
from ._growth import can_grow as can_grow
from ._growth import in_form as in_form
from ._growth import later_blocks as later_blocks
from ._growth import require_growth as require_growth
from ._growth import set_shallow as set_shallow
from ._layers import DepthwiseSeparable as DepthwiseSeparable
from ._layers import GhostBatchNorm as GhostBatchNorm
from ._registry import MODELS as MODELS
from ._registry import build_model as build_model
from ._registry import check_model as check_model
from ._registry import has_stems as has_stems
from ._resnet import ResNet as ResNet
from ._resnet import Stem as Stem
from ._resnet import resnet18 as resnet18
from ._resnet import resnet34 as resnet34
from ._resnet import resnet50 as resnet50
from ._resnet import resnet101 as resnet101
from ._resnet import resnet152 as resnet152
from ._small_nets import cifar_net as cifar_net
from ._small_nets import mnist_net as mnist_net
from ._stem_warning import stem_warning as stem_warning
from ._weights_file import LoadedWeights as LoadedWeights
from ._weights_file import check_weights_file as check_weights_file
from ._weights_file import load_weights as load_weights
