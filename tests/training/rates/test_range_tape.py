"""When a range test ends, by its points alone."""

import math

import pytest
import torch

from glauke.training.rates._range_tape import Tape


def play(losses, *, stop_factor=3.0, every=1, sizes=None, held_out=None) -> tuple[Tape, str | None]:
    tape = Tape(stop_factor=stop_factor, every=every)
    for index, loss in enumerate(losses):
        size = sizes[index] if sizes else 0.0
        seen = held_out[index] if held_out else 0.0
        if ended := tape.add(torch.tensor([loss, size, 0.5, seen], dtype=torch.float64)):
            return tape, ended
    return tape, tape.read()


def test_a_bad_batch_is_forgiven_and_a_divergence_is_not():
    falling = [2.3, 2.2, 2.0, 1.8]
    assert play([*falling, 50.0, 1.7, 1.6, 50.0, 1.5])[1] is None
    tape, ended = play([*falling, 50.0, 50.0, 50.0])
    assert ended == "diverged" and tape.losses == [*falling, 50.0, 50.0]  # two of three are high


def test_a_loss_near_nothing_may_treble():
    """Against the best loss alone this would be a divergence by a factor of 40."""
    assert play([2.3, 1.0, 0.1, 0.01, 0.01, 0.01, 0.4, 0.4, 0.4])[1] is None


def test_the_threshold_is_the_best_level_and_the_first_loss():
    best = [2.0, 1.0, 1.0, 1.0]
    assert play([*best, 5.0, 5.0])[1] is None  # 1 + (3 - 1) * 2 = 5 is not above 5
    assert play([*best, 5.1, 5.1])[1] == "diverged"
    assert play([*best, 5.1, 5.1], stop_factor=4)[1] is None
    assert play([*best, 1e30, 1e30], stop_factor=math.inf)[1] is None


def test_negative_losses_diverge_too():
    assert play([-2.0, -3.0, -3.0, -3.0, -1.0, -1.0])[1] is None
    assert play([-2.0, -3.0, -3.0, -3.0, 1.1, 1.1])[1] == "diverged"


def test_divergence_from_the_first_step():
    assert play([2.3, 50.0, 1e5])[1] == "diverged"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 1, 5])
def test_a_point_that_is_not_finite_is_not_kept(bad, place):
    losses = [2.0] * 8
    wrong = [bad if index == place else 1.0 for index in range(8)]
    for tape, ended in (
        play([*losses[:place], bad]),
        play(losses, sizes=wrong),
        play(losses, held_out=wrong),
    ):
        assert ended == "not finite"
        assert tape.losses == losses[:place] and len(tape.accuracies) == len(tape.val_losses) == place


@pytest.mark.parametrize("every", [2, 3, 8, 100])
@pytest.mark.parametrize(
    "losses",
    [
        [2.0, 1.5, 1.0, 0.5, 0.4, 0.3, 0.2],
        [2.0, 1.5, math.nan, 1.0, 50.0, 50.0, 50.0],
        [2.0, 1.5, 1.0, 50.0, 50.0, 50.0, math.inf, 1.0],
    ],
)
def test_reading_late_gives_the_same_points_and_the_same_end(every, losses):
    now, ended = play(losses)
    late, ended_late = play(losses, every=every)
    assert (late.losses, late.accuracies, ended_late) == (now.losses, now.accuracies, ended)
