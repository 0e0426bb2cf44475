"""From recipes to steps."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glauke.errors import UsageError
from glauke.training import fit_to_time, make_plan, momentum_at, rate_at
from glauke.training._plan import Costs, ladder
from glauke.training.recipes import RECIPES, assignment, folder, laptop, quick


def test_the_assignment_is_that_of_the_reports():
    recipe = assignment()
    plan = make_plan(recipe, num_pictures=70_000, pack_size=64)
    assert (plan.steps_per_epoch, plan.epochs, plan.num_steps) == (137, 50, 6850)
    rates = [rate_at(step, recipe=recipe, plan=plan, max_lr=0.4) for step in range(plan.num_steps)]
    assert rates.index(max(rates)) == 10 * 137 - 1  # the last step of epoch 10
    assert max(rates) == 0.4
    assert rates[0] == pytest.approx(0.05) and rates[-1] == pytest.approx(0.4 / 8 / 1e4)
    steps_down = {round(a - b, 12) for a, b in pairwise(rates[1369:])}
    assert len(steps_down) == 1  # linear
    assert recipe.stem == "full" and recipe.momentum == 0.9 and recipe.max_lr == "auto"
    assert (recipe.lr_ramp, recipe.lr_steps, recipe.lr_rule) == ("linear", 100, "steepest")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_lays_itself_out(name):
    recipe = RECIPES[name]()
    assert recipe.name == name
    plan = make_plan(recipe, num_pictures=5_000, pack_size=64)
    rates = [rate_at(step, recipe=recipe, plan=plan, max_lr=1.0) for step in range(plan.num_steps)]
    assert max(rates) <= 1.0 and min(rates) > 0
    momenta = [momentum_at(step, recipe=recipe, plan=plan) for step in range(plan.num_steps)]
    assert max(momenta) <= recipe.momentum + 1e-12
    assert len(plan.sizes) == plan.epochs and list(plan.sizes) == sorted(plan.sizes)


def test_quick_grows_its_pictures():
    plan = make_plan(quick(), num_pictures=77_000, pack_size=64)
    assert plan.sizes == (32, 32, 32, 40, 48, 64) and plan.eval_size == 64 and plan.steps_per_epoch == 602


def test_the_laptop_has_its_phases():
    plan = make_plan(laptop(), num_pictures=77_000, pack_size=64)
    assert plan.sizes == (32,) * 8 + (40,) * 2 + (48,) * 2 + (64,) * 2 and plan.eval_size == 64
    assert plan.num_steps == 14 * 602 and plan.peak_step == pytest.approx(0.2 * 14 * 602 - 1)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(UsageError, match="512 is larger than the 100"):
        make_plan(assignment(), num_pictures=100, pack_size=64)
    with pytest.raises(UsageError, match="200 is larger than the 150"):
        make_plan(replace(quick(), batches=((0.5, 200),)), num_pictures=150, pack_size=64)


def test_epochs_of_unequal_length_worked_by_hand():
    # 1,000 pictures: 10 steps of 100, 5 of 200, 3 of 400 (the last of 200).
    recipe = replace(quick(), epochs=5, batch_size=100, batches=((0.5, 200), (1.0, 400)), peak=0.4)
    plan = make_plan(recipe, num_pictures=1000, pack_size=64)
    assert plan.batch_sizes == (100, 100, 200, 200, 400) and plan.steps == (10, 10, 5, 5, 3)
    assert plan.num_steps == 33 and plan.steps_per_epoch == 10
    assert [plan.first_step(epoch) for epoch in range(6)] == [0, 10, 20, 25, 30, 33]
    assert [plan.epoch_of(step) for step in (0, 9, 10, 19, 20, 24, 25, 29, 30, 32)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert plan.peak_step == 19  # the last step of epoch 2, which are 0.4 of five
    for peak, step in ((0.0, 0.0), (0.5, 19 + 2.5), (0.6, 24), (0.8, 29), (0.9, 29 + 1.5), (1.0, 32)):
        assert make_plan(replace(recipe, peak=peak), num_pictures=1000, pack_size=64).peak_step == pytest.approx(step)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.lists(st.tuples(st.floats(0, 1), st.integers(2, 64)), max_size=3),
    st.integers(64, 2000),
)
def test_steps_and_epochs_agree_whatever_the_batches(epochs, peak_epoch, batches, num_pictures):
    peak_epoch = min(peak_epoch, epochs)
    recipe = replace(quick(), epochs=epochs, batch_size=32, batches=tuple(batches), peak=peak_epoch / epochs)
    plan = make_plan(recipe, num_pictures=num_pictures, pack_size=64)
    assert len(plan.steps) == len(plan.batch_sizes) == epochs and plan.first_step(epochs) == plan.num_steps
    assert plan.peak_step == plan.first_step(peak_epoch) - 1  # the last step of that epoch
    for epoch in range(epochs):
        first, last = plan.first_step(epoch), plan.first_step(epoch + 1) - 1
        assert plan.epoch_of(first) == plan.epoch_of(last) == epoch
    rate_at(plan.num_steps - 1, recipe=recipe, plan=plan, max_lr=0.1)


def test_larger_batches_cost_by_their_pictures():
    even = replace(quick(), epochs=4, batch_size=100, sizes=((0.0, 32),), eval_pictures=None)
    grown = replace(even, batches=((0.5, 200),))
    costs = Costs(seconds_per_step={32: 1.0})
    one, other = (costs.seconds(r, num_train=1000, num_val=100, pack_size=64) for r in (even, grown))
    assert one == other == pytest.approx(40 + 4 * 0.35)  # 40 batches of 100, and 4 x 100 held-out pictures


COSTS = Costs(seconds_per_step={16: 0.3, 24: 0.55, 32: 1.0, 40: 1.5, 48: 2.2, 64: 4.0})
SIZES = {"num_train": 12_800, "num_val": 3_000, "pack_size": 64}


def test_a_recipe_that_fits_is_left_alone():
    same, sentence = fit_to_time(quick(), COSTS, seconds=1e6, **SIZES)
    assert same == quick() and "6 epochs" in sentence


def test_epochs_go_first_then_sizes():
    full = COSTS.seconds(quick(), **SIZES)
    shorter, _ = fit_to_time(quick(), COSTS, seconds=0.9 * full, **SIZES)
    assert shorter.epochs == 5 and make_plan(shorter, num_pictures=12_800, pack_size=64).sizes[-1] == 64
    smaller, sentence = fit_to_time(quick(), COSTS, seconds=0.5 * full, **SIZES)
    assert smaller.epochs >= 5 and max(side for _, side in smaller.sizes) < 64
    assert "to keep to" in sentence
    for recipe in (shorter, smaller):
        assert COSTS.seconds(recipe, **SIZES) <= 0.9 * full


def test_the_smallest_size_may_have_few_epochs_and_none_is_an_error():
    full = COSTS.seconds(quick(), **SIZES)
    few, _ = fit_to_time(quick(), COSTS, seconds=0.15 * full, **SIZES)
    assert few.sizes == ((0.0, 16), (0.7, 24), (0.95, 32)) and few.epochs < 5
    assert few.pad == quick().pad // 2  # in proportion to the pictures
    assert make_plan(replace(few, epochs=6), num_pictures=12_800, pack_size=64).sizes == (16, 16, 16, 16, 24, 32)
    with pytest.raises(UsageError, match="one epoch takes"):
        fit_to_time(quick(), COSTS, seconds=10.0, **SIZES)


GROWING = replace(COSTS, shallow={24: 0.3, 32: 0.5})


def test_a_network_that_may_grow_is_shallow_but_for_the_last_epoch():
    full = GROWING.seconds(quick(), **SIZES)
    few, sentence = fit_to_time(quick(), GROWING, seconds=0.3 * full, may_grow=True, **SIZES)
    assert few.sizes == ((0.0, 24), (0.7, 32)) and few.grow == 1.0 and few.pad == 3
    assert sentence.endswith(
        f"{few.epochs} epochs, the last at 32 px, and until then only the first block of each stage is trained"
    )
    plan = make_plan(replace(few, epochs=6), num_pictures=12_800, pack_size=64)
    assert plan.sizes == (24, 24, 24, 24, 32, 32) and plan.shallow_epochs == 5
    # 100 steps an epoch: four at 0.3, one at 0.5, one of the whole at 1; then 5 x 3,000 and 3,000 pictures judged.
    judged = 6 * 3000 / 128 * 1.0 * 0.35
    assert GROWING.seconds(replace(few, epochs=6), **SIZES) == pytest.approx(100 * (4 * 0.3 + 0.5 + 1.0) + judged)


def test_it_does_not_grow_where_time_allows_the_whole_or_one_epoch_alone():
    full = GROWING.seconds(quick(), **SIZES)
    above, _ = fit_to_time(quick(), GROWING, seconds=0.9 * full, may_grow=True, **SIZES)
    assert above.grow == 0 and above.sizes == quick().sizes
    two = GROWING.seconds(replace(ladder(quick(), 64, may_grow=True)[-2], epochs=2), **SIZES)
    grown, _ = fit_to_time(quick(), GROWING, seconds=two, may_grow=True, **SIZES)
    assert (grown.epochs, grown.grow) == (2, 1.0)
    below, _ = fit_to_time(quick(), GROWING, seconds=0.99 * two, may_grow=True, **SIZES)
    assert below.grow == 0 and below.sizes[0] == (0.0, 16)


def test_a_recipe_at_the_size_of_the_pack_is_shortened_too():
    shorter, sentence = fit_to_time(folder(), Costs(seconds_per_step={64: 4.0}), seconds=8_000.0, **SIZES)
    assert shorter.sizes == () and 5 <= shorter.epochs < 30
    assert "30 epochs at up to 64 px" in sentence and sentence.endswith(f"{shorter.epochs} epochs, the last at 64 px")


def test_the_sentence_has_the_size_of_the_last_epoch_that_there_is():
    one, sentence = fit_to_time(quick(), COSTS, seconds=60.0, **SIZES)
    assert one.epochs == 1 and "the last at 16 px" in sentence


@pytest.mark.parametrize(
    ("epochs", "grow", "shallow"), [(5, 0.0, 0), (5, 0.5, 2), (5, 0.51, 3), (5, 1.0, 4), (1, 1.0, 0)]
)
def test_the_last_epoch_is_that_of_the_whole_network(epochs, grow, shallow):
    recipe = replace(quick(), epochs=epochs, grow=grow)  # five epochs begin at 0, 0.25, 0.5, 0.75 and 1 of the run
    assert make_plan(recipe, num_pictures=1000, pack_size=64).shallow_epochs == shallow


def test_the_peak_stays_a_part_of_the_run_when_it_is_scaled():
    plan = make_plan(replace(assignment(), epochs=10), num_pictures=70_000, pack_size=64)
    assert plan.peak_step == 2 * 137 - 1
