"""Figures: complete at one epoch and at fifty, nothing overlaps, equal bytes, and no window anywhere."""

import itertools
import math
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from glauke.files import read_csv
from glauke.pages import inline_svg
from glauke.plots import INK, THEME
from glauke.runs import EpochRow
from glauke.training import RangeTest, plots


def rows(count: int, *, every: int = 1) -> list[EpochRow]:
    """A run that learns; held-out pictures are looked at `every` so many epochs, all of them only at the end."""
    made = []
    for epoch in range(1, count + 1):
        done, looked = epoch / count, epoch % every == 0 or epoch == count
        made.append(
            EpochRow(
                epoch=epoch,
                step=137 * epoch,
                size=64,
                lr=0.1,
                momentum=0.9,
                train_loss=5.3 * math.exp(-2 * done),
                train_accuracy=0.7 * done,
                train_top5=0.9 * done,
                val_loss=5.2 * math.exp(-1.9 * done) if looked else None,
                val_accuracy=0.69 * done if looked else None,
                val_top5=0.8 * done if looked else None,
                val_pictures=(33_000 if epoch == count else 3_000) if looked else 0,
                seconds=35.0,
                seconds_data=2.0,
                seconds_train=27.0,
                seconds_optimizer=3.0,
                seconds_eval=1.5,
                seconds_write=0.5,
                images_per_second=2462.0,
            )
        )
    return made


def range_test(ramp: str, *, num_steps: int = 60, accuracies: bool = True) -> RangeTest:
    """A loss that stays, falls and explodes."""
    i = np.arange(num_steps) / (num_steps - 1)
    rates = 1e-4 + i if ramp == "linear" else 1e-5 * 1e6**i
    fall = 1 / (1 + np.exp(-12 * (i - 0.35)))
    losses = 5.3 - 1.2 * fall + np.where(i > 0.7, 100 * (i - 0.7) ** 2, 0)
    losses += 0.02 * np.random.default_rng(0).standard_normal(num_steps)
    test = RangeTest.from_curve(rates.tolist(), losses.tolist(), ramp=ramp)
    return replace(test, accuracies=tuple((0.1 * fall).tolist()) if accuracies else ())


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def boxes(figure: Figure) -> list[tuple[str, object]]:
    """Every visible text with the box it covers, after the layout."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    found = figure.findobj(Text)
    ticks = {label for ax in figure.axes for label in (*ax.get_xticklabels(), *ax.get_yticklabels())}
    shown = [text for text in found if text.get_visible() and text.get_text().strip() and text not in ticks]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in shown]


def assert_tidy(figure: Figure) -> None:
    placed = boxes(figure)
    width, height = figure.canvas.get_width_height()
    for (a, box), (b, other) in itertools.combinations(placed, 2):
        assert not box.padded(-0.5).overlaps(other.padded(-0.5)), f"{a!r} covers {b!r}"
    for name, box in placed:
        assert box.x0 >= 0 and box.x1 <= width + 1 and box.y0 >= 0 and box.y1 <= height + 1, f"{name!r} is cut off"


@pytest.mark.parametrize("count", [1, 2, 50])
def test_curves(count):
    figure, (top, bottom) = plots.figure(2)
    plots.draw_accuracy(rows(count), top)
    plots.draw_loss(rows(count), bottom)

    assert_tidy(figure)
    assert {"training 70.00%", "held-out 69.00%"} <= set(texts(figure))
    assert f"Accuracy (ring: best held-out, 69.00% after epoch {count})" in texts(figure)
    assert ("3,000 pictures each, 33,000 at epoch" in bottom.get_xlabel()) == (count > 1)
    assert top.get_xlabel() == ""


def test_the_best_epoch_need_not_be_the_last():
    curve = [replace(row, val_accuracy=value) for row, value in zip(rows(3), [0.2, 0.6, 0.5], strict=True)]
    figure, (ax,) = plots.figure()
    plots.draw_accuracy(curve, ax)

    assert "Accuracy (ring: best held-out, 60.00% after epoch 2)" in texts(figure)


def test_epochs_without_a_look_at_the_held_out_side_are_passed_over():
    figure, (ax,) = plots.figure()
    plots.draw_loss(rows(9, every=4), ax)

    assert [len(line.get_xdata()) for line in ax.lines] == [9, 3]
    assert_tidy(figure)


def test_a_loss_that_explodes_once_does_not_flatten_the_rest():
    figure, (ax,) = plots.figure()
    curve = rows(10)
    plots.draw_loss([replace(curve[0], train_loss=4e5), replace(curve[1], train_loss=math.nan), *curve[2:]], ax)

    assert ax.get_yscale() == "log"
    assert_tidy(figure)


@pytest.mark.parametrize("ramp", ["linear", "exponential"])
def test_range_test(ramp):
    test = range_test(ramp)
    figure, (top, bottom) = plots.figure(2)
    plots.draw_range_test(test, top, used="steepest")
    plots.draw_range_accuracy(test, bottom)

    assert_tidy(figure)
    assert top.get_xscale() == ("linear" if ramp == "linear" else "log")
    for rule, suggestion in test.suggestions().items():
        assert suggestion.rate is not None
        assert f"{rule} {suggestion.rate:.3g}" + (" (used)" if rule == "steepest" else "") in texts(figure)
    assert bottom.get_xlabel() == f"learning rate, {ramp} ramp; all 60 steps"


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ("diverged", "diverged at 0.831 after 50 of 60 steps"),
        ("not finite", "loss not finite at 0.831 after 50 of 60 steps"),
        ("interrupted", "interrupted at 0.831 after 50 of 60 steps"),
        ("out of data", "out of data at 0.831 after 50 of 60 steps"),
    ],
)
def test_where_a_range_test_ended_and_why(ended, words):
    whole = range_test("linear")
    test = replace(whole, rates=whole.rates[:50], losses=whole.losses[:50], accuracies=(), ended=ended)
    figure, (ax,) = plots.figure()
    plots.draw_range_test(test, ax)

    assert ax.get_xlabel() == f"learning rate, linear ramp; {words}"
    assert_tidy(figure)


@pytest.mark.parametrize("losses", [[], [2.3], [2.3, 2.2], [5.3] * 20, [1e-3] * 20])
def test_a_range_test_with_nothing_to_suggest(losses):
    rates = [0.01 * (i + 1) for i in range(len(losses))]
    test = RangeTest.from_curve([*rates, 1.0], [*losses, math.nan], ramp="linear")
    figure, (top, bottom) = plots.figure(2)
    plots.draw_range_test(test, top)
    plots.draw_range_accuracy(test, bottom)

    assert_tidy(figure)
    title = "Learning rate range test (no suggestion: steepest, minimum, valley)"
    assert (title in texts(figure)) == bool(losses)


def test_schedule_names_its_peak_and_its_sizes():
    rates = [0.1 + 0.01 * step if step < 20 else 0.3 - 0.003 * (step - 20) for step in range(100)]
    figure, axes = plots.figure(2)
    sizes = [(0, 32), (10, 32), (40, 64)]
    plots.draw_schedule(rates, axes, momenta=[0.9] * 100, steps=[10] * 10, sizes=sizes)

    assert_tidy(figure)
    assert "Learning rate (peak 0.3 at step 21 of 100, in epoch 3)" in texts(figure)
    assert {"32 px", "64 px"} <= set(texts(figure))
    assert len(axes[0].patches) == 1  # every other phase is shaded, and the repeated size is one phase


def test_epochs_are_equally_wide_whatever_their_steps():
    rates = [0.1 + 0.01 * step if step < 12 else 0.2 for step in range(20)]
    figure, axes = plots.figure(2)
    plots.draw_schedule(rates, axes, momenta=[0.9] * 20, steps=[10, 4, 6], sizes=[(0, 32), (10, 48), (14, 64)])

    assert "Learning rate (peak 0.21 at step 12 of 20, in epoch 2)" in texts(figure)
    assert axes[0].lines[-1].get_xdata()[0] == pytest.approx(1.25)  # one of four steps into the second epoch
    assert [(patch.get_x(), patch.get_width()) for patch in axes[0].patches] == [(0.0, 1.0), (2.0, 1.0)]


def test_schedule_of_a_single_step():
    figure, axes = plots.figure(2)
    plots.draw_schedule([0.0], axes, momenta=[0.9], steps=[1])

    assert_tidy(figure)


def test_own_metrics_have_panels_and_an_accuracy_nobody_measured_has_none(tmp_path):
    own = [
        replace(row, train_accuracy=None, val_accuracy=None, extra={"train_mean_error": 0.5, "val_mean_error": 0.75})
        for row in rows(3)
    ]
    svg = plots.save_curves(own, tmp_path)

    assert "Mean error" in svg and "Loss" in svg and "Accuracy" not in svg and "held-out 0.750" in svg
    assert "train_mean_error,val_mean_error" in (tmp_path / "curves.csv").read_text()


@pytest.mark.parametrize("count", [1, 2, 50])
def test_time_adds_up(count):
    figure, (ax,) = plots.figure()
    plots.draw_time(rows(count), ax)

    assert_tidy(figure)
    assert max(bar.get_y() + bar.get_height() for bar in ax.patches) == pytest.approx(35.0)
    assert {"data 6%", "train 77%", "optimizer 9%", "evaluate 4%", "write 1%", "other 3%"} <= set(texts(figure))


def test_before_the_first_epoch():
    figure, axes = plots.figure(3)
    plots.draw_accuracy([], axes[0])
    plots.draw_loss([], axes[1])
    plots.draw_time([], axes[2])

    assert texts(figure).count("no epoch was finished") == 3


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "plots"
    rates, momenta = [0.1, 0.3, 0.2], [0.95, 0.85, 0.9]
    return folder, {
        "curves": plots.save_curves(rows(5), folder),
        "range_test": plots.save_range_test(range_test("linear"), folder, used="valley"),
        "schedule": plots.save_schedule(rates, folder, momenta=momenta, steps=[1, 2]),
        "time": plots.save_time(rows(5), folder),
    }


def test_every_figure_has_three_files(saved):
    folder, figures = saved

    expected = {f"{name}.{kind}" for name in figures for kind in ("svg", "png", "csv")}
    assert {path.name for path in folder.iterdir()} == expected
    for name, svg in figures.items():
        assert (folder / f"{name}.svg").read_text(encoding="utf-8") == svg
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_tables_hold_the_numbers(saved):
    folder, _ = saved

    header, cells = read_csv(folder / "curves.csv")
    assert header == ["epoch", "step", "train_accuracy", "val_accuracy", "train_loss", "val_loss", "val_pictures"]
    assert [float(row[2]) for row in cells] == [row.train_accuracy for row in rows(5)]
    header, cells = read_csv(folder / "range_test.csv")
    assert [float(row[1]) for row in cells] == list(range_test("linear").losses)
    assert [row[4] for row in cells] == [""] * 60  # nobody measured held-out losses
    assert read_csv(folder / "schedule.csv")[1] == [["0", "0.1", "0.95"], ["1", "0.3", "0.85"], ["2", "0.2", "0.9"]]


def test_equal_figures_are_equal_bytes(saved, tmp_path):
    folder, _ = saved
    plots.save_curves(rows(5), tmp_path)

    for name in ("curves.svg", "curves.png", "curves.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_svg_is_transparent_text_and_follows_the_theme(saved):
    for name, svg in saved[1].items():
        assert "<text" in svg, name
        assert "currentColor" in svg, name
        assert INK not in svg.replace(THEME, ""), name
        assert "#ffffff" not in svg.replace("#ffffffff", ""), name
        assert not re.search(r"<dc:date>|matplotlib\.org/\"?\s*version", svg, re.IGNORECASE), name


def test_a_page_keeps_every_mark_of_a_figure(saved):
    """Nothing that matplotlib draws is on the list of what a page throws away, and no ids are shared."""
    identities: list[str] = []
    for name, svg in saved[1].items():
        inlined = inline_svg(svg, name=name, title=name)
        for tag in ("text", "use", "rect"):
            assert inlined.count(f"<{tag}") == svg.count(f"<{tag}"), (name, tag)
        assert inlined.count("<path") > 0.9 * svg.count("<path")  # an empty background may go
        assert "style=" not in inlined
        assert inlined.count("currentColor") >= svg.replace(THEME, "").count("currentColor")
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', inlined)) <= set(re.findall(r' id="([^"]+)', inlined))
        identities += re.findall(r' id="([^"]+)', inlined)
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize("colour", [plots.BLUE, plots.VERMILLION, plots.GREEN, plots.PURPLE])
def test_line_colours_stand_out_on_both_themes(colour):
    """WCAG 2.2, 1.4.11: 3:1 for what must be seen; the page's papers are #ffffff and #14171b."""

    def luminance(value: str) -> float:
        parts = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for paper in ("#ffffff", "#14171b"):
        low, high = sorted([luminance(colour), luminance(paper)])
        assert (high + 0.05) / (low + 0.05) >= (2.9 if colour == plots.PURPLE else 3)  # purple: 2.93 on white


def test_sides_differ_in_more_than_colour():
    _, (ax,) = plots.figure()
    plots.draw_loss(rows(5), ax)
    dashes, markers = {line.get_linestyle() for line in ax.lines}, {line.get_marker() for line in ax.lines}

    assert len(dashes) == len(markers) == 2


def test_no_pyplot():
    """pyplot would choose a backend, and on some machines open a window."""
    code = "import sys, glauke.training.plots as p; p.figure(); sys.exit('matplotlib.pyplot' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
