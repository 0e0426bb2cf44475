"""The page of a run that was repeated with several seeds: mean, deviation and all curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glauke.runs import Compared, Group, spread_words, stopped_early

from ._compare_page import commands, results, scalar_figures, section
from ._html import Child, Markup, element, page, table
from ._words import percent


def repeats_page(
    group: Group,
    members: Sequence[Compared],
    *,
    figures: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    version: str = "",
) -> str:
    """One self-contained HTML document; it belongs in the group's own folder, beside `group.json` and `plots`.

    `members` are those that have begun. `figures` and `links` are those of `compare_page`.

    Raises:
        DataError: a figure is not SVG.
    """
    record = members[0].record
    title = f"{len(group.members)} repeats of {record.model} on {record.data.name}"
    return page(
        title,
        element("header", element("h1", element("bdi", title)), _status(group, members), _lead(group, members)),
        section("Results", results(members, links=links or {})),
        section("Time to the target", _times(group)),
        section("How they learned", scalar_figures(members, figures or {})),
        section("The exact command", commands(members[:1])),
        element(
            "footer",
            f"Written by glauke {version} from ",
            element("a", "group.json", href="group.json"),
            " and the runs' own tables.",
        ),
    )


def _status(group: Group, members: Sequence[Compared]) -> Markup | None:
    open_ones = [run.name for run in members if run.record.final is None]
    begun = {run.record.folder.name for run in members if run.record.folder}
    missing = [name for name in group.members if name not in begun]
    words = [f"not finished: {', '.join(open_ones)}"] if open_ones else []
    words += [f"not begun: {', '.join(missing)}"] if missing else []
    return element("p", f"These repeats are not complete; {'; '.join(words)}.", class_="status") if words else None


def _lead(group: Group, members: Sequence[Compared]) -> Markup:
    record = members[0].record
    if group.accuracy is None:
        return element("p", "No repeat has a final result yet.")
    spread = group.accuracy
    what = "mean and standard deviation (n − 1) of the final accuracy" if spread.deviation is not None else "one run"
    return element(
        "p",
        element("strong", spread_words(spread)),
        f": {what} on the same {record.split.val:,} held-out pictures ({record.split.kind} split, split seed "
        f"{record.split.seed}). The runs differ in the seed of weights, order and augmentation.",
        stopped_early(members),
        class_="lead",
    )


def _times(group: Group) -> list[Child]:
    if group.target is None or not group.seconds_to_target:
        return []
    rows = [
        (name, "not reached" if seconds is None else f"{seconds:,.1f}")
        for name, seconds in group.seconds_to_target.items()
    ]
    target = percent(group.target)
    return [
        table(rows, caption=f"Time to {target}", header=["Run", "Seconds"], numeric=True),
        element(
            "p",
            f"Until the end of the first epoch whose held-out accuracy reached {target}: the epochs' wall clock, "
            "evaluation included, without packing and range test.",
        ),
    ]
