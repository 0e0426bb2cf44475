"""Weights as files: safetensors whose bytes depend on nothing but the weights and what is said about them."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor, nn

from glauke.errors import UsageError
from glauke.files import write_bytes


def save_weights(path: Path, model: nn.Module, *, about: Mapping[str, object]) -> None:
    """Write a model's weights durably; `about` (no dates, no paths) goes into the one metadata key "glauke".

    Equal weights with equal `about` are equal bytes, so a hash of the file says whether two runs agree.
    """
    tensors = dict(sorted(weights_of(model).items()))
    write_bytes(path, save(tensors, metadata={"glauke": json.dumps(dict(about), sort_keys=True)}))


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """A model's parameters and buffers by name, in the host's memory, as safetensors takes them.

    Raises `UsageError` for a module whose state is not made of tensors alone.
    """
    state = model.state_dict()
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise UsageError(
                f"the model keeps a {type(value).__name__} in its state as {name!r}, and only tensors can be saved",
                fix="let get_extra_state give a tensor",
            )
    return on_cpu(state)


def on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors in the host's memory, each in memory of its own: tied weights are written under both names."""
    seen: set[int] = set()
    own = {}
    for name, tensor in tensors.items():
        value = tensor.detach().cpu().contiguous()
        place = value.untyped_storage().data_ptr()
        own[name] = value.clone() if place in seen else value
        seen.add(place)
    return own
