"""Weights that somebody else trained, put into a network as far as they fit; safetensors only."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from glauke.errors import DataError, UsageError

PREFIXES = ("", "module.", "_orig_mod.", "model.")
"""What wrappers put before every name: none, DataParallel, torch.compile, and trainers."""

_PICKLED_NAMES = {".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".tar"}
_PICKLED_STARTS = (b"PK\x03\x04", b"\x80")  # torch.save since 1.6, and before


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWeights:
    """What became of each tensor of a file, and of each of the network."""

    source: str
    """The file's name, or the library whose weights they are."""
    loaded: tuple[str, ...]
    """Names in the network that were filled."""
    left_out: tuple[str, ...]
    """Names in the file that the network does not have, or has in another shape, such as a head for other classes."""
    missing: tuple[str, ...]
    """Names in the network that keep their first values."""

    def __str__(self) -> str:
        """One sentence for a person."""
        said = f"{len(self.loaded)} of {len(self.loaded) + len(self.missing)} tensors loaded from {self.source}"
        if self.left_out:
            said += f", not used: {_listed(self.left_out)}"
        return said + (f", begun anew: {_listed(self.missing)}" if self.missing else "")


def load_weights(model: nn.Module, path: Path) -> LoadedWeights:
    """Fill a network with what fits of a .safetensors file, by name and shape; the rest keeps its first values.

    A head for another number of classes is left out, and so are names of which the network has none. Prefixes that
    wrappers put before every name are seen through. A head of the same size is taken over even if its classes are
    others, which the file does not say.

    Raises:
        UsageError: the file is a pickle (.pt, .pth), which is never opened.
        DataError: it cannot be read, or no weight of the network is in it; then the network is unchanged.
    """
    check_weights_file(path)
    try:
        with safe_open(path, framework="pt") as opened:
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
            chosen = _chosen(model, shapes, place=str(path))
            tensors = {ours: opened.get_tensor(theirs) for ours, theirs in chosen.items()}
    except (SafetensorError, OSError) as error:
        raise DataError(f"the weights cannot be read ({error})", place=str(path)) from error
    return _filled(model, tensors, chosen, shapes, source=path.name)


def take_weights(model: nn.Module, tensors: Mapping[str, Tensor], *, source: str) -> LoadedWeights:
    """As `load_weights`, from tensors that are in memory."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    chosen = _chosen(model, shapes, place=source)
    return _filled(model, {ours: tensors[theirs] for ours, theirs in chosen.items()}, chosen, shapes, source=source)


def check_weights_file(path: Path) -> None:
    """`DataError` if there is no such file, `UsageError` if it is a pickle; looks at its first bytes only."""
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise DataError(f"the weights cannot be read ({error.strerror or error})", place=str(path)) from error
    pickled = start.startswith(_PICKLED_STARTS) and start[8:] != b"{"  # safetensors begin with a length and JSON
    if pickled or path.suffix.lower() in _PICKLED_NAMES:
        raise UsageError(
            "this is a pickle, and to load one is to run what its author put there; only .safetensors is read",
            place=str(path),
            fix='save it where it was made: safetensors.torch.save_file(model.state_dict(), "weights.safetensors")',
        )


def _chosen(model: nn.Module, shapes: Mapping[str, tuple[int, ...]], *, place: str) -> dict[str, str]:
    """Name in the file by name in the network, for all that fit, under the prefix with which most do."""
    ours = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    fitting = [
        {name: prefix + name for name, shape in ours.items() if shapes.get(prefix + name) == shape}
        for prefix in PREFIXES
    ]
    best = max(fitting, key=len)
    weights = {name for name, _ in model.named_parameters()}
    if not weights.intersection(best):
        example, shape = next(iter(shapes.items()), ("nothing", ()))
        raise DataError(
            f"none of its {len(shapes)} tensors, such as {example} {shape}, fits one of the {len(weights)} weights of "
            f"the network, such as {min(weights, default='none')}",
            place=place,
            fix="name the model that the weights are for with --model",
        )
    return best


def _filled(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    chosen: Mapping[str, str],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    source: str,
) -> LoadedWeights:
    state = model.state_dict()  # shares memory with the network
    with torch.no_grad():
        for name, tensor in tensors.items():
            state[name].copy_(tensor)
    used = set(chosen.values())
    return LoadedWeights(
        source=source,
        loaded=tuple(chosen),
        left_out=tuple(f"{name} {shape}" for name, shape in shapes.items() if name not in used),
        missing=tuple(name for name in state if name not in chosen),
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
