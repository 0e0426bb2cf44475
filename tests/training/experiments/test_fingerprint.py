"""What tells another experiment from the one that a folder holds."""

import os
import signal

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader

from glauke import runs
from glauke.errors import UsageError
from glauke.training import fit
from glauke.training.experiments._fingerprint import differences


def test_differences_are_told_by_their_place():
    had, now = {"a": [{"x": 1}, {"x": 2}], "b": [1, 2]}, {"a": [{"x": 1}, {"x": 3}], "b": [1]}
    assert list(differences(had, now, name="it")) == ["it, a, 1, x was 2 and is 3", "it, b was [1, 2] and is [1]"]
    assert list(differences(had, had, name="it")) == []


def press_in_epoch_2(event):
    if event.step == 6:
        os.kill(os.getpid(), signal.SIGINT)


def with_scheduler(make, gamma=0.5, momentum=0.9, hidden=False, **fields):
    model = nn.Sequential(nn.Linear(8, 3), nn.Identity()) if hidden else nn.Sequential(nn.Identity(), nn.Linear(8, 3))
    optimizer = make.sgd(model, momentum=momentum)
    return make.experiment(
        model=model, optimizer=optimizer, schedule=lr_scheduler.StepLR(optimizer, 1, gamma=gamma), **fields
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"momentum": 0.8}, "optimizer groups, 0, momentum was 0.9 and is 0.8"),
        ({"gamma": 0.1}, "scheduler, gamma was 0.5 and is 0.1"),
        ({"hidden": True}, "weights was .* and is"),
        ({"loss": nn.CrossEntropyLoss(label_smoothing=0.1)}, r"loss, \.label_smoothing was 0.0 and is 0.1"),
        ({"train": "batches of 8"}, "batches in an epoch was 4 and is 7"),
        ({"precision": "bf16"}, "precision was fp32 and is bf16"),
    ],
)
def test_no_other_experiment_goes_on_with_a_run(tmp_path, make, changes, words):
    fields = {"precision": "fp32", "loss": nn.CrossEntropyLoss()}
    fit(with_scheduler(make, **fields), out=tmp_path, watch=make.stepped(press_in_epoch_2))
    if "train" in changes:
        changes = {"train": DataLoader(make.examples(50, 1), batch_size=8)}
    with pytest.raises(UsageError, match=words):
        fit(with_scheduler(make, **{**fields, **changes}), out=tmp_path)
    assert fit(with_scheduler(make, **fields), out=tmp_path).status == "done"


def test_a_restart_after_an_interrupt_begins_anew(tmp_path, make):
    model = make.network()
    made = make.experiment(model=model, optimizer=make.sgd(model))
    fit(made, out=tmp_path / "x", watch=make.stepped(press_in_epoch_2))
    assert runs.read(tmp_path / "x").status == "interrupted" and made.optimizer.state
    record = fit(made, out=tmp_path / "x", restart=True)
    assert any("make it anew to train from scratch" in note for note in record.notes)
    assert any("momentum, was cleared" in note for note in record.notes)


def test_a_restart_does_not_feel_the_old_momentum(tmp_path, make):
    model = make.network()
    first = {name: value.clone() for name, value in model.state_dict().items()}
    made = make.experiment(model=model, optimizer=make.sgd(model))
    fit(made, out=tmp_path / "x")
    model.load_state_dict(first)
    fit(made, out=tmp_path / "x", restart=True)
    names = [folder / "final.safetensors" for folder in (tmp_path / "x.1", tmp_path / "x")]
    assert names[0].read_bytes() == names[1].read_bytes()


class Scaled(nn.Module):
    """A loss that learns how warm the logits are."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, outputs, labels):
        return nn.functional.cross_entropy(outputs * self.scale, labels)


def test_a_learnt_loss_goes_on_too(tmp_path, make):
    def made():
        model, loss = make.network(), Scaled()
        optimizer = torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=0.1, momentum=0.9)
        return make.experiment(model=model, loss=loss, optimizer=optimizer)

    whole, second = made(), made()
    fit(whole, out=tmp_path / "whole")
    fit(made(), out=tmp_path / "paused", watch=make.stepped(press_in_epoch_2))
    fit(second, out=tmp_path / "paused")
    assert torch.equal(whole.loss.scale, second.loss.scale) and whole.loss.scale != 1
    first, last = (load_file(tmp_path / name / "final.safetensors") for name in ("whole", "paused"))
    assert all(torch.equal(first[name], last[name]) for name in first)


def test_an_optimizer_that_no_checkpoint_can_hold_is_named(tmp_path, make):
    model = make.network()
    optimizer = make.sgd(model)
    optimizer.param_groups[0]["rule"] = object()
    with pytest.raises(UsageError, match="optimizer: its groups hold a object as 'rule'"):
        fit(make.experiment(model=model, optimizer=optimizer), out=tmp_path)
