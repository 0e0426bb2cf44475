"""What was chosen for a run: options, a config file and a recipe become one answer."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from glauke import training
from glauke.errors import UnknownNameError, UsageError
from glauke.models import MODELS
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


def agree(record: RunRecord, options: TrainOptions) -> None:
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
