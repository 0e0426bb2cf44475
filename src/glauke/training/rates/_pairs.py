"""Batches of any origin, taken apart into inputs and labels on the model's device."""

import copy
import dataclasses
from collections.abc import Generator, Iterable, Mapping, MutableMapping
from typing import Any

import torch
from torch import Tensor, nn

from glauke.errors import UsageError

NARROW = (torch.uint8, torch.int8, torch.int16, torch.int32)
"""Types that data sets keep labels in and that `cross_entropy` refuses."""


def endless(batches: Iterable[Any]) -> Generator[Any, None, None]:
    """Begin again after the last batch, unless there is nothing left to begin with."""
    more = True
    while more:
        more = False
        for batch in batches:
            more = True
            yield batch


def pair(batch: Any, device: torch.device) -> tuple[Any, Any]:
    """Inputs and labels of a batch, on the device."""
    inputs, labels = parted(batch)
    return on_device(inputs, device), on_device(labels, device)


def parted(batch: Any) -> tuple[Any, Any]:
    """Inputs and labels of a batch, labels that count in a narrow type widened to the int64 that losses take."""
    try:
        if isinstance(batch, Mapping | Tensor | str):
            raise TypeError  # these can be taken apart, but not into inputs and labels
        inputs, labels = batch
    except (TypeError, ValueError) as error:
        size = f" of {len(batch)}" if hasattr(batch, "__len__") else ""
        raise UsageError(
            f"a batch must be a pair of inputs and labels, not a {type(batch).__name__}{size}",
            fix="let the loader give pairs, or give fit a step of your own",
        ) from error
    if isinstance(labels, Tensor) and labels.dtype in NARROW:
        labels = labels.long()
    return inputs, labels


def on_device(value: Any, device: torch.device) -> Any:
    """`value` with its tensors on the device, also those in lists, tuples, mappings and dataclasses.

    What has a method `to` of its own, as tokenizers' batches have, is asked for it; the rest is as it was.
    """
    match value:
        case Tensor():
            return _plain(value).to(device, non_blocking=True)
        case nn.Module() | type():
            return value
        case _ if callable(getattr(value, "to", None)):
            return value.to(device)
        case tuple() if hasattr(value, "_fields"):
            return type(value)(*(on_device(each, device) for each in value))
        case list() | tuple():
            return type(value)(on_device(each, device) for each in value)
        case dict():
            return {key: on_device(each, device) for key, each in value.items()}
        case MutableMapping():
            moved = copy.copy(value)
            moved.update({key: on_device(each, device) for key, each in value.items()})
            return moved
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [each.name for each in dataclasses.fields(value) if each.init]
        return dataclasses.replace(value, **{name: on_device(getattr(value, name), device) for name in names})
    return value


def _plain(value: Tensor) -> Tensor:
    """A tensor of no special kind: fastai's kinds refuse operations with each other, in a loss that is not its own."""
    # One that is made of other tensors has a dispatch of its own, and is nothing without it.
    own = type(value).__torch_dispatch__ is not Tensor.__torch_dispatch__  # pyright: ignore[reportAttributeAccessIssue]
    return value if own else value.as_subclass(Tensor)


def hits(outputs: Any, labels: Any) -> Tensor:
    """Count the outputs that are highest at the label, or at the most likely one where labels are mixed."""
    found = classes_of(outputs, labels, shares=_are_shares(labels))
    if found is not None:
        return (outputs.argmax(1) == found).sum()
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (outputs, labels)]
    raise UsageError(
        f"accuracy needs outputs (batch, classes) and labels (batch,), not {shapes[0]} and {shapes[1]}",
        fix="pass accuracy=False",
    )


def classes_of(outputs: Any, labels: Any, *, shares: bool) -> Tensor | None:
    """The labels as class numbers (batch,), the most likely ones where they are mixed; None if they are no classes.

    A single output, as of a network that says yes or no, has no class that is highest. With `shares`, labels like the
    outputs are shares of the classes; otherwise they may as well say of each class alone whether it is there.
    """
    if isinstance(outputs, Tensor) and isinstance(labels, Tensor) and outputs.ndim == 2 and outputs.shape[1] > 1:
        if shares and labels.shape == outputs.shape and labels.is_floating_point():
            labels = labels.argmax(1)
        if labels.shape == outputs.shape[:1] and not labels.is_floating_point():
            return labels
    return None


def _are_shares(labels: Any) -> bool:
    """Whether every row sums to 1; waits for the device where labels are numbers of this kind."""
    if not (isinstance(labels, Tensor) and labels.ndim == 2 and labels.is_floating_point()):
        return False
    return bool(((labels.float().sum(1) - 1).abs() < 0.01).all())
