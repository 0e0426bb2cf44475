"""The parameter groups of an optimizer: their rates, kept in proportion to each other."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler


def ratios(optimizer: torch.optim.Optimizer) -> list[float]:
    """Each group's rate as a part of the largest; 1 for all where every rate is 0."""
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    largest = max(rates)
    return [rate / largest if largest > 0 else 1.0 for rate in rates]


def set_rates(optimizer: torch.optim.Optimizer, rate: float | int, parts: list[float]) -> None:
    """Give each group its part of a rate."""
    for group, part in zip(optimizer.param_groups, parts, strict=True):
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate * part)  # a compiled step reads this very tensor
        else:
            group["lr"] = rate * part


def set_momentum(optimizer: torch.optim.Optimizer, momentum: float | int) -> None:
    """Give every group this momentum, or first beta where it has betas."""
    for group in optimizer.param_groups:
        if "momentum" in group:
            group["momentum"] = momentum
        elif "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])


def momentum_of(optimizer: torch.optim.Optimizer) -> float:
    """The first group's momentum, or its first beta; 0 for an optimizer that has neither."""
    group = optimizer.param_groups[0]
    return float(group["momentum"] if "momentum" in group else group.get("betas", (0.0,))[0])


def settings_of(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """A copy of all that the groups hold but their parameters."""
    return [{k: copy.deepcopy(v) for k, v in group.items() if k != "params"} for group in optimizer.param_groups]


def put_settings(optimizer: torch.optim.Optimizer, settings: list[dict[str, Any]]) -> None:
    """Give the groups back what `settings_of` copied; a rate that is a tensor stays that tensor."""
    for group, saved in zip(optimizer.param_groups, settings, strict=True):
        for key, value in saved.items():
            if isinstance(value, Tensor) and isinstance(group.get(key), Tensor):
                group[key].copy_(value)
            else:
                group[key] = copy.deepcopy(value)


@contextmanager
def kept_rates(optimizer: torch.optim.Optimizer, scheduler: LRScheduler | None) -> Iterator[None]:
    """Spend the rates of a caller's optimizer and scheduler inside; afterwards they stand where they stood."""
    settings = settings_of(optimizer)
    state = None if scheduler is None else copy.deepcopy(scheduler.state_dict())
    try:
        yield
    finally:
        put_settings(optimizer, settings)
        if scheduler is not None and state is not None:
            scheduler.load_state_dict(state)
