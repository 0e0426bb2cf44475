"""What follows from logits and labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glauke.errors import DataError, UsageError
from glauke.insight import Predictions
from glauke.insight.numbers import _predictions

LOGITS = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 12), st.integers(1, 7)), elements=st.floats(-50, 50, width=32)
)


def test_by_hand(said):
    found = said([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.6, 0.3]], [0, 2, 2])

    assert found.predicted.tolist() == [0, 0, 1]
    assert found.confidence == pytest.approx([0.7, 0.5, 0.6])
    assert found.label_probability == pytest.approx([0.7, 0.2, 0.3])
    assert found.losses == pytest.approx([-np.log(0.7), -np.log(0.2), -np.log(0.3)])
    assert found.ranks.tolist() == [1, 3, 2]
    assert [found.accuracy(top=k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert found.probabilities[1] == pytest.approx([0.5, 0.3, 0.2])
    assert len(found) == 3


@settings(deadline=None, max_examples=50)
@given(LOGITS, st.randoms(use_true_random=False))
def test_numbers_agree_with_each_other(said, logits, random):
    labels = [random.randrange(logits.shape[1]) for _ in logits]
    found = said(logits=logits, labels=labels)

    assert found.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert found.confidence == pytest.approx(found.probabilities.max(axis=1), abs=1e-6)
    assert np.exp(-found.losses) == pytest.approx(found.label_probability)
    assert ((found.ranks == 1) == (found.predicted == found.labels)).all()
    assert found.accuracy() == (found.predicted == found.labels).mean()
    assert found.accuracy(top=logits.shape[1]) == 1


def test_a_network_that_always_says_the_same_gets_no_credit_for_ties(said):
    found = said(logits=np.zeros((10, 10)), labels=list(range(10)))

    assert found.ranks.tolist() == list(range(1, 11))
    assert (found.accuracy(), found.accuracy(top=5)) == (0.1, 0.5)


def test_large_logits_neither_overflow_nor_vanish(said):
    found = said(logits=[[1000.0, 0.0], [0.0, 1000.0]], labels=[0, 0])

    assert found.losses.tolist() == [0, 1000]
    assert found.confidence.tolist() == [1, 1]


def test_blocks_of_rows_change_nothing(noise, monkeypatch):
    whole = Predictions(**{name: getattr(noise, name) for name in Predictions.__dataclass_fields__})
    monkeypatch.setattr(_predictions, "ROWS", 7)
    parts = Predictions(**{name: getattr(noise, name) for name in Predictions.__dataclass_fields__})

    assert np.array_equal(whole.losses, noise.losses) and np.array_equal(parts.losses, noise.losses)
    assert np.array_equal(parts.probabilities, whole.probabilities)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=1, max_size=12), st.integers(1, 12), st.integers(0, 12))
def test_the_highest_are_those_of_a_full_sort(said, values, count, left_out):
    names = tuple(f"p{(7 * i) % 12}" for i in range(len(values)))
    found = said(logits=np.zeros((len(values), 2)), labels=[0] * len(values), names=names)
    among = np.arange(len(values))[left_out:]

    expected = sorted(among.tolist(), key=lambda row: (-values[row], names[row]))[:count]
    assert found.highest(np.array(values), among=among, count=count) == expected


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"names": ("a",)}, UsageError, "1 names"),
        ({"readable": ("cat",)}, UsageError, "1 readable names"),
        ({"logits": np.array([[0, np.nan], [0, 1]], np.float32)}, DataError, "not finite to 1 of 2 pictures"),
        ({"logits": np.array([[0, np.inf], [-np.inf, 1]], np.float32)}, DataError, "not finite to 2 of 2 pictures"),
        ({"labels": np.array([0, 2])}, DataError, "labels go from 0 to 2, but the classes from 0 to 1"),
        ({"labels": np.array([-1, 0])}, DataError, "labels go from -1 to 0"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, words):
    whole = {
        "logits": np.zeros((2, 2), np.float32),
        "labels": np.array([0, 1]),
        "samples": np.array([0, 1]),
        "names": ("a", "b"),
        "classes": ("cat", "dog"),
        "readable": ("cat", "dog"),
    }

    with pytest.raises(error, match=words):
        Predictions(**(whole | change))


def test_no_pictures_are_refused(said):
    with pytest.raises(UsageError, match="no pictures"):
        said(logits=np.zeros((0, 2)), labels=[])


def test_top_0_is_refused(noise):
    with pytest.raises(UsageError, match="not among 0"):
        noise.accuracy(top=0)
