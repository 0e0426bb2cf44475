"""The whole explanation, worked by hand on a few pictures."""

import pytest

from glauke.insight import explain


def test_by_hand(said):
    #                p0          p1          p2          p3          p4
    shares = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.7, 0.3], [0.1, 0.9]]
    found = explain(said(shares, [0, 0, 0, 1, 1]))

    assert found.predictions.accuracy() == 0.4
    assert found.interval == pytest.approx((0.1176, 0.7693), abs=1e-4)
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.first_as_second, pair.second_as_first) == (0, 1, 2, 1)
    (examples,) = found.examples
    assert (examples.first_as_second, examples.second_as_first) == ((2, 1), (3,))  # the surest first
    assert (examples.first_right, examples.second_right) == ((0,), (4,))
    assert [mistake.name for mistake in found.mistakes] == ["p2", "p3", "p1"]
    assert [mistake.name for mistake in found.surest] == ["p2", "p3", "p1"]
    assert repr(found).startswith("<Explanation of 5 pictures: accuracy 40.00% (11.76% to 76.93%), ")


def test_limits_are_kept(noise):
    found = explain(noise, surest=3, pairs=2, examples_each=1)
    wrong = int((noise.predicted != noise.labels).sum())

    assert len(found.surest) == 3 and len(found.examples) == 2 and len(found.mistakes) == wrong
    assert all(len(rows) <= 1 for e in found.examples for rows in (e.first_as_second, e.second_as_first, e.first_right))
    assert sum(pair.count for pair in found.pairs) == wrong
    assert len(found.suspects.suspects) == found.suspects.total


def test_without_a_mistake_and_with_a_single_picture(said):
    found = explain(said([[0.9, 0.1]], [0]))

    assert found.calibration is None
    assert (found.pairs, found.examples, found.mistakes, found.surest, found.suspects.total) == ((), (), (), (), 0)
    assert found.interval[1] == pytest.approx(1.0)
