"""Repeats: the same run with several seeds, one after the other in one folder, and what they gave together."""

import re
import shlex
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glauke import images, pages, runs, training
from glauke.errors import DataError, GlaukeError, NotFiniteError, UsageError
from glauke.files import write_text
from glauke.options import TrainOptions
from glauke.runs import Group, RunRecord
from glauke.training import Note, Watch

from . import training as single
from ._options import known
from ._packs import pack_of_run
from .comparing import figures_of, page_links
from .training import Prepared

PAGE = "report.html"
MOST_SEEDS = 10_000
STILL_FREE = frozenset({"seeds", "device", "target", "stop_after_steps", "source", "tensorboard"})
"""Options that may be given, or given anew, for repeats that have begun."""
KEPT: Mapping[str, tuple[type, ...]] = {
    "seed": (int,),
    "size": (int, type(None)),
    "device": (str,),
    "precision": (str,),
    "deterministic": (bool,),
    "tta": (bool,),
    "pretrained": (bool,),
    "val_fraction": (float, int),
    "split_seed": (int,),
}
"""Options that all members share, apart from the recipe, and what each may be; kept in group.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """A group of repeats as it stands."""

    folder: Path
    group: Group
    records: tuple[RunRecord, ...]
    """Of the members that have begun."""
    failed: tuple[str, ...]
    """Members whose loss was not finite; the others went on."""

    @property
    def unfinished(self) -> RunRecord | None:
        """The member that was interrupted or told to stop, if one was."""
        stopped = [r for r in self.records if r.final is None and _name(r) not in self.failed]
        return stopped[-1] if stopped else None


def _name(record: RunRecord) -> str:
    assert record.folder is not None
    return record.folder.name


def train(
    data: str,
    options: TrainOptions,
    *,
    command: str = "",
    began: float | None = None,
    watch: Watch = training.unwatched,
) -> Repeats:
    """Train with the seeds `seed` to `seed + seeds - 1`, on one split, each in a run folder of its own in one group."""
    began = time.perf_counter() if began is None else began
    count = known(options.seeds)
    if not 1 <= count <= MOST_SEEDS:
        raise UsageError(f"must be a whole number from 1 to {MOST_SEEDS:,}, not {count}", place="--seeds")
    if options.weights is not None:
        # They would all begin alike, and a group that is taken up again could not find the file.
        raise UsageError("repeats begin from weights of their own seeds", place="--weights", fix="leave it out")
    if (options.seed or 0) + count > 2**63:
        raise UsageError(f"the last seed must be below 2^63, which {options.seed} leaves no room for", place="--seed")
    ready = single.prepare(data, options, watch=watch)
    folder = runs.new_run_folder(options.out, name=f"{ready.recipe.model}_{ready.pack.data}_seeds")
    first = known(ready.options.seed)
    group = Group(
        kind="seeds",
        members=_named(range(first, first + count)),
        settings=_settings(ready),
        target=options.target,
        folder=folder,
    )
    runs.write_group(folder, group)
    try:
        return _go_on(folder, group, ready, command=command, began=began, watch=watch)
    except GlaukeError:
        if not runs.members_of(group):  # nothing was trained, so that there is nothing to go on with
            shutil.rmtree(folder, ignore_errors=True)
        raise


def resume(
    folder: Path,
    data: str | None,
    options: TrainOptions,
    *,
    command: str = "",
    watch: Watch = training.unwatched,
) -> Repeats:
    """Train what is unfinished or missing in a group of repeats; what is finished stays as it is.

    `options.seeds` may ask for more members than there were.
    """
    group = runs.read_group(folder)
    if group.kind != "seeds":
        raise UsageError(
            "these runs were put together by a program, and only repeats are taken up together",
            place=str(folder),
            fix=f"resume each run: glauke train --resume {shlex.quote(str(folder / group.members[0]))}",
        )
    _agree(group, options)
    ready = _prepared(folder, group, data, options, watch=watch)
    members = group.members
    if options.seeds is not None:
        if not len(members) <= options.seeds <= MOST_SEEDS:
            raise UsageError(
                f"the group has {len(members)} members already, and {options.seeds} were asked for",
                place="--seeds",
                fix=f"ask for {len(members)} or more",
            )
        following = 1 + max(_seed_of(member, folder) for member in members)
        members += _named(range(following, following + options.seeds - len(members)))
    target = group.target if options.target is None else options.target
    group = replace(group, members=members, target=target)
    ready = replace(ready, options=replace(ready.options, target=target))
    runs.write_group(folder, group)
    return _go_on(folder, group, ready, command=command, began=None, watch=watch)


def report(folder: Path) -> Path:
    """Draw the curves of a group's runs and write its page anew; return the page's path."""
    group = runs.read_group(folder)
    comparison = runs.compare([folder], across_splits=True)
    links = page_links(comparison.runs, folder)
    given: dict[str, Any] = {"links": links, "version": version("glauke")}
    if group.kind == "seeds":
        figures = figures_of(comparison, folder / "plots", mean=True)
        html = pages.repeats_page(group, comparison.runs, figures=figures, apart=comparison.apart, **given)
    else:
        html = pages.compare_page(comparison, figures=figures_of(comparison, folder / "plots"), **given)
    write_text(folder / PAGE, html)
    return folder / PAGE


def _go_on(folder: Path, group: Group, ready: Prepared, *, command: str, began: float | None, watch: Watch) -> Repeats:
    """Train each member that is not finished, and sum up after each."""
    failed: list[str] = []
    for place, member in enumerate(group.members):
        run, seed = folder / member, _seed_of(member, folder)
        record = _record_of(run)
        if record is None or record.final is None:
            watch(Note(f"repeat {place + 1} of {len(group.members)}, seed {seed}"))
            own = replace(ready, options=replace(ready.options, seed=seed, out=run))
            try:
                record = _trained(own, run, begun=record is not None, command=command, began=began, watch=watch)
            except NotFiniteError as error:
                failed.append(member)
                watch(Note(f"{member} failed: {error.message}; the others go on"))
            except KeyboardInterrupt:
                watch(Note(f"to go on: glauke train --resume {shlex.quote(str(folder))}"))
                raise
            ready, began = replace(ready, seconds_packing=0.0), None  # the first has packed for all
        begun = _record_of(run)
        if ready.recipe.minutes is not None and begun is not None:
            # Measured once: repeats whose cycles had different lengths would not be repeats.
            ready = replace(ready, recipe=training.recipe_from_dict(dict(begun.recipe)))
        group = _summed_up(folder, group)
        if record is not None and record.final is None and member not in failed:
            break
    records = tuple(runs.members_of(group))
    if records:
        report(folder)
    return Repeats(folder=folder, group=group, records=records, failed=tuple(failed))


def _named(seeds: Iterable[int]) -> tuple[str, ...]:
    return tuple(f"seed-{seed}" for seed in seeds)


def _seed_of(member: str, folder: Path) -> int:
    """A member is the run that the seed in its name gives."""
    found = re.fullmatch(r"seed-(0|[1-9]\d{0,18})", member)
    if found is None or int(found[1]) >= 2**63:
        raise DataError(f"the member {member!r:.80} is not named by a seed", place=str(folder / runs.GROUP))
    return int(found[1])


def _record_of(run: Path) -> RunRecord | None:
    return runs.read(run) if (run / "run.json").exists() else None


def _trained(ready: Prepared, run: Path, *, begun: bool, command: str, began: float | None, watch: Watch) -> RunRecord:
    if begun:
        return single.go_on(run, ready.pack, ready.options, watch=watch)
    run.mkdir(exist_ok=True)
    return single.begin(ready, run, command=command, began=began, watch=watch)


def _summed_up(folder: Path, group: Group) -> Group:
    """Write what the finished members give together."""
    finished = [record for record in runs.members_of(group) if record.final is not None]
    times = {}
    if group.target is not None:
        for record in finished:
            rows = runs.read_metrics(folder / _name(record) / "metrics.csv")
            times[_name(record)] = runs.seconds_to_target(rows, group.target)
    accuracies = [accuracy for record in finished if (accuracy := runs.final_accuracy(record)) is not None]
    group = replace(group, accuracy=runs.spread(accuracies), seconds_to_target=times)
    runs.write_group(folder, group)
    return group


def _settings(ready: Prepared) -> dict[str, object]:
    return {
        **{name: getattr(ready.options, name) for name in KEPT},
        "split": ready.split.kind,
        "pack": ready.pack.folder.name,
        "fingerprint": ready.pack.fingerprint,
        "notes": list(ready.notes),
        "recipe": ready.recipe.as_dict(),
    }


def _prepared(folder: Path, group: Group, data: str | None, options: TrainOptions, *, watch: Watch) -> Prepared:
    """What the missing members are trained with, from the group's own file and the pictures in the cache."""
    had: Mapping[str, Any] = group.settings
    try:
        recipe = training.recipe_from_dict(dict(had["recipe"]), place=str(folder / runs.GROUP))
        chosen = {name: _of_kind(had[name], name, kinds) for name, kinds in KEPT.items()}
        kind, fraction, seed = str(had["split"]), float(had["val_fraction"]), int(had["split_seed"])
        fingerprint, notes = str(had["fingerprint"]), tuple(map(str, had.get("notes", ())))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"its settings are not whole ({error})", place=str(folder / runs.GROUP)) from error
    again = f"glauke train DATA --resume {shlex.quote(str(folder))}"
    pack = pack_of_run(
        had.get("pack"), chosen["size"], run=folder, data=data, source=options.source, again=again, watch=watch
    )
    if pack.fingerprint != fingerprint:
        raise DataError(
            f"the pictures have changed since the repeats began: fingerprint {pack.fingerprint[:12]} instead of "
            f"{fingerprint[:12]}",
            place=str(folder),
            fix="give the data of those runs with --source",
        )
    split = images.make_split(pack, kind=kind, val_fraction=fraction, seed=seed)
    for record in runs.members_of(group):
        if record.split.fingerprint != split.fingerprint:
            raise DataError(
                f"{_name(record)} was judged on other held-out pictures than the group's settings give: fingerprint "
                f"{record.split.fingerprint[:12]} instead of {split.fingerprint[:12]}",
                place=str(folder),
                fix="move that run out of the group",
            )
    anew = {name: getattr(options, name) for name in STILL_FREE if getattr(options, name) is not None}
    return Prepared(
        pack=pack,
        split=split,
        recipe=recipe,
        options=replace(TrainOptions(), **{**chosen, **anew, "seeds": None}),
        notes=notes,
        seconds_packing=0.0,
    )


def _of_kind(value: object, name: str, kinds: tuple[type, ...]) -> object:
    """A setting as the file has it; exactly, since to Python True is an int."""
    if type(value) not in kinds:
        raise TypeError(f"{name} cannot be {value!r:.40}")
    return value


def _agree(group: Group, options: TrainOptions) -> None:
    """Refuse options that say something else than the group."""
    had: dict[str, object] = dict(group.settings)
    recipe = had.pop("recipe", None)
    if isinstance(recipe, Mapping):
        had = {**recipe, **had, "recipe": recipe.get("name")}
    for field in fields(TrainOptions):
        given, place = getattr(options, field.name), f"--{field.name.replace('_', '-')}"
        if field.name in STILL_FREE or given in (None, "auto", had.get(field.name)):
            continue
        if field.name not in had:
            raise UsageError("it cannot be given for repeats that have begun", place=place, fix="leave it out")
        raise UsageError(
            f"{given} was given, but the repeats have {had[field.name]}",
            place=place,
            fix="leave it out, or begin new repeats",
        )
