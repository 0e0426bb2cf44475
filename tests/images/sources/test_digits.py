"""The digits arrive as scikit-learn has them."""

from io import BytesIO

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from glauke.images.sources._digits import Digits


def test_digits_are_the_ones_of_scikit_learn():
    rows, labels = load_digits(return_X_y=True)
    streamed = list(Digits().stream())
    assert len(streamed) == Digits.expected == len(rows) == 1797
    assert [picture.label for picture, _ in streamed] == [str(label) for label in labels]
    assert len({picture.name for picture, _ in streamed}) == 1797
    pixels = np.stack([np.asarray(Image.open(BytesIO(data))) for _, data in streamed])
    assert np.array_equal(np.rint(pixels / 255 * 16).reshape(-1, 64), rows)
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_looking_at_the_heads_sees_every_picture():
    assert sum(1 for _ in Digits().heads()) == 1797
