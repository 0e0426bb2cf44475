"""Whether an exported network says what the original says."""

import numpy as np
import pytest

from glauke.errors import CannotGoOnError
from glauke.insight.exporting._export_check import Agreement, Disagreement, agreement

CLASSES = ("cat", "dog", "fox")


def compared(original: list[list[float]], exported: list[list[float]]) -> Agreement:
    rows = [np.array(rows, np.float32) for rows in (original, exported)]
    return agreement(*rows, names=[f"{i}.png" for i in range(len(original))], classes=CLASSES, kind="held-out pictures")


def test_worked_by_hand():
    found = compared([[2, 0, 0], [0, 1, 1.0005], [0, 3, 1]], [[2, 0, 0.5], [0, 1.001, 1], [0, 3, 1]])

    assert (found.pictures, found.agreeing, found.fault) == (3, 2, None)
    (apart,) = found.disagreements
    assert (apart.picture, apart.original, apart.exported, apart.tie) == ("1.png", "fox", "dog", True)
    assert apart.margin == pytest.approx(0.0005, abs=1e-6)
    assert found.max_logit_difference == pytest.approx(0.5)
    e = np.exp
    first = e([2, 0, 0]) / e([2, 0, 0]).sum() - e([2, 0, 0.5]) / e([2, 0, 0.5]).sum()
    assert found.max_probability_difference == pytest.approx(np.abs(first).max())


def test_the_same_is_the_same():
    found = compared([[1, 2, 3]] * 5, [[1, 2, 3]] * 5)
    assert (found.agreeing, found.max_logit_difference, found.max_probability_difference) == (5, 0, 0)
    assert "5 of 5 held-out pictures;" in found.sentence()


def differing(pictures: int, margins: list[float]) -> Agreement:
    apart = tuple(Disagreement(picture=f"{m}", original="cat", exported="dog", margin=m) for m in margins)
    return Agreement(
        pictures=pictures,
        kind="held-out pictures",
        max_logit_difference=1e-3,
        max_probability_difference=1e-4,
        disagreements=apart,
    )


@pytest.mark.parametrize(
    ("pictures", "margins", "good"),
    [
        (1000, [], True),
        (1000, [0.0009], True),
        (1000, [0.001], False),  # no tie
        (1000, [0.0009, 0.0001], False),  # ties, but 998 of 1,000
        (2000, [0.0009, 0.0001], True),
        (10, [0.0001], True),  # fewer pictures than a thousand may hold one tie, too
        (10, [0.0001, 0.0001], False),
    ],
)
def test_one_tie_in_a_thousand_is_the_most(pictures, margins, good):
    fault = differing(pictures, margins).fault
    assert (fault is None) == good
    if fault:
        assert f"{pictures - len(margins):,} of {pictures:,}" in fault


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(CannotGoOnError, match="exported network gives logits that are not finite to 1 of 2"):
        compared([[1, 2, 3], [1, 2, 3]], [[1, 2, 3], [1, np.nan, 3]])
