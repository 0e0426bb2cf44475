"""The page of a run that was repeated with several seeds: mean, deviation and all curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glauke.runs import Compared, Group, spread_words, stopped_early

from ._compare_page import apart_status, commands, results, scalar_figures
from ._html import Child, Markup, element, page, section, table
from ._words import percent, short


def repeats_page(
    group: Group,
    members: Sequence[Compared],
    *,
    figures: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    apart: Sequence[str] = (),
    version: str = "",
) -> str:
    """One self-contained HTML document; it belongs in the group's own folder, beside `group.json` and `plots`.

    `members` are those that have begun. `figures` and `links` are those of `compare_page`. `apart` are sentences that
    name members with other held-out pictures, as a comparison has them.

    Raises:
        DataError: a figure is not SVG.
    """
    record = members[0].record
    title = f"{len(group.members)} repeats of {record.model} on {record.data.name}"
    return page(
        title,
        element(
            "header",
            element("h1", element("bdi", title)),
            _status(group, members),
            apart_status(apart),
            _lead(group, members, apart),
        ),
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


def _lead(group: Group, members: Sequence[Compared], apart: Sequence[str]) -> Markup:
    record = members[0].record
    if group.accuracy is None:
        return element("p", "No repeat has a final result yet.")
    spread = group.accuracy
    what = "mean and standard deviation (n − 1) of the final accuracy" if spread.deviation is not None else "one run"
    pictures = (
        "held-out pictures that are not the same for all runs"
        if apart
        else f"the same {record.split.val:,} held-out pictures ({record.split.kind} split, split seed "
        f"{record.split.seed})"
    )
    return element(
        "p",
        element("strong", spread_words(spread)),
        f": {what} on {pictures}. The runs differ in the seed of weights, order and augmentation{_peaks(members)}.",
        stopped_early(members),
        class_="lead",
    )


def _peaks(members: Sequence[Compared]) -> str:
    """That the range test, too, goes by the seed, where it gave other rates."""
    peaks = sorted({run.record.max_lr for run in members if run.record.max_lr is not None})
    if len(peaks) < 2:
        return ""
    return f", and in the peak of the learning rate, {short(peaks[0])} to {short(peaks[-1])}"


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
