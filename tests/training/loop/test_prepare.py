"""What is measured before a run is all that shortening it may ask for."""

from dataclasses import replace

import pytest
import torch

from glauke.errors import UsageError
from glauke.models import build_model
from glauke.training import Recipe, fit_to_time, make_plan
from glauke.training._device import Precision
from glauke.training._events import unwatched
from glauke.training._plan import ladder
from glauke.training.loop import _prepare
from glauke.training.loop._setting import Setting

SIZES = ((0.0, 16), (0.6, 24), (0.7, 20))  # up and down: fewer epochs may meet a side that all of them do not


@pytest.fixture
def steps(monkeypatch):
    """The forms in which steps were taken, in place of the steps."""
    taken = []

    def train_step(model, batch, optimizer, **others):
        taken.append((batch.images.shape[-1], model.shallow))

    monkeypatch.setattr(_prepare, "train_step", train_step)
    return taken


def setting(recipe, pack, split):
    return Setting(
        recipe=recipe,
        plan=make_plan(recipe, num_pictures=len(split.train), pack_size=pack.size),
        pack=pack,
        split=split,
        folder=pack.folder,
        max_lr=0.1,
        seed=0,
        device=torch.device("cpu"),
        precision=Precision(name="fp32", device="cpu", reason=""),
    )


@pytest.mark.parametrize("epochs", [1, 4, 5, 6])
@pytest.mark.parametrize("grow", [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("may_grow", [False, True])
def test_every_time_at_hand_finds_its_costs(epochs, grow, may_grow, pack, split, steps):
    recipe = Recipe(name="test", why="", epochs=epochs, max_lr=0.1, sizes=SIZES, grow=grow, minutes=1.0)
    model = build_model("resnet18", num_classes=10, in_channels=1, stem="maxpool", seed=0)
    here = setting(recipe, pack, split)
    costs = _prepare.measured(here, model, ladder(recipe, pack.size, may_grow=may_grow), unwatched)
    assert not model.shallow and (16, False) in steps
    # Times as they would be, in place of those of steps that were not taken.
    costs = replace(
        costs,
        seconds_per_step={side: side**2 / 256 for side in costs.seconds_per_step},
        shallow={side: side**2 / 512 for side in costs.shallow},
    )
    numbers = {"num_train": len(split.train), "num_val": len(split.val), "pack_size": pack.size}
    found = set()
    for seconds in range(1, 400, 2):
        try:
            fitted, _ = fit_to_time(recipe, costs, seconds=float(seconds), may_grow=may_grow, **numbers)
        except UsageError as error:
            assert "one epoch takes" in str(error)
            continue
        assert costs.seconds(fitted, **numbers) <= seconds
        found.add((fitted.epochs, fitted.sizes))
    assert len(found) >= min(epochs, 3)


def test_no_form_is_measured_that_no_rung_has(pack, split, steps):
    recipe = Recipe(name="test", why="", epochs=6, max_lr=0.1, sizes=((0.0, 16), (0.5, 40)), minutes=1.0)
    model = build_model("resnet18", num_classes=10, in_channels=1, stem="maxpool", seed=0)
    _prepare.measured(setting(recipe, pack, split), model, ladder(recipe, pack.size, may_grow=True), unwatched)
    whole, shallow = ({side for side, thin in steps if thin is form} for form in (False, True))
    assert whole == {8, 12, 16, 40} and shallow == {12, 16}


def test_steps_that_fail_leave_the_network_whole(pack, split, monkeypatch):
    recipe = Recipe(name="test", why="", epochs=6, max_lr=0.1, sizes=((0.0, 16),), minutes=1.0)
    model = build_model("resnet18", num_classes=10, in_channels=1, stem="maxpool", seed=0)

    def train_step(model, *others, **more):
        if model.shallow:
            raise KeyboardInterrupt

    monkeypatch.setattr(_prepare, "train_step", train_step)
    with pytest.raises(KeyboardInterrupt):
        rungs = ladder(recipe, pack.size, may_grow=True)
        _prepare.measured(setting(recipe, pack, split), model, rungs, unwatched)
    assert not model.shallow
