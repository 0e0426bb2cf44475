"""The row of the exact program in the form that numba compiles: the same search, one value after the other.

This is the second form of `_exact._row`; the tests hold the two equal.
"""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np


@cache
def compiled_row() -> Callable[..., Any] | None:
    """The compiled row, or None without the extra `fast`; the first call compiles for some seconds."""
    try:
        import numba
    except ImportError:
        return None
    plain = inspect.unwrap(_row)  # numba cannot compile what a checker of types has wrapped
    try:
        return numba.njit(cache=True)(plain)
    except RuntimeError:  # there is no folder to keep the machine code in
        return numba.njit(plain)


def _row(cost, mass, first, second, before, best, k):  # plain loops: numba knows the types when it compiles
    n = len(cost)
    least = np.zeros(n)
    for i in range(k):
        best[i] = i
    stride = 1
    while stride <= n:
        stride *= 2
    while stride > 1:
        half = stride // 2
        for i in range(half - 1, n, stride):
            if i < k:
                continue
            low = k
            if i - half >= 0 and best[i - half] > low:
                low = best[i - half]
            if before[i] > low:
                low = before[i]
            high = i
            if i + half < n and best[i + half] < high:
                high = best[i + half]
            if high < low:
                high = low
            found, lowest = low, np.inf
            for j in range(low, high + 1):
                held = (cost[j - 1] if j > 0 else 0.0) - second[j]
                tried = held - (first[i + 1] - first[j]) ** 2 / (mass[i + 1] - mass[j])
                if tried < lowest:
                    found, lowest = j, tried
            best[i] = found
            least[i] = lowest
        stride = half
    for i in range(n):
        least[i] += second[i + 1]
    return least
