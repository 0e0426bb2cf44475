"""Augmentation of whole batches against plain loops over single pictures."""

import numpy as np
import torch
from PIL import Image

from glauke.images import _augment
from glauke.images._augment import crop_and_flip, cutout, normalise, resized
from glauke.images._keyed import integers, uniform

KEY = {"seed": 5, "epoch": 2}


def pictures(count=16, size=12):
    return torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def by_hand(picture, *, down, right, mirror, pad):
    padded = torch.nn.functional.pad(picture.permute(2, 0, 1)[None].float(), (pad,) * 4, mode="reflect")[0]
    size = picture.shape[0]
    cropped = padded[:, pad + down : pad + down + size, pad + right : pad + right + size].permute(1, 2, 0)
    return (cropped.flip(1) if mirror else cropped).to(torch.uint8)


def test_crop_and_flip_equals_padding_cropping_and_mirroring_one_by_one():
    batch, samples, pad = pictures(), torch.arange(100, 116), 3
    got = crop_and_flip(batch, samples, pad=pad, flip=True, **KEY)
    mirrored = uniform(samples, **KEY, purpose="flip") < 0.5
    down = integers(samples, high=7, **KEY, purpose="row") - pad
    right = integers(samples, high=7, **KEY, purpose="column") - pad
    assert 0 < mirrored.sum() < 16 and len(set(down.tolist())) > 1
    for i in range(16):
        wanted = by_hand(batch[i], down=int(down[i]), right=int(right[i]), mirror=bool(mirrored[i]), pad=pad)
        assert torch.equal(got[i], wanted)


def test_nothing_asked_for_is_nothing_done():
    batch = pictures()
    assert crop_and_flip(batch, torch.arange(16), pad=0, flip=False, **KEY) is batch
    images = torch.rand(2, 3, 8, 8)
    assert cutout(images, torch.arange(2), size=0, **KEY) is images


def test_a_picture_is_augmented_the_same_in_any_batch():
    batch, samples = pictures(), torch.arange(16)
    whole = crop_and_flip(batch, samples, pad=2, flip=True, **KEY)
    alone = crop_and_flip(batch[5:6], samples[5:6], pad=2, flip=True, **KEY)
    assert torch.equal(whole[5:6], alone)


def test_epochs_differ():
    batch, samples = pictures(), torch.arange(16)
    first, second = (crop_and_flip(batch, samples, pad=2, flip=True, seed=0, epoch=e) for e in (0, 1))
    assert not torch.equal(first, second)


def test_cutout_blanks_a_square_that_may_leave_the_picture():
    images = torch.ones(200, 3, 16, 16)
    cut = cutout(images, torch.arange(200), size=6, **KEY)
    areas = (cut[:, 0] == 0).sum(dim=(1, 2))
    assert areas.max() == 36 and 9 <= areas.min() < 36  # a centre in the corner leaves a quarter
    assert torch.equal(cut[:, 0], cut[:, 2])
    inside = cut[areas == 36][0, 0] == 0
    assert inside.any(dim=0).sum() == 6 and inside.any(dim=1).sum() == 6
    assert images.min() == 1  # the caller's pictures are not written to


def test_resizing_agrees_with_pillow():
    batch = pictures(2, 64)
    got = resized(batch, 24)
    for i in range(2):
        with Image.fromarray(batch[i].numpy()) as picture:
            wanted = torch.from_numpy(np.array(picture.resize((24, 24), Image.Resampling.BILINEAR)))
        assert (got[i].int() - wanted.int()).abs().max() <= 1
    assert resized(batch, 64) is batch


def test_normalise_gives_mean_0_and_deviation_1_channels_last():
    batch = pictures(8)
    values = batch.double() / 255
    mean, std = values.mean(dim=(0, 1, 2)).float(), values.std(dim=(0, 1, 2), correction=0).float()
    images = normalise(batch, mean=mean, std=std)
    assert images.shape == (8, 3, 12, 12) and images.dtype == torch.float32
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert images.mean(dim=(0, 2, 3)).abs().max() < 1e-5
    assert (images.std(dim=(0, 2, 3), correction=0) - 1).abs().max() < 1e-5


def test_shifts_beyond_a_picture_fold_twice():
    index = torch.arange(-7, 12)
    assert (
        _augment._reflected(index, 4).tolist()
        == [1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1][: len(index)]
    )
    assert _augment._reflected(index, 1).unique().tolist() == [0]
