"""Packing an archive: seconds, memory, and the time to open the finished pack.

    python benchmarks/packing.py tiny-imagenet-200.tar.xz [--rounds 3] [--json FILE]

Beside glauke stands the loop that one would write by hand: `tarfile`, Pillow and NumPy in one process; it keeps nothing
on disk. Both begin with the archive in the page cache. Memory is what Linux counts as anonymous, over all processes.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

# Each way runs in a process of its own, so that neither inherits the other's memory.
GLAUKE = """
import sys, time
from pathlib import Path
from glauke.images import open_pack
start = time.perf_counter()
pack = open_pack("tiny-imagenet", Path(sys.argv[1]))
packed = time.perf_counter()
open_pack("tiny-imagenet", Path(sys.argv[1]))
print(len(pack.labels), packed - start, time.perf_counter() - packed)
"""
BY_HAND = """
import io, sys, tarfile, time
import numpy as np
from PIL import Image
start = time.perf_counter()
pictures = []
with tarfile.open(sys.argv[1]) as tar:
    for member in tar:
        if member.isfile() and member.name.endswith(".JPEG") and "/test/" not in member.name:
            with Image.open(io.BytesIO(tar.extractfile(member).read())) as picture:
                pictures.append(np.asarray(picture.convert("RGB")))
pixels = np.stack(pictures)
print(len(pixels), time.perf_counter() - start, 0)
"""


def run(code: str, archive: Path) -> tuple[int, float, float, float]:
    """Pictures, seconds, seconds to open again, and the most anonymous memory in MiB of a process and its children."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "GLAUKE_CACHE": cache}
        command = [sys.executable, "-c", code, str(archive)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            peak = 0.0
            while process.poll() is None:
                peak = max(peak, anonymous_mib(process.pid))
                time.sleep(1.0)
            count, seconds, opened = process.stdout.read().split()
    return int(count), float(seconds), float(opened), peak


def anonymous_mib(pid: int) -> float:
    """Anonymous memory of a process and its children, as Linux counts it; 0 elsewhere."""
    total = 0.0
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Anonymous:")) / 1024
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(anonymous_mib(int(child)) for child in children.read_text().split())
    except OSError:  # it ended meanwhile
        pass
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = {"glauke": [], "by hand": []}
    for _ in range(arguments.rounds):
        for name, code in (("glauke", GLAUKE), ("by hand", BY_HAND)):
            found[name].append(run(code, arguments.archive))
    print(f"{date.today()}, {os.cpu_count()} cores, Python {platform.python_version()}, medians of {arguments.rounds}")
    print(f"{'way':8} {'pictures':>9} {'seconds':>8} {'a second':>9} {'anonymous MiB':>14} {'opened again in ms':>19}")
    for name, rounds in found.items():
        count, (seconds, opened) = (
            rounds[0][0],
            (statistics.median(column) for column in list(zip(*rounds, strict=True))[1:3]),
        )
        again = f"{opened * 1000:.0f}" if opened else "-"
        peak = max(each[3] for each in rounds)
        print(f"{name:8} {count:9,} {seconds:8.1f} {count / seconds:9,.0f} {peak:14.0f} {again:>19}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
