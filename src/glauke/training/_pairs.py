"""Batches of any origin, taken apart into inputs and labels on the model's device."""

from collections.abc import Generator, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from glauke.errors import UsageError


def endless(batches: Iterable[Any]) -> Generator[Any, None, None]:
    """Begin again after the last batch, unless there is nothing left to begin with."""
    more = True
    while more:
        more = False
        for batch in batches:
            more = True
            yield batch


def pair(batch: Any, device: torch.device) -> tuple[Any, Any]:
    try:
        if isinstance(batch, Mapping | Tensor | str):
            raise TypeError  # these can be taken apart, but not into inputs and labels
        inputs, labels = batch
    except (TypeError, ValueError) as error:
        size = f" of {len(batch)}" if hasattr(batch, "__len__") else ""
        raise UsageError(f"a batch must be a pair of inputs and labels, not a {type(batch).__name__}{size}") from error
    return _on(inputs, device), _on(labels, device)


def _on(value: Any, device: torch.device) -> Any:
    return value.to(device, non_blocking=True) if isinstance(value, Tensor) else value


def hits(outputs: Any, labels: Any) -> Tensor:
    """Count the outputs that are highest at the label, or at the most likely one where labels are mixed."""
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (outputs, labels)]
    if isinstance(outputs, Tensor) and isinstance(labels, Tensor) and outputs.ndim == 2:
        if labels.shape == outputs.shape and outputs.shape[1] > 1 and labels.is_floating_point():
            labels = labels.argmax(1)
        if labels.shape == outputs.shape[:1] and not labels.is_floating_point():
            return (outputs.argmax(1) == labels).sum()
    raise UsageError(
        f"accuracy needs outputs (batch, classes) and labels (batch,), not {shapes[0]} and {shapes[1]}",
        fix="pass accuracy=False",
    )
