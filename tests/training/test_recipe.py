"""Recipes as values."""

import tomllib
from dataclasses import replace

import pytest

from glauke.errors import UnknownNameError, UsageError
from glauke.images import Augmentation
from glauke.runs import to_toml
from glauke.training import recipe_from_dict
from glauke.training.recipes import RECIPES, quick, recipe_named, suitable


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_survives_toml(name):
    recipe = RECIPES[name]()
    assert recipe_from_dict(tomllib.loads(to_toml({"recipe": recipe.as_dict()}))["recipe"]) == recipe


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"max_lr": -0.1},
        {"max_lr": float("nan")},
        {"max_lr": float("inf")},
        {"max_lr": "big"},
        {"lr_from": 1.0, "lr_to": 0.1},
        {"lr_steps": 1},
        {"peak": 1.5},
        {"momentum": 1.0},
        {"label_smoothing": -1.0},
        {"clip": 0.0},
        {"pad": -1},
        {"minutes": -5.0},
        {"sizes": ((0.0, 4),)},
        {"weight_decay": -1.0},
        {"batches": ((0.0, 1),)},
        {"ema": 1.0},
        {"ema": 0.0},
        {"area": 0.0},
        {"area": 1.5},
        {"mixup": -0.1},
        {"mixup": float("nan")},
        {"cutmix": float("inf")},
    ],
)
def test_values_that_no_run_can_use_are_refused_with_the_value(change):
    with pytest.raises(UsageError) as caught:
        replace(quick(), **change)
    assert str(next(iter(change.values()))).strip("()").split(",")[0] in str(caught.value)


def test_phases_survive_toml_and_must_be_pairs():
    recipe = replace(quick(), batches=((0.0, 128), (0.5, 256)), ema=0.999, area=0.35)
    values = tomllib.loads(to_toml({"recipe": recipe.as_dict()}))["recipe"]
    assert recipe_from_dict(values) == recipe and values["batches"] == [[0.0, 128], [0.5, 256]]
    with pytest.raises(UsageError, match="not complete"):
        recipe_from_dict({**values, "batches": [128, 256]})


def test_an_older_config_without_the_newer_fields_is_the_same_recipe():
    values = quick().as_dict()
    for name in ("ema", "mixup", "cutmix", "area", "trivial", "alternate", "batches", "zero_gamma"):
        del values[name]
    assert recipe_from_dict(values) == quick()


def test_the_augmentation_is_the_recipes():
    recipe = replace(quick(), pad=3, cutout=5, area=0.35, trivial=True, alternate=True, mixup=0.2, cutmix=1.0)
    assert recipe.augmentation == Augmentation(
        pad=3, flip=True, cutout=5, area=0.35, trivial=True, alternate=True, mixup=0.2, cutmix=1.0
    )
    assert quick().augmentation == Augmentation(pad=4, flip=True)


@pytest.mark.parametrize("change", [{"anneal": "lineal"}, {"lr_ramp": "exp"}, {"lr_rule": "steep"}, {"stem": "pool"}])
def test_unknown_names_are_refused_with_the_nearest(change):
    with pytest.raises(UnknownNameError):
        replace(quick(), **change)


def test_unknown_and_missing_settings_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'epochs'"):
        recipe_from_dict({**quick().as_dict(), "epoch": 3})
    with pytest.raises(UsageError, match="epochs"):
        recipe_from_dict({"name": "x", "why": "y"}, place="config.toml")
    with pytest.raises(UnknownNameError, match="did you mean 'quick'"):
        recipe_named("quik")


@pytest.mark.parametrize(
    ("data", "device", "wanted"),
    [
        ("digits", "cpu", "digits"),
        ("tiny-imagenet", "cpu", "quick"),
        ("tiny-imagenet", "cuda", "assignment"),
        ("fashion-mnist", "cpu", "mnist"),
        ("cifar100", "cuda", "cifar"),
        ("flowers", "cpu", "folder"),
    ],
)
def test_the_recipe_suits_data_and_hardware(data, device, wanted):
    recipe, why = suitable(data, device=device)
    assert recipe.name == wanted and wanted in why
