import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glauke.boxes._annotations import SHAPES
from glauke.boxes.formats._shapes import enclosing_box, rect_problem, shape_problem

RECT = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}
TRIANGLE = {"all_points_x": [5, 15, 9], "all_points_y": [5, 7, 25]}


def named(shape):
    code, box = enclosing_box(shape)
    return SHAPES[code], box


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (RECT, ("rect", (1, 2, 3, 4))),
        (RECT | {"x": -2, "width": 0}, ("rect", (-2, 2, 0, 4))),
        (RECT | {"x": 0.5, "height": 1.25}, ("rect", (0.5, 2, 3, 1.25))),
        (RECT | {"name": " Rectangle"}, ("rect", (1, 2, 3, 4))),
        ({"name": "circle", "cx": 10, "cy": 20, "r": 2.5}, ("circle", (7.5, 17.5, 5, 5))),
        ({"name": "point", "cx": 10, "cy": 20}, ("point", (10, 20, 0, 0))),
        ({"name": "ellipse", "cx": 10, "cy": 20, "rx": 3, "ry": 4}, ("ellipse", (7, 16, 6, 8))),
        ({"name": "polygon"} | TRIANGLE, ("polygon", (5, 5, 10, 20))),
        ({"name": "polyline"} | TRIANGLE, ("polyline", (5, 5, 10, 20))),
        ({"name": "line"} | TRIANGLE, ("line", (5, 5, 10, 20))),
        ({"name": "extreme_rectangle"} | TRIANGLE, ("extreme_rectangle", (5, 5, 10, 20))),
        (RECT | {"name": "extreme_rectangle"}, ("extreme_rectangle", (1, 2, 3, 4))),
        ({"name": "extreme_circle", "cx": 5, "cy": 5, "r": 1}, ("extreme_circle", (4, 4, 2, 2))),
        (
            {"name": "extreme_circle", "all_points_x": [10, 0, 5], "all_points_y": [5, 5, 10]},
            ("extreme_circle", (0, 0, 10, 10)),
        ),
    ],
)
def test_every_shape_has_its_box(shape, expected):
    assert named(shape) == expected
    assert shape_problem(shape) is None


def test_a_quarter_turn_swaps_the_radii_of_an_ellipse():
    shape = {"name": "ellipse", "cx": 10, "cy": 20, "rx": 3, "ry": 4, "theta": math.pi / 2}

    assert enclosing_box(shape)[1] == pytest.approx((6, 17, 8, 6))


@given(rx=st.floats(0.5, 500), ry=st.floats(0.5, 500), theta=st.floats(-7, 7))
def test_a_turned_ellipse_touches_its_box_on_all_sides(rx, ry, theta):
    x, y, width, height = enclosing_box({"name": "ellipse", "cx": 0, "cy": 0, "rx": rx, "ry": ry, "theta": theta})[1]
    turn = np.linspace(0, 2 * np.pi, 20_001)
    xs = rx * np.cos(turn) * np.cos(theta) - ry * np.sin(turn) * np.sin(theta)
    ys = rx * np.cos(turn) * np.sin(theta) + ry * np.sin(turn) * np.cos(theta)

    assert (x, y, width, height) == pytest.approx((xs.min(), ys.min(), np.ptp(xs), np.ptp(ys)), rel=1e-5, abs=1e-4)


@given(
    cx=st.integers(-99, 99),
    cy=st.integers(-99, 99),
    r=st.floats(1, 500),
    turns=st.tuples(st.floats(0, 2), st.floats(2.1, 4), st.floats(4.2, 6)),
)
def test_three_points_on_a_rim_give_the_circle(cx, cy, r, turns):
    shape = {
        "name": "extreme_circle",
        "all_points_x": [cx + r * math.cos(turn) for turn in turns],
        "all_points_y": [cy + r * math.sin(turn) for turn in turns],
    }

    assert enclosing_box(shape)[1] == pytest.approx((cx - r, cy - r, 2 * r, 2 * r), abs=1e-5)


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ({}, "no name"),
        ({"name": None}, "no name"),
        ({"name": 3}, "the number 3 as its shape"),
        ({"name": "star"}, "'star', which VIA does not know"),
        ({"name": "unknown"}, "'unknown'"),
        ({"name": "rect", "x": 1, "y": 2, "width": 3}, "is a rect without 'height'"),
        (RECT | {"x": "1"}, "the text '1' for its x"),
        (RECT | {"x": None}, "null for its x"),
        (RECT | {"y": True}, "true for its y"),
        (RECT | {"y": [1]}, "a list for its y"),
        (RECT | {"width": -3}, "the number -3 for its width"),
        (RECT | {"width": math.nan}, "the number nan for its width"),
        (RECT | {"height": math.inf}, "the number inf for its height"),
        (RECT | {"height": 10**400}, "for its height"),
        (RECT | {"x": 1e308}, "the number 1e+308 for its x"),
        ({"name": "circle", "cx": 10, "cy": 20}, "is a circle without 'r'"),
        ({"name": "circle", "cx": 10, "cy": 20, "r": -1}, "the number -1 for its r"),
        ({"name": "point", "cx": "a", "cy": 20}, "the text 'a' for its cx"),
        ({"name": "ellipse", "cx": 1, "cy": 1, "rx": 3, "ry": 4, "theta": None}, "null for its theta"),
        ({"name": "polygon", "all_points_x": [], "all_points_y": []}, "no numbers in all_points_x"),
        ({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1]}, "2 numbers in all_points_x and 1"),
        ({"name": "polygon", "all_points_x": [1, "2"], "all_points_y": [1, 2]}, "the text '2' in all_points_x"),
        ({"name": "polygon", "all_points_x": [1, math.nan], "all_points_y": [1, 2]}, "the number nan"),
        ({"name": "polygon", "all_points_x": {"0": 1}, "all_points_y": [1]}, "an object for its all_points_x"),
        ({"name": "extreme_circle", "all_points_x": [1, 2], "all_points_y": [1, 2]}, "3 points are needed"),
        ({"name": "extreme_circle", "all_points_x": [1, 2, 3], "all_points_y": [1, 2, 3]}, "on one line"),
    ],
)
def test_what_makes_no_box_is_unknown_and_says_why(shape, problem):
    name, box = named(shape)

    assert name == "unknown"
    assert all(math.isnan(value) for value in box)
    assert problem in shape_problem(shape)


def test_attributes_that_are_no_object_have_a_problem():
    assert shape_problem(None) == "has no shape_attributes"
    assert shape_problem([1]) == "has a list for its shape_attributes"


def test_four_sound_numbers_have_no_problem():
    assert rect_problem(-1, 0, 0.5, 0) is None
