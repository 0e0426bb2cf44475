"""Pictures of a run from a pack are made once for as long as they stay the same."""

import pytest
import torch

from glauke.training._device import choose_precision
from glauke.training._plan import make_plan
from glauke.training.loop._pack_task import PackTask
from glauke.training.loop._setting import Setting

CPU = torch.device("cpu")


@pytest.fixture
def setting(recipe, pack, split, tmp_path):
    return Setting(
        recipe=recipe,
        plan=make_plan(recipe, num_pictures=len(split.train), pack_size=pack.size),
        pack=pack,
        split=split,
        folder=tmp_path,
        max_lr=0.1,
        seed=0,
        device=CPU,
        precision=choose_precision("fp32", CPU),
        mirror=True,
    )


def network():
    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(16, 10))


def test_the_pictures_of_the_curve_are_made_once_and_then_all_once(setting, monkeypatch):
    made, make = [], Setting.held_out_batches
    monkeypatch.setattr(Setting, "held_out_batches", lambda self, count: made.append(count) or make(self, count))
    task, model = PackTask(setting), network()
    first, second = (task.judge(model, last=False, told=lambda done, total: None) for _ in range(2))
    assert made == [200] and first.count == second.count == 200 and first.means == second.means
    whole = task.judge(model, last=True, told=lambda done, total: None)
    task.further(model, told=lambda done, total: None)
    assert made == [200, None] and whole.count == len(setting.split.val)
    assert task.judge(model, last=False, told=lambda done, total: None).means == first.means


def test_pictures_of_the_size_before_are_gone_when_those_of_the_next_are_made(setting, monkeypatch):
    held, make = [], Setting.train_batches
    task = PackTask(setting)
    monkeypatch.setattr(
        Setting, "train_batches", lambda self, size: held.append((size, task.pictures)) or make(self, size)
    )
    for epoch in range(3):
        next(task.batches(epoch, first_step=0))
    assert held == [(8, None), (10, None)]
