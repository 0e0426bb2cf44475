import numpy as np
import pytest

from glauke.boxes.repairing._aligned import aligned

A, B, C, D = [0.0, 0, 9, 9], [5.0, 5, 9, 9], [7.0, 1, 30, 9], [8.0, 8, 4, 4]


def places(ours: list, theirs: list) -> list[int]:
    return aligned(np.array(ours, float).reshape(-1, 4), np.array(theirs, float).reshape(-1, 4)).tolist()


def near(box: list, by: float) -> list:
    return [value + by for value in box]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([], [], []),
        ([A], [], [-1]),
        ([], [A], []),
        ([A, B, C], [A, B, C], [0, 1, 2]),
        ([A, C], [A, B, C], [0, 2]),
        ([A, B, C], [A, C], [0, -1, 1]),
        ([C, A], [A, B, C], [2, 0]),  # in another order, but alone of their kind
        ([A, A, B], [A, A, B], [0, 1, 2]),
        ([A, B, A], [A, D, B, A], [0, 2, 3]),
        ([B, A], [A, B, A], [1, 2]),
        ([A, A], [A], [0, -1]),
        ([near(A, 0.9), C], [A, C], [0, 1]),
        ([near(A, 1.2), C], [A, C], [-1, 1]),
        ([[np.nan] * 4, A], [[np.nan] * 4, A], [-1, 1]),
        ([D, near(C, 0.5), D], [D, C, D, D], [0, 1, 2]),
    ],
)
def test_by_hand(ours, theirs, expected):
    assert places(ours, theirs) == expected


@pytest.mark.parametrize("seed", range(30))
def test_what_was_left_out_is_found_again(seed):
    rng = np.random.default_rng(seed)
    theirs = rng.integers(0, 500, (rng.integers(1, 300), 4)).astype(float)
    kept = np.flatnonzero(rng.random(len(theirs)) > 0.2)
    expected = theirs[kept]
    found = aligned(expected, theirs)

    assert (found >= 0).all()
    np.testing.assert_array_equal(theirs[found], expected)
    assert len(set(found.tolist())) == len(found)


@pytest.mark.parametrize("seed", range(30))
def test_no_place_is_given_twice_and_only_to_equal_boxes(seed):
    rng = np.random.default_rng(seed)
    ours, theirs = (10.0 * rng.integers(0, 3, (rng.integers(0, 40), 4)) for _ in range(2))
    found = aligned(ours, theirs)
    given = found[found >= 0]

    assert len(set(given.tolist())) == len(given)
    np.testing.assert_array_equal(theirs[given], ours[found >= 0])
