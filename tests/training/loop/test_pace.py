"""The expected end of a run."""

import pytest

from glauke.training._plan import Plan
from glauke.training.loop._pace import TIMED_STEPS, Pace


class Counted(tuple):
    """Numbers that note how often somebody goes through them."""

    passes = 0

    def __iter__(self):
        Counted.passes += 1
        return super().__iter__()


def test_the_end_worked_by_hand():
    plan = Plan(epochs=3, batch_sizes=(8, 8, 4), steps=(30, 10, 20), peak_step=1.0, sizes=(16, 32, 32), eval_size=32)
    pace = Pace()
    assert [pace.seconds_left(2.0, step=step, plan=plan) for step in range(1, TIMED_STEPS)] == [None] * 19
    # Ten steps at 16 px, then ten of four times the pixels and twenty of twice.
    assert pace.seconds_left(2.0, step=20, plan=plan) == pytest.approx(2.0 * (10 + 10 * 4 + 20 * 2))
    left = None
    for step in range(21, 31):
        left = pace.seconds_left(2.0, step=step, plan=plan)
    assert left == pytest.approx(2.0 * (40 + 40))
    assert pace.seconds_left(8.0, step=31, plan=plan) is None  # another size
    pace = Pace()
    assert [pace.seconds_left(3.0, step=step, plan=plan) for step in range(41, 61)][-1] == 0.0


def test_a_step_of_the_whole_network_costs_two_of_the_shallow_one():
    plan = Plan(
        epochs=2, batch_sizes=(8, 8), steps=(30, 10), peak_step=1.0, sizes=(16, 16), eval_size=16, shallow_epochs=1
    )
    pace = Pace()
    assert [pace.seconds_left(1.0, step=step, plan=plan) for step in range(1, 21)][-1] == pytest.approx(10 + 10 * 2)
    assert [pace.seconds_left(1.0, step=step, plan=plan) for step in range(21, 32)][-1] is None  # another depth


def test_a_step_does_not_go_through_the_epochs_once_the_end_is_known():
    epochs = 1000
    many = {name: Counted([8] * epochs) for name in ("batch_sizes", "steps", "sizes")}
    plan, pace = Plan(epochs=epochs, peak_step=1.0, eval_size=8, **many), Pace()
    for step in range(1, TIMED_STEPS + 1):
        pace.seconds_left(1.0, step=step, plan=plan)
    Counted.passes = 0
    assert pace.seconds_left(1.0, step=21, plan=plan) == pytest.approx(8 * epochs - 21)
    assert (plan.epoch_of(7999), plan.first_step(999), plan.first_step(1000), plan.num_steps) == (999, 7992, 8000, 8000)
    assert Counted.passes == 0
