"""The examples run as they stand, and what they show of a cycle over several groups is so."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from glauke.training import one_cycle, range_test

EXAMPLES = Path(__file__).parents[2] / "examples"
NEEDS = {"plain_pytorch": "torch", "lightning_user": "lightning", "fastai_user": "fastai"}


def test_every_example_is_tried():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_an_example_is_short(name):
    assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 40


@pytest.mark.parametrize("name", NEEDS)
def test_an_example_runs_as_it_stands(name, tmp_path):
    if find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed here")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")],
        cwd=tmp_path,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )

    assert done.returncode == 0, done.stderr[-3000:]


def two_groups() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    groups = [{"params": model[0].parameters(), "lr": 0.01}, {"params": model[2].parameters(), "lr": 0.04}]
    return model, torch.optim.SGD(groups, momentum=0.9)


def test_the_two_lines_give_every_group_its_own_cycle():
    _, optimizer = two_groups()
    steps, peak = 20, 0.2
    fastest = max(group["lr"] for group in optimizer.param_groups)
    cycle = {"num_steps": steps, "peak_step": 4, "peak_lr": peak / fastest}
    scheduler = LambdaLR(optimizer, lambda step: one_cycle(min(step, steps - 1), **cycle))
    seen = []
    for _ in range(steps):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()  # once more than there are steps, which `min` allows
    wanted = [one_cycle(step, num_steps=steps, peak_step=4, peak_lr=peak) for step in range(steps)]
    assert [fast for _, fast in seen] == pytest.approx(wanted, rel=1e-12)
    assert [slow for slow, _ in seen] == pytest.approx([rate / 4 for rate in wanted], rel=1e-12)
    assert max(fast for _, fast in seen) == pytest.approx(peak)


def test_a_range_test_on_two_groups_leaves_both_their_rates():
    model, optimizer = two_groups()
    rates = []
    plain = optimizer.step
    optimizer.step = lambda: rates.append([group["lr"] for group in optimizer.param_groups]) or plain()
    inputs = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    test = range_test(model, [(inputs, torch.arange(6) % 3)], optimizer, F.cross_entropy, end=0.4, num_steps=5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.01, 0.04]
    assert [fast for _, fast in rates] == list(test.rates)
    assert all(slow == pytest.approx(fast / 4) for slow, fast in rates)
