"""What the tests of every room's figures look for in them."""

import itertools

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text


def texts(figure: Figure) -> list[str]:
    """All text of a figure."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def assert_tidy(figure: Figure) -> None:
    """No text covers another one, and none is cut off at the edge."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ticks = {label for ax in figure.axes for label in (*ax.get_xticklabels(), *ax.get_yticklabels())}
    shown = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and t not in ticks]
    placed = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in shown]
    width, height = canvas.get_width_height()
    for (a, box), (b, other) in itertools.combinations(placed, 2):
        assert not box.padded(-0.5).overlaps(other.padded(-0.5)), f"{a!r} covers {b!r}"
    for name, box in placed:
        assert box.x0 >= 0 and box.x1 <= width + 1 and box.y0 >= 0 and box.y1 <= height + 1, f"{name!r} is cut off"
