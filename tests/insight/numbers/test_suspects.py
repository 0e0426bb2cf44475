"""Confident learning, worked by hand; labels that were swapped are found."""

import numpy as np
import pytest

from glauke.errors import UsageError
from glauke.insight import label_suspects

BY_HAND = [
    [0.90, 0.06, 0.04],
    [0.60, 0.30, 0.10],
    [0.15, 0.80, 0.05],  # label 0, looks like 1
    [0.10, 0.70, 0.20],
    [0.10, 0.50, 0.40],  # label 1, reaches 2 but not 1
    [0.30, 0.30, 0.40],
    [0.25, 0.45, 0.30],  # label 2, reaches nothing
]
LABELS = [0, 0, 0, 1, 1, 2, 2]


def test_by_hand(said):
    found = label_suspects(said(BY_HAND, LABELS), count=10)

    # Means of the label's own probability: (.9 + .6 + .15) / 3, (.7 + .5) / 2, (.4 + .3) / 2.
    assert found.thresholds == pytest.approx([0.55, 0.6, 0.35])
    assert found.joint.tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    assert found.total == 2
    first, second = found.suspects
    assert (first.sample, first.name, first.label, first.suggested) == (12, "p2", 0, 1)
    assert (first.label_probability, first.suggested_probability) == pytest.approx((0.15, 0.8))
    assert first.margin == pytest.approx(0.15 - 0.8)
    # Its label is more likely than the suggestion, so it is the least suspect: 0.5 against the best other, 0.4.
    assert (second.name, second.suggested, second.margin) == ("p4", 2, pytest.approx(0.1))


def test_of_several_classes_that_are_reached_the_most_likely_counts(said):
    found = label_suspects(said([[0.4, 0.2, 0.4], [0.2, 0.5, 0.3], [0.1, 0.42, 0.48]], [0, 1, 2]), count=3)

    assert found.suspects == () and found.total == 0
    assert np.array_equal(found.joint, np.eye(3))


def swapped(said, *, share, seed=0, count=600, classes=6):
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, count)
    wrong = rng.random(count) < share
    labels = np.where(wrong, (true + rng.integers(1, classes, count)) % classes, true)
    logits = rng.normal(size=(count, classes)) + 8 * np.eye(classes)[true]
    return said(logits=logits, labels=labels.tolist()), true, np.flatnonzero(wrong)


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_swapped_labels_are_found(said, share):
    predictions, true, wrong = swapped(said, share=share)
    found = label_suspects(predictions, count=len(wrong))
    rows = [suspect.sample - 10 for suspect in found.suspects]

    assert len(set(rows) & set(wrong.tolist())) >= 0.8 * len(
        wrong
    )  # those below the mean of their true class are missed
    assert np.mean([true[row] == suspect.suggested for row, suspect in zip(rows, found.suspects, strict=True)]) > 0.95
    assert found.total <= 1.1 * len(wrong)


def test_where_nothing_is_swapped_next_to_nothing_is_found(said):
    predictions, _, _ = swapped(said, share=0)

    assert label_suspects(predictions, count=600).total <= 6


def test_fewer_are_the_beginning_of_all(noise):
    everything = label_suspects(noise, count=1000)

    assert len(everything.suspects) == everything.total > 9
    assert label_suspects(noise, count=9).suspects == everything.suspects[:9]
    margins = [suspect.margin for suspect in everything.suspects]
    assert margins == sorted(margins)
    assert everything.joint.sum() - np.trace(everything.joint) == everything.total


def test_equally_suspect_ones_come_by_name(said):
    probabilities = [[0.9, 0.1]] * 4 + [[0.1, 0.9]] * 6
    found = label_suspects(said(probabilities, [0] * 4 + [1] * 4 + [0, 0], names=tuple("abcdefghji")), count=2)

    assert [suspect.name for suspect in found.suspects] == ["i", "j"]


def test_a_network_that_always_says_the_same_suspects_nothing(said):
    found = label_suspects(said([[0.7, 0.2, 0.1]] * 30, [0] * 10 + [1] * 10 + [2] * 10), count=5)

    # Every picture reaches all three means, and the likeliest class counts: no better than the prediction.
    assert found.joint[:, 0].tolist() == [10, 10, 10]


def test_a_class_without_pictures_is_never_suggested(said):
    found = label_suspects(said([[0.2, 0.1, 0.7], [0.1, 0.2, 0.7]], [0, 1]), count=5)

    assert found.thresholds[2] == np.inf and found.joint[:, 2].tolist() == [0, 0, 0]


def test_none_cannot_be_asked_for(noise):
    with pytest.raises(UsageError, match="at least 1, not 0"):
        label_suspects(noise, count=0)
