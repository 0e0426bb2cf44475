"""Operations that move pixels: worked by hand, then against Pillow."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from glauke.images.augmenting import _shape


def f(*values):
    return torch.tensor(values, dtype=torch.float64)


def letters():
    return torch.arange(1, 10, dtype=torch.uint8).reshape(1, 3, 3, 1)


def grid(pictures):
    return pictures[0, :, :, 0].tolist()


def test_each_operation_worked_by_hand():
    assert grid(_shape.translated(letters(), f(1), along="x")) == [[0, 1, 2], [0, 4, 5], [0, 7, 8]]
    assert grid(_shape.translated(letters(), f(-2), along="y")) == [[7, 8, 9], [0, 0, 0], [0, 0, 0]]
    assert grid(_shape.rotated(letters(), f(math.pi / 2))) == [[3, 6, 9], [2, 5, 8], [1, 4, 7]]  # against the clock
    assert grid(_shape.rotated(letters(), f(math.pi))) == [[9, 8, 7], [6, 5, 4], [3, 2, 1]]
    # Row y is taken from y + 0.5 pixels further right, and so on: 0.5 in row 0, 1.5 in row 1, 2.5 in row 2.
    assert grid(_shape.sheared(letters(), f(0.99), along="x")) == [[1, 2, 3], [5, 6, 0], [9, 0, 0]]
    assert grid(_shape.sheared(letters(), f(0.99), along="y")) == [[1, 5, 9], [4, 8, 0], [7, 0, 0]]


def test_nothing_is_moved_by_nothing():
    batch = torch.randint(0, 256, (3, 5, 7, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    still = f(0, 0, 0)
    for moved in (
        _shape.rotated(batch, still),
        *(_shape.sheared(batch, still, along=along) for along in "xy"),
        *(_shape.translated(batch, still, along=along) for along in "xy"),
    ):
        assert torch.equal(moved, batch) and moved.is_contiguous()


def coefficients(name, strength, size):
    match name:
        case "shear_x":
            return (1, strength, 0, 0, 1, 0)
        case "shear_y":
            return (1, 0, 0, strength, 1, 0)
        case "translate_x":
            return (1, 0, -strength, 0, 1, 0)
        case "translate_y":
            return (1, 0, 0, 0, 1, -strength)
    cos, sin, middle = math.cos(strength), math.sin(strength), size / 2
    return (cos, -sin, middle - middle * cos + middle * sin, sin, cos, middle - middle * sin - middle * cos)


@pytest.mark.parametrize("name", ["shear_x", "shear_y", "translate_x", "translate_y", "rotate"])
def test_pillow_says_the_same(name):
    size = 20
    batch = torch.randint(1, 256, (5, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    strengths = f(-7, -2, 0, 3, 9) if name.startswith("translate") else f(-0.97, -0.31, 0.0, 0.53, 0.9)
    operation, _, along = name.partition("_")
    functions = {"shear": _shape.sheared, "translate": _shape.translated}
    got = functions[operation](batch, strengths, along=along) if along else _shape.rotated(batch, strengths)
    for i, strength in enumerate(strengths.tolist()):
        data = coefficients(name, strength, size)
        with Image.fromarray(batch[i].numpy()) as picture:
            moved = picture.transform((size, size), Image.Transform.AFFINE, data, Image.Resampling.NEAREST)
        wanted = torch.from_numpy(np.array(moved))
        differ = (got[i] != wanted).any(dim=2).double().mean()
        assert differ < 0.01, (name, strength)  # where a place lies between two pixels, either may be the nearest
