"""Pictures that are read from the pack when they are needed, one batch ahead."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Int, UInt8

from .augmenting._pixels import Pictures, resized

Packed = UInt8[np.ndarray, "n side side channels"]
T = TypeVar("T")
U = TypeVar("U")


def read_rows(images: Packed, rows: Int[np.ndarray, " batch"], size: int) -> Pictures:
    """Some rows of a pack's images, in that order, at a size; read from the disk in the order they lie there."""
    order = np.argsort(rows, kind="stable")
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return resized(torch.from_numpy(images[rows[order]]), size)[torch.from_numpy(back)]


def one_ahead(load: Callable[[T], U], items: Iterable[T]) -> Generator[U, None, None]:
    """Load each item in a thread, one ahead of the one that is in use.

    What `load` raises is raised where its result is asked for. However the caller ends, by a break, an error or Ctrl-C,
    the thread ends with it, after the load that it is in: close the iterator to be sure of when.

    >>> list(one_ahead(str.upper, ["a", "b"]))
    ['A', 'B']
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="glauke-pictures") as thread:
        ahead = None
        for item in items:
            ready, ahead = ahead, thread.submit(load, item)
            if ready is not None:
                yield ready.result()
        if ahead is not None:
            yield ahead.result()
