"""A comparison in words and tables of text, the same on a terminal and on a page."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from ._comparison import Compared, Comparison, PairedTest, Setting, final_accuracy
from ._group import spread_words

CAVEAT = (
    "The test is about these weights on these pictures. Another seed may move either accuracy by as much: "
    "glauke train --seeds measures that."
)
RESULTS = (
    "run",
    "accuracy",
    "top-5",
    "loss",
    "best",
    "seconds",
    "images/s",
    "parameters",
    "weights",
    "memory",
)
TESTS = ("run", "both right", "first only", "this only", "neither", "difference", "95 % interval", "p")
GROUPS = ("repeats", "runs", "mean", "deviation", "least", "most")
NOTHING = "–"


def result_table(runs: Sequence[Compared]) -> list[tuple[str, ...]]:
    """A row for each run, in the columns `RESULTS`."""
    return [_result(run) for run in runs]


def setting_table(comparison: Comparison) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of the settings that differ: a row for each setting, or for each run where they are more."""
    names = [run.name for run in comparison.runs]
    columns = [(setting.name, *map(shown, setting.values)) for setting in comparison.settings]
    if len(names) <= len(columns):
        return ("setting", *names), columns
    by_run = list(zip(*(column[1:] for column in columns), strict=True))
    header = ("run", *(setting.name for setting in comparison.settings))
    return header, [(name, *values) for name, values in zip(names, by_run or [()] * len(names), strict=True)]


def group_table(comparison: Comparison) -> list[tuple[str, ...]]:
    """A row for each group of repeats, in the columns `GROUPS`; the deviation is in points, with n - 1."""
    rows = []
    for group in comparison.groups:
        made = group.accuracy
        numbers = (made.mean, made.least, made.most) if made else (None, None, None)
        mean, least, most = (_or_nothing(number, ".2%") for number in numbers)
        deviation = NOTHING if made is None or made.deviation is None else f"{100 * made.deviation:.2f}"
        rows.append((group.name, str(made.runs if made else 0), mean, deviation, least, most))
    return rows


def paired_table(tests: Sequence[PairedTest]) -> list[tuple[str, ...]]:
    """A row for each test, in the columns `TESTS`; with several tests, p is corrected for their number."""
    return [
        (
            test.second,
            f"{test.counts.both:,}",
            f"{test.counts.only_first:,}",
            f"{test.counts.only_second:,}",
            f"{test.counts.neither:,}",
            points(test.counts.difference),
            f"{points(test.low)} to {points(test.high)}",
            _p(test.p_holm),
        )
        for test in tests
    ]


def headline(comparison: Comparison) -> str:
    """The first sentences: who is better, or why that cannot be said; and which runs did not run to their end."""
    return _answer(comparison) + stopped_early(comparison.runs)


def _answer(comparison: Comparison) -> str:
    runs, tests = comparison.runs, comparison.tests
    if comparison.apart:
        return "These runs were judged on different pictures, so their accuracies do not say which one is better."
    if comparison.groups:
        return _means(comparison)
    if len(runs) == 1:
        return f"{_accuracy(runs[0])}."
    if not tests:
        return f"No test of {len(runs)} runs: " + "; ".join(comparison.notes) + "."
    if len(tests) == 1:
        return verdict(tests[0])
    best = max(runs, key=lambda run: final_accuracy(run.record) or 0.0)
    differ = sum(test.shown for test in tests)
    return (
        f"Of {len(runs)} runs, {_accuracy(best)}, the most. Against {tests[0].first}, the first one, "
        f"{differ} of {len(tests)} {'is' if differ == 1 else 'are'} shown to differ."
    )


def _means(comparison: Comparison) -> str:
    """Repeats by their means, and what else there is beside them."""
    told = [
        f"{group.name}: {spread_words(group.accuracy) if group.accuracy else 'no final accuracy yet'}"
        for group in comparison.groups
    ]
    told += [_accuracy(run) for run in comparison.runs if run.group is None]
    means = [group.accuracy.mean for group in comparison.groups if group.accuracy]
    apart = f" The means are {abs(100 * (means[1] - means[0])):.2f} points apart." if len(means) == 2 else ""
    tests = "".join(f" {verdict(test)}" for test in comparison.tests)
    return f"{'; '.join(told)}.{apart}{tests}"


def verdict(test: PairedTest) -> str:
    """What one test says, with its numbers, and no more than it says."""
    counts = test.counts
    by = f"{abs(100 * counts.difference):.2f} points"
    numbers = f"95 % interval {points(test.low)} to {points(test.high)}, {p_words(test.p_holm)}"
    if test.shown:
        word = "more" if counts.difference > 0 else "fewer"
        return f"{test.second} gets {word} pictures right than {test.first}, by {by} ({numbers})."
    if counts.difference == 0:
        how = "they get equally many pictures right"
    else:
        how = f"{test.second} is {by} {'ahead' if counts.difference > 0 else 'behind'}"
    return f"No difference is shown between {test.first} and {test.second}: {how} ({numbers})."


def differing(settings: Sequence[Setting]) -> str:
    """Which settings differ, as a sentence."""
    if not settings:
        return "All settings are the same."
    names = ", ".join(setting.name for setting in settings[:8])
    more = f" and {len(settings) - 8} more" if len(settings) > 8 else ""
    return f"What differs in their settings: {names}{more}."


def stopped_early(members: Sequence[Compared]) -> str:
    """A sentence for results that a target cut short, with a space before it; nothing if there are none."""
    stopped = sum(run.record.status == "stopped" and run.record.final is not None for run in members)
    if not stopped:
        return ""
    return f" {stopped} of {len(members)} stopped at the target, so this is not what the whole cycle gives."


def points(difference: float) -> str:
    """A difference of fractions in percentage points, signed.

    >>> points(0.0123), points(-0.002)
    ('+1.23', '−0.20')
    """
    return f"{100 * difference:+.2f}".replace("-", "−")


def p_words(p: float) -> str:
    """A p-value in a sentence.

    >>> p_words(0.0391), p_words(2e-9)
    ('p = 0.039', 'p < 0.001')
    """
    return f"p {'' if p < 0.001 else '= '}{_p(p)}"


def shown(value: object) -> str:
    """A setting as a person would type it; none where there is none.

    >>> shown(None), shown("auto"), shown(True), shown([[0.0, 16]])
    ('none', 'auto', 'true', '[[0.0, 16]]')
    """
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _accuracy(run: Compared) -> str:
    final, accuracy = run.record.final, final_accuracy(run.record)
    if final is None or accuracy is None:
        return f"{run.name} has no final accuracy ({run.record.status})"
    return f"{run.name} gets {accuracy:.2%} of {final.val_pictures:,} held-out pictures right"


def _result(run: Compared) -> tuple[str, ...]:
    record, final, best = run.record, run.record.final, run.record.best
    return (
        run.name if final and record.status != "stopped" else f"{run.name} ({record.status})",
        _or_nothing(final_accuracy(record), ".2%"),
        _or_nothing(final and final.val_top5, ".2%"),
        _or_nothing(final and final.val_loss, ".3f"),
        f"{_or_nothing(best.val_accuracy, '.2%')} ({best.epoch})" if best else NOTHING,
        f"{record.seconds:,.1f}",
        _or_nothing(record.images_per_second, ",.0f"),
        f"{record.parameters / 1e6:.2f} M" if record.parameters >= 1e6 else f"{record.parameters:,}",
        _bytes(run.weights_mib),
        _bytes(record.peak_memory_mib),
    )


def _or_nothing(number: float | None, form: str) -> str:
    return NOTHING if number is None or math.isnan(number) else f"{number:{form}}"


def _bytes(mebibytes: float | None) -> str:
    if mebibytes is None:
        return NOTHING
    if mebibytes >= 1024:
        return f"{mebibytes / 1024:,.1f} GiB"
    return f"{mebibytes:.0f} MiB" if mebibytes >= 10 else f"{mebibytes:.2g} MiB"
