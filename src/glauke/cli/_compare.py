"""`glauke compare`."""

from pathlib import Path

from ._output import say, show, show_json, table
from ._train import Switch


def compare(
    *places: Path,
    out: Path | None = None,
    across_splits: Switch = False,
    json: Switch = False,
) -> int:
    """Set runs beside each other: what differs in their settings, and whether the pictures show one to be better.

    Parameters
    ----------
    places
        Run folders, or a folder that holds runs; all are held against the first, but repeats by their means.
    out
        Folder for the page, the figures and the numbers; by default a new dated one under ./runs.
    across_splits
        Show runs beside each other that were judged on different pictures, without a test.
    json
        Print the comparison as one JSON object.
    """
    from glauke import runs
    from glauke.jobs import comparing

    done = comparing.compare(places, out=out, across_splits=across_splits)
    found = done.comparison
    if json:
        show_json(comparing.comparison_as_dict(found) | {"page": str(done.page)})
        return 0
    show(table(runs.RESULTS, runs.result_table(found.runs)))
    if found.groups:
        show("\n" + table(runs.GROUPS, runs.group_table(found)))
    if found.settings:
        show("\n" + table(*runs.setting_table(found)))
    if found.tests:
        show("\n" + table(runs.TESTS, runs.paired_table(found.tests)))
    for sentence in (*found.apart, *found.notes):
        say(f"note: {sentence}")
    say(runs.headline(found))
    if found.tests:
        say(runs.CAVEAT)
    show(f"\n{done.page}")
    return 0
