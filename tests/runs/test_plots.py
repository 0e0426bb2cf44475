"""Figures of several runs: complete for one run and for twenty, tidy, told apart without colour, equal bytes."""

import itertools
import math
from dataclasses import replace

import pytest
from figures_seen import assert_tidy, texts
from matplotlib.figure import Figure

from glauke import plots as house
from glauke.files import read_csv
from glauke.pages import inline_svg
from glauke.runs import Compared, PairedTest, beside, compare, plots, read


def compared(make_run, count: int) -> list[Compared]:
    return list(beside([read(make_run(f"run-{i}")) for i in range(count)]))


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that are saved."""
    seen: list[Figure] = []

    def keep(figure, *arguments):
        seen.append(figure)
        return house.save_plot(figure, *arguments)

    monkeypatch.setattr(plots, "save_plot", keep)
    return seen


@pytest.mark.parametrize("count", [1, 3, 20])
@pytest.mark.parametrize("over", ["epoch", "seconds"])
def test_scalars(make_run, tmp_path, drawn, count, over):
    svg = plots.save_scalars(compared(make_run, count), tmp_path / "plots", over=over, mean=True)

    name = "scalars" if over == "epoch" else "scalars_over_time"
    (figure,) = drawn
    assert_tidy(figure)
    said = texts(figure)
    assert {"Held-out accuracy", "Training accuracy", "Held-out loss", "Training loss", "run-0  50.00%"} <= set(said)
    assert ("mean of 3" in said) == (count == 3) and ("and 8 more" in said) == (count == 20)
    header, rows = read_csv(tmp_path / "plots" / f"{name}.csv")
    assert header[:3] == ["run", "seconds", "epoch"] and len(rows) == 3 * count
    assert rows[2][:3] == ["run-0", "30.0", "3"]
    assert (tmp_path / "plots" / f"{name}.png").stat().st_size > 0
    inline_svg(svg, name=name, title=name)


def test_no_two_of_35_runs_look_the_same_without_colour_or_with(make_run):
    styles = [plots._style(place, 3) for place in range(35)]

    assert len({(style["color"], style["marker"]) for style in styles}) == 35
    assert all(a["marker"] != b["marker"] and a["ls"] != b["ls"] for a, b in itertools.pairwise(styles))


def test_the_mean_ends_where_the_first_run_ends(make_run, tmp_path, drawn):
    longer, shorter = compared(make_run, 2)
    plots.save_scalars([longer, replace(shorter, rows=shorter.rows[:2])], tmp_path, mean=True)

    mean = drawn[0].axes[0].lines[-1]
    assert mean.get_xdata().tolist() == [1, 2] and mean.get_ydata().tolist() == pytest.approx([0.19, 0.38])


def test_a_mean_of_one_shared_epoch_can_be_seen(make_run, tmp_path, drawn):
    longer, shorter = compared(make_run, 2)
    plots.save_scalars([longer, replace(shorter, rows=shorter.rows[:1])], tmp_path, mean=True)

    mean = drawn[0].axes[0].lines[-1]
    assert len(mean.get_xdata()) == 1 and mean.get_marker() == "D"


def test_a_run_that_has_not_measured_anything(make_run, tmp_path, drawn):
    (run,) = compared(make_run, 1)
    plots.save_scalars([replace(run, rows=())], tmp_path)

    assert texts(drawn[0]).count("nothing measured yet") == 4


def test_gaps_and_explosions(make_run, tmp_path, drawn):
    (run,) = compared(make_run, 1)
    first, second, third = run.rows
    rows = (replace(first, val_loss=None, val_accuracy=None), replace(second, val_loss=4e5, train_loss=math.nan), third)
    plots.save_scalars([replace(run, rows=rows)], tmp_path)

    held_out, training = drawn[0].axes[2:]
    assert held_out.get_yscale() == training.get_yscale() == "log"
    assert [len(ax.lines[0].get_xdata()) for ax in (held_out, training)] == [2, 2]


def test_a_programs_own_metrics_have_panels_too(make_run, tmp_path, drawn):
    (run,) = compared(make_run, 1)
    rows = tuple(replace(row, extra={"val_mean_iou": 0.1 * row.epoch}) for row in run.rows)
    plots.save_scalars([replace(run, rows=rows)], tmp_path)

    assert {"Held-out mean iou", "Training mean iou"} <= set(texts(drawn[0]))
    header, _ = read_csv(tmp_path / "scalars.csv")
    assert header[-2:] == ["val_mean_iou", "train_mean_iou"]


def test_names_are_no_formulas_and_all_are_named(make_run, tmp_path, drawn):
    places = [make_run(name) for name in ("_hidden", "a$b$c", "x" * 60)]
    plots.save_scalars(beside([read(place) for place in places]), tmp_path)
    plots.save_differences(compare(places).tests, tmp_path)

    for figure in drawn:
        assert_tidy(figure)
    assert {" _hidden  50.00%", "a$b$c  50.00%"} <= set(texts(drawn[0]))


def test_differences(make_run, tmp_path, drawn):
    found = compare([make_run("a", "1" * 10 + "0" * 10), make_run("b", "1" * 20), make_run("c", "1" * 11 + "0" * 9)])
    plots.save_differences(found.tests, tmp_path)

    (figure,) = drawn
    assert_tidy(figure)
    assert {"b", "c", "+50.00, p = 0.002", "+5.00, p = 0.500"} <= set(texts(figure))
    _, rows = read_csv(tmp_path / "differences.csv")
    assert [row[0] for row in rows] == ["b", "c"] and float(rows[0][1]) == 0.5
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2][1:]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]  # shown, not shown


def test_equal_figures_are_equal_bytes(make_run, tmp_path):
    runs = compared(make_run, 2)
    tests: tuple[PairedTest, ...] = compare([run.record.folder for run in runs]).tests

    for name in ("one", "two"):
        plots.save_scalars(runs, tmp_path / name)
        plots.save_differences(tests, tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
