"""The page of several runs beside each other: who is better, as far as the pictures say, and what sets them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from glauke import runs
from glauke.runs import Compared, Comparison

from ._figures import figure
from ._html import Child, Markup, element, page, section, table
from ._words import count

METHOD = (
    "Each picture was judged by both runs, so only those that exactly one of them got right can tell the runs apart. "
    "p is the two-sided mid-p value of McNemar's test (Fagerland, Lydersen and Laake, 2013); with several runs each is "
    "held against the first and p is corrected for their number (Holm, 1979), at a level of 5 %. The intervals are "
    "Newcombe's for paired proportions (1998, method 10), each on its own at 95 %."
)


def compare_page(
    comparison: Comparison,
    *,
    figures: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    version: str = "",
) -> str:
    """One self-contained HTML document; it belongs beside the comparison's `plots` folder and its `compare.json`.

    `figures` are SVG texts named "scalars", "scalars_over_time" and "differences". `links` lead from a run's name to
    its own page, relative to this one.

    Raises:
        DataError: a figure is not SVG.
    """
    names = [run.name for run in comparison.runs]
    data = dict.fromkeys(run.record.data.name for run in comparison.runs)
    titled = f"{_listed(names)} on {_listed(list(data))}"
    return page(
        f"Compared: {titled}",
        element("header", element("h1", element("bdi", titled)), apart_status(comparison.apart), _lead(comparison)),
        section("Results", _groups(comparison), results(comparison.runs, links=links or {})),
        section("What the pictures say", _tests(comparison, figures or {})),
        section("Settings that differ", _settings(comparison)),
        section("How they learned", scalar_figures(comparison.runs, figures or {})),
        section("Notes", [element("p", f"{note[0].upper()}{note[1:]}.") for note in comparison.notes]),
        section("Commands", commands(comparison.runs)),
        element(
            "footer",
            f"Written by glauke {version} from the runs' own tables. ",
            element("a", "compare.json", href="compare.json"),
            " has every number.",
        ),
    )


def results(compared: Sequence[Compared], *, links: Mapping[str, str]) -> list[Child]:
    """A row for each run, with its name leading to its own page."""
    rows = [
        [element("a", row[0], href=quote(links[run.name], errors="replace")) if run.name in links else row[0], *row[1:]]
        for run, row in zip(compared, runs.result_table(compared), strict=True)
    ]
    header = _capitals(runs.RESULTS)
    judged = sorted({run.record.final.val_pictures for run in compared if run.record.final})
    about = (
        f"Accuracy, top-5 and loss are of the last weights on all {_listed([*map(count, judged)])} held-out pictures; "
        if judged
        else ""
    )
    return [
        table(rows, caption="Results", header=header, numeric=True),
        element(
            "p",
            f"{about}best is the highest accuracy after any epoch, with that epoch, and may rest on a part of them. "
            "Seconds are the wall clock of the whole run, with packing where the run packed.",
        ),
    ]


def _groups(comparison: Comparison) -> Markup | None:
    if not comparison.groups:
        return None
    header = _capitals(runs.GROUPS)
    return table(runs.group_table(comparison), caption="Repeats, in accuracy", header=header, numeric=True)


def scalar_figures(compared: Sequence[Compared], figures: Mapping[str, str]) -> list[Child]:
    """The curves of all runs, over epochs and over time."""
    names = _listed([run.name for run in compared])
    partly = any(0 < row.val_pictures < max(r.val_pictures for r in run.rows) for run in compared for row in run.rows)
    part = " Between epochs the held-out curves rest on a part of the held-out pictures." if partly else ""
    captions = {
        "scalars": f"Accuracy and loss of {names} after each epoch; held-out pictures left, training right.{part} "
        "Training accuracy is measured on augmented pictures while the weights still move.",
        "scalars_over_time": "The same over the seconds that the epochs took, without packing and range test.",
    }
    return [figure(figures[name], name=name, caption=text) for name, text in captions.items() if name in figures]


def commands(compared: Sequence[Compared]) -> list[Child]:
    """The exact command of each run, where it is known."""
    return [
        [
            element("p", element("bdi", run.name), ":"),
            element("pre", element("code", run.record.command), tabindex="0"),
        ]
        for run in compared
        if run.record.command
    ]


def apart_status(apart: Sequence[str]) -> Markup | None:
    """The sentences that name runs which were judged on other pictures, as a warning."""
    return element("p", f"Not the same held-out pictures: {'; '.join(apart)}.", class_="status") if apart else None


def _lead(comparison: Comparison) -> Markup:
    settings = f" {runs.differing(comparison.settings)}" if len(comparison.runs) > 1 else None
    return element("p", runs.headline(comparison), settings, class_="lead")


def _tests(comparison: Comparison, figures: Mapping[str, str]) -> list[Child]:
    tests = comparison.tests
    if not tests:
        return []
    pictures = count(tests[0].counts.pictures)
    shown = table(runs.paired_table(tests), caption="Paired tests", header=_capitals(runs.TESTS), numeric=True)
    drawn = None
    if "differences" in figures:
        caption = (
            f"Accuracy of each run less that of {tests[0].first}, in percentage points, on the same {pictures} "
            "held-out pictures. A filled dot: a difference is shown; a hollow one with a dashed bar: none is."
        )
        drawn = figure(figures["differences"], name="differences", caption=caption)
    return [
        element("ul", [element("li", runs.verdict(test)) for test in tests]) if len(tests) > 1 else None,
        drawn,
        shown,
        element("p", element("strong", "What it does not say. "), runs.CAVEAT),
        element("details", element("summary", "How this was computed"), element("p", METHOD)),
    ]


def _settings(comparison: Comparison) -> Child:
    if not comparison.settings:
        return element("p", "None.") if len(comparison.runs) > 1 else None
    header, rows = runs.setting_table(comparison)
    return table(rows, caption="Settings that differ", header=_capitals(header[:1]) + list(header[1:]))


def _capitals(names: Sequence[str]) -> list[str]:
    return [name[:1].upper() + name[1:] for name in names]


def _listed(names: Sequence[str], *, most: int = 4) -> str:
    """Names as a sentence lists them.

    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join([part for part in (", ".join(names[:-1]), names[-1]) if part])
