"""Standard error as a place to draw on: a bar that is redrawn on a terminal, plain lines elsewhere."""

import sys
import time
from io import TextIOBase
from typing import TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from ._output import printable

REDRAWS_PER_SECOND = 2  # a redraw takes a few milliseconds of a core that also trains; see benchmarks/progress.py
SILENT_SECONDS = 30.0  # in a log, a stage that takes longer than this says how far it is


class Screen:
    """A context manager, because a bar must be taken off the terminal whatever happens."""

    def __init__(self, stream: TextIOBase | None = None) -> None:
        self.stream = cast(TextIO, stream or sys.stderr)
        self.console = Console(file=self.stream, highlight=False, soft_wrap=True)
        self.bar: Progress | None = None
        self.task: TaskID | None = None
        self.stage = ""
        self.drawn = self.spoken = time.monotonic()

    def __enter__(self) -> "Screen":
        """Put the bar on the terminal, if there is one."""
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[text]}"),
                console=self.console,
                auto_refresh=False,  # redrawn from here, so that no thread wakes up while the model trains
                transient=True,
            )
            self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Take the bar off the terminal."""
        if self.bar is not None:
            self.bar.stop()

    def line(self, text: str) -> None:
        """Print a line that stays."""
        text = printable(text, keep="\n\t")
        if self.bar is not None:
            self.bar.console.print(text, markup=False)
        else:
            print(text, file=self.stream, flush=True)

    def due(self, *, force: bool = False) -> bool:
        """Whether the bar may be redrawn now; never where there is no terminal."""
        now = time.monotonic()
        if self.bar is None or (not force and now - self.drawn < 1 / REDRAWS_PER_SECOND):
            return False
        self.drawn = now
        return True

    def draw(self, name: str, done: int, total: int, text: str) -> None:
        """Redraw the bar."""
        if self.bar is None:
            return
        if self.task is None:
            self.task = self.bar.add_task(name, total=total, text=text)
        self.bar.update(self.task, description=name, completed=done, total=total, text=text, refresh=True)

    def show_stage(self, name: str, done: int, total: int | None) -> None:
        """Show how far work of some name has come: on the bar, or now and then as a line."""
        now = time.monotonic()
        if name != self.stage:
            self.stage, self.spoken = name, now
        counted = f"{done:,}" if total is None else f"{done:,}/{total:,}"
        if self.bar is not None:
            if self.due(force=done == total):
                self.draw(name, done, total or max(done, 1), counted)
        elif now - self.spoken > SILENT_SECONDS:
            self.spoken = now
            self.line(f"{name}: {counted}")
