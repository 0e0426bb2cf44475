"""What a comparison of runs holds: values, and nothing that makes them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ._fields import encode
from ._group import Spread
from ._metrics import EpochRow
from ._paired import PairCounts
from ._record import RunRecord

SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One run of a comparison."""

    name: str
    """As much of its path as sets it apart from the others."""
    record: RunRecord
    rows: tuple[EpochRow, ...]
    weights_mib: float | None
    """Size of `final.safetensors`; None if there is none yet."""
    group: str | None = None
    """Name of the repeats that it is one of, where they were named together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Repeats of one run with several seeds, taken together."""

    name: str
    accuracy: Spread | None
    """Of the last weights on the held-out pictures; None while no repeat has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting that is not the same in all runs."""

    name: str
    values: tuple[object, ...]
    """One for each run; None also where its record does not have the setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """McNemar's test of a run against the first one, on the held-out pictures that both were judged on."""

    first: str
    second: str
    counts: PairCounts
    low: float
    """Lower end of the 95 % interval of the difference (second less first, a fraction), uncorrected for its number."""
    high: float
    p_exact: float
    p_mid: float
    p_holm: float
    """The mid-p value, corrected for the number of tests in the comparison; what `shown` goes by."""

    @property
    def shown(self) -> bool:
        """Whether the pictures show a difference, at a level of 5 % for all tests together."""
        return self.p_holm < SIGNIFICANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What there is to say about several runs; the first is the one that others are held against."""

    runs: tuple[Compared, ...]
    settings: tuple[Setting, ...]
    apart: tuple[str, ...]
    """Sentences that name what keeps the accuracies from being compared; empty if nothing does."""
    tests: tuple[PairedTest, ...]
    notes: tuple[str, ...]
    """Why a test is missing."""
    groups: tuple[Repeated, ...] = ()
    """The repeats among the runs. Their members are not tested, neither against each other nor against other runs:
    what tells a difference there is how far seeds alone move the accuracy."""

    def __repr__(self) -> str:
        """The answer in words."""
        from ._compare_words import headline

        return f"Comparison({headline(self)})"

    def _repr_html_(self) -> str:
        from ._card import comparison_card

        return comparison_card(self)


def final_accuracy(record: RunRecord) -> float | None:
    """Fraction right of all held-out pictures by the last weights; None where it was not measured or not yet."""
    if record.final is None or math.isnan(record.final.val_accuracy):
        return None
    return record.final.val_accuracy


def paired_as_dict(test: PairedTest) -> dict[str, object]:
    """A test in the types that JSON knows."""
    return {**encode(test), "difference": test.counts.difference, "shown": test.shown}
