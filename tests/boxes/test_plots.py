"""Figures of boxes: whole for any file, nothing overlaps, equal bytes, and a label is never more than a label."""

import io
import itertools
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from glauke.boxes import Annotations, anchors, cluster, picture_folder, plots
from glauke.boxes._figure_layout import MAX_POINTS, level_names, level_starts, ratio_ticks, spread
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


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def assert_tidy(figure: Figure) -> None:
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
    assert {"1:4", "1:2", "1:1", "2:1", "4:1"} <= {label.get_text() for label in ax.get_xticklabels()}


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
    assert f"{MAX_POINTS:,} of 3,000 shown; 1 larger outside" in ax.get_xlabel()
    assert sum(len(line.get_xdata()) for line in ax.lines[:3]) == MAX_POINTS
    assert_tidy(made)


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


RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A picture that is stored lying on its side, one that is upright, and one that is damaged."""
    upright = Image.new("RGB", (120, 200), "white")
    upright.paste(RED, (10, 120, 50, 160))
    turned = upright.transpose(Image.Transpose.ROTATE_90)  # to be turned back by 90 degrees clockwise: orientation 6
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    plain = Image.new("RGB", (100, 80), "white")
    plain.paste(BLUE, (20, 20, 60, 60))
    plain.save(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])
    return tmp_path


def in_pictures(boxes: list[tuple[int, float, float, float, float, int]]) -> Annotations:
    """Rows of (picture, x, y, width, height, label) in a.jpg, b.png, c.png and one that is missing."""
    rows = np.array(boxes, np.float64)
    names = ("a.jpg", "b.png", "c.png", "missing.png")
    return made(
        rows[:, 3:5],
        names=names,
        keys=names,
        byte_sizes=np.full(4, -1),
        widths=np.array([120, 100, 100, 100]),
        heights=np.array([200, 80, 80, 80]),
        image=rows[:, 0].astype(np.int64),
        boxes_xywh=rows[:, 1:5],
        label=rows[:, 5].astype(np.int32),
        labels=("hardhat", "$\\vest <b>"),
    )


def opened(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).astype(int)


BOXES = [
    (0, 10, 120, 40, 40, 0),
    (1, 20, 20, 40, 40, 1),
    (1, -1e12, -50, 3e12, 1e9, -1),
    (1, 500, 500, 10, 10, 1),
    (2, 1, 1, 9, 9, 0),
    (3, 1, 1, 9, 9, 0),
]


def test_boxes_are_drawn_on_pictures_as_they_are_seen(folder):
    photographs = plots.photographs(in_pictures(BOXES), picture_folder(folder))

    assert [caption for caption, _ in photographs] == [
        "b.png: 3 regions, $\\vest <b> (2), (no label) (1).",
        "a.jpg: 1 region, hardhat (1).",
    ]
    turned = opened(photographs[1][1])
    assert turned.shape == (200, 120, 3)
    assert np.abs(turned[150, 30] - RED).max() < 30  # still red inside
    assert np.abs(turned[135, 10] - (0, 0x72, 0xB2)).max() < 60  # and outlined


def test_the_fullest_and_the_first_pictures_are_shown(tmp_path):
    for i in range(12):
        Image.new("RGB", (40, 30)).save(tmp_path / f"{i:02d}.png")
    names = tuple(f"{i:02d}.png" for i in range(12))
    image = np.array([*range(12), 9, 9, 11, 11, 11, 10])
    annotations = made(
        [[5, 5]] * len(image), names=names, keys=names, image=image, byte_sizes=np.full(12, -1),
        widths=np.full(12, 40), heights=np.full(12, 30),
    )  # fmt: skip
    captions = [caption[:2] for caption, _ in plots.photographs(annotations, picture_folder(tmp_path))]

    assert captions == ["11", "09", "10", "00", "01", "02"]


def test_a_contact_sheet_has_the_crops_of_its_label(folder):
    (first, sheet), (second, other) = plots.contact_sheets(in_pictures(BOXES), picture_folder(folder))

    assert (first, second) == ("hardhat: 1 of 3 boxes.", "$\\vest <b>: 1 of 2 boxes.")
    assert np.abs(opened(sheet)[80, 80] - RED).max() < 40
    assert np.abs(opened(other)[80, 80] - BLUE).max() < 40
    assert opened(sheet).shape == opened(other).shape  # as wide as one of many, so that crops are of one scale


def test_a_sheet_of_too_many_takes_them_through_the_file(folder):
    annotations = in_pictures([(1, 20 + i % 9, 20, 30, 30, 0) for i in range(200)])
    ((caption, sheet),) = plots.contact_sheets(annotations, picture_folder(folder))

    assert caption == "hardhat: 60 of 200 boxes, evenly through the file."
    assert len(sheet) < 500_000


def test_without_a_picture_there_is_nothing_to_show(tmp_path):
    (tmp_path / "other.png").write_bytes(b"no picture")

    assert plots.photographs(in_pictures(BOXES), picture_folder(tmp_path)) == ()
    assert plots.contact_sheets(in_pictures(BOXES), picture_folder(tmp_path)) == ()
