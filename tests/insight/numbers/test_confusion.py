"""Who is taken for whom, worked by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from glauke.errors import UsageError
from glauke.insight import Confusion, confusion, per_class, worst_classes

#         called    0  1  2  3
MATRIX = np.array([[5, 3, 0, 0], [4, 1, 2, 0], [0, 2, 8, 0], [0, 0, 0, 0]])


def called(said, matrix):
    """Predictions with this matrix."""
    labels = [i for i, j in np.ndindex(matrix.shape) for _ in range(matrix[i, j])]
    answers = [j for i, j in np.ndindex(matrix.shape) for _ in range(matrix[i, j])]
    return said(logits=np.eye(len(matrix))[answers], labels=labels)


def test_by_hand(said):
    found = confusion(called(said, MATRIX))

    assert np.array_equal(found.matrix, MATRIX)
    first, second = found.pairs(9)
    assert (first.first, first.second, first.first_as_second, first.second_as_first) == (1, 0, 4, 3)
    assert first.count == 7
    assert (first.first_share, first.second_share) == pytest.approx((4 / 7, 3 / 8))
    assert (second.first, second.second, second.count) == (1, 2, 4)  # equal both ways: the smaller index first
    assert found.pairs(1) == (first,)


def test_scores_by_hand(said):
    scores = per_class(called(said, MATRIX))

    one = scores[1]
    assert (one.id, one.name, one.count, one.predicted, one.hits) == ("n1", "class 1", 7, 6, 1)
    assert (one.precision, one.recall, one.f1) == pytest.approx((1 / 6, 1 / 7, 2 / 13))
    assert (one.taken_for, one.taken_for_count) == (0, 4)
    absent = scores[3]
    assert (absent.count, absent.precision, absent.recall, absent.f1, absent.taken_for) == (0, None, None, None, None)
    assert [score.index for score in worst_classes(scores, 9)] == [1, 0, 2]
    assert worst_classes(scores, 1) == (one,)


def test_a_class_that_is_never_predicted_has_no_precision_and_is_the_worst(said):
    scores = per_class(called(said, np.array([[3, 0, 0], [1, 0, 1], [0, 0, 4]])))

    assert (scores[1].precision, scores[1].recall, scores[1].f1) == (None, 0, 0)
    assert (scores[1].taken_for, scores[1].taken_for_count) == (0, 1)  # the first of equal ones
    assert worst_classes(scores, 1)[0].index == 1


def test_the_worst_are_those_with_the_lowest_recall_and_the_matrix_alone_will_do():
    matrix = np.array([[6, 0, 4], [0, 7, 3], [0, 10, 90]])  # recall 0.6, 0.7, 0.9; F1 0.75, 0.52, 0.91
    names = ("a", "b", "c")
    scores = per_class(Confusion(matrix=matrix, classes=names, readable=names))
    assert [score.id for score in worst_classes(scores, 3)] == ["a", "b", "c"]
    assert [round(score.f1 or 0, 2) for score in scores] == [0.75, 0.52, 0.91]


def test_as_scikit_learn_says(noise):
    assert np.array_equal(confusion(noise).matrix, confusion_matrix(noise.labels, noise.predicted))
    expected = precision_recall_fscore_support(noise.labels, noise.predicted)
    scores = per_class(noise)
    assert [s.precision for s in scores] == pytest.approx(expected[0].tolist())
    assert [s.recall for s in scores] == pytest.approx(expected[1].tolist())
    assert [s.f1 for s in scores] == pytest.approx(expected[2].tolist())
    assert [s.count for s in scores] == expected[3].tolist()


def test_pairs_hold_every_error_once(noise):
    found = confusion(noise)
    pairs = found.pairs(1000)

    assert sum(pair.count for pair in pairs) == (noise.predicted != noise.labels).sum()
    assert [pair.count for pair in pairs] == sorted((pair.count for pair in pairs), reverse=True)
    assert len({frozenset((pair.first, pair.second)) for pair in pairs}) == len(pairs)
    assert all(pair.first_as_second >= pair.second_as_first for pair in pairs)


def test_the_order_brings_blocks_together():
    rng = np.random.default_rng(0)
    block = rng.permutation(np.repeat(np.arange(3), 4))
    matrix = np.where(block[:, None] == block, 20, 1) * np.array([1, 50] * 6)[:, None]  # uneven classes
    names = tuple(str(i) for i in range(12))
    order = Confusion(matrix=matrix.astype(np.int64), classes=names, readable=names).order()

    assert (np.diff(block[order]) != 0).sum() == 2


def test_without_errors_there_are_no_pairs_and_the_order_stays(said):
    found = confusion(called(said, np.diag([2, 1, 3])))

    assert found.pairs(5) == () and found.order().tolist() == [0, 1, 2]


def test_nothing_cannot_be_asked_for(noise):
    with pytest.raises(UsageError, match="pairs must be at least 1, not 0"):
        confusion(noise).pairs(0)
    with pytest.raises(UsageError, match="classes must be at least 1, not 0"):
        worst_classes(per_class(noise), 0)
