"""torchvision as an oracle for our operations on whole batches."""

import math

import pytest
import torch

from glauke.images.augmenting import _colour, _shape
from glauke.images.augmenting._crop import parts, stretched
from glauke.images.augmenting._trivial import LEVELS, OPERATIONS


def pictures(count=31, size=16, channels=3):
    shape, generator = (count, channels, size, size), torch.Generator().manual_seed(0)
    batch = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    batch[1] = batch[1] // 4 + 60
    return batch


def nhwc(batch):
    return batch.permute(0, 2, 3, 1).contiguous()


COLOURS = {  # ours: torchvision's name and its strengths
    "brightness": ("adjust_brightness", (0.0, 0.3, 1.0, 1.7)),
    "contrast": ("adjust_contrast", (0.0, 0.3, 1.0, 1.7)),
    "saturation": ("adjust_saturation", (0.0, 0.3, 1.0, 1.7)),
    "sharpness": ("adjust_sharpness", (0.0, 0.3, 1.0, 1.7)),
    "posterize": ("posterize", (2, 3, 5, 8)),
    "solarize": ("solarize", (0.0, 99.5, 200.0, 255.0)),
    "autocontrast": ("autocontrast", (None,)),
    "equalize": ("equalize", (None,)),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", COLOURS)
def test_colours_are_those_of_torchvision(torchvision, name, channels):
    functional = torchvision.transforms.functional
    theirs, strengths = COLOURS[name]
    batch = pictures(channels=channels)
    for strength in strengths:
        given = () if strength is None else (strength,)
        wanted = nhwc(torch.stack([getattr(functional, theirs)(picture, *given) for picture in batch]))
        kind = torch.long if name == "posterize" else torch.float64
        tensors = [torch.full((len(batch),), value, dtype=kind) for value in given]
        got = getattr(_colour, name)(nhwc(batch), *tensors)
        difference = (got.int() - wanted.int()).abs()
        assert difference.max() <= 1 and (difference > 0).double().mean() < 0.002, strength


@pytest.mark.parametrize("name", ["shear_x", "shear_y", "translate_x", "translate_y", "rotate"])
def test_shapes_are_those_of_torchvision(torchvision, name):
    functional = torchvision.transforms.functional
    batch = pictures()
    levels = torch.linspace(-1, 1, len(batch), dtype=torch.float64)
    got = OPERATIONS[name](nhwc(batch), levels)
    corner = {"scale": 1.0, "center": [0, 0]}
    wanted = []
    for picture, level in zip(batch, levels.tolist(), strict=True):
        degrees, pixels = math.degrees(math.atan(0.99 * level)), int(level * 8)
        match name:
            case "shear_x":
                moved = functional.affine(picture, angle=0.0, translate=[0, 0], shear=[degrees, 0.0], **corner)
            case "shear_y":
                moved = functional.affine(picture, angle=0.0, translate=[0, 0], shear=[0.0, degrees], **corner)
            case "translate_x":
                moved = functional.affine(picture, angle=0.0, translate=[pixels, 0], scale=1.0, shear=[0.0, 0.0])
            case "translate_y":
                moved = functional.affine(picture, angle=0.0, translate=[0, pixels], scale=1.0, shear=[0.0, 0.0])
            case _:
                moved = functional.rotate(picture, 135 * level)
        wanted.append(moved)
    differ = (got != nhwc(torch.stack(wanted))).any(dim=3).double().mean(dim=(1, 2))
    # Where a place lies between two pixels, as many do at 45 degrees, either may be the nearest.
    assert differ.max() < 0.1 and differ.mean() < 0.01


def test_the_ranges_of_trivial_augment_are_those_of_torchvision(torchvision):
    space = torchvision.transforms.TrivialAugmentWide()._augmentation_space(LEVELS)
    batch = nhwc(pictures(LEVELS))
    levels = torch.arange(LEVELS, dtype=torch.float64) / (LEVELS - 1)
    assert len(space) == len(OPERATIONS)
    bits = space["Posterize"][0]
    assert torch.equal(OPERATIONS["posterize"](batch, levels), _colour.posterize(batch, bits.long()))
    thresholds = (2 * space["Solarize"][0].double()).round() / 2  # multiples of 8.5, which float32 misses
    assert torch.equal(OPERATIONS["solarize"](batch, levels), _colour.solarize(batch, thresholds))
    angles = torch.deg2rad(space["Rotate"][0].double())
    assert (OPERATIONS["rotate"](batch, levels) != _shape.rotated(batch, angles)).double().mean() < 0.01


def test_a_stretched_part_is_that_of_resized_crop(torchvision, monkeypatch):
    # torchvision's parts have whole pixels; with the same part both are the same bilinear scaling.
    top, left, height, width, size = 3, 5, 9, 10, 16
    part = torch.tensor([top, left, height, width], dtype=torch.float64) / size
    monkeypatch.setattr(f"{stretched.__module__}.parts", lambda samples, **key: part[:, None].expand(4, len(samples)))
    batch = pictures(4)
    got = stretched(nhwc(batch), torch.arange(4), None, area=0.3, seed=0, epoch=0)
    cut = torchvision.transforms.functional.crop(batch, top, left, height, width).float()
    wanted = torchvision.transforms.functional.resize(cut, [size, size], antialias=False)
    inner = (nhwc(wanted) - got).abs()[:, 2:-2, 2:-2]
    assert inner.max() < 0.51  # beyond a part's edge we see the picture, torchvision repeats the edge


def test_parts_are_spread_like_torchvisions(torchvision):
    torch.manual_seed(0)
    whole, crop = torch.zeros(3, 500, 500), torchvision.transforms.RandomResizedCrop
    theirs = torch.tensor([crop.get_params(whole, [0.25, 0.5], [3 / 4, 4 / 3])[2:] for _ in range(2000)]).double() / 500
    ours = parts(torch.arange(2000), area=0.25, seed=0, epoch=0)[2:].T
    # Up to half of the area every ratio of the sides nearly fits, and the two draw alike.
    share = ours.prod(dim=1)
    ours, theirs = ours[share < 0.5], theirs[theirs.prod(dim=1) < 0.5]
    for mine, other in zip(ours.T, theirs.T, strict=True):
        assert abs(mine.mean().item() - other.mean().item()) < 0.015
        assert abs(mine.std().item() - other.std().item()) < 0.015
