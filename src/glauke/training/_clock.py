"""Where the time goes, by part."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

PARTS = ("data", "train", "eval", "write")


class Clock:
    """Seconds by part, for the epoch at hand and for the whole run."""

    def __init__(self) -> None:
        self.run: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        self.epoch: dict[str, float] = dict.fromkeys(PARTS, 0.0)

    def add(self, part: str, seconds: float) -> None:
        """Count seconds to a part."""
        self.run[part] = self.run.get(part, 0.0) + seconds
        self.epoch[part] = self.epoch.get(part, 0.0) + seconds

    @contextmanager
    def counting(self, part: str) -> Iterator[None]:
        """Count what happens inside to a part."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(part, time.perf_counter() - start)

    def next_epoch(self) -> None:
        """Begin the epoch's count anew."""
        self.epoch = dict.fromkeys(PARTS, 0.0)
