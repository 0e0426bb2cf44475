"""The commands that train, and those that look at data and runs."""

import math
import shlex
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from glauke import images, pages, runs, training
from glauke.errors import DataError, UsageError
from glauke.files import write_text
from glauke.images import Pack, Split
from glauke.options import TrainOptions
from glauke.runs import RunRecord
from glauke.training import Note, RangeTest, Recipe, Watch, plots, recipes

from ._options import agree, changed, known, read_config, resolved
from ._packs import pack_of_run, packing

FINDINGS = "findings.json"
FEW_PICTURES = 100
FINDINGS_TOLD = 50  # before training; a page of them helps, a thousand hide what follows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Data and recipe, ready to train."""

    pack: Pack
    split: Split
    recipe: Recipe
    options: TrainOptions
    """The options with what a config and the defaults add; none of those that have a default is None."""
    notes: tuple[str, ...]
    seconds_packing: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RangeTestDone:
    """What `glauke lr` found, and the folder that holds its curve and plot."""

    folder: Path
    test: RangeTest
    recipe: Recipe


def train(
    data: str,
    options: TrainOptions,
    *,
    command: str = "",
    began: float | None = None,
    watch: Watch = training.unwatched,
) -> RunRecord:
    """Pack, split, range test, One Cycle, curves and page: everything from the raw data to the report."""
    began = time.perf_counter() if began is None else began
    ready = prepare(data, options, watch=watch)
    folder = runs.new_run_folder(options.out, name=f"{ready.recipe.model}_{ready.pack.data}")
    return begin(ready, folder, command=command, began=began, watch=watch)


def begin(
    ready: Prepared, folder: Path, *, command: str = "", began: float | None = None, watch: Watch = training.unwatched
) -> RunRecord:
    """Train what was prepared, in an empty folder, and write its page."""
    chosen = ready.options
    watch(Note(f"run {folder}"))
    with _removed_unless_begun(folder), logged(chosen, watch) as watched:
        images.write_findings(ready.pack.findings, folder / FINDINGS)
        record = training.train(
            ready.recipe,
            ready.pack,
            ready.split,
            folder,
            seed=known(chosen.seed),
            device=known(chosen.device),
            precision=known(chosen.precision),
            deterministic=known(chosen.deterministic),
            mirror=known(chosen.tta),
            pretrained=known(chosen.pretrained),
            weights=chosen.weights,
            stop_after_steps=chosen.stop_after_steps,
            target=chosen.target,
            size=chosen.size,
            command=command,
            notes=ready.notes,
            began=began,
            seconds_before={"pack": ready.seconds_packing},
            watch=watched,
        )
    if record.final is not None:
        report(folder)
    return replace(record, folder=folder)


def resume(
    run: Path,
    data: str | None,
    options: TrainOptions,
    *,
    began: float | None = None,
    watch: Watch = training.unwatched,
) -> RunRecord:
    """Take an unfinished run up where it stopped; what is given again must agree with the run."""
    began = time.perf_counter() if began is None else began
    record = runs.read(run)
    agree(record, options)
    run = record.folder or run
    again = f"glauke train DATA --resume {shlex.quote(str(run))}"
    kept = record.extra
    pack = pack_of_run(
        kept.get("pack"), kept.get("size"), run=run, data=data, source=options.source, again=again, watch=watch
    )
    return go_on(run, pack, options, began=began, watch=watch)


def go_on(
    run: Path, pack: Pack, options: TrainOptions, *, began: float | None = None, watch: Watch = training.unwatched
) -> RunRecord:
    """Train an unfinished run, whose pictures these are, from where it stopped, and write its page."""
    with logged(options, watch) as watched:
        record = training.resume(
            run,
            pack,
            device=options.device,
            stop_after_steps=options.stop_after_steps,
            target=options.target,
            began=began,
            watch=watched,
        )
    if record.final is not None:
        report(run)
    return replace(record, folder=run)


def range_test(
    data: str,
    options: TrainOptions,
    *,
    changes: Mapping[str, object] = MappingProxyType({}),
    watch: Watch = training.unwatched,
) -> RangeTestDone:
    """Run the LR range test of a recipe on its data, without training, and draw it.

    `changes` are fields of the recipe that hold the test's range, ramp and rule.
    """
    ready = prepare(data, options, changes=changes, watch=watch)
    folder = runs.new_run_folder(options.out, name=f"lr_{ready.recipe.model}_{ready.pack.data}")
    watch(Note(f"range test {folder}"))
    test = training.run_range_test(
        ready.recipe,
        ready.pack,
        ready.split,
        seed=known(ready.options.seed),
        device=known(ready.options.device),
        precision=known(ready.options.precision),
        pretrained=known(ready.options.pretrained),
        weights=ready.options.weights,
        watch=watch,
    )
    training.write_range_test(folder, test)
    plots.save_range_test(test, folder / "plots")
    return RangeTestDone(folder=folder, test=test, recipe=ready.recipe)


def prepare(
    data: str,
    options: TrainOptions,
    *,
    changes: Mapping[str, object] = MappingProxyType({}),
    watch: Watch = training.unwatched,
) -> Prepared:
    """Open the data, choose the recipe and make the split; everything that can be wrong with them shows here."""
    if not data.strip():
        raise UsageError("the name of the data is empty", fix="name a data set or a folder of class folders")
    base, settings = read_config(options)
    options = resolved(options, settings)
    device = training.choose_device(known(options.device))  # before any work: what is not there is known at once
    training.choose_precision(known(options.precision), device)
    training.check_choices(seed=known(options.seed), stop_after_steps=options.stop_after_steps, target=options.target)
    if options.tensorboard:
        training.require_tensorboard()
    if options.out is not None and options.out.is_dir() and any(options.out.iterdir()):
        raise UsageError(
            "the output folder is in use, and a run never overwrites anything",
            place=str(options.out),
            fix="give another --out, or continue that run with --resume",
        )
    notes = []
    if base is None:
        # By the source's name, which is known without its pictures: a wrong option is told before minutes of packing.
        name = images.find_source(data, options.source, watch=packing(watch)).name
        base, why = recipes.suitable(name, device=device.type)
        notes.append(why)
        watch(Note(why))
    recipe = changed(base, options, changes)
    start = time.perf_counter()
    pack = images.open_pack(data, options.source, size=options.size, watch=packing(watch))
    seconds = time.perf_counter() - start
    _tell_findings(pack, watch)
    split = images.make_split(
        pack, kind=options.split, val_fraction=known(options.val_fraction), seed=known(options.split_seed)
    )
    if options.batch_size is None and options.config is None:  # nobody chose it
        recipe, why = _within(recipe, len(split.train))
        notes += why
        for note in why:
            watch(Note(note))
    training.make_plan(recipe, num_pictures=len(split.train), pack_size=pack.size)  # refuses a batch too large
    counts = Counter(pack.labels[split.train].tolist())
    label, fewest = min(counts.items(), key=lambda item: item[1])
    if fewest < FEW_PICTURES and recipe.name == "folder":
        notes.append(
            f"{pack.readable[label]} has {fewest} training pictures; below about {FEW_PICTURES} a class, expect little"
        )
        watch(Note(notes[-1]))
    return Prepared(pack=pack, split=split, recipe=recipe, options=options, notes=tuple(notes), seconds_packing=seconds)


def _within(recipe: Recipe, num_pictures: int) -> tuple[Recipe, list[str]]:
    """The recipe with batches that so few training pictures fill, four of them or more in an epoch, and why."""
    largest = max([recipe.batch_size, *(size for _, size in recipe.batches)])
    if largest <= num_pictures or num_pictures < 2:
        return recipe, []
    size = max(2, 2 ** int(math.log2(num_pictures / 4)))
    why = f"batches of {size} pictures instead of the recipe's {largest}, because there are {num_pictures} to train on"
    return replace(recipe, batch_size=size, batches=()), [why]


def logged(options: TrainOptions, watch: Watch) -> AbstractContextManager[Watch]:
    """The watch that also writes TensorBoard's event files, where they are asked for; else the watch itself."""
    return training.tensorboard(watch) if options.tensorboard else nullcontext(watch)


def report(run: Path) -> Path:
    """Draw the plots of a run and write its page anew; return the page's path."""
    record = runs.read(run)
    run = record.folder or run
    rows = runs.read_metrics(run / "metrics.csv")
    test, folder = training.read_range_test(run, record), run / "plots"
    figures = {"curves": plots.save_curves(rows, folder)}
    if test is not None:
        figures["range_test"] = plots.save_range_test(test, folder, used=record.max_lr_rule)
    if schedule := _schedule(record, folder):
        figures["schedule"] = schedule
    figures["time"] = plots.save_time(rows, folder)
    page = run / "report.html"
    findings = images.read_findings(run / FINDINGS)
    write_text(page, pages.run_page(record, rows=rows, range_test=test, figures=figures, findings=findings))
    return page


def _schedule(record: RunRecord, folder: Path) -> str | None:
    """The figure of a recipe's rates, which are arithmetic; of a program's, what `fit` has drawn, if it could."""
    if record.recipe.get("name") == training.OWN:
        drawn = folder / "schedule.svg"
        return drawn.read_text(encoding="utf-8") if drawn.is_file() else None
    recipe = training.recipe_from_dict(dict(record.recipe), place=str(folder.parent / "run.json"))
    if record.split.train < 1:
        raise DataError("the record says that nothing was trained on", place=str(folder.parent / "run.json"))
    plan = training.make_plan(recipe, num_pictures=record.split.train, pack_size=record.data.size)
    steps = range(plan.num_steps)
    return plots.save_schedule(
        [training.rate_at(step, recipe=recipe, plan=plan, max_lr=record.max_lr or 0.0) for step in steps],
        folder,
        momenta=[training.momentum_at(step, recipe=recipe, plan=plan) for step in steps],
        steps=plan.steps,
        sizes=[(plan.first_step(epoch), size) for epoch, size in enumerate(plan.sizes)],
    )


@contextmanager
def _removed_unless_begun(folder: Path) -> Iterator[None]:
    """Take a new run's folder away again if it ends before there is a record: nobody could resume or read it."""
    try:
        yield
    except BaseException:
        if not (folder / "run.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _tell_findings(pack: Pack, watch: Watch) -> None:
    worth = [finding for finding in pack.findings if finding.severity != "note"]
    for finding in worth[:FINDINGS_TOLD]:
        watch(Note(f"{finding.severity}: {finding.rule}: {finding.message}"))
    if len(worth) > FINDINGS_TOLD:
        watch(Note(f"and {len(worth) - FINDINGS_TOLD} findings more: glauke data check lists all of them"))
