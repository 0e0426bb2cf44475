"""The names by which a recipe or the command line asks for a network."""

from collections.abc import Callable, Mapping
from inspect import signature
from types import MappingProxyType

import torch
from torch import nn

from glauke.errors import UsageError

from ._davidnet import davidnet
from ._last_norms import zero_last_norms
from ._resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from ._small_nets import cifar_net, mnist_net
from ._zoo import find_in_zoo, zoo_model

MODELS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        model.__name__: model
        for model in (resnet18, resnet34, resnet50, resnet101, resnet152, davidnet, cifar_net, mnist_net)
    }
)
"""Every network of ours by name; adding one is a function and its place in this row."""


def check_model(name: str) -> None:
    """`UnknownNameError` or `UsageError`, with the nearest names, unless `build_model` can build `name`.

    Loads torchvision and timm if the name is none of ours.
    """
    if name not in MODELS:
        find_in_zoo(name, ours=MODELS)


def has_stems(name: str) -> bool:
    """Whether a network has the choice of a stem; those that have none are built the same whatever the stem.

    >>> has_stems("resnet18"), has_stems("davidnet"), has_stems("timm/resnet26d")
    (True, False, False)
    """
    return name in MODELS and "stem" in signature(MODELS[name]).parameters


def build_model(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    stem: str,
    seed: int,
    zero_gamma: bool = False,
    pretrained: bool = False,
) -> nn.Module:
    """Build the network `name` with first weights that depend on `seed` alone.

    `name` is one of `MODELS`, or one of torchvision's or timm's such as "timm/resnet26d" where the extra `zoo` is
    installed; the latter, and those of ours that have one stem only, do not look at `stem`. `zero_gamma` starts the
    last norm of every residual block at zero. `pretrained` fetches the published weights of a zoo model, all but its
    head; they keep their norms. The global random state is left as it was.

    Raises:
        UnknownNameError: nobody has a network of this name.
        UsageError: an extra that is not installed, `zero_gamma` without residual blocks, `pretrained` without weights.
        CannotGoOnError: the published weights cannot be fetched.
    """
    if name in MODELS and pretrained:
        raise UsageError(
            f"nobody has published weights for our {name}",
            place="--pretrained",
            fix=f"take torchvision/{name} or another of theirs, or name a file: --weights FILE.safetensors",
        )
    found = None if name in MODELS else find_in_zoo(name, ours=MODELS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if found is not None:
            model = zoo_model(found, num_classes=num_classes, in_channels=in_channels, pretrained=pretrained)
        elif has_stems(name):
            model = MODELS[name](num_classes, in_channels, stem)
        else:
            model = MODELS[name](num_classes, in_channels)
    if zero_gamma and not pretrained:
        zero_last_norms(model)
    return model
