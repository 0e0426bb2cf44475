"""What a run borrows from the process is given back."""

from contextlib import contextmanager

import pytest
import torch

from glauke.training.loop._running import determinism, own_random_state


@pytest.fixture(params=[(False, False), (True, False), (True, True)])
def callers(request):
    enabled, warn_only = request.param
    torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
    yield request.param
    torch.use_deterministic_algorithms(False)


def state():
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def test_the_callers_choice_of_determinism_stands_where_none_is_wanted_and_afterwards(callers):
    with determinism(False):
        assert state() == callers
    with determinism(True):
        assert state() == (True, False)
    assert state() == callers


def test_the_random_state_is_the_runs_own():
    cpu, before = torch.device("cpu"), torch.get_rng_state()
    with own_random_state(3, cpu):
        first = torch.rand(())
    assert torch.equal(torch.get_rng_state(), before)
    with own_random_state(3, cpu):
        assert torch.rand(()) == first


def test_a_runs_gpu_is_the_current_one_inside(monkeypatch):
    current = [0]

    @contextmanager
    def entered(device):
        before, current[0] = current[0], device.index
        yield
        current[0] = before

    monkeypatch.setattr(torch.cuda, "device", entered)
    with own_random_state(0, torch.device("cuda:1")):
        assert current == [1]
    assert current == [0]
