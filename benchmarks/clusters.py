"""Exact clusters and anchors beside what people use for them; everything in one run, on made boxes.

    python benchmarks/clusters.py [--ratios 1000000] [--boxes 860000] [--side 4096] [--rounds 3] [--json FILE]

Needs scikit-learn; numba, kmeans1d and scipy where they are installed. `--quick` shrinks everything, to try it out.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from glauke import boxes
from glauke.boxes.clustering import _exact, _exact_compiled

KS = range(1, 21)
"""scikit-learn and kmeans1d are called once for each; the exact curve comes out of one program."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratios", type=int, default=1_000_000)
    parser.add_argument("--boxes", type=int, default=860_000)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--table-only", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.quick:
        args.ratios, args.boxes, args.side, args.rounds, args.generations = 30_000, 20_000, 256, 1, 50
    if args.table_only:
        print(json.dumps(table_of_counts(args.side)))
        return
    print(f"{datetime.date.today()}, {processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    results = {
        "curve": curve(args.ratios, rounds=args.rounds),
        "table": in_a_process_of_its_own(args.side),
        "anchors": anchors(args.boxes, rounds=args.rounds, generations=args.generations),
    }
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def curve(n: int, *, rounds: int) -> list[dict]:
    """The exact curve, in both forms, against the heuristics for some k."""
    ratios = np.exp(np.random.default_rng(0).normal(0.0, 0.6, n))
    rows = []
    exact = boxes.exact_curve(ratios)  # compiles, and is the optimum that the others are held against
    inertia = {p.k: p.inertia for p in exact}
    if _exact_compiled.compiled_row() is not None:
        rows.append(row("glauke with fast", timed(lambda: boxes.exact_curve(ratios), rounds), worse=0.0))
    compiled, _exact.compiled_row = _exact.compiled_row, lambda: None
    try:
        rows.append(row("glauke", timed(lambda: boxes.exact_curve(ratios), rounds), worse=0.0))
    finally:
        _exact.compiled_row = compiled
    from sklearn.cluster import KMeans

    found: dict[int, float] = {}

    def heuristic() -> None:
        for k in KS:
            found[k] = KMeans(k, n_init=10, random_state=0).fit(ratios[:, None]).inertia_

    seconds = timed(heuristic, 1)
    worse = max(found[k] / inertia[k] - 1 for k in KS)
    rows.append(row("scikit-learn KMeans(n_init=10)", seconds, worse=worse))
    try:
        import kmeans1d
    except ImportError:
        rows.append(row("kmeans1d: not installed", None, worse=None))
    else:
        values = ratios.tolist()
        seconds = timed(lambda: [kmeans1d.cluster(values, k) for k in KS], 1)
        rows.append(row("kmeans1d", seconds, worse=0.0))
    print(f"\n{n:,} distinct ratios, every k from {KS[0]} to {KS[-1]}; glauke: medians of {rounds}, the others: 1")
    told(rows, ("way", "seconds", "worse than the optimum"))
    return rows


def in_a_process_of_its_own(side: int) -> dict:
    """Peak memory is that of a whole process, so the table gets one."""
    command = [sys.executable, __file__, "--table-only", "--side", str(side)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    print(f"\na table of {result['boxes']:,} boxes with sides of 1 to {side} px, {result['cells']:,} sizes")
    told([result], ("ratios", "seconds", "peak MiB", "elbow"))
    return result


def table_of_counts(side: int) -> dict:
    """The curve of a thousand million boxes whose sizes are whole pixels, counted in a table."""
    rng = np.random.default_rng(0)
    lengths = np.arange(1, side + 1, dtype=np.float64)
    likely = np.exp(-0.5 * ((np.log(lengths) - np.log(side / 12)) / 0.9) ** 2)
    width, height = (axis.ravel() for axis in np.meshgrid(lengths, lengths, indexing="ij"))
    share = np.outer(likely, likely).ravel() * np.exp(-0.5 * (np.log(width / height) / 0.7) ** 2)
    counts = rng.poisson(share / share.sum() * 1e9).astype(np.float64) + 1
    ratio = width / height
    del width, height, share
    if _exact_compiled.compiled_row() is not None:
        boxes.exact_curve(np.linspace(1, 2, 30_000))  # warm
    start = time.perf_counter()
    found = boxes.exact_curve(ratio, weights=counts)
    seconds = time.perf_counter() - start
    suggested = boxes.suggest_k([p.k for p in found], [p.inertia for p in found]).suggested_k
    return {
        "boxes": int(counts.sum()),
        "cells": len(ratio),
        "ratios": len(np.unique(ratio)),
        "seconds": seconds,
        "peak MiB": peak_mib(),
        "elbow": suggested,
    }


def anchors(n: int, *, rounds: int, generations: int) -> list[dict]:
    """Nine anchors by 1 - IoU against YOLOv5's way, on the same boxes."""
    rng = np.random.default_rng(1)
    area, ratio = np.exp(rng.normal(-2.2, 0.9, n)), np.exp(rng.normal(-0.1, 0.5, n))
    points = np.clip(np.stack([area * np.sqrt(ratio), area / np.sqrt(ratio)], axis=1), 0.004, 1.0) * 640
    ours: list[float] = []

    def glauke() -> None:
        ours.append(boxes.kmeans(points, k=9, distance="iou", restarts=10).mean_iou)

    rows = [row("glauke, 10 restarts", timed(glauke, rounds), iou=ours[-1])]
    try:
        import scipy.cluster.vq  # noqa: F401
    except ImportError:
        rows.append(row("YOLOv5's way: scipy is not installed", None, iou=None))
    else:
        theirs: list[float] = []
        seconds = timed(lambda: theirs.append(mean_iou(points, yolov5(points, generations))), 1)
        rows.append(row(f"YOLOv5's way, {generations:,} generations", seconds, iou=theirs[-1]))
    print(f"\n9 anchors for {n:,} boxes")
    told(rows, ("way", "seconds", "mean IoU"))
    return rows


def yolov5(points: np.ndarray, generations: int) -> np.ndarray:
    """`utils/autoanchor.py` by its description: k-means on whitened sizes, then mutations that raise the fitness.

    Fitness is the mean over boxes of the best anchor's least ratio of sides, counted where it exceeds 1/4.
    """
    from scipy.cluster.vq import kmeans

    rng = np.random.default_rng(0)
    points = points[(points >= 2.0).any(axis=1)]
    deviation = points.std(axis=0)
    centers = kmeans(points / deviation, 9, iter=30, rng=rng)[0] * deviation

    def fitness(centers: np.ndarray) -> float:
        best = np.zeros(len(points))
        for width, height in centers:
            x, y = points[:, 0] / width, points[:, 1] / height
            np.maximum(best, np.minimum(np.minimum(x, 1 / x), np.minimum(y, 1 / y)), out=best)
        return float((best * (best > 0.25)).mean())

    best = fitness(centers)
    for _ in range(generations):
        change = np.ones(centers.shape)
        while (change == 1).all():
            mutated = rng.random(centers.shape) < 0.9
            change = (mutated * rng.random() * rng.normal(size=centers.shape) * 0.1 + 1).clip(0.3, 3.0)
        child = (centers * change).clip(min=2.0)
        if (found := fitness(child)) > best:
            best, centers = found, child
    return centers


def mean_iou(points: np.ndarray, centers: np.ndarray) -> float:
    """IoU of each box with the anchor that it overlaps most, both at one corner, on average."""
    best = np.zeros(len(points))
    for center in centers:
        inside = np.minimum(points, center).prod(axis=1)
        np.maximum(best, inside / (points.prod(axis=1) + center.prod() - inside), out=best)
    return float(best.mean())


def timed(work: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn on starts that converge early
            work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def row(way: str, seconds: float | None, *, worse: float | None = None, iou: float | None = None) -> dict:
    return {"way": way, "seconds": seconds, "worse than the optimum": worse, "mean IoU": iou}


def told(rows: list[dict], columns: tuple[str, ...]) -> None:
    cells = [[shown(column, row[column]) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in (columns, *cells)) for i in range(len(columns))]
    for line in (columns, *cells):
        print(
            "  ".join(
                cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
            )
        )


def shown(column: str, value: object) -> str:
    match value:
        case None:
            return "-"
        case float() if column == "worse than the optimum":
            return f"{value:.4%}"
        case float() if column == "mean IoU":
            return f"{value:.4f}"
        case float():
            return f"{value:.2f}"
        case int():
            return f"{value:,}"
    return str(value)


def processor() -> str:
    names = (line.partition(":")[2].strip() for line in cpuinfo() if line.startswith("model name"))
    return next(names, platform.processor() or "unknown processor")


def cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def peak_mib() -> float | None:
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    main()
