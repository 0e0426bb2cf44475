"""What a run tells whoever watches it: small values, handed to one function, made without waiting for the device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from glauke.runs import EpochRow, RunRecord

from ._plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """The first step is about to be taken."""

    folder: Path
    record: RunRecord
    plan: Plan


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that a person should read once: a choice and its reason, a warning."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Work that is not a training step has come this far."""

    name: str
    """"measuring", "range test" or "evaluation"."""
    done: int
    total: int | None
    """None while nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """A training step was taken."""

    step: int
    """Steps taken in the whole run, this one included."""
    plan: Plan
    lr: float
    loss: float
    """The objective on this batch, label smoothing included."""
    accuracy: Callable[[], float]
    """Top-1 accuracy of the epoch so far; calling it waits for the device, so a bar does that only when it redraws.
    NaN where a program's own step measures none."""
    pictures: int
    seconds_left: float | None
    """Expected seconds to the end of the run; None until enough steps were timed."""
    metrics: Callable[[], Mapping[str, float]] = dict
    """Every metric's mean over the epoch so far, by name; calling it waits for the device too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochDone:
    """An epoch and its evaluation are over."""

    row: EpochRow
    plan: Plan
    best: bool
    """Whether this is the best epoch so far."""


Event = Began | Note | Stage | Stepped | EpochDone
Watch = Callable[[Event], None]
"""Called with every event, in order, from the thread that trains."""


def unwatched(event: Event) -> None:
    """Watch nothing."""
