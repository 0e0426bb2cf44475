"""Operations on colours: worked by hand, then against Pillow."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from glauke.images.augmenting import _colour


def pictures(count=6, size=14, channels=3):
    # Smooth in places and with a narrow range in one, so that every operation has something to do.
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (count, size, size, channels), dtype=torch.uint8, generator=generator)
    noise[1] = noise[1] // 4 + 60
    noise[2, :, :, :] = torch.arange(size, dtype=torch.uint8)[:, None, None] * 9
    return noise


def one(*values):
    return torch.tensor(values, dtype=torch.uint8).reshape(1, 1, len(values), 1)


def f(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_each_operation_worked_by_hand():
    row = one(0, 100, 200)
    assert _colour.brightness(row, f(1.5)).flatten().tolist() == [0, 150, 255]
    assert _colour.contrast(row, f(0.5)).flatten().tolist() == [50, 100, 150]
    assert _colour.contrast(row, f(2.0)).flatten().tolist() == [0, 100, 255]
    assert _colour.posterize(row, torch.tensor([2])).flatten().tolist() == [0, 64, 192]
    assert _colour.solarize(row, f(100.0)).flatten().tolist() == [0, 155, 55]
    assert _colour.autocontrast(one(50, 100, 150)).flatten().tolist() == [0, 127, 255]
    assert _colour.autocontrast(one(7, 7)).flatten().tolist() == [7, 7]
    red = torch.tensor([[[[200, 0, 0]]]], dtype=torch.uint8)
    assert _colour.saturation(red, f(0.0)).flatten().tolist() == [59, 59, 59]
    assert torch.equal(_colour.saturation(row, f(0.0)), row)


def test_smoothing_leaves_the_border():
    picture = torch.zeros(1, 3, 3, 1, dtype=torch.uint8)
    picture[0, 1, 1, 0] = 130
    picture[0, 0, 0, 0] = 26
    smooth = _colour.sharpness(picture, f(0.0))[0, :, :, 0]
    assert smooth.tolist() == [[26, 0, 0], [0, (5 * 130 + 26) // 13, 0], [0, 0, 0]]
    assert torch.equal(_colour.sharpness(picture[:, :2], f(0.0)), picture[:, :2])


def test_equalizing_spreads_the_values_evenly():
    # 510 pixels, the brightest value's one left out: 509 // 255 = 1 to a grey level.
    values = torch.arange(510).clamp(max=254).to(torch.uint8).reshape(1, 10, 51, 1)
    assert torch.equal(_colour.equalize(values), values)
    two = torch.tensor([10, 200], dtype=torch.uint8).repeat(400).reshape(1, 20, 40, 1)
    assert _colour.equalize(two).unique().tolist() == [0, 255]
    few = one(3, 9)
    assert torch.equal(_colour.equalize(few), few)


def pil(picture):
    array = picture.numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


OPERATIONS = {
    "brightness": (_colour.brightness, lambda p, s: ImageEnhance.Brightness(p).enhance(s), (0.1, 0.7, 1.0, 1.9)),
    "contrast": (_colour.contrast, lambda p, s: ImageEnhance.Contrast(p).enhance(s), (0.1, 0.7, 1.0, 1.9)),
    "saturation": (_colour.saturation, lambda p, s: ImageEnhance.Color(p).enhance(s), (0.1, 0.7, 1.0, 1.9)),
    "sharpness": (_colour.sharpness, lambda p, s: ImageEnhance.Sharpness(p).enhance(s), (0.1, 0.7, 1.0, 1.9)),
    "posterize": (_colour.posterize, ImageOps.posterize, (2, 4, 7, 8)),
    "solarize": (_colour.solarize, ImageOps.solarize, (0.0, 64.5, 200.0, 255.0)),
    "autocontrast": (lambda p, s: _colour.autocontrast(p), lambda p, s: ImageOps.autocontrast(p), (0,)),
    "equalize": (lambda p, s: _colour.equalize(p), lambda p, s: ImageOps.equalize(p), (0,)),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", OPERATIONS)
def test_pillow_says_the_same(name, channels):
    ours, theirs, strengths = OPERATIONS[name]
    batch = pictures(channels=channels)
    for strength in strengths:
        kind = torch.long if name == "posterize" else torch.float64
        got = ours(batch, torch.full((len(batch),), strength, dtype=kind))
        for i in range(len(batch)):
            wanted = torch.from_numpy(np.array(theirs(pil(batch[i]), strength))).reshape(batch[i].shape)
            # Pillow rounds its means, and grey as whole numbers: one grey level, times at most 1.9.
            assert (got[i].int() - wanted.int()).abs().max() <= (0 if name in EXACT else 2), (name, strength, i)


EXACT = ("posterize", "solarize", "equalize")


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_picture_has_its_own_strength_and_the_input_stays(name):
    ours, _, strengths = OPERATIONS[name]
    batch = pictures()
    before = batch.clone()
    kind = torch.long if name == "posterize" else torch.float64
    mixed = torch.tensor([strengths[i % len(strengths)] for i in range(len(batch))], dtype=kind)
    together = ours(batch, mixed)
    for i in range(len(batch)):
        assert torch.equal(together[i : i + 1], ours(batch[i : i + 1], mixed[i : i + 1]))
    assert torch.equal(batch, before) and together.dtype == torch.uint8


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "sharpness"])
def test_the_strength_1_changes_no_byte(name):
    batch = pictures()
    assert torch.equal(OPERATIONS[name][0](batch, torch.ones(len(batch), dtype=torch.float64)), batch)


def test_no_operation_sends_numbers_to_the_device(monkeypatch):
    def sent(*values, **options):
        raise AssertionError("a copy to a GPU waits for all of its work")

    given, factors = pictures(), torch.full((6,), 1.5, dtype=torch.float64)
    monkeypatch.setattr(_colour.torch, "tensor", sent)
    for operation in (_colour.brightness, _colour.contrast, _colour.saturation, _colour.sharpness):
        assert operation(given, factors).shape == given.shape
