"""Figures of boxes: whole for any file, nothing overlaps, equal bytes, and a label is never more than a label."""

import itertools
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from figures_seen import assert_tidy, texts
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from glauke.boxes import Annotations, anchors, cluster, plots
from glauke.boxes._figure_layout import (
    LEAST_POINTS,
    MAX_POINTS,
    level_names,
    level_starts,
    ratio_ticks,
    spread,
    thinned,
)
from glauke.files import read_csv
from glauke.pages import inline_svg
from glauke.plots import figure

HOSTILE = ("$x^{", "_hidden", "安全帽", "a\x1b\u202e<b>&\n", "שלום", "label " * 20, " ", "\udce9")


def made(sides, *, labels=("hardhat", "vest", "mask"), size=(640, 480), **changes) -> Annotations:
    """Boxes of given widths and heights, one after another in two pictures of one size, labels in turn."""
    sides = np.array(sides, np.float64).reshape(-1, 2)
    count = len(sides)
    corners = np.stack([np.arange(count) * 7.0 % 300, np.arange(count) * 11.0 % 200], axis=1)
    value = Annotations(
        kind="via2-region",
        path=Path("boxes.json"),
        names=("0.png", "1.png"),
        keys=("0.png-1", "1.png-1"),
        byte_sizes=np.full(2, -1),
        widths=np.full(2, size[0]),
        heights=np.full(2, size[1]),
        image=np.arange(count) % 2,
        region=np.arange(count) // 2,
        boxes_xywh=np.concatenate([corners, sides], axis=1),
        shape=np.zeros(count, np.int8),
        label=(np.arange(count) % max(1, len(labels))).astype(np.int32) if labels else np.full(count, -1, np.int32),
        labels=tuple(labels),
        class_attribute="class",
    )
    return replace(value, **changes)


def many(count: int = 300, **changes) -> Annotations:
    return made(np.exp(np.random.default_rng(0).normal(4, 0.5, (count, 2))), **changes)


def rows_of(path: Path) -> list[dict[str, str]]:
    header, rows = read_csv(path)
    return [dict(zip(header, row, strict=True)) for row in rows]


def save_all(annotations: Annotations, folder: Path) -> dict[str, str]:
    clusters = cluster(annotations)
    return {
        "elbow": plots.save_elbow(clusters, folder),
        "ratios": plots.save_ratios(annotations, folder, clusters=clusters),
        "clusters": plots.save_clusters(annotations, folder, clusters=clusters),
        "anchors": plots.save_anchors(anchors(annotations), folder),
        "labels": plots.save_labels(annotations, folder),
        "positions": plots.save_positions(annotations, folder),
    }


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("plots")
    return folder, save_all(many(), folder)


def test_every_figure_is_three_files_and_fits_into_a_page(saved):
    folder, svgs = saved
    for name, svg in svgs.items():
        inlined = inline_svg(svg, name=name, title=name)
        assert {p.suffix for p in folder.glob(f"{name}.*")} == {".svg", ".png", ".csv"}
        assert "<image" not in svg  # a page leaves pictures within figures out
        for tag in ("text", "use", "rect"):
            assert inlined.count(f"<{tag}") == svg.count(f"<{tag}"), (name, tag)
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', inlined)) <= set(re.findall(r' id="([^"]+)', inlined))


def test_equal_boxes_give_equal_bytes(tmp_path, saved):
    assert plots.save_anchors(anchors(many()), tmp_path) == saved[1]["anchors"]
    assert (tmp_path / "anchors.png").read_bytes() == (saved[0] / "anchors.png").read_bytes()


def test_tables_hold_the_numbers(saved):
    folder, _ = saved
    tables = {name: rows_of(folder / f"{name}.csv") for name in saved[1]}

    assert len(tables["elbow"]) == 20
    assert len(tables["clusters"]) == 300
    assert [float(row["width"]) for row in tables["anchors"]] == anchors(many()).sizes[:, 0].tolist()
    assert [(row["label"], row["boxes"]) for row in tables["labels"]] == [
        (n, "100") for n in ("hardhat", "vest", "mask")
    ]
    for name in ("ratios", "positions"):
        assert sum(float(row["boxes"]) for row in tables[name]) == 300


def test_the_elbow_is_marked_with_its_interval():
    clusters = cluster(many(60), feature="relative-size", distance="iou", k=7, max_k=9)
    made, (top, middle, bottom) = figure(3)
    plots.draw_elbow(clusters, top)
    plots.draw_silhouettes(clusters, middle)
    plots.draw_gains(clusters, bottom)

    low, high = clusters.elbow.suggested_range
    assert f"elbows {low} to {high}" in texts(made)
    assert [line.get_xdata()[0] for line in top.lines[1:]] == [clusters.elbow.suggested_k, 7]
    assert any("square: 7, which was asked for" in text for text in texts(made))
    assert len(bottom.patches) == 9  # 8 bars and the shade
    assert_tidy(made)


@pytest.mark.parametrize("k", [1, 6, 20])
def test_names_of_centres_do_not_overlap(k):
    annotations = many()
    made, (ax,) = figure(panel_height=3.0)
    plots.draw_ratios(annotations, ax, clusters=cluster(annotations, k=k))

    assert_tidy(made)


def test_logarithms_are_shown_as_ratios():
    annotations = made([[10, 40]] * 5 + [[40, 10]] * 5 + [[9, 9]] * 3)
    found, (ax,) = figure(panel_height=3.0)
    plots.draw_ratios(annotations, ax, clusters=cluster(annotations, feature="log-aspect-ratio", k=3))

    assert {"0.25\n5 boxes", "1\n3 boxes", "4\n5 boxes"} <= set(texts(found))
    found.canvas.draw()
    assert {"0.25", "0.5", "1", "2", "4"} <= {label.get_text() for label in ax.get_xticklabels()}


@pytest.mark.parametrize("labels", [HOSTILE, ()])
def test_a_label_is_never_a_formula_and_breaks_nothing(tmp_path, labels):
    annotations = many(64, labels=labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = plots.save_labels(annotations, tmp_path)

    inlined = inline_svg(svg, name="labels", title="labels")
    assert ("$x^{" in inlined) == bool(labels)
    assert ("安全帽" in inlined) == bool(labels)
    assert ("(no label)" in inlined) == (not labels)


def test_many_labels_become_one_bar(tmp_path):
    svg = plots.save_labels(many(100, labels=tuple(f"label {i}" for i in range(50))), tmp_path)

    assert "(20 more labels)" in svg
    assert len(rows_of(tmp_path / "labels.csv")) == 50


@pytest.mark.parametrize(
    "sides",
    [
        [[30, 20]],
        [[30, 20]] * 9,
        [[1e-6, 1e3], [1e3, 1e-6], [5, 5]],
        [[100, 101], [101, 100], [100, 100]],
        [[600, 1]] * 5 + [[550, 2]] * 5,
    ],
)
def test_odd_boxes_are_drawn_too(sides):
    annotations = made(sides)
    drawn = Figure(dpi=40)
    axes = iter(drawn.subplots(3, 3).flat)
    for feature, distance in (("aspect-ratio", "euclidean"), ("relative-size", "iou")):
        clusters = cluster(annotations, feature=feature, distance=distance, max_k=6)
        plots.draw_elbow(clusters, next(axes))
        plots.draw_ratios(annotations, next(axes), clusters=clusters)
        plots.draw_clusters(annotations, next(axes), clusters=clusters)
    plots.draw_silhouettes(clusters, next(axes))
    plots.draw_gains(clusters, next(axes))
    plots.draw_anchors(anchors(annotations, count=1), next(axes))

    FigureCanvasAgg(drawn).draw()  # without a warning


def test_a_few_giants_do_not_squeeze_the_others(tmp_path):
    annotations = many(3000, size=(90_000, 90_000))
    annotations.boxes_xywh[7, 2:] = 80_000
    made, (ax,) = figure(panel_height=4.2)
    plots.draw_clusters(annotations, ax, clusters=cluster(annotations, k=3))

    assert ax.get_xlim()[1] < 1000
    shown = sum(len(line.get_xdata()) for line in ax.lines[:3])
    assert MAX_POINTS - 3 < shown <= MAX_POINTS
    assert f"{shown:,} of 3,000 shown; 1 larger outside" in ax.get_xlabel()
    assert_tidy(made)


def test_every_number_of_clusters_has_its_tick():
    _, (ax,) = figure()
    plots.draw_elbow(cluster(many()), ax)
    ax.figure.canvas.draw()

    assert [label.get_text() for label in ax.get_xticklabels()] == [str(k) for k in range(1, 21)]


@pytest.mark.parametrize(("sides", "said"), [([[30, 20]], "one cluster"), ([[30, 20], [20, 30]], "no elbow; ring: 2")])
def test_a_curve_too_short_for_an_elbow_shows_none(sides, said):
    made_figure, (ax,) = figure()
    plots.draw_elbow(cluster(made(sides)), ax)

    assert any(said in text for text in texts(made_figure))
    assert not any(text.startswith("elbow") or "ring: elbow" in text for text in texts(made_figure))


def test_a_small_cluster_keeps_its_dots():
    assignment = np.repeat([0, 1, 2], [9_900, 95, 5])
    kept = thinned(np.ones((10_000, 2)), assignment)

    assert np.bincount(assignment[kept]).tolist() == [1485, LEAST_POINTS, 5]
    assert (np.diff(kept) > 0).all()


def test_a_cluster_beyond_the_frame_is_told_in_the_legend():
    sides = [[20 + i % 5, 40] for i in range(400)] + [[900, 100]] * 2
    annotations = made(sides)
    found, (ax,) = figure(panel_height=4.2)
    plots.draw_clusters(annotations, ax, clusters=cluster(annotations, k=2))

    assert "9 (2 boxes), outside" in texts(found)
    assert "2 larger outside" in ax.get_xlabel()


def test_marks_of_lines_stand_where_no_dot_can_be():
    annotations = many()
    made_figure, (ax,) = figure(panel_height=4.2)
    plots.draw_clusters(annotations, ax, clusters=cluster(annotations, k=3))
    FigureCanvasAgg(made_figure).draw()

    frame = ax.get_window_extent()
    marks = [line for line in ax.lines if len(line.get_xdata()) == 1]
    places = [line.get_transform().transform((line.get_xdata()[0], line.get_ydata()[0])) for line in marks]
    assert len(marks) == 3
    assert all(x > frame.x1 + 3 or y > frame.y1 + 3 for x, y in places)


@pytest.mark.parametrize("wide", [1, 4, 40])
def test_a_flat_scatter_has_no_empty_bands(tmp_path, wide):
    plots.save_anchors(anchors(made([[w * wide, h] for w in (20, 30) for h in (20, 31)]), count=2), tmp_path)

    picture = np.asarray(Image.open(tmp_path / "anchors.png").convert("L"))
    inked = np.flatnonzero((picture < 250).any(axis=1))
    assert np.diff(inked).max() < 70  # pixels of 1/150 inch
    assert inked[0] < 40 and len(picture) - inked[-1] < 80


def test_anchors_are_rectangles_to_scale():
    found = anchors(many(), count=5)
    made, (ax,) = figure(panel_height=4.2)
    plots.draw_anchors(found, ax)

    drawn = [(patch.get_width(), patch.get_height()) for patch in ax.patches]
    assert np.allclose(drawn, found.sizes)
    assert ax.get_aspect() == 1
    assert_tidy(made)


def test_a_count_table_has_shapes_and_no_positions(tmp_path):
    annotations = made([[10, 40], [40, 10], [9, 9]], kind="table", weight=np.array([5, 7, 0]))
    clusters = cluster(annotations, k=2)
    plots.save_ratios(annotations, tmp_path, clusters=clusters)

    assert sum(float(row["boxes"]) for row in rows_of(tmp_path / "ratios.csv")) == 12
    assert "the sizes of the pictures are not known" in plots.save_positions(annotations, tmp_path)


def test_positions_count_each_box_where_its_centre_is():
    annotations = made([[64, 48]] * 4)
    annotations.boxes_xywh[:, :2] = [[0, 0], [576, 0], [0, 432], [700, 500]]  # the last one is outside
    _, (ax,) = figure()
    cells = plots.draw_positions(annotations, ax)

    assert [cell[:2] for cell in cells if cell[4]] == [[0, 0], [0.875, 0], [0, 0.875], [0.875, 0.875]]


@given(st.lists(st.floats(0, 1), max_size=30).map(sorted), st.floats(0.01, 0.5))
def test_names_are_spread_within_the_frame_in_their_order(places, gap):
    moved = spread(places, gap=gap)
    room = min(gap, 1 / max(1, len(places) - 1))

    assert len(moved) == len(places)
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in moved)
    assert all(b - a >= room - 1e-6 for a, b in itertools.pairwise(moved))


@given(st.floats(-9, 9), st.floats(0.2, 20))
def test_an_axis_has_a_few_ticks(low, octaves):
    ends = 2**low, 2 ** (low + octaves)
    ticks = ratio_ticks(*ends)

    assert 1 <= len(ticks) <= 10
    assert all(ends[0] * 0.999 <= tick <= ends[1] * 1.001 for tick in ticks)


@given(st.integers(0, 100_000))
def test_levels_cover_every_count(most):
    starts = level_starts(most)

    assert starts[0] == 0 and starts[-1] == most + 1
    assert starts == sorted(set(starts))
    assert len(level_names(starts)) == len(starts) - 1 <= 9
