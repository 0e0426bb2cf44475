"""Batches from a pack, on the embedded digits."""

import pytest
import torch

from glauke.errors import UsageError
from glauke.images import Augmentation, Batches, make_split, open_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLAUKE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield open_pack("digits")


@pytest.fixture(scope="module")
def train(pack):
    return make_split(pack).train


def test_an_epoch_serves_every_picture_once_the_short_last_batch_too(pack, train):
    batches = Batches(pack, train, batch_size=100, shuffle=True, seed=4)
    served = list(batches.epoch(3))
    samples = torch.cat([batch.samples for batch in served])
    assert len(batches) == len(served) == -(-len(train) // 100)
    assert sorted(samples.tolist()) == train.tolist()
    assert [len(batch.labels) for batch in served][-1] == len(train) % 100
    assert torch.equal(torch.cat([b.labels for b in served]), torch.from_numpy(pack.labels[samples].astype("int64")))


def test_an_epoch_taken_up_in_the_middle_goes_on_with_the_same_bits(pack, train):
    batches = Batches(pack, train, batch_size=64, shuffle=True, augmentation=Augmentation(pad=2, flip=True), seed=1)
    whole, rest = list(batches.epoch(2)), list(batches.epoch(2, first_step=5))
    assert len(rest) == len(whole) - 5
    for a, b in zip(whole[5:], rest, strict=True):
        assert torch.equal(a.images, b.images) and torch.equal(a.samples, b.samples)


def test_epochs_and_seeds_have_their_own_order(pack, train):
    orders = [Batches(pack, train, batch_size=64, shuffle=True, seed=s).order(e) for s, e in ((0, 0), (0, 1), (1, 0))]
    assert not torch.equal(orders[0], orders[1]) and not torch.equal(orders[0], orders[2])


def test_held_out_pictures_come_in_their_own_order_and_unchanged(pack, train):
    batches = Batches(pack, train, batch_size=1000)
    batch = next(iter(batches))
    restored = batch.images.permute(0, 2, 3, 1) * batches.std + batches.mean
    assert torch.allclose(restored * 255, torch.from_numpy(pack.images[train[:1000]]).float(), atol=1e-3)
    images, labels = batch
    assert images is batch.images and labels is batch.labels


def test_pictures_are_brought_to_the_size_asked_for(pack, train):
    batches = Batches(pack, train, batch_size=8, size=16)
    assert next(iter(batches)).images.shape == (8, 1, 16, 16)


@pytest.mark.parametrize(("size", "count"), [(0, 10), (-1, 10), (8, 0)])
def test_impossible_batches_are_refused(pack, train, size, count):
    with pytest.raises(UsageError, match="batch"):
        Batches(pack, train[:count], batch_size=size)
