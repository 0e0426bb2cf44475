"""What a program brought to a run, as plain values: enough to tell another experiment from the same one."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from glauke.errors import UsageError
from glauke.runs import RunRecord, encode

from .._device import Precision
from ..saving._weights import weights_of
from ._experiment import Experiment
from ._experiment_facts import choices_of
from ._loader_task import length

FACTS = "experiment"
"""Where they stand in the record's `extra`."""
SHOWN = 5
"""Differences that a message tells one by one."""
ELSEWHERE = ("params", "param_names", "lr", "weight_decay")
"""Of a parameter group: not plain, or in the record's recipe already."""


def facts_of(experiment: Experiment, optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """The settings of the optimizer's groups, of the scheduler and of the loss, and the shape of the weights.

    Two experiments whose facts differ must not go on with each other's run. What stands in the code of a function is
    not seen.
    """
    groups = [
        {key: _plain(value) for key, value in group.items() if key not in ELSEWHERE}
        | {"shapes": [list(parameter.shape) for parameter in group["params"]]}
        for group in optimizer.param_groups
    ]
    scheduler = experiment.scheduler
    return {
        "optimizer groups": groups,
        "scheduler": None if scheduler is None else _plain(scheduler.state_dict()),
        "loss": _settings(experiment.loss),
        "weights": _shapes(experiment.model),
    }


def check_same(
    record: RunRecord,
    experiment: Experiment,
    optimizer: torch.optim.Optimizer,
    *,
    device: torch.device,
    precision: Precision,
) -> None:
    """Refuse to go on with, or to pass for, a run of another experiment."""
    had = {**encode(record.recipe), "experiment": record.name, "seed": record.seed, "parameters": record.parameters}
    parameters = sum(p.numel() for p in experiment.model.parameters())
    own = {"experiment": experiment.name, "seed": experiment.seed, "parameters": parameters}
    now = encode(choices_of(experiment, optimizer)) | own
    steps = experiment.steps_per_epoch or length(experiment.train)
    if steps is not None:
        had, now = had | {"batches in an epoch": record.steps_per_epoch}, now | {"batches in an epoch": steps}
    if record.status != "done":  # a finished run may be looked at on any machine
        had |= {"device": record.device, "precision": record.precision}
        now |= {"device": device.type, "precision": precision.name}
    found = [f"{key} was {had.get(key)} and is {now[key]}" for key in now if had.get(key) != now[key]]
    before = record.extra.get(FACTS)
    if isinstance(before, Mapping):
        for key, value in facts_of(experiment, optimizer).items():
            found += differences(_plain(before.get(key)), value, name=key)
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise UsageError(
            f"the run there is of another experiment: {'; '.join(found[:SHOWN])}{more}",
            place=str(record.folder),
            fix="give another out, or restart=True to move it aside",
        )


def differences(had: object, now: object, *, name: str) -> Iterator[str]:
    """Say where two plain values differ, each place as a phrase.

    >>> list(differences({"groups": [{"momentum": 0.9}]}, {"groups": [{"momentum": 0.8}]}, name="optimizer"))
    ['optimizer, groups, 0, momentum was 0.9 and is 0.8']
    """
    if isinstance(had, Mapping) and isinstance(now, Mapping) and had.keys() == now.keys():
        for key in now:
            yield from differences(had[key], now[key], name=f"{name}, {key}")
    elif isinstance(had, list) and isinstance(now, list) and len(had) == len(now) and _nested(now):
        for index, pair in enumerate(zip(had, now, strict=True)):
            yield from differences(*pair, name=f"{name}, {index}")
    elif had != now:
        yield f"{name} was {_short(had)} and is {_short(now)}"


def weights_hash(model: nn.Module) -> str:
    """A hash of a model's weights, to know them again."""
    found = hashlib.sha256()
    for name, tensor in sorted(weights_of(model).items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _shapes(module: nn.Module) -> dict[str, object]:
    return {name: list(value.shape) for name, value in module.state_dict().items() if isinstance(value, Tensor)}


def _settings(thing: object) -> object:
    """The plain attributes of a module and its parts, or what a `partial` was given."""
    if isinstance(thing, partial):
        return _plain({"function": thing.func, "args": thing.args, **thing.keywords})
    if not isinstance(thing, nn.Module):
        return None
    return {
        f"{name}.{key}": _plain(value)
        for name, part in thing.named_modules()
        for key, value in vars(part).items()
        if not key.startswith("_") and key != "training"
    } | {f"shape of {name}": shape for name, shape in _shapes(thing).items()}


def _plain(value: object) -> object:
    """As it comes back from JSON; what is not plain by its name."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else repr(value)
        case Tensor() if value.numel() == 1:
            return _plain(value.item())
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return str(getattr(value, "__name__", type(value).__name__))


def _nested(values: list[object]) -> bool:
    return any(isinstance(value, list | Mapping) for value in values)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
