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
    return on_device(inputs, device), on_device(labels, device)


def on_device(value: Any, device: torch.device) -> Any:
    """`value` with every tensor in its lists, tuples and dictionaries on the device; the rest is as it was."""
    match value:
        case Tensor():
            return _plain(value).to(device, non_blocking=True)
        case tuple() if hasattr(value, "_fields"):
            return type(value)(*(on_device(each, device) for each in value))
        case list() | tuple():
            return type(value)(on_device(each, device) for each in value)
        case dict():
            return {key: on_device(each, device) for key, each in value.items()}
    return value


def _plain(value: Tensor) -> Tensor:
    """A tensor of no special kind: fastai's kinds refuse operations with each other, in a loss that is not its own."""
    # One that is made of other tensors has a dispatch of its own, and is nothing without it.
    own = type(value).__torch_dispatch__ is not Tensor.__torch_dispatch__  # pyright: ignore[reportAttributeAccessIssue]
    return value if own else value.as_subclass(Tensor)


def hits(outputs: Any, labels: Any) -> Tensor:
    """Count the outputs that are highest at the label, or at the most likely one where labels are mixed."""
    found = classes_of(outputs, labels)
    if found is not None:
        return (outputs.argmax(1) == found).sum()
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (outputs, labels)]
    raise UsageError(
        f"accuracy needs outputs (batch, classes) and labels (batch,), not {shapes[0]} and {shapes[1]}",
        fix="pass accuracy=False",
    )


def classes_of(outputs: Any, labels: Any) -> Tensor | None:
    """The labels as class numbers (batch,), the most likely ones where they are mixed; None if they are no classes."""
    if isinstance(outputs, Tensor) and isinstance(labels, Tensor) and outputs.ndim == 2:
        if labels.shape == outputs.shape and outputs.shape[1] > 1 and labels.is_floating_point():
            labels = labels.argmax(1)
        if labels.shape == outputs.shape[:1] and not labels.is_floating_point():
            return labels
    return None
