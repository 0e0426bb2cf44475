"""Figures of boxes: how many clusters, of which shapes and sizes, which labels, and where in the picture.

`draw_x(value, ax)` draws one panel on axes of yours; `save_x(value, folder)` makes the whole figure, writes `x.svg`,
`x.png` and `x.csv`, and returns the SVG. Clusters are told apart by marker and name as well as by colour, and no text
of a file is taken for a formula.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

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
    put_title,
    save_plot,
    say_instead,
)

from . import _figure_layout as layout
from ._annotations import Annotations
from ._photographs import MOST_PICTURES, MOST_SHEETS, files_of, pictures_with_boxes, sheets_of_labels
from ._pictures import PictureFolder
from ._wording import counted
from .clustering._anchors import Anchors
from .clustering._cluster import Clusters

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE)
MARKERS = "os^Dv<>"  # as many markers as are not a multiple of the colours: 35 different pairs
UNKNOWN_SIZES = "the sizes of the pictures are not known:\nname their folder with --images, or a CSV with --sizes"


def save_elbow(clusters: Clusters, folder: Path) -> str:
    """The cost over the number of clusters, with silhouettes and gains in overlap below it where there are any."""
    panels = [draw_elbow]
    if any(point.silhouette is not None for point in clusters.curve):
        panels.append(draw_silhouettes)
    if any(point.gain is not None for point in clusters.curve):
        panels.append(draw_gains)
    made, axes = figure(len(panels), panel_height=2.0 if len(panels) > 1 else 2.8)
    for draw, ax in zip(panels, axes, strict=True):
        draw(clusters, ax)
    names = ["k", "inertia", "mean_iou", "gain", "silhouette"]
    return save_plot(made, folder, "elbow", names, [[getattr(p, name) for name in names] for p in clusters.curve])


def save_ratios(annotations: Annotations, folder: Path, *, clusters: Clusters) -> str:
    """How many boxes have which ratio of width to height; the CSV has the bars."""
    made, (ax,) = figure(1, panel_height=3.0)
    bars = draw_ratios(annotations, ax, clusters=clusters)
    return save_plot(made, folder, "ratios", ["from_ratio", "to_ratio", "boxes"], bars)


def save_clusters(annotations: Annotations, folder: Path, *, clusters: Clusters) -> str:
    """Width and height of the boxes in the colours of their clusters; the CSV has the boxes that are shown."""
    made, (ax,) = figure(1, panel_height=4.2)
    draw_clusters(annotations, ax, clusters=clusters)
    points, _ = layout.cluster_points(annotations, clusters)
    shown = layout.thinned(points)
    columns = [*points[shown].T.tolist(), (clusters.assignment[shown] + 1).tolist(), clusters.rows[shown].tolist()]
    return save_plot(made, folder, "clusters", ["width", "height", "cluster", "row"], zip(*columns, strict=True))


def save_anchors(anchors: Anchors, folder: Path) -> str:
    """Width and height of the boxes at the input size, with the anchors to scale; the CSV has the anchors."""
    made, (ax,) = figure(1, panel_height=4.2)
    draw_anchors(anchors, ax)
    columns = [range(1, len(anchors) + 1), *anchors.sizes.T.tolist(), anchors.counts.tolist()]
    return save_plot(made, folder, "anchors", ["anchor", "width", "height", "boxes"], zip(*columns, strict=True))


def save_labels(annotations: Annotations, folder: Path) -> str:
    """How many boxes each label has; the CSV has all labels."""
    bars = max(1, len(layout.label_bars(annotations)))
    made, (ax,) = figure(1, panel_height=0.5 + 0.26 * bars)
    draw_labels(annotations, ax)
    return save_plot(made, folder, "labels", ["label", "boxes"], annotations.label_counts().items())


def save_positions(annotations: Annotations, folder: Path) -> str:
    """Where in their pictures the centres of boxes lie; the CSV has the cells."""
    made, (ax,) = figure(1, panel_height=3.6)
    cells = draw_positions(annotations, ax)
    return save_plot(made, folder, "positions", ["left", "top", "right", "bottom", "boxes"], cells)


def draw_elbow(clusters: Clusters, ax: Axes) -> None:
    """Inertia over the number of clusters; the elbow has a ring, and all elbows that other ranges give are shaded."""
    ks = [point.k for point in clusters.curve]
    costs = [point.inertia for point in clusters.curve]
    suggested, used = clusters.elbow.suggested_k, clusters.k
    _k_axis(clusters, ax, named=True)
    ax.plot(ks, costs, "o-", color=BLUE, lw=1.6, markersize=4)
    told = f"ring: elbow at {suggested}"
    ring = {"markersize": 11, "markerfacecolor": "none", "color": INK, "markeredgewidth": 1.2, "clip_on": False}
    ax.plot(suggested, costs[suggested - 1], "o", **ring)
    if used != suggested:
        ax.plot(used, costs[used - 1], "s", **ring)
        told += f"; square: {used}, which was asked for"
    what = "1 − IoU" if clusters.distance == "iou" else "squared distances"
    ax.set_ylim(bottom=0)
    ax.set_ylabel(f"sum of {what}", color=INK, fontsize=NORMAL)
    put_title(ax, f"Cost by number of clusters ({told})", pad=18.0)


def draw_silhouettes(clusters: Clusters, ax: Axes) -> None:
    """Mean silhouette over the number of clusters: 1 where clusters lie far apart, 0 where they touch."""
    points = [(point.k, point.silhouette) for point in clusters.curve if point.silhouette is not None]
    _k_axis(clusters, ax)
    if not points:
        say_instead(ax, "no number of clusters has a silhouette")
        return
    ax.plot(*zip(*points, strict=True), "s--", color=VERMILLION, lw=1.4, markersize=4)
    ax.set_ylabel("silhouette", color=INK, fontsize=NORMAL)
    best, value = max(points, key=lambda pair: (pair[1], -pair[0]))
    put_title(ax, f"Mean silhouette (highest {value:.2f} at {best})")


def draw_gains(clusters: Clusters, ax: Axes) -> None:
    """How much each further centre adds to the mean overlap of a box with its best centre."""
    points = [(point.k, point.gain) for point in clusters.curve if point.gain is not None]
    _k_axis(clusters, ax)
    if not points:
        say_instead(ax, "there is no overlap to gain")
        return
    ks, gains = zip(*points, strict=True)
    ax.bar(ks, gains, width=0.7, color=GREEN, edgecolor=INK, linewidth=0.4)
    ax.set_ylabel("gain in mean IoU", color=INK, fontsize=NORMAL)
    chosen = clusters.curve[clusters.k - 1].mean_iou
    put_title(ax, f"What one more centre adds (mean IoU {chosen:.3f} with {clusters.k})" if chosen else "Gain")


def draw_ratios(annotations: Annotations, ax: Axes, *, clusters: Clusters) -> list[list[float]]:
    """Histogram of width over height, with centres and borders if the clusters are by ratio; returns the bars."""
    dress(ax)
    edges, layers = layout.ratio_bars(annotations, clusters)
    by_ratio = layout.is_by_ratio(clusters)
    bottom = np.zeros(len(edges) - 1)
    for i, heights in enumerate(layers):
        style = {"color": to_rgba(COLOURS[i % len(COLOURS)], 0.75), "edgecolor": INK, "linewidth": 0.3}
        ax.bar(edges[:-1], heights, width=np.diff(edges), bottom=bottom, align="edge", **style)
        bottom = bottom + heights
    _ratio_axis(ax, float(edges[0]), float(edges[-1]))
    ax.set_ylim(0, 1.08 * float(bottom.max()))  # below the marks on the upper edge
    ax.set_ylabel("boxes", color=INK, fontsize=NORMAL)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    name_x(ax, "width : height" + ("; dashed: borders of clusters" if by_ratio and len(clusters.centers) > 1 else ""))
    title = f"Shapes of {counted(clusters.boxes, 'box', 'boxes')}"
    if by_ratio:
        _mark_centers(clusters, ax)
        put_title(ax, f"{title} in {counted(len(clusters.centers), 'cluster')} (above: centres)", pad=34.0)
    else:
        put_title(ax, title)
    return np.column_stack([edges[:-1], edges[1:], bottom]).tolist()


def draw_clusters(annotations: Annotations, ax: Axes, *, clusters: Clusters) -> None:
    """Width and height of boxes in their clusters' colours and markers.

    Centres of ratios are lines through the corner, those of sizes rectangles to scale.
    """
    points, unit = layout.cluster_points(annotations, clusters)
    names = layout.center_names(clusters)
    width, height, note = _scatter(points, clusters.assignment, ax, names=names, title="cluster")
    if layout.is_by_ratio(clusters):
        for i, center in enumerate(layout.ratio_centers(clusters)):
            end = min(width, center * height)
            ax.plot([0, end], [0, end / center], color=COLOURS[i % len(COLOURS)], lw=1.6)
            _mark(ax, i, end, end / center)
        put_title(ax, "Widths and heights (lines: centres of the ratios)")
    else:
        _rectangles(clusters.centers, ax)
        put_title(ax, "Widths and heights (rectangles: centres, to scale)")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_ylabel(f"height ({unit})", color=INK, fontsize=NORMAL)
    name_x(ax, f"width ({unit}){note}")


def draw_anchors(anchors: Anchors, ax: Axes) -> None:
    """Width and height of boxes at the input size, and the anchors as rectangles to scale from a common corner."""
    names = layout.anchor_names(anchors)
    *_, note = _scatter(anchors.points, anchors.assignment, ax, names=names, title="anchor, px", also=anchors.sizes)
    _rectangles(anchors.sizes, ax)
    width, height = anchors.input_size
    put_title(ax, f"{counted(len(anchors), 'anchor')} to scale (mean IoU {anchors.mean_iou:.3f})")
    ax.set_ylabel("height (px)", color=INK, fontsize=NORMAL)
    name_x(ax, f"width (px at {width} × {height}){note}")


def draw_labels(annotations: Annotations, ax: Axes) -> None:
    """Boxes of each label as bars with their numbers, commonest first."""
    dress(ax)
    bars = layout.label_bars(annotations)
    if not bars:
        say_instead(ax, "there are no boxes, and so no labels")
        return
    total = max(1, annotations.num_boxes())
    most = max(n for _, n in bars)
    places = np.arange(len(bars))
    ax.barh(places, [n for _, n in bars], height=0.7, color=BLUE)
    for place, (_, n) in zip(places, bars, strict=True):
        text = f"{n:,} ({100 * n / total:.1f}%)"
        ax.annotate(text, (n, place), xytext=(4, 0), textcoords="offset points", va="center", color=INK, fontsize=SMALL)
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xlim(0, 1.3 * most)
    ax.set_yticks(places, [name for name, _ in bars], parse_math=False, fontsize=NORMAL)
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    labels = sum(n > 0 for n in annotations.label_counts().values())
    put_title(ax, f"{counted(total, 'box', 'boxes')} of {counted(labels, 'label')}")
    name_x(ax, "boxes")


def draw_positions(annotations: Annotations, ax: Axes) -> list[list[float]]:
    """Heat map of the centres of boxes over the relative picture; returns its cells.

    Pictures without a known size have no part in it.
    """
    dress(ax)
    points = layout.relative_centers(annotations)
    put_title(ax, "Where in the picture the boxes lie")
    if not len(points):
        say_instead(ax, UNKNOWN_SIZES if len(annotations) else "there are no boxes")
        return []
    edges, counts = layout.position_cells(points)
    starts = layout.level_starts(int(counts.max()))
    colours, norm = _shades(starts)
    ax.grid(visible=False)
    mesh = ax.pcolormesh(edges, edges, counts, cmap=colours, norm=norm, linewidth=0)
    ax.set(xlim=(0, 1), ylim=(1, 0))
    ax.set_aspect(layout.usual_shape(annotations))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    bar = ax.get_figure(root=True).colorbar(mesh, ax=ax, fraction=0.05)  # pyright: ignore[reportOptionalMemberAccess]
    bar.set_ticks([(a + b - 1) / 2 for a, b in pairwise(starts)], labels=layout.level_names(starts))
    bar.ax.tick_params(colors=INK, labelsize=SMALL, length=0)
    bar.set_label("centres in a cell", color=INK, fontsize=NORMAL)
    bar.outline.set(edgecolor=INK, alpha=0.6)  # pyright: ignore[reportCallIssue]
    ax.set_ylabel("from the top", color=INK, fontsize=NORMAL)
    left = len(annotations) - len(points)
    name_x(ax, "from the left" + (f" ({counted(left, 'region')} left out)" if left else ""))
    corners = np.stack(np.meshgrid(edges[:-1], edges[:-1]), axis=-1).reshape(-1, 2)
    return np.column_stack([corners, corners + edges[1], counts.ravel()]).round(9).tolist()


def photographs(
    annotations: Annotations, pictures: PictureFolder, *, most: int = MOST_PICTURES
) -> tuple[tuple[str, bytes], ...]:
    """Pictures with their boxes in the colours and with the names of their labels, each as (caption, JPEG).

    Half of them are those with the most regions, the others the first of the file. Boxes are drawn on the picture as
    it is seen, turned as its EXIF says. Pictures that are missing or damaged are passed over.
    """
    files = files_of(annotations, pictures)
    inks = [(int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)) for colour in COLOURS]
    return tuple(pictures_with_boxes(annotations, files, colours=inks, font=_font(), most=most))


def contact_sheets(
    annotations: Annotations, pictures: PictureFolder, *, most: int = MOST_SHEETS
) -> tuple[tuple[str, bytes], ...]:
    """All boxes of a label cut out side by side, so that wrong ones jump out, each sheet as (caption, JPEG).

    The commonest labels come first, at most `most`. A sheet has at most 60 boxes, taken evenly through the file where
    there are more; below each stand the end of its file's name and its region.
    """
    return tuple(sheets_of_labels(annotations, files_of(annotations, pictures), font=_font(), most=most))


def _font() -> Path:
    """DejaVu Sans, which matplotlib brings along."""
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def _k_axis(clusters: Clusters, ax: Axes, *, named: bool = False) -> None:
    dress(ax)
    last = clusters.curve[-1].k
    ax.set_xlim(0.4, last + 0.6)
    ax.xaxis.set_major_locator(MaxNLocator(20, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    name_x(ax, "number of clusters")
    low, high = clusters.elbow.suggested_range
    ax.axvspan(low - 0.4, high + 0.4, color=INK, alpha=0.09, linewidth=0)
    if named:
        text = f"elbows {low} to {high}" if high > low else f"elbow {low}" if clusters.elbow.by_range else "no elbow"
        place = ax.get_xaxis_transform()
        ax.text(low - 0.4, 1.02, text, transform=place, ha="left", color=INK, fontsize=SMALL)


def _ratio_axis(ax: Axes, low: float, high: float) -> None:
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(FixedLocator(layout.ratio_ticks(low, high)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: layout.ratio_words(ratio)))


def _mark_centers(clusters: Clusters, ax: Axes) -> None:
    """Centres as marks on the upper edge, named above it and moved apart where the names would overlap."""
    for border in layout.ratio_borders(clusters):
        ax.axvline(border, color=INK, ls="--", lw=0.9)
    centers = layout.ratio_centers(clusters)
    few = len(centers) <= 6
    to_fraction = ax.transData + ax.transAxes.inverted()
    places = [float(to_fraction.transform((center, 0))[0]) for center in centers]
    letters = 10 if few else 5
    width, height = frame_points(ax)
    gap = 0.62 * SMALL * letters / width
    for i, (place, moved) in enumerate(zip(places, layout.spread(places, gap=gap), strict=True)):
        ax.plot([place, moved], [1, 1 + 9 / height], transform=ax.transAxes, color=INK, lw=0.8, clip_on=False)
        _mark(ax, i, centers[i], ax.get_ylim()[1])
        text = f"{centers[i]:.3g}" + (f"\n{counted(int(clusters.counts[i]), 'box', 'boxes')}" if few else "")
        at = {"transform": ax.transAxes, "ha": "center", "va": "bottom", "linespacing": 1.1}
        ax.text(moved, 1 + 10 / height, text, color=INK, fontsize=SMALL, **at)


def _scatter(
    points: np.ndarray,
    assignment: np.ndarray,
    ax: Axes,
    *,
    names: list[str],
    title: str,
    also: np.ndarray | None = None,
) -> tuple[float, float, str]:
    """Dots in the colours of their groups, to scale, with a legend beside them.

    Returns where the axes end, and what a reader has to know about dots that are not there.
    """
    dress(ax)
    shown = layout.thinned(points)
    width, height = layout.frame(points, also=also)
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_aspect("equal")
    handles = []
    for i in range(len(names)):
        own = points[shown[assignment[shown] == i]]
        look: dict[str, Any] = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "ls": ""}
        ax.plot(own[:, 0], own[:, 1], markersize=3.2, alpha=0.55, markeredgewidth=0, **look)
        handles.append(Line2D([], [], markersize=5, **look))
    beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    small = {"fontsize": SMALL if len(names) <= 12 else 0.8 * SMALL, "title_fontsize": SMALL}
    legend = ax.legend(handles, names, title=title, frameon=False, labelcolor=INK, **small, **beside)
    legend.get_title().set_color(INK)
    return width, height, layout.shown_note(points, shown=len(shown), width=width, height=height)


def _rectangles(sizes: np.ndarray, ax: Axes) -> None:
    for i, (width, height) in enumerate(sizes.tolist()):
        edge = {"edgecolor": COLOURS[i % len(COLOURS)], "facecolor": "none", "linewidth": 1.6}
        ax.add_patch(Rectangle((0, 0), width, height, **edge))
        _mark(ax, i, width, height)


def _mark(ax: Axes, i: int, x: float, y: float) -> None:
    """The marker of a group where its centre is, with an edge, so that it stands out from its dots."""
    edge = {"markeredgecolor": INK, "markeredgewidth": 0.8, "clip_on": False, "zorder": 4}
    ax.plot(x, y, MARKERS[i % len(MARKERS)], color=COLOURS[i % len(COLOURS)], markersize=6, **edge)


def _shades(starts: list[int]) -> tuple[ListedColormap, BoundaryNorm]:
    """From nothing to blue, so that an empty cell shows the paper, light or dark."""
    shades = [to_rgba(BLUE, alpha) for alpha in np.linspace(0, 1, len(starts) - 1)]
    return ListedColormap(shades), BoundaryNorm([start - 0.5 for start in starts], len(shades))
