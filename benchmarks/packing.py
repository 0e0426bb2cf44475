"""Packing an archive: seconds, memory, and the time to open the finished pack.

    python benchmarks/packing.py tiny-imagenet-200.tar.xz [--rounds 3] [--json FILE]

Beside glauke stands the loop that one would write by hand: `tarfile`, Pillow and NumPy in one process. Both begin with
the archive in the page cache. Memory is what the kernel counts as anonymous, over all processes of glauke together (on
Linux; elsewhere it is not measured).
"""

import argparse
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image

from glauke import images


def by_hand(archive: Path) -> int:
    pictures = []
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(".JPEG") and "/test/" not in member.name:
                with Image.open(io.BytesIO(tar.extractfile(member).read())) as picture:
                    pictures.append(np.asarray(picture.convert("RGB")))
    return len(np.stack(pictures))


def family(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(a): int(b) for a, b in (line.split() for line in listed.splitlines())}
    found = [pid]
    for member in found:
        found.extend(child for child, parent in parents.items() if parent == member)
    return found


def anonymous_mib(pid: int) -> float:
    total = 0
    for member in family(pid):
        try:
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Anonymous:"))
    return total / 1024


class Watched:
    """The greatest anonymous memory while it is entered."""

    def __init__(self) -> None:
        self.peak, self.over = 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self.over.wait(0.5):
            self.peak = max(self.peak, anonymous_mib(os.getpid()))

    def __enter__(self) -> "Watched":
        if sys.platform == "linux":
            self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    packing, opening, hand, memory, count = [], [], [], [], 0
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as cache:
            os.environ["GLAUKE_CACHE"] = cache
            with Watched() as watched:
                start = time.perf_counter()
                pack = images.open_pack("tiny-imagenet", arguments.archive)
                packing.append(time.perf_counter() - start)
            memory.append(watched.peak)
            count = len(pack.labels)
            start = time.perf_counter()
            images.open_pack("tiny-imagenet", arguments.archive)
            opening.append(time.perf_counter() - start)
        start = time.perf_counter()
        by_hand(arguments.archive)
        hand.append(time.perf_counter() - start)
    medians = {
        "pack": statistics.median(packing),
        "open": statistics.median(opening),
        "by hand": statistics.median(hand),
        "anonymous MiB": max(memory),
    }
    print(f"{date.today()}, {os.cpu_count()} cores, Python {platform.python_version()}, medians of {arguments.rounds}")
    print(f"{count:,} pictures packed in {medians['pack']:.1f} s ({count / medians['pack']:,.0f} a second)")
    print(f"opened again in {medians['open'] * 1000:.0f} ms")
    times = medians["by hand"] / medians["pack"]
    print(f"tarfile, Pillow and NumPy by hand: {medians['by hand']:.1f} s, {times:.2f} times as long")
    print(f"anonymous memory of all processes: {medians['anonymous MiB']:.0f} MiB at most")
    if arguments.json:
        arguments.json.write_text(json.dumps({"medians": medians, "packing": packing, "by hand": hand}, indent=2))


if __name__ == "__main__":
    main()
