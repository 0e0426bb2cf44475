"""Pictures for people and images for networks."""

import numpy as np
import torch
from PIL import Image

from glauke.images import normalise, resized, unnormalised


def pictures(count=16, size=12):
    return torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


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


def test_every_grey_level_comes_back():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    mean, std = (0.4802,), (0.2764,)
    images = normalise(levels, mean=torch.tensor(mean), std=torch.tensor(std))
    assert torch.equal(unnormalised(images, mean=mean, std=std), levels)


def test_colours_come_back_and_what_lies_outside_is_cut_off():
    batch, mean, std = pictures(), torch.tensor([0.48, 0.45, 0.4]), torch.tensor([0.27, 0.26, 0.28])
    images = normalise(batch, mean=mean, std=std)
    back = unnormalised(images, mean=mean.tolist(), std=std.tolist())
    assert torch.equal(back, batch) and back.is_contiguous()
    far = unnormalised(torch.tensor([-99.0, 99.0]).reshape(1, 1, 1, 2), mean=[0.5], std=[0.2])
    assert far.flatten().tolist() == [0, 255]
