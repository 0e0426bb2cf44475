"""The 1,797 handwritten digits that come with scikit-learn: 8 x 8 grey pixels, for a first run without a download.

They are the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ._picture import Finding, Picture
from ._raw_pixels import as_file


class Digits:
    """scikit-learn's embedded digits as PNG files, their 17 levels of grey spread over 0..255."""

    name = "digits"
    path: Path | None = None
    size = 8
    channels = 1
    expected = 1797
    classes = tuple("0123456789")
    readable = classes
    parts = ("train",)
    notes: tuple[Finding, ...] = ()

    def identity(self) -> str:
        """Always the same: the pictures are part of the library and do not change."""
        return "scikit-learn"

    def heads(self) -> Iterator[bytes]:
        """Every picture's file."""
        return (data for _, data in self.stream())

    def stream(self) -> Iterator[tuple[Picture, bytes]]:
        """All pictures, named by their row."""
        from sklearn.datasets import load_digits

        rows, labels = load_digits(return_X_y=True)
        levels = np.rint(np.asarray(rows).reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
        for i, (pixels, label) in enumerate(zip(levels, labels, strict=True)):
            yield Picture(name=f"{label}/{i:04}.png", part="train", label=str(label)), as_file(pixels)
