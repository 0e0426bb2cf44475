"""Pictures read from the disk batch by batch, beside pictures that stay in memory, by turns in one process.

    python benchmarks/streaming.py [--pictures 20000] [--sizes 32 64] [--steps 12] [--rounds 5] [--json FILE]

The pack is one of noise pictures at 64 pixels, in the page cache, as it is from the second epoch on wherever it fits
there. `batches` is reading, cropping, flipping and normalising alone; `training` is `glauke.training.train` with the
recipe `quick` at one size, timed from step event to step event. Smaller sizes are resized once by the resident way and
in every epoch by the streamed one.

Measure on an idle machine. On a busy one OpenMP's threads spin while they wait for each other, which slows the resident
way many times over and the streamed one hardly (a thread more, and OpenMP no longer spins): the ratio then says nothing
about reading. With OMP_NUM_THREADS=1 nothing spins. The first line therefore has the threads and the load.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from made_pictures import make_folder

from glauke import images, training
from glauke.images import _memory
from glauke.training import recipes

SHARES = {"resident": 1.0, "streamed": 0.0}
"""What `Batches` takes for the share of the memory that pictures may have: all of it, or none."""


def made_pack(folder, count):
    """A pack of 200 classes with `count` noise pictures, in a file of its own."""
    random = np.random.default_rng(0)
    pixels = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, 64, 64, 3))
    for start in range(0, count, 1000):
        pixels[start : start + 1000] = random.integers(0, 256, pixels[start : start + 1000].shape, dtype=np.uint8)
    pixels.flush()
    few = images.open_pack(str(make_folder(folder / "few", classes=200, per_class=2, size=64)))
    labels = np.arange(count, dtype=np.int64) % 200
    read = np.load(folder / "images.npy", mmap_mode="r")
    assert int(read[::7].sum()) > 0  # into the page cache
    pack = replace(few, images=read, labels=labels, names=[f"{i}" for i in range(count)])
    split = replace(images.make_split(few), train=np.arange(count - 400), val=np.arange(count - 400, count))
    return pack, split


def batch_rate(pack, split, recipe, steps):
    batches = images.Batches(
        pack,
        split.train,
        batch_size=recipe.batch_size,
        size=recipe.sizes[0][1],
        device=training.choose_device("auto"),
        shuffle=True,
        augmentation=recipe.augmentation,
    )
    served = itertools.islice(batches.epoch(0), 10 * steps)
    next(served)
    start = time.perf_counter()
    count = sum(len(batch.labels) for batch in served)
    if batches.device.type == "cuda":
        torch.cuda.synchronize()
    return count / (time.perf_counter() - start)


def training_rate(pack, split, recipe, steps):
    times = []

    def note(event):
        if isinstance(event, training.Stepped):
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        training.train(recipe, pack, split, Path(folder), stop_after_steps=steps + 1, watch=note)
    return recipe.batch_size / statistics.median(np.diff(times))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--steps", type=int, default=12, help="timed steps of training in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        pack, split = made_pack(Path(folder), arguments.pictures)
        for _ in range(arguments.rounds):
            for size, way, rate in itertools.product(arguments.sizes, SHARES, (batch_rate, training_rate)):
                recipe = replace(recipes.quick(), sizes=((0.0, size),), minutes=None)
                _memory.SHARE = SHARES[way]
                found = rate(pack, split, recipe, arguments.steps)
                rates.setdefault((size, rate.__name__, way), []).append(found)
    hardware = training.describe_hardware(training.choose_device("auto"))
    print(
        f"{date.today()}, {hardware.gpu or hardware.cpu}, {hardware.cores} cores, torch {torch.__version__}, Python "
        f"{platform.python_version()}, {torch.get_num_threads()} threads, load {load} at the start; "
        f"{arguments.pictures:,} pictures, images/s, medians of {arguments.rounds} rounds"
    )
    print(f"{'px':>4} {'what':14} {'resident':>9} {'streamed':>9} {'streamed is':>12} {'spread':>14}")
    for size, what in itertools.product(arguments.sizes, ("batch_rate", "training_rate")):
        kept, read = (rates[size, what, way] for way in SHARES)
        ratios = [b / a for a, b in zip(kept, read, strict=True)]
        name = what.replace("batch_rate", "batches").replace("_rate", "")
        print(
            f"{size:4} {name:14} {statistics.median(kept):9.0f} {statistics.median(read):9.0f} "
            f"{statistics.median(ratios):11.2f}x {min(ratios):6.2f} to {max(ratios):.2f}"
        )
    if arguments.json:
        found = [{"size": size, "what": what, "way": way, "rates": each} for (size, what, way), each in rates.items()]
        arguments.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
