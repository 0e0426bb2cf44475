"""Experiments one after the other, and their records by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glauke.errors import GlaukeError, UnknownNameError, UsageError
from glauke.runs import Group, RunRecord, final_accuracy, read, spread, write_group

from .._events import Note, Watch, unwatched
from ._experiment import Experiment
from ._fit import fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The records of a group of experiments, in their order, each to be had by its name."""

    records: tuple[RunRecord, ...]
    folder: Path
    """The group's folder, which `glauke compare` and `glauke runs` understand."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Why, by the names of those that failed; one that could not even begin has no record."""

    def __getitem__(self, name: str) -> RunRecord:
        """The record of the experiment called `name`; `UnknownNameError` names the nearest otherwise."""
        for record in self.records:
            if record.name == name:
                return record
        raise UnknownNameError(name, kind="experiment", known=self.names)

    def __iter__(self) -> Iterator[RunRecord]:
        """In the order of the experiments."""
        return iter(self.records)

    def __len__(self) -> int:
        """How many have begun."""
        return len(self.records)

    @property
    def names(self) -> tuple[str, ...]:
        """The experiments' names."""
        return tuple(record.name for record in self.records)

    def __repr__(self) -> str:
        """A line for each experiment."""
        lines = [repr(record) for record in self.records]
        lines += [f"{name}: failed, {why}" for name, why in self.failed.items() if name not in self.names]
        return "\n".join(["Records(", *(f"  {line}" for line in lines), ")"])

    def _repr_html_(self) -> str:
        from .._cards import records_card

        return records_card(self)


def fit_all(
    experiments: Sequence[Experiment],
    *,
    out: Path | str,
    resume: bool = True,
    restart: bool = False,
    watch: Watch = unwatched,
) -> Records:
    """Fit experiments one after the other, each as `fit` would, in a folder of its own name inside `out`.

    One that fails does not keep the others from running: `failed` says why, and its record, if it had begun, has the
    status "failed". After Ctrl-C those that have not begun are missing; the same call goes on with them.

    Raises:
        GlaukeError: that of the only experiment, or of the first, if none of them could even begin.
        UsageError: two have the same name, also on a disk that does not tell capitals apart, or share a model or an
            optimizer, so that the second would go on from what the first has learnt.
    """
    folder = Path(out)
    _check(experiments)
    folder.mkdir(parents=True, exist_ok=True)
    group = Group(kind="experiments", members=tuple(each.name for each in experiments))
    write_group(folder, group)
    records, failed, errors = [], {}, []
    for number, experiment in enumerate(experiments, start=1):
        watch(Note(f"experiment {number} of {len(experiments)}: {experiment.name}"))
        place = folder / experiment.name
        before = _record(place)
        try:
            records.append(fit(experiment, out=place, resume=resume, restart=restart, watch=watch))
        except GlaukeError as error:
            watch(Note(f"{experiment.name} failed: {error}"))
            failed[experiment.name] = str(error)
            errors.append(error)
            after = _record(place)
            if after is not None and after != before:  # else it never began, and what stands there is another run
                records.append(after)
            continue
        if records[-1].status == "interrupted":
            break
    if errors and not records:
        raise errors[0]
    accuracies = [value for record in records if (value := final_accuracy(record)) is not None]
    write_group(folder, Group(kind=group.kind, members=group.members, accuracy=spread(accuracies)))
    return Records(records=tuple(records), folder=folder, failed=failed)


def _record(folder: Path) -> RunRecord | None:
    return read(folder) if (folder / "run.json").is_file() else None


def _check(experiments: Sequence[Experiment]) -> None:
    if not experiments:
        raise UsageError("there are no experiments to fit")
    for index, second in enumerate(experiments):
        for first in experiments[:index]:
            if first.name.casefold() == second.name.casefold():
                raise UsageError(f"two experiments are called {second.name!r}", place="name", fix="give each its own")
            for what in ("model", "optimizer"):
                if getattr(first, what) is getattr(second, what) is not None:
                    raise UsageError(
                        f"{first.name!r} and {second.name!r} share one {what}",
                        place=what,
                        fix="make one for each",
                    )
