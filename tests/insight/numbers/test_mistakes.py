"""The worst pictures first, and always the same ones."""

import pytest

from glauke.errors import UnknownNameError, UsageError
from glauke.insight import mistakes

PROBABILITIES = [[0.9, 0.05, 0.05], [0.6, 0.3, 0.1], [0.01, 0.5, 0.49], [0.15, 0.15, 0.7]]


def test_by_hand(said):
    found = said(PROBABILITIES, [0, 1, 0, 1])  # the first is right

    assert [m.name for m in mistakes(found, by="loss", count=9)] == ["p2", "p3", "p1"]
    assert [m.name for m in mistakes(found, by="confidence", count=2)] == ["p3", "p1"]
    worst = mistakes(found, count=1)[0]
    assert (worst.sample, worst.label, worst.predicted, worst.rank) == (12, 0, 1, 3)
    assert worst.confidence == pytest.approx(0.5) and worst.label_probability == pytest.approx(0.01)
    assert worst.loss == pytest.approx(4.60517, abs=1e-5)


@pytest.mark.parametrize("by", ["loss", "confidence"])
def test_equal_ones_come_by_name(said, by):
    found = said([[0.75, 0.25]] * 4, [1, 1, 1, 1], names=("d", "b", "c", "a"))

    assert [m.name for m in mistakes(found, by=by, count=3)] == ["a", "b", "c"]


@pytest.mark.parametrize("by", ["loss", "confidence"])
def test_the_first_few_are_the_beginning_of_all(noise, by):
    everything = mistakes(noise, by=by, count=1000)

    assert len(everything) == (noise.predicted != noise.labels).sum()
    assert all(m.label != m.predicted and m.rank > 1 for m in everything)
    assert mistakes(noise, by=by, count=17) == everything[:17]


def test_nothing_wrong_nothing_found(said):
    assert mistakes(said([[0.9, 0.1]], [0]), count=5) == ()


def test_other_orders_are_refused(noise):
    with pytest.raises(UnknownNameError, match="did you mean 'confidence'"):
        mistakes(noise, by="confidnce", count=1)


def test_no_mistakes_cannot_be_asked_for(noise):
    with pytest.raises(UsageError, match="at least 1, not 0"):
        mistakes(noise, count=0)
