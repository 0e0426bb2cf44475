"""Figures of boxes: which labels, where in the picture, how many clusters, of which shapes and sizes.

`draw_x(value, ax)` draws one panel on axes of yours; `save_x(value, folder)` makes the whole figure, writes `x.svg`,
`x.png` and `x.csv`, and returns the SVG. No text of a file is taken for a formula.
"""

from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgba
from matplotlib.ticker import FixedLocator, MaxNLocator, PercentFormatter

from glauke.plots import BLUE, INK, NORMAL, SMALL, dress, figure, name_x, put_title, save_plot, say_instead

from . import _figure_layout as layout
from ._annotations import Annotations
from ._photographs import MOST_PICTURES, MOST_SHEETS, files_of, pictures_with_boxes, sheets_of_labels
from ._pictures import PictureFolder
from ._wording import counted
from .clustering.plots import COLOURS
from .clustering.plots import draw_anchors as draw_anchors
from .clustering.plots import draw_clusters as draw_clusters
from .clustering.plots import draw_elbow as draw_elbow
from .clustering.plots import draw_gains as draw_gains
from .clustering.plots import draw_ratios as draw_ratios
from .clustering.plots import draw_silhouettes as draw_silhouettes
from .clustering.plots import save_anchors as save_anchors
from .clustering.plots import save_clusters as save_clusters
from .clustering.plots import save_elbow as save_elbow
from .clustering.plots import save_ratios as save_ratios

UNKNOWN_SIZES = "the sizes of the pictures are not known:\nname their folder with --images, or a CSV with --sizes"


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


def _shades(starts: list[int]) -> tuple[ListedColormap, BoundaryNorm]:
    """From nothing to blue, so that an empty cell shows the paper, light or dark."""
    shades = [to_rgba(BLUE, alpha) for alpha in np.linspace(0, 1, len(starts) - 1)]
    return ListedColormap(shades), BoundaryNorm([start - 0.5 for start in starts], len(shades))
