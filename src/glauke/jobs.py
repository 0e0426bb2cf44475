"""One function per command: the only file that joins the rooms."""

import platform
import time
import tomllib
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from glauke import images, pages, runs, training
from glauke.errors import DataError, UnknownNameError, UsageError
from glauke.files import cache_folder, write_text
from glauke.images import Pack, PackProgress, Split
from glauke.models import MODELS
from glauke.options import TrainOptions
from glauke.runs import RunRecord
from glauke.training import Note, RangeTest, Recipe, Stage, Watch, plots, recipes

FINDINGS = "findings.json"
FINDINGS_TOLD = 50  # before training; a page of them helps, a thousand hide what follows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Data and recipe, ready to train."""

    pack: Pack
    split: Split
    recipe: Recipe
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
    watch(Note(f"run {folder}"))
    images.write_findings(ready.pack.findings, folder / FINDINGS)
    record = training.train(
        ready.recipe,
        ready.pack,
        ready.split,
        folder,
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        deterministic=options.deterministic,
        mirror=options.tta,
        stop_after_steps=options.stop_after_steps,
        target=options.target,
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
        pack = images.open_pack(data, options.source, size=record.data.size, watch=_packing(watch))
    record = training.resume(
        run, pack, stop_after_steps=options.stop_after_steps, target=options.target, began=began, watch=watch
    )
    if record.final is not None:
        report(run)
    return replace(record, folder=run)


def range_test(
    data: str, options: TrainOptions, *, command: str = "", watch: Watch = training.unwatched
) -> RangeTestDone:
    """Run the LR range test of a recipe on its data, without training, and draw it."""
    ready = prepare(data, options, watch=watch)
    folder = runs.new_run_folder(options.out, name=f"lr_{ready.recipe.model}_{ready.pack.data}")
    watch(Note(f"range test {folder}"))
    test = training.run_range_test(
        ready.recipe,
        ready.pack,
        ready.split,
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        watch=watch,
    )
    training.write_range_test(folder, test)
    plots.save_range_test(test, folder / "plots")
    return RangeTestDone(folder=folder, test=test, recipe=ready.recipe)


def prepare(data: str, options: TrainOptions, *, watch: Watch = training.unwatched) -> Prepared:
    """Open the data, choose the recipe and make the split; everything that can be wrong with them shows here."""
    device = training.choose_device(options.device)  # before any work: a device that is not there is known at once
    training.choose_precision(options.precision, device)
    if options.out is not None and options.out.is_dir() and any(options.out.iterdir()):
        raise UsageError(
            "the output folder is in use, and a run never overwrites anything",
            place=str(options.out),
            fix="give another --out, or continue that run with --resume",
        )
    base, settings = _read_config(options)
    options = _with_defaults(options, settings)
    notes = []
    if base is None:
        # By the source's name, which is known without its pictures: a wrong option is told before minutes of packing.
        name = images.find_source(data, options.source, watch=_packing(watch)).name
        base, why = recipes.suitable(name, device=device.type)
        notes.append(why)
        watch(Note(why))
    recipe = _changed(base, options)
    start = time.perf_counter()
    pack = images.open_pack(data, options.source, size=options.size, watch=_packing(watch))
    seconds = time.perf_counter() - start
    _tell_findings(pack, watch)
    split = images.make_split(pack, kind=options.split, val_fraction=options.val_fraction, seed=options.split_seed)
    training.make_plan(recipe, num_pictures=len(split.train), pack_size=pack.size)  # refuses a batch too large
    fewest = len(split.train) / len(pack.classes)
    if fewest < 100 and pack.data != "digits":
        notes.append(f"{fewest:.0f} training pictures a class on average; below about 100, expect little")
        watch(Note(notes[-1]))
    return Prepared(pack=pack, split=split, recipe=recipe, notes=tuple(notes), seconds_packing=seconds)


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


def _with_defaults(options: TrainOptions, settings: dict[str, Any]) -> TrainOptions:
    """Options left at their default take what the config says."""
    known = ("seed", "split", "val_fraction", "split_seed", "max_lr", "precision", "deterministic", "tta")
    plain = TrainOptions()
    changes = {}
    for key, value in settings.items():
        if key not in known:
            raise UnknownNameError(key, kind=f"setting in [run] of {options.config}", known=known)
        if getattr(options, key) == getattr(plain, key):
            changes[key] = value
    return replace(options, **changes)


def _changed(base: Recipe, options: TrainOptions) -> Recipe:
    """A recipe with the options that were given in place of its own fields."""
    names = ("model", "stem", "epochs", "batch_size", "max_lr", "anneal", "minutes")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    recipe = replace(base, **given, **dict(options.recipe_changes))
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
    said = {
        "--seed": (options.seed, record.seed, 0),
        "--split-seed": (options.split_seed, record.split.seed, 0),
        "--val-fraction": (options.val_fraction, record.split.val_fraction, 0.3),
        "--split": (options.split, record.split.kind, None),
        "--size": (options.size, record.data.size, None),
    }
    said |= {
        f"--{name.replace('_', '-')}": (getattr(options, name), record.recipe.get(name), None)
        for name in ("model", "stem", "epochs", "batch_size", "max_lr", "anneal")
    }
    if options.recipe is not None:
        said["--recipe"] = (options.recipe, record.recipe.get("name"), None)
    for name, (given, had, default) in said.items():
        if given != default and given != had:
            raise UsageError(
                f"{given} was given, but the run has {had}",
                place=name,
                fix="leave it out, or begin a new run",
            )
