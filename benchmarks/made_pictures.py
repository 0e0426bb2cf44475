"""A folder of class folders with made pictures, for benchmarks that need no download."""

from pathlib import Path

import numpy as np
from PIL import Image


def make_folder(folder: Path, *, classes: int, per_class: int, size: int) -> Path:
    """Write `classes` folders of noise pictures under `folder` and return it."""
    random = np.random.default_rng(0)
    for label in range(classes):
        (folder / f"class{label:03}").mkdir(parents=True)
        for i in range(per_class):
            pixels = random.integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"class{label:03}" / f"{i}.png")
    return folder
