"""Figures of several runs: their curves over each other, the mean of repeats, and how far they lie from the first.

`draw_x(value, ax)` draws one panel on axes of yours; `save_x(value, folder)` makes the whole figure, writes `x.svg`,
`x.png` and `x.csv`, and returns the SVG. A run has its colour, its dash and its marker; no two of 35 share both.
"""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from glauke.plots import (
    BLUE,
    GREEN,
    INK,
    NORMAL,
    ORANGE,
    PURPLE,
    SMALL,
    VERMILLION,
    WIDTH,
    dress,
    figure,
    name_x,
    percent,
    put_title,
    save_plot,
    say_instead,
)

from ._compare_words import p_words, points
from ._comparison import Compared, PairedTest, final_accuracy
from ._metrics import EpochRow

Over = Literal["epoch", "seconds"]
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE)
DASHES = ("-", (0, (5, 1.5)), (0, (6, 1.5, 1, 1.5)), (0, (1.5, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
MARKERS = "os^Dv<>"  # as many as are not a multiple of the colours: 35 different pairs
SIDES = (("val", "Held-out"), ("train", "Training"))
MOST_NAMED = 12  # in a legend; the table beside the figure names the others
CSV = ["epoch", "train_accuracy", "val_accuracy", "train_loss", "val_loss", "val_pictures"]


def save_scalars(runs: Sequence[Compared], folder: Path, *, over: Over = "epoch", mean: bool = False) -> str:
    """Accuracy, loss and a program's own metrics of all runs, held-out beside training, over epochs or seconds.

    `mean` adds their mean, for repeats. The figure is called "scalars" over epochs, else "scalars_over_time".
    """
    rows = math.ceil((min(len(runs), MOST_NAMED) + mean) / 3)
    metrics = _metrics(runs)
    made = Figure(figsize=(WIDTH, 0.2 + 2.4 * len(metrics) + 0.17 * rows), layout="constrained")
    axes = made.subplots(len(metrics), 2, sharex=True, sharey="row", squeeze=False)
    for metric, pair in zip(metrics, axes, strict=True):
        for (side, title), ax in zip(SIDES, pair, strict=True):
            draw_scalar(runs, ax, column=f"{side}_{metric}", over=over, mean=mean)
            put_title(ax, f"{title} {metric.replace('_', ' ')}")
    _name_lines(made, more=len(runs) - MOST_NAMED)
    name = "scalars" if over == "epoch" else "scalars_over_time"
    extra = [f"{side}_{metric}" for metric in metrics[2:] for side, _ in SIDES]
    return save_plot(made, folder, name, ["run", "seconds", *CSV, *extra], _table(runs, [*CSV, *extra]))


def save_differences(tests: Sequence[PairedTest], folder: Path) -> str:
    """Each run's accuracy less the first one's, with its 95 % interval."""
    made, (ax,) = figure(1, panel_height=0.6 + 0.3 * len(tests))
    draw_differences(tests, ax)
    header = ["run", "difference", "low", "high", "p_exact", "p_mid", "p_holm"]
    rows = [(t.second, t.counts.difference, t.low, t.high, t.p_exact, t.p_mid, t.p_holm) for t in tests]
    return save_plot(made, folder, "differences", header, rows)


def draw_scalar(runs: Sequence[Compared], ax: Axes, *, column: str, over: Over, mean: bool = False) -> None:
    """One column of the metrics of every run, as a line each, over the epochs or the seconds."""
    dress(ax)
    drawn: list[int | float] = []
    for place, run in enumerate(runs):
        line = _points(run, column, over)
        if line:
            ax.plot(*zip(*line, strict=True), label=_label(run, place), **_style(place, len(line)))
            drawn += [value for _, value in line]
    if mean and len(runs) > 1:
        middle = _mean(runs, column, over)
        if middle:
            alone = "D" if len(middle) == 1 else ""  # a line through one point cannot be seen
            style = {"color": INK, "lw": 2.6, "alpha": 0.75, "marker": alone}
            ax.plot(*zip(*middle, strict=True), label=f"mean of {len(runs)}", **style)
    if not drawn:
        say_instead(ax, "nothing measured yet")
        return
    if column.endswith("accuracy"):
        ax.yaxis.set_major_formatter(percent)
    elif min(drawn) > 0 and max(drawn) > 30 * min(drawn):
        ax.set_yscale("log")  # one exploding epoch must not flatten the others
        ax.yaxis.set_major_formatter("{x:g}")
    if over == "epoch":
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    name_x(ax, "epoch" if over == "epoch" else "seconds of all epochs so far")


def draw_differences(tests: Sequence[PairedTest], ax: Axes) -> None:
    """A dot and its interval for each run; filled and solid where a difference is shown, else hollow and dashed."""
    dress(ax)
    ax.axvline(0, color=INK, lw=1.0)
    for place, test in enumerate(tests):
        ends = [100 * test.low, 100 * test.high]
        ax.plot(ends, [place, place], color=BLUE, lw=1.8, ls="-" if test.shown else (0, (3, 1.5)), marker="|", ms=8)
        fill = BLUE if test.shown else "none"
        ax.plot(100 * test.counts.difference, place, "o", color=BLUE, markerfacecolor=fill, markersize=7)
        text = f"{points(test.counts.difference)}, {p_words(test.p_holm)}"
        ax.text(1.02, place, text, transform=ax.get_yaxis_transform(), va="center", color=INK, fontsize=NORMAL)
    names = [_short(test.second) for test in tests]
    ax.set_yticks(range(len(tests)), names, color=INK, fontsize=NORMAL, parse_math=False)
    ax.set_ylim(len(tests) - 0.5, -0.5)
    ax.margins(x=0.08)
    name_x(ax, f"points of accuracy against {_short(tests[0].first)}, with 95 % intervals")
    ax.xaxis.label.set_parse_math(False)


def _name_lines(made: Figure, *, more: int) -> None:
    """One legend above all panels; a run may be missing in one of them."""
    pairs = [pair for ax in made.axes for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    named = {label: handle for handle, label in reversed(pairs)}
    order = list(dict.fromkeys(label for _, label in pairs))
    handles = [named[label] for label in order]
    if more > 0:
        order.append(f"and {more} more")
        handles.append(Line2D([], [], ls="none"))
    if not handles:
        return
    style: dict[str, Any] = {"fontsize": SMALL, "frameon": False, "labelcolor": INK, "handlelength": 3.2}
    legend = made.legend(handles, order, loc="outside upper left", ncols=3, **style)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a name with two dollar signs is no formula


def _points(run: Compared, column: str, over: Over) -> list[tuple[int | float, int | float]]:
    times = itertools.accumulate(row.seconds for row in run.rows)
    pairs = [
        (row.epoch if over == "epoch" else seconds, _measured(row, column))
        for row, seconds in zip(run.rows, times, strict=True)
    ]
    return [(x, y) for x, y in pairs if y is not None and math.isfinite(y)]


def _mean(runs: Sequence[Compared], column: str, over: Over) -> list[tuple[int | float, int | float]]:
    """The mean at each epoch that every run has reached, at the mean of their seconds."""
    lines = [_points(run, column, over) for run in runs]
    epochs = [_points(run, column, "epoch") for run in runs]
    known = [dict(zip((epoch for epoch, _ in e), line, strict=True)) for e, line in zip(epochs, lines, strict=True)]
    shared = sorted(set.intersection(*map(set, known)))
    return [(fmean(run[epoch][0] for run in known), fmean(run[epoch][1] for run in known)) for epoch in shared]


def _label(run: Compared, place: int) -> str | None:
    accuracy, name = final_accuracy(run.record), _short(run.name)
    text = name if accuracy is None else f"{name}  {accuracy:.2%}"
    if place >= MOST_NAMED:
        return None
    return f" {text}" if text.startswith("_") else text  # matplotlib leaves out what begins with an underscore


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"…{name[-27:]}"


def _style(place: int, count: int) -> dict[str, Any]:
    return {
        "color": COLOURS[place % len(COLOURS)],
        "ls": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
        "ms": 3.5,
        "lw": 1.4,
        "markevery": max(1, count // 8),
    }


def _table(runs: Sequence[Compared], columns: Sequence[str]) -> list[tuple[int | float | str | None, ...]]:
    return [
        (run.name, seconds, *(_measured(row, column) for column in columns))
        for run in runs
        for row, seconds in zip(run.rows, itertools.accumulate(row.seconds for row in run.rows), strict=True)
    ]


def _measured(row: EpochRow, column: str) -> float | int | None:
    """A column of the metrics, or one of a program's own."""
    return row.extra[column] if column in row.extra else getattr(row, column, None)


def _metrics(runs: Sequence[Compared]) -> list[str]:
    """Names without their side: accuracy and loss, then what programs measured of their own."""
    own = (name.partition("_")[2] for run in runs for row in run.rows for name in row.extra)
    return list(dict.fromkeys(["accuracy", "loss", *own]))
