"""What other criteria say about the number of clusters: BIC and Calinski-Harabasz beside the elbow.

python benchmarks/criteria.py FILE
"""

import argparse
from pathlib import Path

import numpy as np

from glauke import boxes

MAX_K = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    annotations = boxes.read(parser.parse_args().file)
    sizes = annotations.boxes_xywh[annotations.encloses, 2:]
    ratio = sizes[:, 0] / sizes[:, 1]
    print(f"{len(ratio)} boxes, k from 1 to {MAX_K}")
    print(f"{'feature':>16}  {'elbow':>5}  {'BIC':>4}  {'Calinski-Harabasz':>17}")
    for name, values in (("aspect-ratio", ratio), ("log-aspect-ratio", np.log(ratio))):
        curve = boxes.exact_curve(values, max_k=MAX_K)
        ks = [p.k for p in curve]
        inertia = np.array([p.inertia for p in curve])
        suggested = boxes.suggest_k(ks, inertia.tolist()).suggested_k
        print(f"{name:>16}  {suggested:>5}  {bic(inertia, len(values)):>4}  {calinski(inertia, len(values)):>17}")


def bic(inertia: np.ndarray, n: int) -> int:
    """k of the least n log(inertia / n) + 2 k log n: one centre and one border a cluster, one common variance."""
    k = np.arange(1, len(inertia) + 1)
    return int(k[np.argmin(n * np.log(inertia / n) + 2 * k * np.log(n))])


def calinski(inertia: np.ndarray, n: int) -> int:
    """k of the greatest ratio of the variance between clusters to that within (Calinski and Harabasz, 1974)."""
    k = np.arange(2, len(inertia) + 1)
    within = inertia[1:]
    return int(k[np.argmax((inertia[0] - within) / (k - 1) / (within / (n - k)))])


if __name__ == "__main__":
    main()
