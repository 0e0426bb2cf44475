"""Where the time goes, by part: on the host's clock, and on the device's own where the host runs ahead of it."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

PARTS = ("data", "train", "optimizer", "eval", "write")
"""Waiting for batches, forward and backward, the step of the optimizer, held-out pictures, checkpoints and tables."""
READ_AT = 256  # marks that may wait to be read; by then the device has long passed the first ones


class Clock:
    """Seconds by part, for the epoch at hand and for the whole run.

    Inside an epoch the time is cut by marks: `begin`, then a `mark` at the end of each part. On a CPU they read the
    host's clock. On a CUDA device, where the host only queues the work, each is an event in the device's own queue, and
    what lies between two of them is read later, when the device has passed both: nobody waits for a step.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self.run: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        self.epoch: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        self.queue = EventQueue(torch.cuda.Event) if device is not None and device.type == "cuda" else None
        self.since = time.perf_counter()

    def add(self, part: str, seconds: float) -> None:
        """Count seconds to a part."""
        self.run[part] = self.run.get(part, 0.0) + seconds
        self.epoch[part] = self.epoch.get(part, 0.0) + seconds

    def begin(self) -> None:
        """Let the part that the next mark ends begin now; what lies before counts to none."""
        if self.queue is not None:
            self.queue.put(None)
        self.since = time.perf_counter()

    def mark(self, part: str) -> None:
        """Count what has passed since the last mark to `part`."""
        if self.queue is not None:
            self.queue.put(part)
            if len(self.queue.marks) >= READ_AT:
                self._take(wait=False)
            return
        now = time.perf_counter()
        self.add(part, now - self.since)
        self.since = now

    def settle(self) -> None:
        """Count what the device has still to tell; waits until it has passed the last mark."""
        if self.queue is not None:
            self._take(wait=True)

    @contextmanager
    def counting(self, part: str) -> Iterator[None]:
        """Count what happens inside to a part, by the host's clock; a new part begins after it."""
        self.settle()
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(part, time.perf_counter() - start)
            self.begin()

    def next_epoch(self) -> None:
        """Begin the epoch's count anew."""
        self.epoch = dict.fromkeys(PARTS, 0.0)

    def _take(self, *, wait: bool) -> None:
        assert self.queue is not None
        for part, seconds in self.queue.read(wait=wait):
            self.add(part, seconds)


class EventQueue:
    """Marks in a device's queue of work, oldest first; `make` is `torch.cuda.Event` or what behaves like it."""

    def __init__(self, make: Any) -> None:
        self.make = make
        self.marks: deque[tuple[str | None, Any]] = deque()
        self.free: list[Any] = []

    def put(self, part: str | None) -> None:
        """Mark this place in the queue as the end of `part`, or, with None, as a beginning."""
        event = self.free.pop() if self.free else self.make(enable_timing=True)
        event.record()
        self.marks.append((part, event))

    def read(self, *, wait: bool) -> Iterator[tuple[str, float]]:
        """Give the parts that the device has passed, with their seconds; with `wait`, all of them."""
        if wait and self.marks:
            self.marks[-1][1].synchronize()
        while len(self.marks) > 1 and self.marks[1][1].query():
            _, first = self.marks.popleft()
            part, second = self.marks[0]
            if part is not None:
                yield part, first.elapsed_time(second) / 1000  # it tells milliseconds
            self.free.append(first)
