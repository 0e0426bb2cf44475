"""Labels that never cover one another, and what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glauke.training._figure_layout import apart, changes, loss_limits, rows_above, thinned, time_unit

FRACTIONS = st.floats(0, 1, allow_subnormal=False)


@given(st.lists(FRACTIONS, max_size=6), st.floats(0.01, 0.2))
def test_labels_are_apart_and_in_order(places, gap):
    moved = apart(places, gap=gap)

    for i, a in enumerate(places):
        for j, b in enumerate(places):
            if i != j:
                assert abs(moved[i] - moved[j]) >= gap - 1e-9
            if a < b:
                assert moved[i] < moved[j]


def test_labels_with_room_stay_where_they_are():
    assert apart([0.9, 0.1, 0.5], gap=0.2) == [0.9, 0.1, 0.5]


def test_three_that_meet_share_the_move():
    assert apart([0.5, 0.5, 0.5], gap=0.1) == pytest.approx([0.4, 0.5, 0.6])


@given(st.lists(FRACTIONS, max_size=5).map(sorted), st.floats(0.05, 0.3))
def test_no_label_lies_on_a_line_or_on_a_label(places, width):
    """A line at `x` reaches up to its own row; a label spans from its line to one side."""
    rows = rows_above(places, [width] * len(places))
    spans = [(x, x + width) if right else (x - width, x) for x, (_, right) in zip(places, rows, strict=True)]

    for i, (low, high) in enumerate(spans):
        for j, x in enumerate(places):
            if i == j:
                continue
            if rows[j][0] > rows[i][0]:
                assert not low < x < high
            if rows[j][0] == rows[i][0]:
                assert high <= spans[j][0] or spans[j][1] <= low


@given(st.lists(st.floats(0.3, 0.7), min_size=1, max_size=4).map(sorted))
def test_labels_stay_inside_a_frame_that_has_room(places):
    rows = rows_above(places, [0.29] * len(places))

    assert all((x + 0.29 <= 1) if right else (x - 0.29 >= 0) for x, (_, right) in zip(places, rows, strict=True))


def test_lines_at_one_place_point_both_ways():
    assert rows_above([0.5, 0.5], [0.2, 0.2]) == [(0, True), (0, False)]


def test_limits_show_the_fall_and_let_the_explosion_leave():
    smoothed = np.array([5.0, 5.0, 4.5, 4.0, 4.0, 50.0])
    low, high = loss_limits(smoothed, smoothed)

    assert 3.5 < low < 4.0
    assert 5.0 < high < 6.0


@pytest.mark.parametrize("value", [5.3, 0.0, -1.0])
def test_limits_of_a_flat_curve_are_apart(value):
    flat = np.full(10, value)
    low, high = loss_limits(flat, flat)

    assert low < value < high


def test_limits_without_a_number():
    assert loss_limits(np.array([np.nan]), np.array([np.nan])) == (0.0, 1.0)


def test_thinning_keeps_ends_and_peak():
    kept = thinned(35_000, also=1_234)

    assert {0, 1_234, 34_999} <= set(kept.tolist())
    assert 1_000 < len(kept) <= 1_501
    assert thinned(3, also=1).tolist() == [0, 1, 2]
    assert thinned(1, also=0).tolist() == [0]


def test_sizes_that_come_back_are_phases_of_their_own():
    assert changes([(0, 32), (5, 32), (10, 64), (20, 32)]) == [(0, 32), (10, 64), (20, 32)]
    assert changes([]) == []


@pytest.mark.parametrize(("seconds", "unit"), [(20, "seconds"), (600, "minutes"), (20_000, "hours")])
def test_long_epochs_are_told_in_larger_units(seconds, unit):
    assert time_unit(float(seconds))[1] == unit
