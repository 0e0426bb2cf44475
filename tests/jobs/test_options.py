"""What was typed becomes a recipe."""

from dataclasses import replace

import pytest

from glauke.errors import DataError, UnknownNameError, UsageError
from glauke.jobs._options import FIELDS, agree, changed, sizes_given
from glauke.options import TrainOptions
from glauke.runs import DataFacts, Hardware, RunRecord, SplitFacts
from glauke.training import Recipe, make_plan
from glauke.training.recipes import laptop, quick


def recipe(**options):
    return changed(quick(), TrainOptions(**options), {})


def test_nothing_given_changes_nothing():
    assert recipe() == quick()


def test_every_option_of_a_recipe_reaches_its_field():
    given = {
        "model": "resnet34", "stem": "full", "epochs": 9, "batch_size": 64, "max_lr": 0.3, "anneal": "cosine",
        "minutes": 7.0, "weight_decay": 1e-3, "label_smoothing": 0.0, "ema": 0.99, "mixup": 0.2, "cutmix": 1.0,
    }  # fmt: skip
    assert set(given) == set(FIELDS)
    made = recipe(**given)
    assert {name: getattr(made, name) for name in FIELDS} == given


def test_sizes_are_laid_out_to_the_epoch():
    made = recipe(sizes="32x8,40x2,48x2,64x2")
    plan = make_plan(made, num_pictures=10_000, pack_size=64)
    assert plan.sizes == make_plan(laptop(), num_pictures=10_000, pack_size=64).sizes and made.epochs == 14


@pytest.mark.parametrize("counts", [(1,), (1, 1), (1, 99), (5, 1, 1), (33, 1, 7, 2), (250, 250, 500)])
def test_every_phase_has_exactly_its_epochs(counts):
    text = ", ".join(f"{8 + i}x{count}" for i, count in enumerate(counts))
    plan = make_plan(Recipe(name="x", why="y", **sizes_given(text, epochs=None)), num_pictures=200, pack_size=64)
    assert plan.sizes == tuple(8 + i for i, count in enumerate(counts) for _ in range(count))


def test_a_batch_size_that_is_given_holds_throughout():
    growing = replace(quick(), batches=((0.5, 256),))
    assert changed(growing, TrainOptions(batch_size=64), {}).batches == ()
    assert changed(growing, TrainOptions(), {}).batches == growing.batches


@pytest.mark.parametrize("text", ["", "32", "32x", "x8", "32x8,", "32x0", "32*8", "32x8;40x2", "32x-1"])
def test_sizes_that_say_nothing_are_refused(text):
    with pytest.raises(UsageError, match="not a list of sides with their epochs"):
        recipe(sizes=text)


def test_contradictions_and_impossible_values_are_refused():
    with pytest.raises(UsageError, match="10 epochs together, but --epochs says 9"):
        recipe(sizes="32x8,40x2", epochs=9)
    assert recipe(sizes="32x8,40x2", epochs=10).epochs == 10
    with pytest.raises(UsageError, match="sides of at least 8"):
        recipe(sizes="4x8")
    with pytest.raises(UsageError, match="--ema"):
        recipe(ema=1.5)
    with pytest.raises(UnknownNameError):
        recipe(model="resnet19")


@pytest.fixture
def had():
    """The record of a run of `quick`."""
    data = DataFacts(
        name="x", fingerprint="", source_sha256=None, pictures=9, classes=2, size=64, mean=(0.5,), std=(0.2,)
    )
    split = SplitFacts(kind="pooled", seed=0, val_fraction=0.3, train=6, val=3, fingerprint="")
    return RunRecord(
        name="x", status="interrupted", command="", glauke="", git=None, python="", torch="", started="", data=data,
        split=split, model="resnet18", stem="maxpool", parameters=1, recipe=quick().as_dict(), epochs=6,
        steps_per_epoch=1, steps=6, seed=0, device="cpu", precision="fp32",
        hardware=Hardware(cpu="", cores=1, memory_gib=1.0), extra={"deterministic": False, "mirror": False},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value"), [("mixup", 0.2), ("ema", 0.99), ("weight_decay", 1e-3), ("sizes", "32x6"), ("minutes", 9.0)]
)
def test_a_resumed_run_is_not_changed_on_the_way(had, option, value):
    agree(had, TrainOptions())
    agree(had, TrainOptions(mixup=0.0, weight_decay=5e-4))
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')}"):
        agree(had, TrainOptions(**{option: value}))


def test_a_stem_is_refused_where_there_is_no_choice():
    assert recipe(model="davidnet").stem == quick().stem  # the recipe's own does no harm
    with pytest.raises(UsageError, match="--stem: davidnet has one stem only"):
        recipe(model="davidnet", stem="full")


def test_weights_are_looked_at_before_anything_is_packed(tmp_path):
    with pytest.raises(DataError, match="the weights cannot be read"):
        recipe(weights=tmp_path / "absent.safetensors")
    (tmp_path / "w.pth").write_bytes(b"PK\x03\x04")
    with pytest.raises(UsageError, match="this is a pickle"):
        recipe(weights=tmp_path / "w.pth")
