"""Ctrl-C and the scheduler's SIGTERM as a wish that is granted between two steps."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass(slots=True)
class Interrupt:
    """Whether somebody wants the run to stop, and how they said it."""

    signal_number: int | None = None


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Note the first SIGINT or SIGTERM instead of dying of it; the second one of them interrupts at once.

    Outside the main thread, where Python allows no handlers, nothing is installed. The old handlers come back.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def note(number: int, frame: FrameType | None) -> None:
        if interrupt.signal_number is not None:
            raise KeyboardInterrupt
        interrupt.signal_number = number

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
