"""Figures of clusters and anchors: how many, of which shapes, of which sizes.

They are drawn and saved as `glauke.boxes.plots` says. Clusters are told apart by marker and name as well as by colour.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator, PercentFormatter
from matplotlib.transforms import ScaledTranslation

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

from .. import _figure_layout as layout
from .._annotations import Annotations
from .._wording import counted
from ._anchors import Anchors
from ._cluster import Clusters

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE)
MARKERS = "os^Dv<>"  # as many markers as are not a multiple of the colours: 35 different pairs
_FEW_DOTS = 50
_SCATTER_WIDTH = 4.7  # inches that the legend leaves


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
    points, _ = layout.cluster_points(annotations, clusters)
    made, (ax,) = figure(1, panel_height=_scatter_height(points, rows=len(clusters.centers)))
    draw_clusters(annotations, ax, clusters=clusters)
    shown = layout.thinned(points, clusters.assignment)
    columns = [*points[shown].T.tolist(), (clusters.assignment[shown] + 1).tolist(), clusters.rows[shown].tolist()]
    return save_plot(made, folder, "clusters", ["width", "height", "cluster", "row"], zip(*columns, strict=True))


def save_anchors(anchors: Anchors, folder: Path) -> str:
    """Width and height of the boxes at the input size, with the anchors to scale; the CSV has the anchors."""
    made, (ax,) = figure(1, panel_height=_scatter_height(anchors.points, rows=len(anchors), also=anchors.sizes))
    draw_anchors(anchors, ax)
    columns = [range(1, len(anchors) + 1), *anchors.sizes.T.tolist(), anchors.counts.tolist()]
    return save_plot(made, folder, "anchors", ["anchor", "width", "height", "boxes"], zip(*columns, strict=True))


def draw_elbow(clusters: Clusters, ax: Axes) -> None:
    """Inertia over the number of clusters; the elbow has a ring, and all elbows that other ranges give are shaded."""
    ks = [point.k for point in clusters.curve]
    costs = [point.inertia for point in clusters.curve]
    suggested, used = clusters.elbow.suggested_k, clusters.k
    _k_axis(clusters, ax, named=True)
    if len(ks) == 1:
        say_instead(ax, "all boxes have the same value, so there is one cluster and no curve")
        put_title(ax, "Cost by number of clusters")
        return
    ax.plot(ks, costs, "o-", color=BLUE, lw=1.6, markersize=4)
    told = f"ring: elbow at {suggested}" if clusters.elbow.by_range else f"no elbow; ring: {suggested}, which is used"
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
    dashed = "; dashed: borders of clusters" if by_ratio and len(clusters.centers) > 1 else ""
    name_x(ax, f"width / height{dashed}")
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
            ax.plot([0, end], [0, end / center], color=COLOURS[i % len(COLOURS)], lw=1.6, zorder=1.9)
            _mark(ax, i, end, end / center, outside=(1, 0) if end == width else (0, 1))
        put_title(ax, "Widths and heights (lines: centres of width / height)", pad=14.0)
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


def _k_axis(clusters: Clusters, ax: Axes, *, named: bool = False) -> None:
    dress(ax)
    last = clusters.curve[-1].k
    ax.set_xlim(0.4, last + 0.6)
    every = range(1, last + 1)  # as far as there is room for their names
    some = MaxNLocator(20, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    ax.xaxis.set_major_locator(FixedLocator(every) if last <= 20 else some)
    name_x(ax, "number of clusters")
    low, high = clusters.elbow.suggested_range
    if not clusters.elbow.by_range:
        return
    ax.axvspan(low - 0.4, high + 0.4, color=INK, alpha=0.09, linewidth=0)
    if named:
        text = f"elbows {low} to {high}" if high > low else f"elbow {low}"
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
        text = layout.ratio_words(centers[i]) + (f"\n{counted(int(clusters.counts[i]), 'box', 'boxes')}" if few else "")
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
    shown = layout.thinned(points, assignment)
    width, height = layout.frame(points, also=also)
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_aspect("equal", anchor="NW")
    handles = []
    names = list(names)
    look_of_dots: dict[str, Any] = {"alpha": 0.55, "markeredgewidth": 0, "markersize": 3.2}
    if len(shown) <= _FEW_DOTS:  # they would be lost among lines
        look_of_dots = {"alpha": 0.9, "markeredgewidth": 0.5, "markeredgecolor": INK, "markersize": 5}
    for i in range(len(names)):
        own = points[shown[assignment[shown] == i]]
        if len(own) and (own > (width, height)).any(axis=1).all():
            names[i] += ", outside"
        look: dict[str, Any] = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "ls": ""}
        ax.plot(own[:, 0], own[:, 1], **look_of_dots, **look)
        handles.append(Line2D([], [], markersize=5, **look))
    beside = {"loc": "upper left", "bbox_to_anchor": (1.04, 1.0), "borderaxespad": 0.0}
    small = {"fontsize": SMALL if len(names) <= 12 else 0.8 * SMALL, "title_fontsize": SMALL}
    legend = ax.legend(handles, names, title=title, frameon=False, labelcolor=INK, **small, **beside)
    legend.get_title().set_color(INK)
    return width, height, layout.shown_note(points, shown=len(shown), width=width, height=height)


def _scatter_height(points: np.ndarray, *, rows: int, also: np.ndarray | None = None) -> float:
    """Inches of a panel that holds the scatter to scale and its legend, without empty bands above and below."""
    width, height = layout.frame(points, also=also)
    return min(4.2, max(_SCATTER_WIDTH * height / width + 0.5, 0.17 * rows + 0.4))


def _rectangles(sizes: np.ndarray, ax: Axes) -> None:
    for i, (width, height) in enumerate(sizes.tolist()):
        edge = {"edgecolor": COLOURS[i % len(COLOURS)], "facecolor": "none", "linewidth": 1.6}
        ax.add_patch(Rectangle((0, 0), width, height, **edge))
        _mark(ax, i, width, height)


def _mark(ax: Axes, i: int, x: float, y: float, *, outside: tuple[int, int] = (0, 0)) -> None:
    """The marker of a group where its centre is, with an edge, so that it stands out from its dots.

    `outside` moves it beyond the frame, right or up, where no dot can be.
    """
    edge = {"markeredgecolor": INK, "markeredgewidth": 0.8, "clip_on": False, "zorder": 4}
    if any(outside):
        right, up = (7 / 72 * side for side in outside)
        inches = ax.get_figure(root=True).dpi_scale_trans  # pyright: ignore[reportOptionalMemberAccess]
        edge["transform"] = ax.transData + ScaledTranslation(right, up, inches)
    ax.plot(x, y, MARKERS[i % len(MARKERS)], color=COLOURS[i % len(COLOURS)], markersize=6, **edge)
