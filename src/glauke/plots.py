"""How every figure of glauke looks and is written; what it shows, the rooms' own `plots.py` know.

Nothing here touches pyplot, so there is no window and no global state. Lines are in those of Okabe and Ito's colours
("Color Universal Design", 2008) that stand out 3:1 on white and on black alike, and never told apart by colour alone.
The SVG is transparent and draws its ink in `currentColor`, so it follows a page into the dark; the PNG is on white.
"""

import io
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glauke.files import write_bytes, write_csv

BLUE, VERMILLION, GREEN, PURPLE, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"
INK = "#1b1d21"  # in the SVG this very colour becomes currentColor
WIDTH = 7.0  # inches; 9 points on it are 12 pixels where the figure is shown 700 pixels wide
SMALL, NORMAL = 8.0, 9.0  # points
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
    with (
        matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": f"glauke-{name}"}),
        warnings.catch_warnings(),
    ):
        # A name in letters that the PNG's font lacks; the SVG has them as text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    text = _themed(svg.getvalue().decode("utf-8"))
    write_bytes(folder / f"{name}.svg", text.encode("utf-8"))
    write_bytes(folder / f"{name}.png", png.getvalue())
    write_csv(folder / f"{name}.csv", header, rows)
    return text


def dress(ax: Axes) -> None:
    """Give axes the looks of the house: two spines, a faint grid, ink that follows the theme."""
    ax.set_facecolor("none")
    ax.spines[["top", "right"]].set_visible(False)
    for spine in ax.spines.values():
        spine.set(color=INK, alpha=0.6)
    ax.tick_params(colors=INK, labelsize=SMALL, length=3)
    ax.tick_params(which="minor", color=INK, length=2)
    ax.grid(color=INK, alpha=0.13, linewidth=0.6)
    ax.set_axisbelow(True)


def put_title(ax: Axes, text: str, *, pad: float = 6.0) -> None:
    """A title above the left corner."""
    ax.set_title(text, loc="left", fontsize=NORMAL, fontweight="bold", color=INK, pad=pad)


def name_x(ax: Axes, text: str) -> None:
    """Only under the lowest of panels that stand on each other."""
    place = ax.get_subplotspec()
    if place is None or place.is_last_row():
        ax.set_xlabel(text, color=INK, fontsize=NORMAL)


def frame_points(ax: Axes) -> tuple[float, float]:
    """Width and height of the frame in points, before the layout moves it a little."""
    box = ax.get_window_extent()
    dpi = ax.get_figure(root=True).dpi  # pyright: ignore[reportOptionalMemberAccess]
    return float(box.width * 72 / dpi), float(box.height * 72 / dpi)


def say_instead(ax: Axes, text: str) -> None:
    """Say in the middle of an empty frame why it is empty."""
    ax.set(xticks=[], yticks=[])
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=INK, fontsize=NORMAL)


def percent(value: float, _position: object) -> str:
    """Write a fraction on an axis as percent; what matplotlib calls for each tick."""
    return f"{100 * value:.4g}%"


def _themed(svg: str) -> str:
    """The SVG with its ink in the colour of the text around it, and two themes for where it stands alone."""
    start = svg.index("<svg")
    end = svg.index(">", start) + 1
    return svg[:end] + THEME + svg[end:].replace(INK, "currentColor")
