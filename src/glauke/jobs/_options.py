"""What was chosen for a run: options, a config file and a recipe become one answer."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from glauke import training
from glauke.errors import UnknownNameError, UsageError
from glauke.models import check_model, check_weights_file, has_stems
from glauke.options import TrainOptions
from glauke.runs import RunRecord
from glauke.training import Recipe, recipes

T = TypeVar("T")

DEFAULTS: dict[str, object] = {
    "val_fraction": 0.3,
    "split_seed": 0,
    "seed": 0,
    "device": "auto",
    "precision": "auto",
    "deterministic": False,
    "tta": False,
    "pretrained": False,
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
    "pretrained": bool,
}
"""What [run] of a config.toml may hold."""
FIELDS = (
    "model", "stem", "epochs", "batch_size", "max_lr", "anneal", "minutes", "weight_decay", "label_smoothing", "ema",
    "mixup", "cutmix",
)  # fmt: skip
"""Options that are fields of the recipe, under the same name."""


def read_config(options: TrainOptions) -> tuple[Recipe | None, dict[str, Any]]:
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


def resolved(options: TrainOptions, settings: dict[str, Any]) -> TrainOptions:
    """What was given, else what the config says, else the defaults."""
    for key, value in settings.items():
        if key not in CONFIG_KINDS:
            raise UnknownNameError(key, kind=f"setting in [run] of {options.config}", known=CONFIG_KINDS)
        if not isinstance(value, CONFIG_KINDS[key]):
            raise UsageError(f"{key} in [run] cannot be {value!r}", place=str(options.config))
    filled = {name: value for name, value in (DEFAULTS | settings).items() if getattr(options, name) is None}
    return replace(options, **filled)


def known(value: T | None) -> T:
    """An option that `resolved` has filled."""
    assert value is not None
    return value


def changed(base: Recipe, options: TrainOptions, changes: Mapping[str, object]) -> Recipe:
    """A recipe with the options that were given in place of its own fields."""
    given = {name: value for name in FIELDS if (value := getattr(options, name)) is not None}
    if options.batch_size is not None:
        given["batches"] = ()  # a size that is given holds for the whole run
    if options.sizes is not None:
        given |= sizes_given(options.sizes, epochs=options.epochs)
    recipe = replace(base, **{**given, **changes})  # pyright: ignore[reportArgumentType]
    check_model(recipe.model)
    if options.stem is not None and not has_stems(recipe.model):
        raise UsageError(f"{recipe.model} has one stem only", place="--stem", fix="leave it out, or choose a resnet")
    if options.weights is not None:
        check_weights_file(options.weights)
    if options.peak_epoch is None:
        return recipe
    if not 1 <= options.peak_epoch <= recipe.epochs:
        raise UsageError(f"must be an epoch from 1 to {recipe.epochs}, not {options.peak_epoch}", place="--peak-epoch")
    return replace(recipe, peak=options.peak_epoch / recipe.epochs)


def sizes_given(text: str, *, epochs: int | None) -> dict[str, object]:
    """The fields of a recipe that "32x8,40x2" stands for: 8 epochs at 32 pixels, then 2 at 40.

    >>> sizes_given("32x8,40x2", epochs=None)
    {'epochs': 10, 'sizes': ((0.0, 32), (0.833333, 40))}
    """
    phases = [re.fullmatch(r"\s*(\d+)\s*x\s*(\d+)\s*", phase) for phase in text.split(",")]
    counts = [(int(phase[1]), int(phase[2])) for phase in phases if phase]
    total = sum(count for _, count in counts)
    if len(counts) < len(phases) or not all(count >= 1 for _, count in counts):
        raise UsageError(
            f"{text!r} is not a list of sides with their epochs", place="--sizes", fix="write them as 32x8,40x2,64x2"
        )
    if epochs not in (None, total):
        raise UsageError(
            f"the sizes have {total} epochs together, but --epochs says {epochs}",
            place="--sizes",
            fix="leave --epochs out, or make them agree",
        )
    sizes, begun = [], 0
    for side, count in counts:
        # Half an epoch before the phase's first, so that no rounding moves it.
        sizes.append((round(max(begun - 0.5, 0) / max(total - 1, 1), 6), side))
        begun += count
    return {"epochs": total, "sizes": tuple(sizes)}


def agree(record: RunRecord, options: TrainOptions) -> None:
    """Refuse a resumed run whose options say something else than the run."""
    folder = record.folder or Path()
    recipe = training.recipe_from_dict(dict(record.recipe), place=str(folder / "run.json"))
    had: dict[str, object] = {
        "seed": record.seed,
        "split_seed": record.split.seed,
        "val_fraction": record.split.val_fraction,
        "split": record.split.kind,
        "size": record.data.size,
        "precision": record.precision,
        "deterministic": record.extra.get("deterministic"),
        "tta": record.extra.get("mirror"),
        "recipe": recipe.name,
    }
    had |= {name: getattr(recipe, name) for name in FIELDS if name != "minutes"}
    for name, value in had.items():
        given = getattr(options, name)
        if given not in (None, value, "auto"):
            raise UsageError(
                f"{given} was given, but the run has {value}",
                place=f"--{name.replace('_', '-')}",
                fix="leave it out, or begin a new run",
            )
    for name in ("config", "peak_epoch", "sizes", "minutes", "out", "pretrained", "weights", "seeds"):
        if getattr(options, name) is not None:
            raise UsageError(
                "it cannot be given for a run that has begun",
                place=f"--{name.replace('_', '-')}",
                fix="leave it out, or begin a new run",
            )
