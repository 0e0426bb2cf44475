"""Figures of a run: how it learned, how its rate was found and spent, and where its time went.

`draw_x(value, ax)` draws one panel on axes of yours; `save_x(value, folder)` makes the whole figure and
writes `x.svg`, `x.png` and `x.csv`. Nothing here touches pyplot, so no window and no global state.

Lines are in those of Okabe and Ito's colours ("Color Universal Design", 2008) that stand out 3:1 on white and
on black alike, and never told apart by colour alone: each also has its dash and its marker. The SVG is
transparent and draws its ink in `currentColor`, so it follows a page into the dark; the PNG is on white.
"""

import io
import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeGuard

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from glauke.files import write_bytes
from glauke.runs import EpochRow, RangeCurve, write_csv

from ._figure_layout import apart, changes, loss_limits, part_note, rate_label, rows_above, thinned, time_unit

BLUE, VERMILLION, GREEN, PURPLE, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"
INK = "#1b1d21"  # in the SVG this very colour becomes currentColor
WIDTH = 7.0  # inches; 9 points on it are 12 pixels where the figure is shown 700 pixels wide
SMALL, NORMAL = 8.0, 9.0  # points

RULES = {"steepest": (VERMILLION, "--", "D"), "minimum": (PURPLE, "-.", "s"), "valley": (GREEN, ":", "v")}
PARTS = {  # column of EpochRow: name, colour, hatch
    "seconds_data": ("data", ORANGE, "////"),
    "seconds_train": ("train", BLUE, ""),
    "seconds_eval": ("evaluate", GREEN, "\\\\\\\\"),
    "seconds_write": ("write", PURPLE, "xxxx"),
    "other": ("other", "none", ""),
}
THEME = f"<style>svg{{color:{INK}}}@media (prefers-color-scheme:dark){{svg{{color:#e8e8e8}}}}</style>"


def figure(panels: int = 1, *, panel_height: float = 2.4) -> tuple[Figure, list[Axes]]:
    """A figure of panels below each other that share their horizontal axis; heights in inches."""
    made = Figure(figsize=(WIDTH, 0.4 + panels * panel_height), layout="constrained")
    return made, list(made.subplots(panels, 1, sharex=True, squeeze=False)[:, 0])


def save_plot(
    figure: Figure, folder: Path, name: str, header: Sequence[str], rows: Iterable[Sequence[int | float | str | None]]
) -> str:
    """Write `name.svg`, `name.png` (150 dpi, on white) and `name.csv` with its numbers; return the SVG.

    Equal figures are equal bytes: no date, and ids that depend on `name` alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    svg, png = io.BytesIO(), io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": f"glauke-{name}"}):
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    text = _themed(svg.getvalue().decode("utf-8"))
    write_bytes(folder / f"{name}.svg", text.encode("utf-8"))
    write_bytes(folder / f"{name}.png", png.getvalue())
    write_csv(folder / f"{name}.csv", header, rows)
    return text


def save_curves(rows: Sequence[EpochRow], folder: Path) -> str:
    """Accuracy above loss, over the epochs."""
    made, (top, bottom) = figure(2)
    draw_accuracy(rows, top)
    draw_loss(rows, bottom)
    names = ["epoch", "step", "train_accuracy", "val_accuracy", "train_loss", "val_loss", "val_pictures"]
    return save_plot(made, folder, "curves", names, [[getattr(row, name) for name in names] for row in rows])


def save_range_test(test: RangeCurve, folder: Path, *, used: str | None = None) -> str:
    """Loss, and accuracy below it where the test measured it, over the learning rate."""
    has_accuracy = bool(test.accuracies)
    made, axes = figure(2 if has_accuracy else 1, panel_height=2.6)
    draw_range_test(test, axes[0], used=used)
    if has_accuracy:
        draw_range_accuracy(test, axes[1])
    columns = [test.rates, test.losses, test.smoothed, test.accuracies, test.val_losses]
    header = ["rate", "loss", "smoothed_loss", "accuracy", "val_loss"]
    return save_plot(made, folder, "range_test", header, itertools.zip_longest(*columns))


def save_schedule(
    rates: Sequence[float],
    folder: Path,
    *,
    momenta: Sequence[float],
    steps_per_epoch: int,
    sizes: Sequence[tuple[int, int]] = (),
) -> str:
    """Learning rate above momentum, over the run; the CSV holds every step."""
    made, axes = figure(2, panel_height=1.8)
    draw_schedule(rates, axes, momenta=momenta, steps_per_epoch=steps_per_epoch, sizes=sizes)
    header = ["step", "rate", "momentum"]
    return save_plot(made, folder, "schedule", header, zip(range(len(rates)), rates, momenta, strict=True))


def save_time(rows: Sequence[EpochRow], folder: Path) -> str:
    """Where each epoch's time went."""
    made, (ax,) = figure(1, panel_height=2.6)
    draw_time(rows, ax)
    names = ["epoch", "seconds", *(name for name in PARTS if name != "other"), "images_per_second"]
    return save_plot(made, folder, "time", names, [[getattr(row, name) for name in names] for row in rows])


def draw_accuracy(rows: Sequence[EpochRow], ax: Axes) -> None:
    """Fraction right while training and on the held-out pictures; a ring marks the best held-out epoch."""
    _draw_sides(rows, ax, "accuracy")
    ax.yaxis.set_major_formatter(_percent)
    judged = [(row.epoch, row.val_accuracy) for row in rows if _is_number(row.val_accuracy)]
    title = "Accuracy"
    if judged:
        epoch, accuracy = max(judged, key=lambda pair: (pair[1], -pair[0]))
        ax.plot(epoch, accuracy, "o", markersize=11, markerfacecolor="none", color=INK, markeredgewidth=1.2)
        title = f"Accuracy (ring: best held-out, {100 * accuracy:.2f}% after epoch {epoch})"
    _title(ax, title)


def draw_loss(rows: Sequence[EpochRow], ax: Axes) -> None:
    """Mean loss while training and on the held-out pictures."""
    _draw_sides(rows, ax, "loss")
    _title(ax, "Loss")


def draw_range_test(test: RangeCurve, ax: Axes, *, used: str | None = None) -> None:
    """Loss against learning rate, raw and smoothed, with every rule's suggestion.

    `used` names the rule that was followed. Where the loss explodes at the end, the points that leave the
    frame are carets on its upper edge.
    """
    rates, losses, smoothed = (np.asarray(values, float) for values in (test.rates, test.losses, test.smoothed))
    _dress(ax)
    if not len(rates):
        _empty(ax, "no step was taken")
        return
    _rate_axis(test, ax)
    low, high = loss_limits(losses, smoothed)
    ax.set_ylim(low, high)
    shown = np.isfinite(losses)
    (raw,) = ax.plot(rates[shown], np.minimum(losses[shown], high), ".", color=INK, alpha=0.45, markersize=4)
    raw.set_label("each step's batch")
    above = rates[~shown | (losses > high)]
    if len(above):
        ax.plot(above, np.full(len(above), high), "^", color=INK, alpha=0.6, markersize=5, clip_on=False)
    handles = [raw]
    for name, values, colour, dash in (
        ("smoothed", smoothed, BLUE, "-"),
        ("held-out", np.asarray(test.val_losses, float), ORANGE, (0, (5, 1))),
    ):
        if len(values):
            inside = np.where(values > high, np.nan, values)
            handles += ax.plot(rates[: len(values)], inside, color=colour, ls=dash, lw=1.8, label=name)
    _mark_suggestions(test, smoothed, ax, used=used)
    ax.legend(handles=handles, loc="best", fontsize=SMALL, frameon=False, labelcolor=INK)
    ax.set_ylabel("training loss", color=INK, fontsize=NORMAL)
    _xlabel(ax, rate_label(test))


def draw_range_accuracy(test: RangeCurve, ax: Axes) -> None:
    """Fraction right of each step's batch against learning rate, with the same vertical lines as the loss."""
    _dress(ax)
    if not test.rates:
        _empty(ax, "no step was taken")
        return
    _rate_axis(test, ax)
    accuracies = np.asarray(test.accuracies, float)
    ax.plot(test.rates[: len(accuracies)], accuracies, ".-", color=BLUE, lw=1.0, markersize=4)
    for rule, suggestion in test.suggestions().items():
        if suggestion.rate is not None:
            colour, dash, _ = RULES.get(rule, (INK, "-", "o"))
            ax.axvline(suggestion.rate, color=colour, ls=dash, lw=1.4)
    ax.yaxis.set_major_formatter(_percent)
    ax.set_ylabel("batch accuracy", color=INK, fontsize=NORMAL)
    _xlabel(ax, rate_label(test))


def draw_schedule(
    rates: Sequence[float],
    axes: Sequence[Axes],
    *,
    momenta: Sequence[float],
    steps_per_epoch: int,
    sizes: Sequence[tuple[int, int]] = (),
) -> None:
    """Learning rate on the first of two axes and momentum on the second, one value per step, over epochs.

    `sizes` are pairs (first step, side of the training pictures in pixels); where the side changes, the
    phases are shaded by turns and named.
    """
    top, bottom = axes
    peak, phases = int(np.argmax(rates)), changes(sizes)
    keep = thinned(len(rates), also=peak)
    epochs = keep / steps_per_epoch
    for ax, values, colour, dash in ((top, rates, BLUE, "-"), (bottom, momenta, VERMILLION, (0, (5, 1)))):
        _dress(ax)
        marker = "o" if len(keep) == 1 else ""
        ax.plot(epochs, np.asarray(values, float)[keep], color=colour, ls=dash, lw=1.8, marker=marker)
        ax.yaxis.set_major_formatter("{x:g}")
        _shade(ax, phases, steps_per_epoch=steps_per_epoch, last=len(rates), named=ax is top)
    top.plot(peak / steps_per_epoch, rates[peak], "o", color=BLUE, markersize=6)
    where = f"step {peak + 1:,} of {len(rates):,}, in epoch {peak // steps_per_epoch + 1}"
    _title(top, f"Learning rate (peak {rates[peak]:.4g} at {where})", pad=16.0 if phases else 6.0)
    _title(bottom, f"Momentum ({min(momenta):.4g} to {max(momenta):.4g})")
    top.set_ylim(bottom=0)
    _xlabel(top, "epochs done")
    _xlabel(bottom, "epochs done")


def draw_time(rows: Sequence[EpochRow], ax: Axes) -> None:
    """Seconds of each epoch, stacked by what they were spent on; the legend has each part's share."""
    _dress(ax)
    if not rows:
        _empty(ax, "no epoch was finished")
        return
    scale, unit = time_unit(max(row.seconds for row in rows))
    epochs = [row.epoch for row in rows]
    spent = {name: [getattr(row, name) for row in rows] for name in PARTS if name != "other"}
    known = [sum(values) for values in zip(*spent.values(), strict=True)]
    spent["other"] = [max(row.seconds - part, 0.0) for row, part in zip(rows, known, strict=True)]
    total = max(sum(map(sum, spent.values())), 1e-12)
    bottom = np.zeros(len(rows))
    for name, values in spent.items():
        label, colour, hatch = PARTS[name]
        heights = np.asarray(values) / scale
        style = {"facecolor": colour, "hatch": hatch, "edgecolor": INK, "linewidth": 0.4}
        ax.bar(epochs, heights, bottom=bottom, label=f"{label} {sum(values) / total:.0%}", **style)
        bottom = bottom + heights
    _epoch_axis(ax, epochs)
    ax.set_ylabel(unit, color=INK, fontsize=NORMAL)
    _xlabel(ax, "epoch")
    above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}  # bars fill the frame
    ax.legend(ncols=len(PARTS), fontsize=SMALL, frameon=False, labelcolor=INK, **above)


def _draw_sides(rows: Sequence[EpochRow], ax: Axes, what: str) -> None:
    """The training side dashed with squares, the held-out side solid with circles, both named at the end."""
    _dress(ax)
    if not rows:
        _empty(ax, "no epoch was finished")
        return
    ends, drawn = [], []
    for side, name, colour, dash, marker in (
        ("train", "training", VERMILLION, (0, (4, 1.5)), "s"),
        ("val", "held-out", BLUE, "-", "o"),
    ):
        points = [(row.epoch, getattr(row, f"{side}_{what}")) for row in rows]
        points = [(epoch, value) for epoch, value in points if _is_number(value)]
        if points:
            line = {"color": colour, "ls": dash, "lw": 1.6, "marker": marker, "ms": 4}
            ax.plot(*zip(*points, strict=True), markevery=max(1, len(points) // 12), **line)
            drawn += [value for _, value in points]
            last = points[-1][1]
            ends.append((last, f"{name} {100 * last:.2f}%" if what == "accuracy" else f"{name} {last:.3f}"))
    if what == "loss" and drawn and min(drawn) > 0 and max(drawn) > 30 * min(drawn):
        ax.set_yscale("log")  # one exploding epoch must not flatten the others
        ax.yaxis.set_major_formatter("{x:g}")
    _epoch_axis(ax, [row.epoch for row in rows])
    _label_ends(ax, ends)
    _xlabel(ax, f"epoch{part_note(rows)}")


def _label_ends(ax: Axes, ends: Sequence[tuple[float, str]]) -> None:
    """Name each line to the right of its last value, moved apart where they would overlap."""
    to_fraction = ax.transData + ax.transAxes.inverted()
    wanted = [float(to_fraction.transform((ax.get_xlim()[0], value))[1]) for value, _ in ends]
    gap = 1.35 * NORMAL / _points(ax)[1]
    for place, (_, text) in zip(apart(wanted, gap=gap), ends, strict=True):
        ax.text(1.02, place, text, transform=ax.transAxes, va="center", color=INK, fontsize=NORMAL)


def _mark_suggestions(test: RangeCurve, smoothed: np.ndarray, ax: Axes, *, used: str | None) -> None:
    suggestions = test.suggestions()
    found = [(s.rate, rule) for rule, s in suggestions.items() if s.rate is not None]
    found.sort()
    named = [f"{rule} {rate:.3g}" + (" (used)" if rule == used else "") for rate, rule in found]
    width, height = _points(ax)
    to_fraction = ax.transData + ax.transAxes.inverted()
    places = [float(to_fraction.transform((rate, ax.get_ylim()[0]))[0]) for rate, _ in found]
    widths = [(0.6 * NORMAL * len(text) + 6) / width for text in named]
    row_height = 1.35 * NORMAL / height
    rows = rows_above(places, widths)
    for (rate, rule), text, place, (row, right) in zip(found, named, places, rows, strict=True):
        colour, dash, marker = RULES.get(rule, (INK, "-", "o"))
        top = 1.02 + row * row_height
        line, upright = {"color": colour, "ls": dash, "lw": 1.4}, [0, top + 0.85 * row_height]
        ax.plot([place, place], upright, transform=ax.transAxes, clip_on=False, **line)
        ax.annotate(
            text,
            (place, top),
            xycoords="axes fraction",
            xytext=(3 if right else -3, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="bottom",
            annotation_clip=False,
            color=INK,
            fontsize=NORMAL,
            fontweight="bold" if rule == used else "normal",
        )
        ax.plot(rate, np.interp(rate, test.rates, smoothed), marker, color=colour, markersize=6)
    without = [rule for rule, s in suggestions.items() if s.rate is None]
    title = "Learning rate range test" + (f" (no suggestion: {', '.join(without)})" if without else "")
    _title(ax, title, pad=10 + (1 + max((row for row, _ in rows), default=-1)) * 1.35 * NORMAL)


def _rate_axis(test: RangeCurve, ax: Axes) -> None:
    low, high = min(test.rates), max(test.rates)
    if test.ramp == "exponential" and low > 0:
        ax.set_xscale("log")
        room = (high / low) ** 0.02 if high > low else 2.0
        ax.set_xlim(low / room, high * room)
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high > 100 * low else (1.0, 2.0, 5.0)))
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        room = 0.02 * (high - low) or 0.5 * high or 1.0
        ax.set_xlim(low - room, high + room)
    ax.xaxis.set_major_formatter("{x:g}")


def _shade(ax: Axes, phases: Sequence[tuple[int, int]], *, steps_per_epoch: int, last: int, named: bool) -> None:
    ends = [*(first for first, _ in phases), last][1:]
    for turn, ((first, side), end) in enumerate(zip(phases, ends, strict=True)):
        if turn % 2 == 0:
            ax.axvspan(first / steps_per_epoch, end / steps_per_epoch, color=INK, alpha=0.07, linewidth=0)
        if named and end - first > 0.07 * last:  # a narrower phase has no room for its name
            middle = (first + end) / 2 / steps_per_epoch
            place = ax.get_xaxis_transform()
            ax.text(middle, 1.02, f"{side} px", transform=place, ha="center", color=INK, fontsize=SMALL)


def _dress(ax: Axes) -> None:
    ax.set_facecolor("none")
    ax.spines[["top", "right"]].set_visible(False)
    for spine in ax.spines.values():
        spine.set(color=INK, alpha=0.6)
    ax.tick_params(colors=INK, labelsize=SMALL, length=3)
    ax.tick_params(which="minor", color=INK, length=2)
    ax.grid(color=INK, alpha=0.13, linewidth=0.6)
    ax.set_axisbelow(True)


def _title(ax: Axes, text: str, *, pad: float = 6.0) -> None:
    ax.set_title(text, loc="left", fontsize=NORMAL, fontweight="bold", color=INK, pad=pad)


def _xlabel(ax: Axes, text: str) -> None:
    """Only under the lowest of panels that stand on each other."""
    place = ax.get_subplotspec()
    if place is None or place.is_last_row():
        ax.set_xlabel(text, color=INK, fontsize=NORMAL)


def _epoch_axis(ax: Axes, epochs: Sequence[int]) -> None:
    room = max(0.5, 0.02 * (max(epochs) - min(epochs)))
    ax.set_xlim(min(epochs) - room, max(epochs) + room)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def _points(ax: Axes) -> tuple[float, float]:
    """Width and height of the frame in points, before the layout moves it a little."""
    box = ax.get_window_extent()
    dpi = ax.get_figure(root=True).dpi  # pyright: ignore[reportOptionalMemberAccess]
    return float(box.width * 72 / dpi), float(box.height * 72 / dpi)


def _empty(ax: Axes, text: str) -> None:
    ax.set(xticks=[], yticks=[])
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=INK, fontsize=NORMAL)


def _percent(value: float, _position: object) -> str:
    return f"{100 * value:.4g}%"


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _themed(svg: str) -> str:
    """The SVG with its ink in the colour of the text around it, and two themes for where it stands alone."""
    start = svg.index("<svg")
    end = svg.index(">", start) + 1
    return svg[:end] + THEME + svg[end:].replace(INK, "currentColor")
