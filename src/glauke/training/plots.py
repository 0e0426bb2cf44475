"""Figures of a run: how it learned, how its rate was found and spent, and where its time went.

`draw_x(value, ax)` draws one panel on axes of yours; `save_x(value, folder)` makes the whole figure and
writes `x.svg`, `x.png` and `x.csv`.

No line is told apart by colour alone: each also has its dash and its marker.
"""

import itertools
import math
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from glauke.plots import (
    BLUE,
    GREEN,
    INK,
    NORMAL,
    ORANGE,
    PURPLE,
    SMALL,
    VERMILLION,
    dress,
    figure,
    frame_points,
    name_x,
    percent,
    put_title,
    save_plot,
    say_instead,
)
from glauke.runs import EpochRow, RangeCurve

from ._figure_layout import apart, changes, loss_limits, part_note, rate_label, rows_above, thinned, time_unit

RULES = {"steepest": (VERMILLION, "--", "D"), "minimum": (PURPLE, "-.", "s"), "valley": (GREEN, ":", "v")}
PARTS = {  # column of EpochRow: name, colour, hatch
    "seconds_data": ("data", ORANGE, "////"),
    "seconds_train": ("train", BLUE, ""),
    "seconds_optimizer": ("optimizer", VERMILLION, "...."),
    "seconds_eval": ("evaluate", GREEN, "\\\\\\\\"),
    "seconds_write": ("write", PURPLE, "xxxx"),
    "other": ("other", "none", ""),
}


def save_curves(rows: Sequence[EpochRow], folder: Path) -> str:
    """Accuracy above loss above a program's own metrics, over the epochs; without an accuracy nobody measured."""
    own = [name.partition("_")[2] for row in rows for name in row.extra]
    own = list(dict.fromkeys(own))
    has_accuracy = not rows or any(row.train_accuracy is not None or row.val_accuracy is not None for row in rows)
    made, axes = figure(1 + has_accuracy + len(own))
    panels = iter(axes)
    if has_accuracy:
        draw_accuracy(rows, next(panels))
    draw_loss(rows, next(panels))
    for name, ax in zip(own, panels, strict=True):
        draw_metric(rows, ax, name)
    names = ["epoch", "step", "train_accuracy", "val_accuracy", "train_loss", "val_loss", "val_pictures"]
    more = [f"{side}_{name}" for name in own for side in ("train", "val")]
    cells = [[*(getattr(row, name) for name in names), *(row.extra.get(name) for name in more)] for row in rows]
    return save_plot(made, folder, "curves", [*names, *more], cells)


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
    steps: Sequence[int],
    sizes: Sequence[tuple[int, int]] = (),
) -> str:
    """Learning rate above momentum, over the run of epochs with these `steps`; the CSV holds every step."""
    made, axes = figure(2, panel_height=1.8)
    draw_schedule(rates, axes, momenta=momenta, steps=steps, sizes=sizes)
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
    ax.yaxis.set_major_formatter(percent)
    judged = [(row.epoch, row.val_accuracy) for row in rows if _is_number(row.val_accuracy)]
    title = "Accuracy"
    if judged:
        epoch, accuracy = max(judged, key=lambda pair: (pair[1], -pair[0]))
        ax.plot(epoch, accuracy, "o", markersize=11, markerfacecolor="none", color=INK, markeredgewidth=1.2)
        title = f"Accuracy (ring: best held-out, {100 * accuracy:.2f}% after epoch {epoch})"
    put_title(ax, title)


def draw_loss(rows: Sequence[EpochRow], ax: Axes) -> None:
    """Mean loss while training and on the held-out pictures."""
    _draw_sides(rows, ax, "loss")
    put_title(ax, "Loss")


def draw_metric(rows: Sequence[EpochRow], ax: Axes, name: str) -> None:
    """The mean of a program's own metric while training and on the held-out side."""
    _draw_sides(rows, ax, name)
    put_title(ax, name.replace("_", " ").capitalize())


def draw_range_test(test: RangeCurve, ax: Axes, *, used: str | None = None) -> None:
    """Loss against learning rate, raw and smoothed, with every rule's suggestion.

    `used` names the rule that was followed. Where the loss explodes at the end, the points that leave the
    frame are carets on its upper edge.
    """
    rates, losses, smoothed = (np.asarray(values, float) for values in (test.rates, test.losses, test.smoothed))
    dress(ax)
    if not len(rates):
        say_instead(ax, "no step was taken")
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
    name_x(ax, rate_label(test))


def draw_range_accuracy(test: RangeCurve, ax: Axes) -> None:
    """Fraction right of each step's batch against learning rate, with the same vertical lines as the loss."""
    dress(ax)
    if not test.rates:
        say_instead(ax, "no step was taken")
        return
    _rate_axis(test, ax)
    accuracies = np.asarray(test.accuracies, float)
    ax.plot(test.rates[: len(accuracies)], accuracies, ".-", color=BLUE, lw=1.0, markersize=4)
    for rule, suggestion in test.suggestions().items():
        if suggestion.rate is not None:
            colour, dash, _ = RULES.get(rule, (INK, "-", "o"))
            ax.axvline(suggestion.rate, color=colour, ls=dash, lw=1.4)
    ax.yaxis.set_major_formatter(percent)
    ax.set_ylabel("batch accuracy", color=INK, fontsize=NORMAL)
    name_x(ax, rate_label(test))


def draw_schedule(
    rates: Sequence[float],
    axes: Sequence[Axes],
    *,
    momenta: Sequence[float],
    steps: Sequence[int],
    sizes: Sequence[tuple[int, int]] = (),
) -> None:
    """Learning rate on the first of two axes and momentum on the second, one value per step, over epochs.

    `steps` are those of each epoch; epochs are drawn equally wide however many they have.
    `sizes` are pairs (first step, side of the training pictures in pixels); where the side changes, the
    phases are shaded by turns and named.
    """
    top, bottom = axes
    peak, phases = int(np.argmax(rates)), changes(sizes)
    keep = thinned(len(rates), also=peak)
    ends = [0, *itertools.accumulate(steps)]
    epochs = np.interp(keep, ends, range(len(ends)))
    for ax, values, colour, dash in ((top, rates, BLUE, "-"), (bottom, momenta, VERMILLION, (0, (5, 1)))):
        dress(ax)
        marker = "o" if len(keep) == 1 else ""
        ax.plot(epochs, np.asarray(values, float)[keep], color=colour, ls=dash, lw=1.8, marker=marker)
        ax.yaxis.set_major_formatter("{x:g}")
        _shade(ax, phases, ends=ends, named=ax is top)
    top.plot(np.interp(peak, ends, range(len(ends))), rates[peak], "o", color=BLUE, markersize=6)
    where = f"step {peak + 1:,} of {len(rates):,}, in epoch {bisect_right(ends, peak)}"
    put_title(top, f"Learning rate (peak {rates[peak]:.4g} at {where})", pad=16.0 if phases else 6.0)
    put_title(bottom, f"Momentum ({min(momenta):.4g} to {max(momenta):.4g})")
    top.set_ylim(bottom=0)
    name_x(top, "epochs done")
    name_x(bottom, "epochs done")


def draw_time(rows: Sequence[EpochRow], ax: Axes) -> None:
    """Seconds of each epoch, stacked by what they were spent on; the legend has each part's share."""
    dress(ax)
    if not rows:
        say_instead(ax, "no epoch was finished")
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
    name_x(ax, "epoch")
    above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}  # bars fill the frame
    ax.legend(
        ncols=len(PARTS),
        fontsize=SMALL,
        frameon=False,
        labelcolor=INK,
        columnspacing=1.1,  # six parts on the width of the frame
        handletextpad=0.5,
        handlelength=1.5,
        **above,
    )


def _draw_sides(rows: Sequence[EpochRow], ax: Axes, what: str) -> None:
    """The training side dashed with squares, the held-out side solid with circles, both named at the end."""
    dress(ax)
    if not rows:
        say_instead(ax, "no epoch was finished")
        return
    ends, drawn = [], []
    for side, name, colour, dash, marker in (
        ("train", "training", VERMILLION, (0, (4, 1.5)), "s"),
        ("val", "held-out", BLUE, "-", "o"),
    ):
        column = f"{side}_{what}"
        points = [(row.epoch, row.extra[column] if column in row.extra else getattr(row, column, None)) for row in rows]
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
    name_x(ax, f"epoch{part_note(rows)}")


def _label_ends(ax: Axes, ends: Sequence[tuple[float, str]]) -> None:
    """Name each line to the right of its last value, moved apart where they would overlap."""
    to_fraction = ax.transData + ax.transAxes.inverted()
    wanted = [float(to_fraction.transform((ax.get_xlim()[0], value))[1]) for value, _ in ends]
    gap = 1.35 * NORMAL / frame_points(ax)[1]
    for place, (_, text) in zip(apart(wanted, gap=gap), ends, strict=True):
        ax.text(1.02, place, text, transform=ax.transAxes, va="center", color=INK, fontsize=NORMAL)


def _mark_suggestions(test: RangeCurve, smoothed: np.ndarray, ax: Axes, *, used: str | None) -> None:
    suggestions = test.suggestions()
    found = [(s.rate, rule) for rule, s in suggestions.items() if s.rate is not None]
    found.sort()
    named = [f"{rule} {rate:.3g}" + (" (used)" if rule == used else "") for rate, rule in found]
    width, height = frame_points(ax)
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
    put_title(ax, title, pad=10 + (1 + max((row for row, _ in rows), default=-1)) * 1.35 * NORMAL)


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


def _shade(ax: Axes, phases: Sequence[tuple[int, int]], *, ends: Sequence[int], named: bool) -> None:
    """Shade phases, told by their first steps; `ends` are the steps done before each epoch and at the end."""
    last = len(ends) - 1
    borders = np.interp([*(first for first, _ in phases), ends[-1]], ends, range(len(ends)))
    for turn, ((_, side), (begin, end)) in enumerate(zip(phases, itertools.pairwise(borders), strict=True)):
        if turn % 2 == 0:
            ax.axvspan(begin, end, color=INK, alpha=0.07, linewidth=0)
        if named and end - begin > 0.07 * last:  # a narrower phase has no room for its name
            middle = (begin + end) / 2
            place = ax.get_xaxis_transform()
            ax.text(middle, 1.02, f"{side} px", transform=place, ha="center", color=INK, fontsize=SMALL)


def _epoch_axis(ax: Axes, epochs: Sequence[int]) -> None:
    room = max(0.5, 0.02 * (max(epochs) - min(epochs)))
    ax.set_xlim(min(epochs) - room, max(epochs) + room)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
