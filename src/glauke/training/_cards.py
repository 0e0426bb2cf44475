"""What a notebook shows of this room's values."""

from functools import partial

from glauke.markup import card, picture, table
from glauke.runs import RESULTS, beside, result_table

from .experiments._fit_all import Records
from .rates._range_test import RangeTest


def range_test_line(test: RangeTest) -> str:
    """A range test in a line: how far it went and what each rule says."""
    steps = f"{len(test.rates)} of {test.num_steps} steps"
    reach = f" from {test.rates[0]:.4g} to {test.rates[-1]:.4g}" if test.rates else ""
    rates = (
        f"{rule} {'none' if found.rate is None else f'{found.rate:.4g}'}" for rule, found in test.suggestions().items()
    )
    return f"{steps}, {test.ramp} ramp{reach}, {test.ended}; {', '.join(rates)}"


def range_test_card(test: RangeTest) -> str:
    """A range test with every rule's rate and reason, and the curve."""
    from . import plots  # loads matplotlib, so not before a figure is to be shown

    rows = [
        (rule, "none" if found.rate is None else f"{found.rate:.4g}", found.estimates, found.reason)
        for rule, found in test.suggestions().items()
    ]
    line = range_test_line(test)
    return card(
        f"LR range test: {line.partition(';')[0]}",
        table(rows, caption="Suggested rates", header=["Rule", "Rate", "Good for", "Why"]),
        picture(partial(plots.save_range_test, test), alt=f"Loss against learning rate: {line}"),
    )


def records_card(records: Records) -> str:
    """A row for each experiment, and why some failed."""
    rows = result_table(beside(records.records)) if records.records else []
    failed = list(records.failed.items())
    return card(
        f"{len(records)} experiments in {records.folder}",
        table(rows, caption="Results", header=RESULTS) if rows else None,
        table(failed, caption="Failed", header=["Experiment", "Why"]) if failed else None,
    )
