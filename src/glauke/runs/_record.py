"""`run.json`: what a run was, with which code, data and machine, and what came of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from glauke.errors import DataError
from glauke.files import write_json

from ._fields import decode, encode

SCHEMA = 1
STATUSES = ("running", "done", "interrupted", "failed", "stopped")
OWN = "own"  # kind of a split that a program made
MAX_BYTES = 16 * 2**20  # a record is a few kilobytes; a file like this one is something else


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """The pictures a run was trained on."""

    name: str
    fingerprint: str
    """Hash over names, labels and pixels: equal means the same pictures."""
    source_sha256: str | None
    """Hash of the archive they came from, if they came from one."""
    pictures: int
    classes: int
    size: int
    """Side in pixels."""
    mean: tuple[float, ...]
    """Per channel, on the scale 0 to 1."""
    std: tuple[float, ...]
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFacts:
    """Which pictures were trained on and which were held out."""

    kind: str
    seed: int
    val_fraction: float
    train: int
    """Number of pictures trained on."""
    val: int
    """Number of pictures held out."""
    fingerprint: str
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """The machine, without its name."""

    cpu: str
    cores: int
    memory_gib: float
    gpu: str | None = None
    features: tuple[str, ...] = ()
    """Instruction sets that change the speed, such as "avx512_bf16"."""
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How the held-out pictures were judged after one epoch."""

    epoch: int
    val_accuracy: float
    """A fraction, without test-time augmentation; NaN where a program's own step measures no accuracy."""
    val_loss: float
    """NaN where nothing is held out."""
    val_pictures: int
    """How many held-out pictures this was measured on."""
    val_top5: float | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    """A program's own metrics, by the names that they have in `metrics.csv`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run, as `run.json` tells it. While it runs, the last fields still hold their defaults."""

    name: str
    status: str
    """One of `STATUSES`."""
    command: str
    """The command line that started it."""
    glauke: str
    git: str | None
    python: str
    torch: str
    started: str
    """ISO 8601, UTC."""
    data: DataFacts
    split: SplitFacts
    model: str
    stem: str
    parameters: int
    recipe: Mapping[str, object]
    """Every field of the recipe, chosen or not."""
    epochs: int
    steps_per_epoch: int
    steps: int
    """Planned optimizer steps of the whole run."""
    seed: int
    device: str
    precision: str
    hardware: Hardware
    ended: str | None = None
    max_lr: float | None = None
    """Peak of the cycle."""
    max_lr_rule: str | None = None
    max_lr_reason: str | None = None
    """Why this rate, as a sentence."""
    best: Score | None = None
    """The epoch with the highest held-out accuracy, which may rest on a part of the held-out pictures; for a program's
    own loaders, the best by the metric that `extra["monitor"]` names."""
    final: Score | None = None
    """The last epoch, on all held-out pictures."""
    seconds: float = 0.0
    """Wall clock from start to end, all sessions of a resumed run together."""
    seconds_by_part: Mapping[str, float] = field(default_factory=dict)
    images_per_second: float | None = None
    peak_memory_mib: float | None = None
    resumed_from_steps: tuple[int, ...] = ()
    stopped_reason: str | None = None
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA
    extra: Mapping[str, object] = field(default_factory=dict)
    """Fields of `run.json` that this version does not know; they are written back as they came."""
    folder: Path | None = field(default=None, compare=False, metadata={"stored": False})
    """Where it was read from; never written, so that a run survives a copy."""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status {self.status!r} is not one of {', '.join(STATUSES)}")

    def __repr__(self) -> str:
        """In one line; everything else is in the fields."""
        from ._card import record_line

        return f"RunRecord({record_line(self)})"

    def _repr_html_(self) -> str:
        from ._card import record_card

        return record_card(self)


def read(path: str | Path) -> RunRecord:
    """The record of a run folder (or of the `run.json` itself).

    Raises:
        DataError: there is no `run.json`, it is damaged or of another schema, or a field is missing, wrong or a number
            that cannot be, such as an accuracy of 9.
    """
    path = Path(path)
    file = path / "run.json" if path.is_dir() else path
    value = _parsed(file)
    schema = value.get("schema")
    if schema != SCHEMA:
        raise DataError(
            f"the record has schema {schema!r} but this glauke reads schema {SCHEMA}",
            place=str(file),
            fix=f"use the glauke that wrote it (version {value.get('glauke', 'unknown')!s:.40})",
        )
    if value.get("status") not in STATUSES:
        raise DataError(
            f"status must be one of {', '.join(STATUSES)}, got {value.get('status')!r:.40}", place=str(file)
        )
    value.pop("folder", None)  # never ours; it would clash with the field that says where we read
    record: RunRecord = decode(RunRecord, value, place=str(file))
    for name, number, least, most in _bounds(record):
        if number is not None and not math.isnan(number) and not least <= number <= most:
            allowed = f"at least {least:,}" if most == math.inf else f"from {least:,} to {most:,}"
            raise DataError(f"{name} must be {allowed}, got {number:,}", place=str(file))
    return replace(record, folder=file.parent)


def write(folder: Path, record: RunRecord) -> None:
    """Replace the folder's `run.json`, durably: a reader sees the old record or the new one, whole."""
    write_json(folder / "run.json", as_dict(record))


def as_dict(record: RunRecord) -> dict[str, Any]:
    """The record in the types that JSON knows, as `run.json` holds it."""
    return encode(record)


def _bounds(record: RunRecord) -> Iterator[tuple[str, float | int | None, int, float | int]]:
    """Numbers of a record, by name, with the least and the most that each can be; NaN and None stand for no number."""
    data, split = record.data, record.split
    own = split.kind == OWN  # of a program's own loaders we know neither classes nor what it calls accuracy
    some, share = (0, math.inf) if own else (1, 1)
    counts = {
        **{
            "data.pictures": (data.pictures, some),
            "data.classes": (data.classes, some),
            "data.size": (data.size, some),
        },
        **{"split.train": (split.train, some), "split.val": (split.val, some)},
        **{"epochs": (record.epochs, 1), "steps": (record.steps, 0), "parameters": (record.parameters, 0)},
        **{"seconds": (record.seconds, 0), "images_per_second": (record.images_per_second, 0)},
        "peak_memory_mib": (record.peak_memory_mib, 0),
    }
    for name, (number, least) in counts.items():
        yield name, number, least, math.inf
    for name, score in (("best", record.best), ("final", record.final)):
        if score is not None:
            yield f"{name}.epoch", score.epoch, 1, math.inf
            yield f"{name}.val_pictures", score.val_pictures, some, math.inf
            yield f"{name}.val_accuracy", score.val_accuracy, 0, share
            yield f"{name}.val_top5", score.val_top5, 0, share


def _parsed(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise DataError(f"{file.stat().st_size:,} bytes are too many for a run's record", place=str(file))
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        repeat = next(iter(sorted(file.parent.glob("*/run.json"))), None)
        if file.name == "run.json" and repeat is not None:
            raise DataError(
                "there are several runs here, and one is asked for",
                place=str(file.parent),
                fix=f"name one of them, such as {repeat.parent}",
            ) from error
        raise DataError("there is no run here", place=str(file), fix="name a folder with a run.json") from error
    except OSError as error:
        raise DataError(f"the record cannot be read ({error.strerror})", place=str(file)) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"this is no record of a run: it is not UTF-8 text (byte {error.start})",
            place=str(file),
            fix="name a run's folder",
        ) from error
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"{file}, line {error.lineno}, column {error.colno}"
        raise DataError(f"the record is not JSON ({error.msg})", place=place) from error
    except (ValueError, RecursionError) as error:  # too deep, too many digits, NaN, a key twice
        raise DataError(f"the record is not JSON that we read ({error})", place=str(file)) from error
    if not isinstance(value, dict):
        raise DataError("the record must be a JSON object", place=str(file))
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
