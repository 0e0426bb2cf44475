"""Training on mixed pictures, and everything that a recipe can do to them at once."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from glauke import runs
from glauke.images import Batch
from glauke.training import resume, train
from glauke.training.loop._loop import make_objective
from glauke.training.loop._step import classification

STEPS = (10, 10, 5)  # 1,258 training pictures in batches of 128, 128 and 256


@pytest.fixture
def everything(recipe):
    """A recipe with every option of augmentation, growing batches and an average."""
    return replace(
        recipe, area=0.5, alternate=True, flip=True, trivial=True, mixup=0.4, cutmix=1.0, ema=0.9, batches=((1.0, 256),)
    )


def mixed_batch():
    generator = torch.Generator().manual_seed(0)
    labels, partners = torch.tensor([0, 1, 2, 3]), torch.tensor([4, 1, 0, 2])
    images, shares = torch.rand(4, 3, 4, 4, generator=generator), torch.tensor([0.9, 0.3, 0.2, 1.0])
    return Batch(images=images, labels=labels, samples=labels, partners=partners, shares=shares.clone(), num_classes=5)


def test_the_loss_is_that_of_both_labels_by_their_shares():
    batch, logits = mixed_batch(), torch.randn(4, 5, generator=torch.Generator().manual_seed(1))
    own, other = (
        F.cross_entropy(logits, labels, label_smoothing=0.1, reduction="none")
        for labels in (batch.labels, batch.partners)
    )
    step = classification(make_objective(0.1))(lambda images: logits, batch)
    assert step.loss.item() == pytest.approx((batch.shares * own + (1 - batch.shares) * other).mean().item(), abs=1e-6)


def test_a_hit_is_the_label_with_the_greater_share():
    batch = mixed_batch()
    greater = torch.tensor([0, 1, 0, 3])
    logits = 9 * F.one_hot(greater, 5).float()
    compute = classification(make_objective(0.0))
    assert compute(lambda images: logits, batch).sums["accuracy"] == 4
    assert compute(lambda images: logits.roll(1, dims=1), batch).sums["accuracy"] == 0


@pytest.mark.parametrize("stop", [13, 22])
def test_a_run_with_everything_goes_on_to_the_bit(everything, pack, split, tmp_path, stop):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for folder in (whole, stopped):
        folder.mkdir()
    record = train(everything, pack, split, whole, seed=3)
    assert record.status == "done" and record.steps == sum(STEPS)
    assert [row.step for row in runs.read_metrics(whole / "metrics.csv")] == [10, 20, 25]
    train(everything, pack, split, stopped, seed=3, stop_after_steps=stop)
    assert resume(stopped, pack).resumed_from_steps == (stop,)
    first, second = (load_file(folder / "final.safetensors") for folder in (whole, stopped))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_each_option_changes_the_run(recipe, pack, split, tmp_path):
    few = replace(recipe, epochs=1)
    changes = (
        {},
        {"alternate": True, "flip": False},
        {"area": 0.5},
        {"trivial": True},
        {"mixup": 0.4},
        {"cutmix": 1.0},
    )
    losses = []
    for i, change in enumerate(changes):
        folder = tmp_path / str(i)
        folder.mkdir()
        train(replace(few, **change), pack, split, folder, seed=3)
        losses.append(runs.read_metrics(folder / "metrics.csv")[0].train_loss)
    assert len(set(losses)) == len(changes)


def test_the_range_test_learns_from_mixed_labels_too(everything, pack, split, tmp_path):
    auto = replace(everything, epochs=1, max_lr="auto", lr_ramp="exponential", lr_to=5.0, lr_rule="valley", lr_steps=60)
    record = train(auto, pack, split, tmp_path, seed=1)
    assert record.status == "done" and record.max_lr_rule in ("valley", "minimum", "steepest", "fallback")
