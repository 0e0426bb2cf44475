"""Augmentation as a whole: what nobody asked for changes no byte, and no picture depends on its batch."""

from dataclasses import replace

import pytest
import torch

from glauke.images import Augmentation
from glauke.images.augmenting._augment import augmented, cutout

KEY = {"seed": 5, "epoch": 2}
EVERYTHING = Augmentation(pad=2, flip=True, alternate=True, trivial=True)


def pictures(count=16, size=12, channels=3):
    shape, generator = (count, size, size, channels), torch.Generator().manual_seed(0)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def test_nothing_asked_for_is_nothing_done():
    batch = pictures()
    assert augmented(batch, torch.arange(16), Augmentation(), **KEY) is batch
    assert torch.equal(augmented(batch, torch.arange(16), Augmentation(area=1), **KEY), batch)
    images = torch.rand(2, 3, 8, 8)
    assert cutout(images, torch.arange(2), size=0, **KEY) is images


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("plan", [Augmentation(pad=2, flip=True), EVERYTHING, replace(EVERYTHING, area=0.3)])
def test_a_picture_is_augmented_the_same_in_any_batch(plan, channels):
    batch, samples = pictures(channels=channels), torch.arange(16)
    before = batch.clone()
    whole = augmented(batch, samples, plan, **KEY)
    assert whole.dtype == torch.uint8 and whole.shape == batch.shape and torch.equal(batch, before)
    for some in ([5], [15, 3, 8], list(range(16))[::-1]):
        assert torch.equal(augmented(batch[some], samples[some], plan, **KEY), whole[some])


def test_epochs_and_seeds_differ():
    batch, samples = pictures(), torch.arange(16)
    first, *others = (augmented(batch, samples, EVERYTHING, seed=s, epoch=e) for s, e in ((0, 0), (0, 1), (1, 0)))
    assert all(not torch.equal(first, other) for other in others)


def test_cutout_blanks_a_square_that_may_leave_the_picture():
    images = torch.ones(200, 3, 16, 16)
    cut = cutout(images, torch.arange(200), size=6, **KEY)
    areas = (cut[:, 0] == 0).sum(dim=(1, 2))
    assert areas.max() == 36 and 9 <= areas.min() < 36  # a centre in the corner leaves a quarter
    assert torch.equal(cut[:, 0], cut[:, 2])
    inside = cut[areas == 36][0, 0] == 0
    assert inside.any(dim=0).sum() == 6 and inside.any(dim=1).sum() == 6
    assert images.min() == 1  # the caller's pictures are not written to
