"""A folder of class folders with made pictures, for benchmarks that need no download."""

from pathlib import Path

import numpy as np
from PIL import Image


def make_folder(folder: Path, *, classes: int, per_class: int, size: int, suffix: str = ".png") -> Path:
    """Write `classes` folders of pictures under `folder` and return it.

    PNGs are noise. JPEGs are soft shapes with a little noise, so that they are as large as photographs of that size:
    noise alone would take several times as long to decode.
    """
    random = np.random.default_rng(0)
    for label in range(classes):
        (folder / f"class{label:03}").mkdir(parents=True)
        for i in range(per_class):
            pixels = random.integers(0, 256, (size, size, 3), dtype=np.uint8)
            if suffix == ".jpg":
                coarse = Image.fromarray(pixels[:8, :8]).resize((size, size), Image.Resampling.BICUBIC)
                pixels = np.clip(np.asarray(coarse, np.int16) + pixels // 16 - 8, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"class{label:03}" / f"{i}{suffix}", quality=90)
    return folder
