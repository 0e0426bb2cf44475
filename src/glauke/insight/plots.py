"""Figures of predictions: what is taken for what, how each class fares, and how far confidence can be believed.

`draw_x(value, ax)` draws one panel on axes of yours; `save_x(value, folder)` makes the whole figure, writes `x.svg`,
`x.png` and `x.csv`, and returns the SVG. Right and wrong are told apart by place or marker as well as by colour.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgba
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from glauke.plots import (
    BLUE,
    INK,
    NORMAL,
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

from . import _figure_layout as layout
from .looking._gallery import contact_sheet, shaded
from .numbers._calibration import Calibration, Reliability
from .numbers._confusion import ClassScore, Confusion

MOST_COUNTED = 15  # classes of a matrix whose cells have room for their numbers
FEW = 20  # pictures in a bin whose accuracy is a rumour: its marker is hollow
EXTREMES = 3  # classes at either end of many that are named


def save_confusion(confusion: Confusion, folder: Path) -> str:
    """The matrix as a picture, likeness in order; the CSV is the matrix in the order of the classes."""
    made, (ax,) = figure(1, panel_height=min(4.9, 3.2 + 0.17 * len(confusion.classes)))
    if len(confusion.classes) > layout.MOST_NAMED:
        beside = (0, 0, 0.74, 1)  # the rest is for the names of groups
        made.get_layout_engine().set(rect=beside)  # pyright: ignore[reportOptionalMemberAccess, reportCallIssue]
    draw_confusion(confusion, ax)
    rows = ([name, *counts] for name, counts in zip(confusion.classes, confusion.matrix.tolist(), strict=True))
    return save_plot(made, folder, "confusion", ["label", *confusion.classes], rows)


def save_per_class(scores: Sequence[ClassScore], folder: Path) -> str:
    """Recall and precision of each class; the CSV has them all in the order of the classes."""
    made, (ax,) = figure(1, panel_height=0.6 + 0.22 * len(scores) if len(scores) <= layout.MOST_NAMED else 2.8)
    draw_per_class(scores, ax)
    header = ["class", "name", "pictures", "predicted", "hits", "precision", "recall", "f1", "taken_for", "times"]
    rows = (
        (s.id, s.name, s.count, s.predicted, s.hits, s.precision, s.recall, s.f1, _id_of(scores, s), s.taken_for_count)
        for s in scores
    )
    return save_plot(made, folder, "per_class", header, rows)


def save_calibration(calibration: Calibration, folder: Path) -> str:
    """Accuracy over confidence above the number of pictures; the CSV has both for each bin, as it is and scaled."""
    made, (top, bottom) = figure(2, panel_height=2.4)
    draw_calibration(calibration, top)
    draw_confidences(calibration, bottom)
    header = ["temperature", "of_other_half", "from", "to", "pictures", "mean_confidence", "accuracy"]
    rows = [
        (*temperatures, low, high, count, said if count else None, right if count else None)
        for temperatures, found in (((1.0, 1.0), calibration), (calibration.fold_temperatures, calibration.scaled))
        for low, high, count, said, right in zip(*_columns(found), strict=True)
    ]
    return save_plot(made, folder, "calibration", header, rows)


def draw_confusion(confusion: Confusion, ax: Axes) -> None:
    """Each row a class, each column what its pictures are called; the darker, the larger the share of the row.

    Classes that are taken for each other stand side by side. Up to 30 are named, of more the groups that they form.
    """
    order = confusion.order()
    counts = confusion.matrix[np.ix_(order, order)]
    names = [confusion.readable[i] for i in order]
    total, count = int(counts.sum()), len(names)
    dress(ax)
    ax.grid(visible=False)
    shades = layout.levels(counts)
    colours = np.stack([_ramp(VERMILLION), _ramp(BLUE, lightest=0.4)])  # wrong, right
    # Not resampled: every cell is one pixel of the picture within the SVG.
    ax.imshow(colours[np.eye(count, dtype=np.int64), shades], interpolation="none")
    ax.set_ylabel("label", color=INK, fontsize=NORMAL)
    if count <= layout.MOST_NAMED:
        _name_cells(ax, [layout.class_name(name) for name in names])
        name_x(ax, "called")
    else:
        ax.set(xticks=[], yticks=[])
        name_x(ax, "called, in the same order")
        _frame_groups(ax, counts, names)
    right = int(np.trace(counts))
    put_title(ax, f"{total - right:,} of {total:,} pictures off the diagonal, where blue is right")
    if count > MOST_COUNTED:
        _shade_bar(ax)
        return
    for row, column in zip(*np.nonzero(counts), strict=True):
        ax.text(column, row, f"{counts[row, column]:,}", color=INK, fontsize=SMALL, ha="center", va="center")


def draw_per_class(scores: Sequence[ClassScore], ax: Axes) -> None:
    """Recall and precision of every class, highest recall first; up to 30 named, of more the ends."""
    dress(ax)
    judged = sorted((s for s in scores if s.recall is not None), key=lambda s: (-(s.recall or 0), s.index))
    if not judged:
        say_instead(ax, "no class has a picture")
        return
    recalls = np.array([s.recall for s in judged], float)
    precisions = np.array([np.nan if s.precision is None else s.precision for s in judged], float)
    places, many = np.arange(len(judged)), len(judged) > layout.MOST_NAMED
    drawn = (recalls, BLUE, "o", BLUE), (precisions, VERMILLION, "s", "none")
    for values, colour, marker, inside in drawn:
        x, y = (places, values) if many else (values, places)
        ax.plot(x, y, marker, color=colour, markersize=3.5 if many else 5.5, markerfacecolor=inside, clip_on=False)
    mean = f"mean recall {100 * recalls.mean():.1f}%, from {100 * recalls[-1]:.0f}% to {100 * recalls[0]:.0f}%"
    put_title(ax, f"{len(judged)} classes: {mean}", pad=20.0)
    above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.1, "handletextpad": 0.2}
    legend = {"ncols": 2, "fontsize": SMALL, "frameon": False, "labelcolor": INK}
    ax.legend(ax.lines[:2], ["recall: of its pictures found", "precision: of those called it right"], **legend, **above)
    if many:
        _many_classes(ax, judged)
        return
    ax.set(xlim=(0, 1), ylim=(len(judged) - 0.5, -0.5))
    ax.set_yticks(places, [layout.class_name(s.name) for s in judged], parse_math=False, fontsize=NORMAL)
    ax.xaxis.set_major_formatter(percent)


def draw_calibration(calibration: Calibration, ax: Axes) -> None:
    """Accuracy of the pictures of each bin of confidence; on the diagonal a confidence means what it says."""
    dress(ax)
    ax.plot([0, 1], [0, 1], color=INK, lw=0.9, ls=":")
    drawn = (
        (calibration, "as it is", BLUE, "-", "o"),
        (calibration.scaled, "scaled by the other half", VERMILLION, (0, (4, 1.5)), "s"),
    )
    for found, name, colour, dash, marker in drawn:
        there, few = found.counts > 0, (found.counts > 0) & (found.counts < FEW)
        line = {"color": colour, "ls": dash, "lw": 1.6, "marker": marker, "ms": 4, "clip_on": False}
        ax.plot(found.confidence[there], found.accuracy[there], label=f"{name}: ECE {found.ece:.3f}", **line)
        hollow = {**line, "ls": "", "ms": 5.5, "markerfacecolor": "white", "markeredgewidth": 1.2}
        if few.any():  # an empty line has no place, and the layout would look for it
            ax.plot(found.confidence[few], found.accuracy[few], **hollow)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.yaxis.set_major_formatter(percent)
    ax.xaxis.set_major_formatter(percent)
    ax.set_ylabel("accuracy", color=INK, fontsize=NORMAL)
    put_title(ax, "Accuracy by confidence")
    _legend_above(ax)
    name_x(ax, "confidence")


def draw_confidences(calibration: Calibration, ax: Axes) -> None:
    """How many pictures were said with which confidence, and how many of them are right."""
    dress(ax)
    edges, counts = calibration.edges, calibration.counts
    right = np.nan_to_num(calibration.accuracy) * counts
    place = {"x": edges[:-1], "width": np.diff(edges), "align": "edge", "edgecolor": INK, "linewidth": 0.4}
    ax.bar(height=right, color=BLUE, label="right", **place)
    ax.bar(height=counts - right, bottom=right, color="none", hatch="////", label="wrong", **place)
    ax.set_xlim(0, 1)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_major_formatter(percent)
    ax.set_ylabel("pictures", color=INK, fontsize=NORMAL)
    put_title(ax, "Pictures by confidence, as it is")
    _legend_above(ax)
    name_x(ax, "confidence")


def heat_map(
    picture: UInt8[np.ndarray, "height width channels"], heat: Float[np.ndarray, "map_height map_width"]
) -> UInt8[np.ndarray, "height width 3"]:
    """The grey picture under a map of 0 to 1: dark blue is little, yellow is much, and lightness says the same."""
    colours = matplotlib.colormaps["cividis"](np.linspace(0, 1, 256))[:, :3]
    return shaded(picture, heat, colours=colours)


def gallery_sheet(entries: Sequence[tuple[np.ndarray, Sequence[str]]]) -> bytes:
    """PNG of pictures with words below each, for where there is no page."""
    # DejaVu Sans comes with matplotlib.
    return contact_sheet(entries, font=Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


def _legend_above(ax: Axes) -> None:
    """To the right of the title, where no curve can come."""
    above = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0.0}
    ax.legend(ncols=2, fontsize=SMALL, frameon=False, labelcolor=INK, **above)


def _ramp(colour: str, *, lightest: float = 0.14) -> np.ndarray:
    """From nothing to the colour, so that an empty cell shows the paper, light or dark."""
    alphas = [0.0, *np.linspace(lightest, 0.8, len(layout.SHARES))]
    return np.array([to_rgba(colour, alpha) for alpha in alphas])


def _shade_bar(ax: Axes) -> None:
    names = layout.level_names()
    norm = BoundaryNorm(np.arange(len(names) + 1), len(names))
    shades = ScalarMappable(norm, ListedColormap([tuple(rgba) for rgba in _ramp(VERMILLION)[1:]]))
    below = {"location": "bottom", "fraction": 0.04, "aspect": 40, "pad": 0.02}
    bar = ax.get_figure(root=True).colorbar(shades, ax=ax, **below)  # pyright: ignore[reportOptionalMemberAccess]
    bar.set_ticks([i + 0.5 for i in range(len(names))], labels=names)
    bar.ax.tick_params(colors=INK, labelsize=SMALL, length=0)
    bar.set_label("% of the label's pictures", color=INK, fontsize=NORMAL)
    bar.outline.set(edgecolor=INK, alpha=0.6)  # pyright: ignore[reportCallIssue]


def _name_cells(ax: Axes, names: Sequence[str]) -> None:
    size = NORMAL if len(names) <= 20 else 0.75 * SMALL
    ax.set_yticks(range(len(names)), names, parse_math=False, fontsize=size)
    upright = len(names) <= 10 and max(map(len, names)) <= 4
    below = [layout.class_name(name, most=16) for name in names]
    ax.set_xticks(range(len(names)), below, parse_math=False, fontsize=size, rotation=0 if upright else 90)
    ax.tick_params(length=0)


def _frame_groups(ax: Axes, counts: np.ndarray, names: Sequence[str]) -> None:
    """A frame around each group on the diagonal, and its name beside the matrix where there is room."""
    found = layout.groups(counts)
    for group in found:
        corner, side = group.first - 0.5, len(group)
        ax.add_patch(Rectangle((corner, corner), side, side, fill=False, edgecolor=INK, linewidth=0.7))
    places = [(group.first + group.last) / 2 / len(names) for group in found]
    gap = 1.25 * SMALL / frame_points(ax)[1]
    for i in layout.readable_labels(places, [len(group) for group in found], gap=gap):
        group, middle = found[i], (found[i].first + found[i].last) / 2
        ax.plot([group.last + 0.5, len(names) + 1], [middle, middle], color=INK, lw=0.4, alpha=0.5, clip_on=False)
        text = layout.group_label(group, names)
        words = ax.text(len(names) + 2, middle, text, color=INK, fontsize=SMALL, va="center", parse_math=False)
        words.set_in_layout(False)
    ax.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))


def _many_classes(ax: Axes, judged: Sequence[ClassScore]) -> None:
    """The classes as ranks; those at the ends are named within the frame."""
    last = len(judged) - 1
    ax.set(xlim=(-0.02 * last, 1.02 * last), ylim=(0, 1))
    ax.yaxis.set_major_formatter(percent)
    name_x(ax, "classes, highest recall first")
    step = 1.4 * SMALL / frame_points(ax)[1]
    for row, (which, ones) in enumerate((("best", judged[:EXTREMES]), ("worst", judged[: -EXTREMES - 1 : -1]))):
        named = ", ".join(f"{layout.class_name(s.name, most=20)} {100 * (s.recall or 0):.0f}%" for s in ones)
        at = {"transform": ax.transAxes, "ha": "right", "va": "top", "parse_math": False}
        ax.text(0.99, 0.98 - row * step, f"{which}: {named}", color=INK, fontsize=SMALL, **at)


def _id_of(scores: Sequence[ClassScore], score: ClassScore) -> str | None:
    return None if score.taken_for is None else scores[score.taken_for].id


def _columns(found: Reliability) -> tuple[list[float] | list[int], ...]:
    return (
        found.edges[:-1].tolist(),
        found.edges[1:].tolist(),
        found.counts.tolist(),
        found.confidence.tolist(),
        found.accuracy.tolist(),
    )
