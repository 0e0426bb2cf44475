"""Boxes that are nearly the same, found in large pictures without comparing every box with every other.

IoU of two boxes is at least t only if it is so on each axis alone. Hence their left edges differ by at most (1 - t) of
the width of the left one, and a sweep over boxes sorted by left edge compares few. Where a picture holds very many, the
same bounds on top edge, width and height cut it into overlapping strips first, each with few boxes in any window.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int

_CROWDED = 1024
"""Boxes in a picture from which strips save more than they cost."""
_FEW = 64
"""Boxes that still have neighbours, from which each is compared with all the rest of its window at once."""
_ROUNDS_IN_ORDER = 3
"""Rounds after which boxes stand for each other by chance: in order, a chain of n boxes would take about n rounds."""
_LEVEL = -3 * np.log(0.9)  # sides of near boxes differ by a factor of 0.9 at most


def near_boxes(
    boxes_xywh: Float[np.ndarray, "n 4"],
    *,
    group: Int[np.ndarray, " n"],
    unwanted: Bool[np.ndarray, " n"],
    least_iou: float,
) -> Int[np.ndarray, " n"]:
    """For each box the index of the one that stands for it, or -1 for a box that stands for itself.

    Boxes are compared within their `group`. Those that stand for themselves overlap each other by less than
    `least_iou`, which must be at least 0.9; each other one overlaps its own by that at least. An unwanted box never
    stands for one that is wanted; among equals it is the first, except in long chains of near boxes. All boxes need a
    positive, finite width and height.
    """
    assert least_iou >= 0.9, "strips and cells are measured for overlaps of 0.9 and more"
    stands_for = np.full(len(boxes_xywh), -1, np.int64)
    wanted = np.flatnonzero(~unwanted)
    _settle(boxes_xywh, group, wanted, wanted[:0], least_iou, stands_for)
    _settle(boxes_xywh, group, np.flatnonzero(unwanted), wanted[stands_for[wanted] < 0], least_iou, stands_for)
    return stands_for


def _settle(
    boxes: np.ndarray,
    group: np.ndarray,
    rows: Int[np.ndarray, " n"],
    settled: Int[np.ndarray, " m"],
    least_iou: float,
    stands_for: np.ndarray,
) -> None:
    """Decide for each of `rows` what stands for it; `settled` boxes stand for themselves, whatever comes."""
    num_rounds = 0
    while len(rows):
        settled = settled[np.isin(group[settled], group[rows])]
        if num_rounds >= _ROUNDS_IN_ORDER:
            rows = np.random.default_rng(num_rounds).permutation(rows)
        every = np.concatenate([settled, rows])
        link = _links(boxes[every], group[every], np.arange(len(every)), least_iou)
        late = np.flatnonzero(link >= 0)
        root = _ends(link)[late]
        near = overlap(boxes[every[late]], boxes[every[root]]) >= least_iou
        stands_for[every[late[near]]] = every[root[near]]
        # The end of a chain of near boxes may be far from its beginning: those have another try without the middle.
        rows = every[late[~near]]
        settled = every[link < 0]
        num_rounds += 1


def _ends(link: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Where each chain of links ends, in as many steps as its length has bits."""
    end = np.where(link >= 0, link, np.arange(len(link)))
    while (onward := end[end] != end).any():
        end[onward] = end[end[onward]]
    return end


def overlap(first: Float[np.ndarray, "n 4"], second: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    """Intersection over union of each pair of boxes."""
    far = np.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    shared = np.maximum(far - np.maximum(first[:, :2], second[:, :2]), 0).prod(axis=1)
    total = first[:, 2:].prod(axis=1) + second[:, 2:].prod(axis=1) - shared
    return np.divide(shared, total, out=np.zeros(len(first)), where=total > 0)


def _links(boxes: np.ndarray, group: np.ndarray, rank: np.ndarray, least_iou: float) -> Int[np.ndarray, " n"]:
    """For each box one near box of a smaller rank, -1 for those that have none left; chains are possible."""
    link = np.full(len(boxes), -1, np.int64)
    for rows, key in _strips(boxes, group):
        _sweep(boxes, rows, key, rank, least_iou, link)
    return link


def _strips(boxes: np.ndarray, group: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Sets of boxes with a key for each: two near boxes have the same key in one of the sets at least."""
    _, of, counts = np.unique(group, return_inverse=True, return_counts=True)
    crowded = counts[of] > _CROWDED
    rows = np.flatnonzero(~crowded)
    yield rows, of[rows]
    rows = np.flatnonzero(crowded)
    if not len(rows):
        return
    _, y, width, height = boxes[rows].T
    of = of[rows]
    # Two numbers that differ by less than a third of a cell are in one cell for two of three equal shifts at least, so
    # that for one of three shifts both widths and both heights are.
    for third in (0.0, 1 / 3, 2 / 3):
        wide = np.floor(np.log(width) / _LEVEL + third)
        high = np.floor(np.log(height) / _LEVEL + third)
        cell = 0.2 * np.exp((high + 1 - third) * _LEVEL)  # twice what near boxes may differ by at the top
        for half in (0.0, 0.5):
            strip = np.clip(np.floor(y / cell + half), -(2.0**52), 2.0**52)
            # Boxes of other strips that come to share a key cost a comparison, and no more.
            yield rows, _mixed(of, *(column.astype(np.int64) for column in (wide, high, strip)))


def _mixed(*columns: np.ndarray) -> Int[np.ndarray, " n"]:
    """One number for several, equal for equal ones; modulo 2^64."""
    key = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        key = (key ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key.view(np.int64)


def _sweep(
    boxes: np.ndarray, rows: np.ndarray, key: np.ndarray, rank: np.ndarray, least_iou: float, link: np.ndarray
) -> None:
    """Compare each box with those that begin within its first tenth and have its key."""
    while True:
        left = link[rows] < 0
        rows, key = rows[left], key[left]
        order = np.lexsort((boxes[rows, 0], key))
        rows, key = rows[order], key[order]
        start = boxes[rows, 0]
        reach = start + (1 - least_iou) * boxes[rows, 2]
        step, active = 1, np.arange(max(len(rows) - 1, 0))
        while len(active) > _FEW:
            other = active + step
            within = key[active] == key[other]
            within &= start[other] <= reach[active]
            active, other = active[within], other[within]
            free = (link[rows[active]] < 0) & (link[rows[other]] < 0)
            _compare(boxes, rows[active[free]], rows[other[free]], rank, least_iou, link)
            step += 1
            active = active[(link[rows[active]] < 0) & (active + step < len(rows))]
            if step % 64 == 0 and np.count_nonzero(link[rows] < 0) < len(rows) // 2:
                break  # without those that are done with, neighbours are closer
        else:
            for i in active.tolist():
                stop = int(np.searchsorted(key, key[i], side="right"))
                stop = i + int(np.searchsorted(start[i:stop], reach[i], side="right"))
                others = rows[i + step : stop]
                others = others[link[others] < 0]
                if link[rows[i]] < 0 and len(others):
                    _compare(boxes, np.full(len(others), rows[i]), others, rank, least_iou, link)
            return


def _compare(
    boxes: np.ndarray, first: np.ndarray, second: np.ndarray, rank: np.ndarray, least_iou: float, link: np.ndarray
) -> None:
    """Link the one of a larger rank to the other, where two overlap enough."""
    near = overlap(boxes[first], boxes[second]) >= least_iou
    first, second = first[near], second[near]
    swap = rank[first] > rank[second]
    link[np.where(swap, first, second)] = np.where(swap, second, first)
