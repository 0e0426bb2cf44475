"""The names by which a recipe or the command line asks for a network."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import nn

from glauke.errors import UnknownNameError

from ._resnet import resnet18, resnet34, resnet50

MODELS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {model.__name__: model for model in (resnet18, resnet34, resnet50)}
)
"""Every network by name; adding one is a function and its place in this row."""


def build_model(name: str, *, num_classes: int, in_channels: int, stem: str, seed: int) -> nn.Module:
    """Build the network `name` with first weights that depend on `seed` alone.

    The global random state is left as it was. Raises `UnknownNameError` for a name that is not in `MODELS`.
    """
    if name not in MODELS:
        raise UnknownNameError(name, kind="model", known=MODELS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MODELS[name](num_classes, in_channels, stem)
