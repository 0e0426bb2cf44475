"""A group folder: a run folder for each member, named by it, and a `group.json` that says how they belong together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, stdev

from glauke.errors import DataError
from glauke.files import read_json, write_json

from ._fields import decode, encode
from ._metrics import EpochRow
from ._record import RunRecord, read

GROUP = "group.json"
SCHEMA = 1
KINDS = ("seeds", "experiments")
MAX_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the final held-out accuracies of a group's finished members lie; fractions."""

    runs: int
    """How many members have a final accuracy."""
    mean: float
    deviation: float | None
    """Standard deviation with n - 1 in the denominator; None for a single run."""
    least: float
    most: float
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Runs that were begun together; what each of them was and gave stands in its own folder."""

    kind: str
    """What sets the members apart: "seeds" (repeats of one run) or "experiments" (whatever a program chose)."""
    members: tuple[str, ...]
    """Names of the run folders inside, in order; one that has not begun yet has no folder."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """What the members share, and what it takes to begin the missing ones; it names no path."""
    target: float | None = None
    """Held-out accuracy whose time is told, a fraction."""
    accuracy: Spread | None = None
    """None while no member has finished."""
    seconds_to_target: Mapping[str, float | None] = field(default_factory=dict)
    """By member: seconds of its epochs up to the first that reached the target; None if none did."""
    schema: int = SCHEMA
    extra: Mapping[str, object] = field(default_factory=dict)
    folder: Path | None = field(default=None, compare=False, metadata={"stored": False})
    """Where it was read from; never written."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is not one of {', '.join(KINDS)}")


def is_group(folder: Path) -> bool:
    """Whether a folder holds a group of runs."""
    return (folder / GROUP).is_file()


def read_group(folder: Path) -> Group:
    """Read the `group.json` of a folder.

    Raises:
        DataError: it is missing, damaged or of another schema, it has no members or one whose name is not that of a
            folder inside, or a target that is no accuracy.
    """
    file = folder / GROUP
    value = read_json(file, most_bytes=MAX_BYTES)
    if not isinstance(value, dict):
        raise DataError("the group must be a JSON object", place=str(file))
    if value.get("schema") != SCHEMA:
        raise DataError(
            f"the group has schema {value.get('schema')!r:.40} but this glauke reads schema {SCHEMA}", place=str(file)
        )
    if value.get("kind") not in KINDS:
        raise DataError(f"kind must be one of {', '.join(KINDS)}, got {value.get('kind')!r:.40}", place=str(file))
    value.pop("folder", None)
    group: Group = decode(Group, value, place=str(file))
    if not group.members:
        raise DataError("the group has no members", place=str(file))
    if group.target is not None and not 0 < group.target <= 1:
        raise DataError(f"target must be a fraction above 0 and up to 1, got {group.target}", place=str(file))
    for name in group.members:
        if Path(name).name != name or "\\" in name or name in ("", ".", ".."):
            raise DataError(f"the member {name!r:.80} is not the name of a folder inside the group", place=str(file))
    if len(set(group.members)) != len(group.members):
        raise DataError("two members have the same name", place=str(file))
    return replace(group, folder=folder)


def list_groups(folder: Path) -> list[Group]:
    """Every group in `folder` and in its subfolders, by name; one that cannot be read is passed over."""
    groups = []
    for file in sorted([*folder.glob(GROUP), *folder.glob(f"*/{GROUP}")]):
        with suppress(DataError):  # its runs are listed all the same
            groups.append(read_group(file.parent))
    return groups


def write_group(folder: Path, group: Group) -> None:
    """Replace the folder's `group.json`, durably."""
    write_json(folder / GROUP, encode(group))


def group_as_dict(group: Group) -> dict[str, object]:
    """The group in the types that JSON knows, as `group.json` holds it."""
    return encode(group)


def members_of(group: Group) -> list[RunRecord]:
    """The records of the members that have begun, in the group's order.

    Raises:
        DataError: a member's record cannot be read.
    """
    assert group.folder is not None
    folders = [group.folder / name for name in group.members]
    return [read(folder) for folder in folders if (folder / "run.json").exists()]


def spread(values: Sequence[float]) -> Spread | None:
    """Mean, deviation and range of some accuracies; None for none.

    >>> made = spread([0.90, 0.94])
    >>> round(made.mean, 6), round(made.deviation, 6), made.least, made.most
    (0.92, 0.028284, 0.9, 0.94)
    """
    if not values:
        return None
    deviation = stdev(values) if len(values) > 1 else None
    return Spread(runs=len(values), mean=fmean(values), deviation=deviation, least=min(values), most=max(values))


def seconds_to_target(rows: Sequence[EpochRow], target: float) -> float | None:
    """Seconds of the epochs up to the first whose held-out accuracy reached `target`, with it; None if none did.

    Packing and the range test are not in it: in a group only the first member packs. An epoch may have looked at a part
    of the held-out pictures only, as `val_pictures` says.
    """
    for done, row in enumerate(rows, start=1):
        if row.val_accuracy is not None and row.val_accuracy >= target:
            return math.fsum(earlier.seconds for earlier in rows[:done])
    return None


def spread_words(made: Spread) -> str:
    """Mean, deviation and range as a person reads them.

    >>> spread_words(Spread(runs=2, mean=0.92, deviation=0.028284, least=0.9, most=0.94))
    '92.00% ± 2.83 points (2 runs, 90.00% to 94.00%)'
    """
    if made.deviation is None:
        return f"{made.mean:.2%} (1 run)"
    return (
        f"{made.mean:.2%} ± {100 * made.deviation:.2f} points ({made.runs} runs, {made.least:.2%} to {made.most:.2%})"
    )
