"""Weights as files: safetensors whose bytes depend on nothing but the weights and what is said about them."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import nn

from glauke.files import write_bytes


def save_weights(path: Path, model: nn.Module, *, about: Mapping[str, object]) -> None:
    """Write a model's weights durably; `about` (no dates, no paths) goes into the one metadata key "glauke".

    Equal weights with equal `about` are equal bytes, so a hash of the file says whether two runs agree.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(model.state_dict().items())}
    write_bytes(path, save(tensors, metadata={"glauke": json.dumps(dict(about), sort_keys=True)}))
