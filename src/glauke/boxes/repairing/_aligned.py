"""Two lists of boxes that come from the same pictures, matched in their order."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

_CLOSE_PX = 1.0
_CLOSE_SHARE = 0.002  # VIA's 72-gon for an ellipse is at most 0.1 % smaller than the ellipse, on each side
_MOST_COMPARED = 4_000_000


def aligned(ours: Float[np.ndarray, "n 4"], theirs: Float[np.ndarray, "m 4"]) -> Int[np.ndarray, " n"]:
    """For each box of `ours` the position of the same one in `theirs`, or -1; no position is given twice.

    Both are in document order, but either may lack some. Boxes that occur once on both sides and follow each other in
    the same order are certain; between them, equal boxes are matched in order, then nearly equal ones (an export
    rounds), and last those that stand in another order but are alone of their kind.

    >>> one, two, three = [5.0, 5, 2, 2], [7, 7, 2, 2], [1, 1, 2, 2]
    >>> aligned(np.array([one, three]), np.array([one, two, three])).tolist()
    [0, 2]
    """
    matched = np.full(len(ours), -1, np.int64)
    if len(ours) == len(theirs) and np.array_equal(ours, theirs):
        matched[:] = np.arange(len(ours))
        return matched
    mine, other = _keys(ours), _keys(theirs)
    _match_certain(mine, other, matched)
    for rows, candidates in _gaps(matched, len(theirs)):
        _match_equal(mine, other, rows, candidates, matched)
    for rows, candidates in _gaps(matched, len(theirs)):
        _match_close(ours, theirs, rows, candidates, matched)
    _match_out_of_order(mine, other, matched)
    return matched


Key = tuple[float, ...] | None


def _keys(boxes: np.ndarray) -> list[Key]:
    finite = np.isfinite(boxes.sum(axis=1)).tolist()
    return [tuple(box) if good else None for box, good in zip(np.round(boxes, 2).tolist(), finite, strict=True)]


def _match_certain(mine: Sequence[Key], other: Sequence[Key], matched: np.ndarray) -> None:
    counts, their_counts = Counter(mine), Counter(other)
    place = {key: j for j, key in enumerate(other) if key is not None and their_counts[key] == 1}
    pairs = [(i, place[key]) for i, key in enumerate(mine) if counts[key] == 1 and key in place]
    for i, j in _longest_rising(pairs):
        matched[i] = j


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest choice of pairs, in order, whose second numbers rise (patience sorting, as in patience diff)."""
    tails: list[int] = []  # smallest last number of a rising choice, by length
    at: list[int] = []  # index of the pair that has it
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        length = bisect_left(tails, j)
        before.append(at[length - 1] if length else -1)
        if length == len(tails):
            tails.append(j)
            at.append(index)
        else:
            tails[length], at[length] = j, index
    chosen, index = [], at[-1] if at else -1
    while index >= 0:
        chosen.append(pairs[index])
        index = before[index]
    return chosen[::-1]


def _gaps(matched: np.ndarray, num_theirs: int) -> list[tuple[range, range]]:
    """What lies unmatched between neighbouring matches, on both sides."""
    found, i0, j0 = [], 0, 0
    for i in [*np.flatnonzero(matched >= 0).tolist(), len(matched)]:
        j = int(matched[i]) if i < len(matched) else num_theirs
        if i > i0 and j > j0:
            found.append((range(i0, i), range(j0, j)))
        i0, j0 = i + 1, j + 1
    return found


def _match_equal(
    mine: Sequence[Key], other: Sequence[Key], rows: range, candidates: range, matched: np.ndarray
) -> None:
    places: dict[Key, list[int]] = {}
    for j in candidates:
        places.setdefault(other[j], []).append(j)
    start = candidates.start
    for i in rows:
        found = places.get(mine[i], []) if mine[i] is not None else []
        k = bisect_left(found, start)
        if k < len(found):
            matched[i] = found[k]
            start = found[k] + 1


def _match_close(ours: np.ndarray, theirs: np.ndarray, rows: range, candidates: range, matched: np.ndarray) -> None:
    if len(rows) * len(candidates) > _MOST_COMPARED:
        return
    start = candidates.start
    for i in rows:
        rest = theirs[start : candidates.stop]
        allowed = np.maximum(_CLOSE_PX, _CLOSE_SHARE * np.abs(ours[i, 2:]).max())
        near = np.flatnonzero((np.abs(rest - ours[i]) <= allowed).all(axis=1))  # NaN is near to nothing
        if len(near):
            matched[i] = start + near[0]
            start = int(matched[i]) + 1


def _match_out_of_order(mine: Sequence[Key], other: Sequence[Key], matched: np.ndarray) -> None:
    taken = set(matched.tolist())
    free: dict[Key, list[int]] = {}
    for j, key in enumerate(other):
        if j not in taken:
            free.setdefault(key, []).append(j)
    left = [i for i in np.flatnonzero(matched < 0).tolist() if mine[i] is not None]
    counts = Counter(mine[i] for i in left)
    for i in left:
        places = free.get(mine[i], [])
        if len(places) == 1 and counts[mine[i]] == 1:
            matched[i] = places[0]
