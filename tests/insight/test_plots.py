"""Figures of predictions: whole for any number of classes, nothing overlaps or is cut off, and the tables are exact."""

import base64
import io
import itertools
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from figures_seen import assert_tidy, texts
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from glauke.files import read_csv
from glauke.insight import Predictions, calibration, confusion, per_class, plots
from glauke.insight._figure_layout import SHARES, group_label, groups, level_names, levels, readable_labels
from glauke.pages import inline_svg
from glauke.plots import figure

HOSTILE = ("$x^{", "_hidden", "安全帽", "a\x1b\u202e<b>&\n", "שלום", "name " * 20, " ", "\udce9")


def made(num_classes: int, *, each: int = 6, sureness: float = 3.0, names: tuple[str, ...] = ()) -> Predictions:
    """Pictures of classes that are taken for their neighbours in fours."""
    rng = np.random.default_rng(num_classes)
    labels = np.repeat(np.arange(num_classes), each)
    like = (labels // 4)[:, None] == np.arange(num_classes)[None] // 4
    logits = rng.normal(size=(len(labels), num_classes)) + sureness * np.eye(num_classes)[labels] + 2.0 * like
    return Predictions(
        logits=logits.astype(np.float32),
        labels=labels,
        samples=np.arange(len(labels)),
        names=tuple(f"{i}.png" for i in range(len(labels))),
        classes=tuple(f"n{i:03}" for i in range(num_classes)),
        readable=tuple(names[i % len(names)] if names else f"class {i}" for i in range(num_classes)),
    )


def save_all(said: Predictions, folder) -> dict[str, str]:
    return {
        "confusion": plots.save_confusion(confusion(said), folder),
        "per_class": plots.save_per_class(per_class(said), folder),
        "calibration": plots.save_calibration(calibration(said), folder),
    }


def drawn(said: Predictions) -> list[Figure]:
    """The three figures, as `save_x` draws them, without being written."""
    figures: list[Figure] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "save_plot", lambda figure, *_: figures.append(figure) or "")
        save_all(said, Path())
    return figures


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots")
    return folder, save_all(made(40), folder)


def test_every_figure_is_three_files_and_fits_into_a_page(saved):
    folder, svgs = saved
    for name, svg in svgs.items():
        inlined = inline_svg(svg, name=name, title=name)
        assert {p.suffix for p in folder.glob(f"{name}.*")} == {".svg", ".png", ".csv"}
        for tag in ("text", "use", "rect", "image"):
            assert inlined.count(f"<{tag}") == svg.count(f"<{tag}"), (name, tag)
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', inlined)) <= set(re.findall(r' id="([^"]+)', inlined))


def test_the_matrix_is_one_pixel_a_cell(saved):
    """As a picture of 40 by 40, which a page enlarges; not 1,600 shapes."""
    (pixels,) = re.findall(r"data:image/png;base64,\s*([^\"]+)", saved[1]["confusion"])
    picture = Image.open(io.BytesIO(base64.b64decode(pixels)))

    assert picture.size == (40, 40)
    counted = confusion(made(40))
    order = counted.order()
    shown = np.asarray(picture)[:, :, 3] > 0
    assert np.array_equal(shown, counted.matrix[np.ix_(order, order)] > 0)


def test_equal_predictions_give_equal_bytes(tmp_path, saved):
    assert save_all(made(40), tmp_path) == saved[1]
    assert (tmp_path / "confusion.png").read_bytes() == (saved[0] / "confusion.png").read_bytes()


def test_tables_hold_the_numbers(saved):
    folder, said = saved[0], made(40)
    header, rows = read_csv(folder / "confusion.csv")
    assert header == ["label", *said.classes]
    assert [[int(cell) for cell in row[1:]] for row in rows] == confusion(said).matrix.tolist()

    header, rows = read_csv(folder / "per_class.csv")
    scores = per_class(said)
    assert [(row[0], row[1], float(row[6])) for row in rows] == [(s.id, s.name, s.recall) for s in scores]

    header, rows = read_csv(folder / "calibration.csv")
    found = calibration(said)
    of_halves = [(float(row[0]), float(row[1])) for row in rows]
    assert of_halves == [(1.0, 1.0)] * 15 + [pytest.approx(found.fold_temperatures)] * 15
    assert [int(row[4]) for row in rows] == [*found.counts.tolist(), *found.scaled.counts.tolist()]
    assert all((row[5] == "") == (row[4] == "0") for row in rows)


@pytest.mark.parametrize("num_classes", [2, 10, 16, 31, 120])
def test_nothing_overlaps_and_nothing_is_cut_off(num_classes):
    for each in drawn(made(num_classes, names=("European fire salamander", "cat", "German short-haired pointer"))):
        assert_tidy(each)


@pytest.mark.parametrize("num_classes", [2, 8, 33])
def test_a_network_without_mistakes(num_classes):
    for each in drawn(made(num_classes, sureness=50.0)):
        assert_tidy(each)


def test_cells_have_their_numbers_where_there_is_room():
    said = made(4, each=500)
    made_figure, (ax,) = figure()
    plots.draw_confusion(confusion(said), ax)

    counts = sorted(f"{count:,}" for count in confusion(said).matrix.flat if count)
    assert sorted(text.get_text() for text in ax.texts) == counts
    assert {f"class {i}" for i in range(4)} <= set(texts(made_figure))


def test_of_many_classes_the_groups_are_named():
    _, (ax,) = figure(panel_height=4.9)
    plots.draw_confusion(confusion(made(40, each=30, sureness=1.0)), ax)

    assert len(ax.patches) == 10  # a frame for each four
    assert all(re.fullmatch(r"class \d+, class \d+( \+\d+)?", text.get_text()) for text in ax.texts)
    assert ax.texts


def test_a_class_without_pictures_is_no_failure():
    said = made(5)
    few = Predictions(
        logits=said.logits[:12], labels=said.labels[:12], samples=said.samples[:12], names=said.names[:12],
        classes=said.classes, readable=said.readable,
    )  # fmt: skip
    assert "2 classes: mean recall" in " ".join(texts(drawn(few)[1]))


def test_bins_of_few_pictures_are_hollow():
    found = calibration(made(10))
    _, (ax,) = figure()
    plots.draw_calibration(found, ax)

    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    few = [(r.counts > 0) & (r.counts < plots.FEW) for r in (found, found.scaled)]
    assert sum(len(line.get_xdata()) for line in hollow) == sum(int(each.sum()) for each in few) > 0


@pytest.mark.parametrize("num_classes", [8, 32])
def test_a_name_is_never_a_formula_and_breaks_nothing(tmp_path, num_classes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svgs = save_all(made(num_classes, names=HOSTILE), tmp_path)

    for name, svg in svgs.items():
        inline_svg(svg, name=name, title=name)
    if num_classes == 8:
        assert "安全帽" in svgs["confusion"] and "$x^{" in svgs["per_class"]


def test_groups_by_hand():
    """Two pairs that are taken for each other, and one class that stands alone."""
    counts = np.array([[6, 4, 0, 0, 0], [3, 7, 0, 0, 0], [0, 0, 9, 0, 1], [0, 0, 0, 5, 5], [0, 0, 0, 4, 6]])
    found = groups(counts, smallest=2)

    assert [(group.first, group.last) for group in found] == [(0, 1), (3, 4)]
    assert group_label(found[0], ["cat", "tabby", "car", "dog", "wolf"]) == "cat, tabby"
    assert groups(np.diag([5, 5, 5])) == ()


@given(st.integers(1, 12), st.integers(0, 1000))
def test_groups_lie_side_by_side(count, seed):
    found = groups(np.random.default_rng(seed).integers(0, 5, (count, count)), smallest=2)

    assert all(b.first > a.last for a, b in itertools.pairwise(found))
    assert all(sorted(group.named) == list(range(group.first, group.last + 1)) for group in found)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9)), max_size=20), st.floats(0.01, 0.5))
def test_labels_that_stand_have_room_and_the_weightiest_stands(labels, gap):
    places, weights = [place for place, _ in labels], [weight for _, weight in labels]
    kept = readable_labels(places, weights, gap=gap)

    assert all(abs(places[a] - places[b]) >= gap for a, b in itertools.combinations(kept, 2))
    assert not labels or max(weights) in [weights[i] for i in kept]


def test_shades_go_by_the_share_of_the_row():
    shades = levels(np.array([[1000, 1, 6], [0, 4, 1], [0, 0, 0]]))

    assert shades.tolist() == [[8, 1, 2], [0, 8, 7], [0, 0, 0]]
    assert len(level_names()) == len(SHARES) == 8
    assert level_names()[0] == "<0.5" and level_names()[-1] == "50–100"


def test_a_heat_map_is_lightest_where_the_map_is_highest():
    picture = np.full((8, 8, 3), 128, np.uint8)
    heat = np.zeros((8, 8), np.float32)
    heat[:, 4:] = 1
    shown = plots.heat_map(picture, heat).astype(int).sum(axis=2)

    assert shown[:, 7].min() > shown[:, 0].max() + 200
    assert plots.heat_map(picture[:, :, :1], heat[:2, :2]).shape == (8, 8, 3)
