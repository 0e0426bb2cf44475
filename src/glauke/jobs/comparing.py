"""The command that compares runs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glauke import pages, runs
from glauke.errors import UsageError
from glauke.files import write_json, write_text
from glauke.runs import Comparison

PAGE, NUMBERS = "compare.html", "compare.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison, and the page that shows it."""

    comparison: Comparison
    page: Path


def compare(places: Sequence[Path], *, out: Path | None = None, across_splits: bool = False) -> Compared:
    """Compare runs and write the page, the figures and the numbers into a folder of their own.

    The folder is `out`, or a new dated one under ./runs; the runs' own folders are only read.
    """
    if out is not None and out.is_dir() and any(out.iterdir()):
        raise UsageError(
            "the output folder is in use, and a comparison overwrites nothing",
            place=str(out),
            fix="give another --out",
        )
    comparison = runs.compare(places, across_splits=across_splits)
    folder = runs.new_run_folder(out, name="compare_" + "_".join(run.name for run in comparison.runs))
    page = folder / PAGE
    html = pages.compare_page(
        comparison,
        figures=figures_of(comparison, folder / "plots"),
        links=page_links(comparison.runs, folder),
        version=version("glauke"),
    )
    write_json(folder / NUMBERS, comparison_as_dict(comparison))
    write_text(page, html)
    return Compared(comparison=comparison, page=page)


def figures_of(comparison: Comparison, folder: Path, *, mean: bool = False) -> dict[str, str]:
    """Draw what a comparison has to show, with the runs' mean where they are repeats; SVG texts by name."""
    from glauke.runs import plots  # matplotlib takes a second to load, and a refused comparison needs none

    drawn = {
        "scalars": plots.save_scalars(comparison.runs, folder, mean=mean),
        "scalars_over_time": plots.save_scalars(comparison.runs, folder, over="seconds", mean=mean),
    }
    if comparison.tests and not mean:
        drawn["differences"] = plots.save_differences(comparison.tests, folder)
    return drawn


def page_links(compared: Sequence[runs.Compared], folder: Path) -> dict[str, str]:
    """Where each run's own page lies, seen from a folder; none where it has no page or lies on another drive."""
    links = {}
    for run in compared:
        assert run.record.folder is not None
        own = run.record.folder / "report.html"
        try:
            if own.exists():
                links[run.name] = Path(os.path.relpath(own.resolve(), folder.resolve())).as_posix()
        except ValueError:  # Windows: no way leads from one drive to another
            continue
    return links


def comparison_as_dict(comparison: Comparison) -> dict[str, Any]:
    """The comparison in the types that JSON knows."""
    return {
        "headline": runs.headline(comparison),
        "runs": [
            {"name": run.name, "weights_mib": run.weights_mib, **_without_recipe(runs.as_dict(run.record))}
            for run in comparison.runs
        ],
        "groups": [runs.encode(group) for group in comparison.groups],
        "settings": {setting.name: list(setting.values) for setting in comparison.settings},
        "apart": list(comparison.apart),
        "tests": [runs.paired_as_dict(test) for test in comparison.tests],
        "notes": list(comparison.notes),
    }


def _without_recipe(record: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a run; its settings are told where they differ, and stand whole in its run.json."""
    kept = ("status", "final", "best", "seconds", "images_per_second", "parameters", "peak_memory_mib", "command")
    return {name: record[name] for name in kept}
