"""TrivialAugment: every operation is drawn evenly and does what it says."""

import torch

from glauke.images.augmenting._trivial import LEVELS, OPERATIONS, drawn, trivial

KEY = {"seed": 5, "epoch": 2}
MANY = torch.arange(14_000)


def pictures(count=64, size=12, channels=3):
    shape, generator = (count, size, size, channels), torch.Generator().manual_seed(0)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def test_each_picture_has_the_operation_and_level_that_it_drew():
    batch, samples = pictures(), torch.arange(64)
    got = trivial(batch, samples, **KEY)
    chosen, levels = drawn(samples, **KEY)
    assert len(chosen.unique()) > 10
    for i in range(64):
        operation = list(OPERATIONS.values())[chosen[i]]
        assert torch.equal(got[i : i + 1], operation(batch[i : i + 1], levels[i : i + 1]))


def test_operations_levels_and_signs_are_drawn_evenly_and_apart():
    chosen, levels = drawn(MANY, **KEY)
    counts = torch.bincount(chosen, minlength=14)
    assert len(OPERATIONS) == 14 and ((counts - 1000) ** 2 / 1000).sum() < 34.5  # 99.9 % of chi-squared, 13 degrees
    strengths = torch.bincount((levels.abs() * (LEVELS - 1)).round().long(), minlength=LEVELS)
    expected = len(MANY) / LEVELS
    assert ((strengths - expected) ** 2 / expected).sum() < 59.7  # 30 degrees
    positive = (levels > 0).double().sum() / (levels != 0).double().sum()
    assert abs(positive.item() - 0.5) < 0.014
    together = torch.corrcoef(torch.stack([chosen.double(), levels.abs(), levels.sign()])) - torch.eye(3)
    assert together.abs().max() < 0.03


def test_the_ranges_are_the_papers():
    batch = pictures(1, 64)
    most, least = torch.tensor([1.0], dtype=torch.float64), torch.tensor([0.0], dtype=torch.float64)
    assert torch.equal(OPERATIONS["translate_x"](batch, most)[:, :, 32:], batch[:, :, :32])  # 32 pixels of 64
    assert (OPERATIONS["translate_y"](batch, most)[:, :32] == 0).all()
    assert torch.equal(OPERATIONS["solarize"](batch, most), 255 - batch)
    assert torch.equal(OPERATIONS["posterize"](batch, most), batch & 0b11000000)
    unsigned = ("solarize", "autocontrast", "equalize")  # the threshold 255 still turns white to black
    for name, operation in OPERATIONS.items():
        if name not in unsigned:
            assert torch.equal(operation(batch, least), batch), name


def test_the_input_is_not_written_to_and_grey_pictures_are_welcome():
    for channels in (1, 3):
        batch = pictures(channels=channels)
        before = batch.clone()
        assert trivial(batch, torch.arange(64), **KEY).shape == batch.shape
        assert torch.equal(batch, before)
