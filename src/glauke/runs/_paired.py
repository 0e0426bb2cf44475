"""Whether two runs differ on the same held-out pictures: counts of pairs, McNemar's test, an interval.

Only the pictures that exactly one of the two gets right can tell the runs apart: McNemar, "Note on the sampling error
of the difference between correlated proportions or percentages", Psychometrika 12 (1947); for classifiers: Dietterich,
"Approximate statistical tests for comparing supervised classification learning algorithms", Neural Computation 10
(1998).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from ._predictions_csv import Answers

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCounts:
    """How many pictures two runs got right, together and alone."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def pictures(self) -> int:
        """All of them."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """Accuracy of the second less that of the first, a fraction."""
        return (self.only_second - self.only_first) / self.pictures


def pair_counts(first: Answers, second: Answers) -> PairCounts | None:
    """Count the pairs; None if the two were not asked about the same pictures."""
    if first.right | first.wrong != second.right | second.wrong:
        return None
    return PairCounts(
        both=len(first.right & second.right),
        only_first=len(first.right & second.wrong),
        only_second=len(first.wrong & second.right),
        neither=len(first.wrong & second.wrong),
    )


def mcnemar(only_first: int, only_second: int) -> tuple[float, float]:
    """Two-sided p-values of McNemar's test: the exact conditional one, and its mid-p version.

    Under the null hypothesis each picture that one run alone got right is a toss of a fair coin. The exact test keeps
    its level always and is conservative for it; the mid-p version counts the outcome itself by half and kept the level
    in all 9,595 settings of Fagerland, Lydersen and Laake, "The McNemar test for binary matched-pairs data: mid-p and
    asymptotic are better than exact conditional", BMC Medical Research Methodology 13:91 (2013), whose example this is:

    >>> tuple(round(p, 4) for p in mcnemar(1, 7))
    (0.0703, 0.0391)
    """
    tosses, least = only_first + only_second, min(only_first, only_second)
    if tosses == 0:
        return 1.0, 1.0
    outcome = math.comb(tosses, least) / (1 << tosses)  # of two whole numbers, correctly rounded however long they are
    tail, term = 0.0, outcome
    for heads in range(least, -1, -1):
        tail += term
        term *= heads / (tosses - heads + 1)
        if term < 1e-18 * tail:
            break
    exact = min(1.0, 2 * tail)
    # With as many on either side, every other outcome is more extreme: 1 less half of this one.
    mid = 1 - outcome / 2 if only_first == only_second else 2 * tail - outcome
    return exact, mid


def newcombe(counts: PairCounts, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of the difference between two paired accuracies, second less first; fractions.

    Method 10 (square and add, from Wilson's intervals and the corrected correlation) of Newcombe, "Improved confidence
    intervals for the difference between binomial proportions based on paired data", Statistics in Medicine 17 (1998).

    >>> low, high = newcombe(PairCounts(both=1, only_first=7, only_second=1, neither=12))
    >>> round(low, 3), round(high, 3)
    (-0.507, -0.026)
    """
    n = counts.pictures
    second, first = counts.both + counts.only_second, counts.both + counts.only_first
    low2, high2 = wilson(second, n, confidence=confidence)
    low1, high1 = wilson(first, n, confidence=confidence)
    share2, share1 = second / n, first / n
    phi = _corrected_phi(counts)

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))

    down, up = reach(share2 - low2, high1 - share1), reach(share1 - low1, high2 - share2)
    return counts.difference - down, counts.difference + up


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values for their number: Holm, "A simple sequentially rejective multiple test procedure", 1979.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[i]))
        adjusted[i] = highest
    return tuple(adjusted)


def wilson(hits: int, n: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of one proportion, such as an accuracy; fractions.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    >>> tuple(round(share, 4) for share in wilson(81, 263))
    (0.2553, 0.3662)
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = hits / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return (middle - half) / scale, (middle + half) / scale


def _corrected_phi(counts: PairCounts) -> float:
    """Correlation of the two runs' answers, made smaller by half a picture where it is positive."""
    a, b, c, d = counts.both, counts.only_second, counts.only_first, counts.neither
    margins = math.sqrt((a + b) * (c + d) * (a + c) * (b + d))
    if margins == 0:
        return 0.0
    above = a * d - b * c
    if above > 0:
        above = max(above - counts.pictures / 2, 0.0)
    return above / margins
