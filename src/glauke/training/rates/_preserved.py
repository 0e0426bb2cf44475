"""Whatever a trial run touches is put back, bit for bit, however the trial ends."""

import copy
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.data import DataLoader

from glauke.errors import UsageError

Undo = Callable[[], object]
Generator = torch.Generator | random.Random | np.random.Generator


@contextmanager
def preserved(model: nn.Module, optimizer: torch.optim.Optimizer, *others: object) -> Iterator[None]:
    """Train, break or abandon `model` inside; afterwards everything has the bits that it had before.

    Put back, also after an exception or Ctrl-C: parameters, buffers, gradients (None stays None),
    `requires_grad`, the mode of every submodule, the optimizer's state and groups, and the random state of
    Python, NumPy and PyTorch on every device in use. `others` may be further modules and optimizers, a
    `GradScaler`, schedulers and anything else with `state_dict` and `load_state_dict`, random generators, and
    data loaders with their generators. Tensors keep their identity; the copies stay on their devices, so this
    costs the memory of the weights, gradients and optimizer state once more.

    Not put back: what a module keeps in plain Python attributes, and a one-shot iterator's place.
    Raises `UsageError` for parameters that have no shape yet, and for an object that it cannot put back.

    >>> layer = nn.Linear(1, 1)
    >>> before = layer.weight.item()
    >>> with preserved(layer, torch.optim.SGD(layer.parameters(), lr=1.0)):
    ...     _ = layer.weight.data.fill_(7.0)
    >>> layer.weight.item() == before
    True
    """
    with ExitStack() as undo:  # runs every callback, the last one first, even if one of them fails
        things = (model, optimizer, *others)
        undo.callback(_keep_random_state(_devices(model)))
        undo.callback(_keep_parameters(things))
        for thing in things:
            undo.callback(_keep(thing))
        yield


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Let `model` be in evaluation mode inside; afterwards every module has its own mode again.

    >>> layer = nn.Dropout()
    >>> with evaluating(layer):
    ...     layer.training
    False
    >>> layer.training
    True
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def in_training(model: nn.Module) -> Iterator[None]:
    """Let `model` train inside, with the parts of a training model that are in evaluation mode left so.

    Those are frozen norms. A model in evaluation mode trains as a whole. Afterwards every module has its own mode.

    >>> model = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout())
    >>> frozen = model[0].eval()
    >>> with in_training(model):
    ...     frozen.training, model.training
    (False, True)
    """
    modes = [(module, module.training) for module in model.modules()]
    if not model.training:
        model.train()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _keep(thing: object) -> Undo:
    """Copy the state of `thing`, parameters apart, and return what puts it back."""
    match thing:
        case nn.Module():
            return _keep_module(thing)
        case torch.optim.Optimizer():
            return _keep_optimizer(thing)
        case torch.amp.GradScaler():
            return _keep_attributes(thing, copy.deepcopy(vars(thing)))  # its state_dict lacks what the next step needs
        case DataLoader():
            return _together(_keep_generators(thing), _keep_workers(thing))
        case torch.Generator() | random.Random() | np.random.Generator():
            return _keep_generator(thing)
    load, save = getattr(thing, "load_state_dict", None), getattr(thing, "state_dict", None)
    if callable(load) and callable(save):
        state = copy.deepcopy(save())
        return lambda: load(state)
    if isinstance(thing, Iterable):
        return _keep_generators(thing)
    raise UsageError(
        f"a {type(thing).__name__} cannot be put back as it was",
        fix="give a module, optimizer, scaler, generator, loader, or what has state_dict and load_state_dict",
    )


def _keep_parameters(things: Iterable[object]) -> Undo:
    """Keep each once; what an optimizer changes need not belong to the model: a loss may be learnt too."""
    found: dict[Tensor, None] = {}
    for thing in things:
        if isinstance(thing, nn.Module):
            found.update(dict.fromkeys(thing.parameters()))
        elif isinstance(thing, torch.optim.Optimizer):
            found.update(dict.fromkeys(p for group in thing.param_groups for p in group["params"]))
    if any(is_lazy(parameter) for parameter in found):
        raise UsageError(
            "there are parameters without a shape yet",
            fix="show the model one batch, then make the optimizer",
        )
    saved = [(p, p.requires_grad, p.data, _copied(p.data), p.grad, _copied(p.grad)) for p in found]

    def undo() -> None:
        for parameter, requires_grad, data, kept, gradient, kept_gradient in saved:
            parameter.data = _restored(data, kept)
            parameter.requires_grad_(requires_grad)
            parameter.grad = _restored(gradient, kept_gradient)

    return undo


def _keep_module(module: nn.Module) -> Undo:
    saved = [(part, part.training, _copied_items(part._buffers)) for part in module.modules()]

    def undo() -> None:
        for part, mode, buffers in saved:
            part.training = mode
            _put_items_back(part._buffers, buffers)

    return undo


def _keep_optimizer(optimizer: torch.optim.Optimizer) -> Undo:
    """Not by `load_state_dict`, which casts the state and replaces the groups that others hold."""
    groups = [(group, _copied_items(group)) for group in optimizer.param_groups]
    states = [(key, state, _copied_items(state)) for key, state in optimizer.state.items()]
    # Its plain attributes, among them the mark by which a scheduler sees that a step was taken.
    attributes = _keep_attributes(optimizer, dict(vars(optimizer)))

    def undo() -> None:
        attributes()
        optimizer.param_groups[:] = [group for group, _ in groups]
        for group, items in groups:
            _put_items_back(group, items)
        optimizer.state.clear()
        for key, state, items in states:
            _put_items_back(state, items)
            optimizer.state[key] = state

    return undo


def _keep_generators(loader: object) -> Undo:
    """Put back the random generators that a loader of batches, its data set and its samplers hold."""
    held = _held_generators(loader)
    # fastai's loader takes a new generator, drawn from the last one, for every epoch: the old one goes back too.
    return _together(
        *(_keep_generator(generator) for _, _, generator in held),
        *(partial(attributes.__setitem__, name, generator) for attributes, name, generator in held),
    )


def generators_in(loader: object) -> list[Generator]:
    """The random generators that a loader of batches, its data set and its samplers hold."""
    return list({id(generator): generator for _, _, generator in _held_generators(loader)}.values())


def _held_generators(loader: object) -> list[tuple[dict[str, Any], str, Generator]]:
    """The same with the attributes that each stands in, and its name there."""
    batch_sampler = getattr(loader, "batch_sampler", None)
    parts = [loader, batch_sampler, getattr(batch_sampler, "sampler", None)]
    parts += [getattr(loader, name, None) for name in ("dataset", "sampler")]
    places = [vars(part) for part in parts if hasattr(part, "__dict__")]
    return [(at, name, value) for at in places for name, value in at.items() if isinstance(value, Generator)]


def _keep_workers(loader: DataLoader[Any]) -> Undo:
    """Let persistent workers go that were not there before: their random state has moved on."""
    before = getattr(loader, "_iterator", None)
    return lambda: setattr(loader, "_iterator", before)


def _together(*undos: Undo) -> Undo:
    return lambda: [undo() for undo in undos]


def _keep_attributes(thing: object, saved: dict[str, Any]) -> Undo:
    def undo() -> None:
        vars(thing).clear()
        vars(thing).update(saved)

    return undo


def _keep_generator(generator: Generator) -> Undo:
    match generator:
        case torch.Generator():
            state = generator.get_state()
            return lambda: generator.set_state(state)
        case random.Random():
            numbers = generator.getstate()
            return lambda: generator.setstate(numbers)
    bits = generator.bit_generator
    words = bits.state
    return lambda: setattr(bits, "state", words)


def _keep_random_state(devices: list[torch.device]) -> Undo:
    python, legacy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    saved = []
    for device in devices:
        module, where = torch.get_device_module(device), () if device.type == "mps" else (device,)
        saved.append((module.set_rng_state, module.get_rng_state(*where), where))

    def undo() -> None:
        random.setstate(python)
        np.random.set_state(legacy)
        torch.set_rng_state(cpu)
        for set_state, state, where in saved:
            set_state(state, *where)

    return undo


def _devices(model: nn.Module) -> list[torch.device]:
    """The model's accelerators, and every CUDA device if CUDA is in use at all."""
    found = {tensor.device for tensor in (*model.parameters(), *model.buffers())}
    if torch.cuda.is_initialized():
        found |= {torch.device("cuda", index) for index in range(torch.cuda.device_count())}
    return sorted((device for device in found if device.type not in ("cpu", "meta")), key=str)


def _copied_items(items: dict[Any, Any]) -> list[tuple[Any, Any, Any]]:
    return [(key, value, _copied(value)) for key, value in items.items()]


def _put_items_back(items: dict[Any, Any], saved: list[tuple[Any, Any, Any]]) -> None:
    items.clear()
    for key, value, kept in saved:
        items[key] = _restored(value, kept)


def _copied(value: Any) -> Any:
    """Copy of a tensor or of nested lists and dictionaries of them; everything else is itself."""
    match value:
        case nn.Parameter():
            return value  # in the lists of an optimizer; its bits are kept once, elsewhere
        case Tensor():
            return value.detach().clone()
        case list() | tuple() if type(value) in (list, tuple):
            return type(value)(map(_copied, value))
        case dict():
            return {key: _copied(item) for key, item in value.items()}
    return value


def _restored(value: Any, kept: Any) -> Any:
    """Give a tensor its bits back in place where that can be done; anything else is replaced by its copy."""
    if not isinstance(value, Tensor) or value is kept:
        return kept
    # One that was swapped, is sparse, or shares memory with itself cannot be written to.
    if value.shape != kept.shape or value.layout != torch.strided or 0 in value.stride():
        return kept
    with torch.no_grad():
        return value.copy_(kept)
