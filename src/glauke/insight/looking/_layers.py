"""The layers of a network that give maps, and which of them Grad-CAM looks at unless told otherwise."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from glauke.errors import UnknownNameError, UsageError

COARSE = 4  # px; a map of that side or less says little more than "somewhere here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One module of a network that gives maps."""

    name: str
    """As in `model.named_modules()`."""
    kind: str
    """Its class."""
    channels: int
    map_size: tuple[int, int]
    """Height and width of its maps."""

    @property
    def pixels(self) -> int:
        """In one map."""
        return self.map_size[0] * self.map_size[1]

    @property
    def depth(self) -> int:
        """Modules that it lies within."""
        return self.name.count(".")


def layers(model: nn.Module, *, size: int, channels: int = 3) -> tuple[Layer, ...]:
    """The modules that give maps of more than one pixel for pictures of side `size`, in the order in which they end.

    A module ends after those within it, so a stage comes after its blocks. The network runs once, on a black picture,
    and is left as it was.

    >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    >>> [(layer.name, layer.kind, layer.map_size) for layer in layers(net, size=8)]
    [('0', 'Conv2d', (6, 6)), ('1', 'ReLU', (6, 6))]
    """
    return layers_for(model, (channels, size, size))


def layers_for(model: nn.Module, shape: Sequence[int]) -> tuple[Layer, ...]:
    """The same for pictures of the shape (channels, height, width)."""
    found: dict[str, Layer] = {}

    def note(name: str, module: nn.Module, output: object) -> None:
        found.pop(name, None)  # one that runs twice stands where it ends last
        if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[-2:]) > 1:
            height, width = output.shape[-2:]
            found[name] = Layer(
                name=name, kind=type(module).__name__, channels=output.shape[1], map_size=(height, width)
            )

    with (
        in_eval_mode(model),
        hooked({name: module for name, module in model.named_modules() if name}, note),
        torch.no_grad(),
    ):
        logits_of(model, as_input(torch.zeros((1, *shape)), model))
    return tuple(found.values())


def choose_layer(found: Sequence[Layer], name: str | None, model: nn.Module) -> tuple[Layer, str | None]:
    """The layer called `name`, or the one to look at by default, with a sentence where a person should know why.

    By default it is the last that gives maps, and the outermost of those that end with it. Where these are of
    `COARSE` pixels a side or less, it is the last with larger ones.

    Raises:
        UnknownNameError: the network has no such module.
        UsageError: the module gives no maps, or no module does.
    """
    if not found:
        raise UsageError("no layer of this network gives maps of more than one pixel", fix="use larger pictures")
    if name is not None:
        return _named(found, name, model), None
    last = _outermost(found, found[-1].pixels)
    larger = [layer for layer in found if layer.pixels > last.pixels]
    if max(last.map_size) > COARSE or not larger:
        return last, None
    stage = _outermost(found, larger[-1].pixels)
    return stage, (
        f"the maps of {last.name}, the last layer that has any, are {_by(last)} pixels and too coarse to point at "
        f"anything: this is {stage.name}, with {_by(stage)}"
    )


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; afterwards every module has the mode that it had, frozen norms too."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def hooked(modules: dict[str, nn.Module], watch: Callable[[str, nn.Module, object], object]) -> Iterator[None]:
    """Show `watch` what each module gives, under its name; what it returns, unless None, is given in its stead."""
    hooks = []
    try:
        for name, module in modules.items():
            hooks.append(module.register_forward_hook(lambda module, _, output, name=name: watch(name, module, output)))
        yield
    finally:
        for hook in hooks:
            hook.remove()


def logits_of(model: nn.Module, images: Tensor) -> Tensor:
    """The logits, with weights that take no part in a gradient, whatever they were made for.

    Weights that were made in inference mode are copied: no gradient may pass them as they are.
    """
    tensors = (*model.named_parameters(), *model.named_buffers())
    frozen = {name: tensor.clone() if tensor.is_inference() else tensor.detach() for name, tensor in tensors}
    logits = functional_call(model, frozen, (images,))
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        form = tuple(logits.shape) if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise UsageError(f"the network must give logits (pictures, classes), not {form}")
    return logits


def as_input(images: Tensor, model: nn.Module) -> Tensor:
    """The pictures on the device and in the number format of the network's weights."""
    first = next((p for p in model.parameters() if p.is_floating_point()), images)
    return images.to(device=first.device, dtype=first.dtype)


def _named(found: Sequence[Layer], name: str, model: nn.Module) -> Layer:
    for layer in found:
        if layer.name == name:
            return layer
    if name in dict(model.named_modules()):
        raise UsageError(
            f"the layer {name!r} gives no maps of more than one pixel", place="--layer", fix=f"try {found[-1].name!r}"
        )
    raise UnknownNameError(name, kind="layer", known=_few(found, name))


def _few(found: Sequence[Layer], name: str) -> set[str]:
    """Names for a message: the outermost layers, and those nearest to `name`; all would be more than a hundred."""
    near = difflib.get_close_matches(name, [layer.name for layer in found], n=3, cutoff=0.5)
    least = min(layer.depth for layer in found)
    return {layer.name for layer in found if layer.depth == least}.union(near)


def _outermost(found: Sequence[Layer], pixels: int) -> Layer:
    alike = [layer for layer in found if layer.pixels == pixels]
    least = min(layer.depth for layer in alike)
    return next(layer for layer in reversed(alike) if layer.depth == least)


def _by(layer: Layer) -> str:
    return f"{layer.map_size[0]}×{layer.map_size[1]}"
