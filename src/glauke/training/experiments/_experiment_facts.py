"""What the record of an experiment says: the choices of a program, as plain values."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch

from glauke.images import Batches
from glauke.runs import DataFacts, RunRecord, SplitFacts

from .._device import Precision
from .._plan import Plan
from ..loop._monitor import TOP, top_name
from ..loop._session import Session
from ..saving._facts import begun_record
from ._experiment import Experiment

OWN = "own"
"""What stands for the name of the recipe and the kind of the split where a program brought them."""


PLAIN = (
    "epochs",
    "steps_per_epoch",
    "every",
    "peak_epoch",
    "anneal",
    "momenta",
    "lr_rule",
    "lr_range",
    "lr_steps",
    "clip",
    "ema",
    "monitor",
    "keep",
)
"""Fields of an experiment that are plain values."""


def choices_of(experiment: Experiment, optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """Everything that decides the outcome and can be written down; functions and classes by their names."""
    return {
        "name": OWN,
        **{name: _listed(getattr(experiment, name)) for name in PLAIN},
        "max_lr": experiment.peak,
        "mode": experiment.monitored.mode,
        "schedule": _called(experiment.schedule),
        "loss": "cross_entropy" if experiment.loss is None and experiment.step is None else _called(experiment.loss),
        "step": _called(experiment.step),
        "optimizer": type(optimizer).__name__,
        "rates": [float(group["lr"]) for group in optimizer.param_groups],
        "weight_decays": [float(group.get("weight_decay", 0.0)) for group in optimizer.param_groups],
    }


def experiment_record(
    experiment: Experiment, optimizer: torch.optim.Optimizer, plan: Plan, device: torch.device, precision: Precision
) -> RunRecord:
    """Say all that is known before the first step."""
    train, val = examples(experiment.train), 0 if experiment.val is None else examples(experiment.val)
    return begun_record(
        plan,
        experiment.model,
        name=experiment.name,
        command=f"glauke.training.fit(Experiment(name={experiment.name!r}, ...))",
        data=DataFacts(
            name="loaders",
            fingerprint="",
            source_sha256=None,
            pictures=train + val,
            classes=0,
            size=0,
            mean=(),
            std=(),
        ),
        split=SplitFacts(
            kind=OWN, seed=0, val_fraction=val / max(train + val, 1), train=train, val=val, fingerprint=""
        ),
        model_name=type(experiment.model).__name__,
        stem=OWN,
        recipe=choices_of(experiment, optimizer),
        seed=experiment.seed,
        device=device,
        precision=precision,
    )


def with_counts(record: RunRecord, session: Session) -> RunRecord:
    """The record of an ended run with what only the run could count, and where the weights of its best epochs are."""
    val = session.rows[-1].val_pictures
    train = round(session.pictures / len(session.rows))
    monitor = session.task.monitor
    best = monitor.ranked(session.rows)[: session.task.keep]
    top = [{"epoch": row.epoch, monitor.metric: monitor.value(row), "file": f"{TOP}/{top_name(row)}"} for row in best]
    return replace(
        record,
        data=replace(record.data, pictures=train + val),
        split=replace(record.split, train=train, val=val, val_fraction=val / max(train + val, 1)),
        extra={**record.extra, **({"top": top} if session.task.keep > 1 else {})},
    )


def examples(loader: Iterable[Any]) -> int:
    """How many examples a loader has, if it tells; else 0."""
    if isinstance(loader, Batches):
        return loader.num_pictures
    try:
        return len(getattr(loader, "dataset"))  # noqa: B009  any loader may have one, or none
    except (TypeError, AttributeError):
        return 0


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value  # as it comes back from JSON


def _called(thing: object) -> str | None:
    if thing is None or isinstance(thing, str):
        return thing
    return str(getattr(thing, "__name__", type(thing).__name__))
