"""One function per command: the only file that joins the rooms."""

import platform
import shutil
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from glauke import images, pages, runs, training
from glauke.errors import DataError, UnknownNameError, UsageError
from glauke.files import cache_folder, write_text
from glauke.images import Pack, PackProgress, Split
from glauke.models import MODELS
from glauke.options import TrainOptions
from glauke.runs import RunRecord
from glauke.training import Note, RangeTest, Recipe, Stage, Watch, plots, recipes

T = TypeVar("T")

FINDINGS = "findings.json"
DEFAULTS: dict[str, object] = {
    "val_fraction": 0.3,
    "split_seed": 0,
    "seed": 0,
    "device": "auto",
    "precision": "auto",
    "deterministic": False,
    "tta": False,
}
CONFIG_KINDS: dict[str, Any] = {
    "seed": int,
    "split": str,
    "val_fraction": float,
    "split_seed": int,
    "max_lr": float | int | str,
    "size": int,
    "precision": str,
    "deterministic": bool,
    "tta": bool,
}
"""What [run] of a config.toml may hold."""
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
    chosen = ready.options
    folder = runs.new_run_folder(options.out, name=f"{ready.recipe.model}_{ready.pack.data}")
    watch(Note(f"run {folder}"))
    with _removed_unless_begun(folder):
        images.write_findings(ready.pack.findings, folder / FINDINGS)
        record = training.train(
            ready.recipe,
            ready.pack,
            ready.split,
            folder,
            seed=_known(chosen.seed),
            device=_known(chosen.device),
            precision=_known(chosen.precision),
            deterministic=_known(chosen.deterministic),
            mirror=_known(chosen.tta),
            stop_after_steps=options.stop_after_steps,
            target=options.target,
            size=chosen.size,
            command=command,
            notes=ready.notes,
            began=began,
            seconds_before={"pack": ready.seconds_packing},
            watch=watch,
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
    _agree(record, options)
    if data is None:
        pack = _cached(record, run)
    else:
        size = record.extra.get("size")
        pack = images.open_pack(
            data, options.source, size=size if isinstance(size, int) else None, watch=_packing(watch)
        )
    record = training.resume(
        run,
        pack,
        device=options.device,
        stop_after_steps=options.stop_after_steps,
        target=options.target,
        began=began,
        watch=watch,
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
        seed=_known(ready.options.seed),
        device=_known(ready.options.device),
        precision=_known(ready.options.precision),
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
    base, settings = _read_config(options)
    options = _resolved(options, settings)
    device = training.choose_device(_known(options.device))  # before any work: what is not there is known at once
    training.choose_precision(_known(options.precision), device)
    if options.out is not None and options.out.is_dir() and any(options.out.iterdir()):
        raise UsageError(
            "the output folder is in use, and a run never overwrites anything",
            place=str(options.out),
            fix="give another --out, or continue that run with --resume",
        )
    notes = []
    if base is None:
        # By the source's name, which is known without its pictures: a wrong option is told before minutes of packing.
        name = images.find_source(data, options.source, watch=_packing(watch)).name
        base, why = recipes.suitable(name, device=device.type)
        notes.append(why)
        watch(Note(why))
    recipe = _changed(base, options, changes)
    start = time.perf_counter()
    pack = images.open_pack(data, options.source, size=options.size, watch=_packing(watch))
    seconds = time.perf_counter() - start
    _tell_findings(pack, watch)
    split = images.make_split(
        pack, kind=options.split, val_fraction=_known(options.val_fraction), seed=_known(options.split_seed)
    )
    training.make_plan(recipe, num_pictures=len(split.train), pack_size=pack.size)  # refuses a batch too large
    counts = Counter(pack.labels[split.train].tolist())
    label, fewest = min(counts.items(), key=lambda item: item[1])
    if fewest < FEW_PICTURES and recipe.name == "folder":
        notes.append(
            f"{pack.readable[label]} has {fewest} training pictures; below about {FEW_PICTURES} a class, expect little"
        )
        watch(Note(notes[-1]))
    return Prepared(pack=pack, split=split, recipe=recipe, options=options, notes=tuple(notes), seconds_packing=seconds)


def report(run: Path) -> Path:
    """Draw the plots of a run and write its page anew; return the page's path."""
    record = runs.read(run)
    rows = runs.read_metrics(run / "metrics.csv")
    test = training.read_range_test(run, record)
    recipe = training.recipe_from_dict(dict(record.recipe))
    plan = training.make_plan(recipe, num_pictures=record.split.train, pack_size=record.data.size)
    steps, folder = range(plan.num_steps), run / "plots"
    figures = {"curves": plots.save_curves(rows, folder)}
    if test is not None:
        figures["range_test"] = plots.save_range_test(test, folder, used=record.max_lr_rule)
    figures["schedule"] = plots.save_schedule(
        [training.rate_at(step, recipe=recipe, plan=plan, max_lr=record.max_lr or 0.0) for step in steps],
        folder,
        momenta=[training.momentum_at(step, recipe=recipe, plan=plan) for step in steps],
        steps_per_epoch=plan.steps_per_epoch,
        sizes=[(epoch * plan.steps_per_epoch, size) for epoch, size in enumerate(plan.sizes)],
    )
    figures["time"] = plots.save_time(rows, folder)
    page = run / "report.html"
    findings = images.read_findings(run / FINDINGS)
    write_text(page, pages.run_page(record, rows=rows, range_test=test, figures=figures, findings=findings))
    return page


def doctor() -> dict[str, Any]:
    """Say what is installed, which device and precision a run would use, and which optional part is missing."""
    device = training.choose_device("auto")
    precision = training.choose_precision("auto", device)
    optional = {
        "torchvision": "zoo",
        "timm": "zoo",
        "numba": "fast",
        "tensorboard": "tensorboard",
        "onnx": "export",
    }
    return {
        "glauke": version("glauke"),
        "python": platform.python_version(),
        "torch": version("torch"),
        "device": device.type,
        "precision": precision.name,
        "precision_reason": precision.reason,
        "hardware": asdict(training.describe_hardware(device)),
        "cache": str(cache_folder()),
        "optional": {
            name: _installed(name) or f"missing: pip install 'glauke[{extra}]'" for name, extra in optional.items()
        },
    }


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cached(record: RunRecord, run: Path) -> Pack:
    """The pack that a run was trained on, from the cache: a run names no path of the machine it began on."""
    try:
        return images.read_pack(cache_folder() / "packs" / str(record.extra.get("pack")))
    except DataError as error:
        raise DataError(
            "the pictures of this run are not in the cache any more",
            place=str(run),
            fix=f"give the data again: glauke train DATA --resume {run}",
        ) from error


def _packing(watch: Watch):
    def told(progress: PackProgress) -> None:
        watch(Stage(name=progress.stage, done=progress.done, total=progress.total))

    return told


def _read_config(options: TrainOptions) -> tuple[Recipe | None, dict[str, Any]]:
    """The recipe by name or from a config.toml, and the run's settings that the file holds."""
    if options.config is None:
        return (recipes.recipe_named(options.recipe) if options.recipe else None), {}
    place = str(options.config)
    try:
        document = tomllib.loads(options.config.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"it cannot be read ({error.strerror})", place=place) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"it is not TOML ({error})", place=place) from error
    for key in document:
        if key not in ("recipe", "run"):
            raise UnknownNameError(key, kind=f"table in {place}", known=("recipe", "run"))
    if options.recipe is not None:
        raise UsageError("give --recipe or --config, not both", place="--recipe")
    return training.recipe_from_dict(document.get("recipe", {}), place=place), document.get("run", {})


def _resolved(options: TrainOptions, settings: dict[str, Any]) -> TrainOptions:
    """What was given, else what the config says, else the defaults."""
    for key, value in settings.items():
        if key not in CONFIG_KINDS:
            raise UnknownNameError(key, kind=f"setting in [run] of {options.config}", known=CONFIG_KINDS)
        if not isinstance(value, CONFIG_KINDS[key]):
            raise UsageError(f"{key} in [run] cannot be {value!r}", place=str(options.config))
    filled = {name: value for name, value in (DEFAULTS | settings).items() if getattr(options, name) is None}
    return replace(options, **filled)


def _known(value: T | None) -> T:
    """An option that `_resolved` has filled."""
    assert value is not None
    return value


@contextmanager
def _removed_unless_begun(folder: Path) -> Iterator[None]:
    """Take a new run's folder away again if it ends before there is a record: nobody could resume or read it."""
    try:
        yield
    except BaseException:
        if not (folder / "run.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _changed(base: Recipe, options: TrainOptions, changes: Mapping[str, object]) -> Recipe:
    """A recipe with the options that were given in place of its own fields."""
    names = ("model", "stem", "epochs", "batch_size", "max_lr", "anneal", "minutes")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    recipe = replace(base, **{**given, **changes})  # pyright: ignore[reportArgumentType]
    if recipe.model not in MODELS:
        raise UnknownNameError(recipe.model, kind="model", known=MODELS)
    if options.peak_epoch is None:
        return recipe
    if not 1 <= options.peak_epoch <= recipe.epochs:
        raise UsageError(f"must be an epoch from 1 to {recipe.epochs}, not {options.peak_epoch}", place="--peak-epoch")
    return replace(recipe, peak=options.peak_epoch / recipe.epochs)


def _tell_findings(pack: Pack, watch: Watch) -> None:
    worth = [finding for finding in pack.findings if finding.severity != "note"]
    for finding in worth[:FINDINGS_TOLD]:
        watch(Note(f"{finding.severity}: {finding.rule}: {finding.message}"))
    if len(worth) > FINDINGS_TOLD:
        watch(Note(f"and {len(worth) - FINDINGS_TOLD} findings more: glauke data check lists all of them"))


def _agree(record: RunRecord, options: TrainOptions) -> None:
    """Refuse a resumed run whose options say something else than the run."""
    had: dict[str, object] = {
        "seed": record.seed,
        "split_seed": record.split.seed,
        "val_fraction": record.split.val_fraction,
        "split": record.split.kind,
        "size": record.data.size,
        "precision": record.precision,
        "deterministic": record.extra.get("deterministic"),
        "tta": record.extra.get("mirror"),
        "recipe": record.recipe.get("name"),
    }
    had |= {name: record.recipe.get(name) for name in ("model", "stem", "epochs", "batch_size", "max_lr", "anneal")}
    for name, value in had.items():
        given = getattr(options, name)
        if given not in (None, value, "auto"):
            raise UsageError(
                f"{given} was given, but the run has {value}",
                place=f"--{name.replace('_', '-')}",
                fix="leave it out, or begin a new run",
            )
    for name in ("config", "peak_epoch", "minutes", "out"):
        if getattr(options, name) is not None:
            raise UsageError(
                "it cannot be given for a run that has begun",
                place=f"--{name.replace('_', '-')}",
                fix="leave it out, or begin a new run",
            )
