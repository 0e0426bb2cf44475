"""Every network of torchvision and timm by its name there, where the extra `zoo` is installed."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType, ModuleType

import torch
from torch import nn

from glauke.errors import CannotGoOnError, UnknownNameError, UsageError

from ._sizes import check_sizes
from ._weights_file import take_weights

_WITH_SIDE_OUTPUTS = ("googlenet", "inception_v3")
_SEVERAL = "those of torchvision and timm"


def find_in_zoo(name: str, *, ours: Iterable[str]) -> tuple[str, str]:
    """Library and name there of a network: "timm/resnet26d", or a bare name that only one of the two has.

    Raises:
        UsageError: the library is not installed, or both have the name.
        UnknownNameError: neither has it; names what is nearest among `ours` and theirs.
    """
    library, slash, bare = name.rpartition("/")
    if slash and library not in LIBRARIES:
        raise UnknownNameError(library, kind="library of models", known=LIBRARIES)
    offered = {each: _names(each) for each in ((library,) if slash else LIBRARIES) if slash or _imported(each)}
    having = [each for each, names in offered.items() if bare in names]
    if len(having) == 1:
        return having[0], bare
    if having:
        both = " or ".join(f"{each}/{bare}" for each in having)
        raise UsageError(f"torchvision and timm both have a {bare}", place="--model", fix=f"say which: {both}")
    raise _unknown(name, bare, list(ours), offered)


def zoo_model(name: tuple[str, str], *, num_classes: int, in_channels: int, pretrained: bool) -> nn.Module:
    """Build what `find_in_zoo` found; its first weights come from PyTorch's global generator.

    `pretrained` fetches the library's own weights, with a new head for `num_classes`. Where they were trained on three
    channels and there is one, the first convolution takes the sum over theirs.

    Raises:
        UsageError: there are no published weights for it.
        CannotGoOnError: they cannot be fetched.
    """
    check_sizes(num_classes, in_channels)
    library, bare = name
    return LIBRARIES[library](bare, num_classes, in_channels, pretrained)


def _from_torchvision(name: str, num_classes: int, in_channels: int, pretrained: bool) -> nn.Module:
    library = _models("torchvision")
    # Without their side outputs, which come as a tuple in training; and with the published first weights.
    more = {"aux_logits": False, "init_weights": True} if name in _WITH_SIDE_OUTPUTS else {}
    model = library.get_model(name, weights=None, num_classes=num_classes, **more)
    first = _first_convolution(model)
    if in_channels != 3:
        _replace(model, first, in_channels)
    if pretrained:
        best = library.get_model_weights(name).DEFAULT
        # Torchvision would unpickle without limits; with `weights_only` nothing but tensors can come.
        state = _fetched(f"torchvision/{name}", lambda: best.get_state_dict(check_hash=True, weights_only=True))
        if in_channels != 3:
            kernel = f"{first}.weight"
            state = {**state, kernel: _adapted(state[kernel], in_channels)}
        take_weights(model, state, source=f"torchvision/{name}")
    return model


def _from_timm(name: str, num_classes: int, in_channels: int, pretrained: bool) -> nn.Module:
    library = _models("timm")
    if pretrained and not library.is_model_pretrained(name):
        raise UsageError(f"nobody has published weights for timm/{name}", place="--pretrained", fix="leave it out")

    def create() -> nn.Module:
        return library.create_model(name, pretrained=pretrained, num_classes=num_classes, in_chans=in_channels)

    return _fetched(f"timm/{name}", create) if pretrained else create()


LIBRARIES: Mapping[str, Callable[[str, int, int, bool], nn.Module]] = MappingProxyType(
    {"timm": _from_timm, "torchvision": _from_torchvision}
)
"""By the word before the slash."""


def _models(library: str) -> ModuleType:
    """The library's module of models; `UsageError` if it is not installed."""
    try:
        # Beside another build of torch than its own, torchvision is there and fails with a RuntimeError.
        return import_module("torchvision.models" if library == "torchvision" else library)
    except (ImportError, RuntimeError) as error:
        raise UsageError(
            f"models of {library} need it installed ({error})", place="--model", fix='pip install "glauke[zoo]"'
        ) from error


def _imported(library: str) -> bool:
    try:
        _models(library)
    except UsageError:
        return False
    return True


@cache
def _names(library: str) -> frozenset[str]:
    module = _models(library)
    if library == "torchvision":
        return frozenset(module.list_models(module=module))  # those that classify pictures
    return frozenset([*module.list_models(), *module.list_models(pretrained=True)])  # also with the tag of weights


def _unknown(name: str, bare: str, ours: list[str], offered: Mapping[str, Iterable[str]]) -> UnknownNameError:
    error = UnknownNameError(name, kind="model", known=ours)
    near = difflib.get_close_matches(bare, ours, n=1, cutoff=0.5)
    for library, names in offered.items():
        near += [f"{library}/{each}" for each in difflib.get_close_matches(bare, sorted(names), n=1, cutoff=0.5)]
    guess = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    more = f"any of {_SEVERAL}" if offered else f'install {_SEVERAL} with pip install "glauke[zoo]"'
    error.fix = f"{guess}choose one of: {', '.join(sorted(ours))}; or {more}"
    return error


def _fetched(name: str, fetch: Callable):
    from http.client import HTTPException

    try:
        return fetch()
    except (OSError, HTTPException, RuntimeError) as error:
        reason = (str(getattr(error, "reason", error)) or type(error).__name__).split(". ")[0].splitlines()[0]
        raise CannotGoOnError(
            f"the trained weights of {name} cannot be fetched ({reason})",
            place="--pretrained",
            fix="try again with a network, or name a file of them: --weights FILE.safetensors",
        ) from error


def _first_convolution(model: nn.Module) -> str:
    return next(name for name, module in model.named_modules() if isinstance(module, nn.Conv2d))


def _replace(model: nn.Module, name: str, in_channels: int) -> None:
    """Give a convolution another number of input channels, with first weights of PyTorch's own kind."""
    parent, _, last = name.rpartition(".")
    old = model.get_submodule(name)
    assert isinstance(old, nn.Conv2d)
    new = nn.Conv2d(
        in_channels,
        old.out_channels,
        old.kernel_size,  # pyright: ignore[reportArgumentType]
        stride=old.stride,  # pyright: ignore[reportArgumentType]
        padding=old.padding,  # pyright: ignore[reportArgumentType]
        bias=old.bias is not None,
    )
    setattr(model.get_submodule(parent), last, new)


def _adapted(kernel: torch.Tensor, in_channels: int) -> torch.Tensor:
    """The kernel (out, 3, h, w) for another number of channels, with the same answer to a grey picture."""
    return kernel.sum(1, keepdim=True).expand(-1, in_channels, -1, -1) / in_channels
