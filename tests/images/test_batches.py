"""Batches from a pack, on the embedded digits."""

import gc
import threading

import pytest
import torch

from glauke.errors import UsageError
from glauke.images import Augmentation, Batches, _batches, _memory, make_split, open_pack, unnormalised

EVERYTHING = Augmentation(area=0.4, flip=True, alternate=True, trivial=True, cutout=2, mixup=0.4, cutmix=1.0)


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
    restored = unnormalised(batch.images, mean=pack.mean, std=pack.std)
    assert torch.equal(restored, torch.from_numpy(pack.images[train[:1000]]))
    images, labels = batch
    assert images is batch.images and labels is batch.labels


def test_pictures_are_brought_to_the_size_asked_for(pack, train):
    batches = Batches(pack, train, batch_size=8, size=16)
    assert next(iter(batches)).images.shape == (8, 1, 16, 16)


@pytest.mark.parametrize(("size", "count"), [(0, 10), (-1, 10), (8, 0)])
def test_impossible_batches_are_refused(pack, train, size, count):
    with pytest.raises(UsageError, match="batch"):
        Batches(pack, train[:count], batch_size=size)


def test_mixed_pictures_have_the_labels_of_both(pack, train):
    plan = Augmentation(mixup=0.4)
    plain, batch = (next(iter(Batches(pack, train, batch_size=64, augmentation=a))) for a in (None, plan))
    assert plain.partners is None and plain.targets is plain.labels
    images, targets = batch
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert images is batch.images and targets.shape == (64, 10) and torch.allclose(targets.sum(1), torch.ones(64))
    for i in range(64):
        wanted = torch.zeros(10)
        wanted[batch.labels[i]] += batch.shares[i]
        wanted[batch.partners[i]] += 1 - batch.shares[i]
        assert torch.allclose(targets[i], wanted)
    # What is blended really is the picture of that label: the residue of a blend with the partner's pictures is 0.
    for i in range(8):
        of_partner = plain.images[(plain.labels == batch.partners[i])]
        blends = batch.shares[i] * plain.images[i] + (1 - batch.shares[i]) * of_partner
        assert (blends - batch.images[i]).abs().amax(dim=(1, 2, 3)).min() < 1e-5


def test_batches_may_grow_on_the_way(pack, train):
    batches = Batches(pack, train, batch_size=64, shuffle=True, seed=1)
    grown = list(batches.epoch(2, batch_size=300))
    assert [len(batch.labels) for batch in grown] == [300] * 4 + [len(train) % 300]
    samples = torch.cat([batch.samples for batch in grown])
    assert torch.equal(samples, torch.cat([batch.samples for batch in batches.epoch(2)]))
    rest = list(batches.epoch(2, batch_size=300, first_step=3))
    assert torch.equal(rest[0].images, grown[3].images) and len(rest) == 2


@pytest.mark.parametrize("size", [8, 6, 12])
@pytest.mark.parametrize("plan", [Augmentation(), Augmentation(pad=2, flip=True), EVERYTHING])
def test_streamed_batches_are_the_resident_ones_to_the_bit(pack, train, size, plan):
    kept, read = (
        Batches(pack, train, batch_size=50, size=size, shuffle=True, augmentation=plan, seed=3, stream=stream)
        for stream in (False, True)
    )
    assert read.streamed and read.pictures is None and not kept.streamed
    for epoch, first in ((0, 0), (1, 20)):
        for a, b in zip(kept.epoch(epoch, first_step=first), read.epoch(epoch, first_step=first), strict=True):
            assert torch.equal(a.images, b.images) and torch.equal(a.samples, b.samples)
            assert torch.equal(a.targets, b.targets)
    positions = torch.tensor([7, 2])
    assert torch.equal(kept.batch(positions, 1).images, read.batch(positions, 1).images)


def test_pictures_that_do_not_fit_are_streamed(pack, train, monkeypatch):
    num_bytes = len(train) * 8 * 8
    for free, streamed in ((2 * num_bytes, False), (2 * num_bytes - 1, True)):
        monkeypatch.setattr(_memory, "free_memory", lambda device, free=free: float(free))
        assert Batches(pack, train, batch_size=50).streamed is streamed
    assert not Batches(pack, train, batch_size=50, size=4).streamed  # it is the size in memory that counts
    assert not Batches(pack, train, batch_size=50, stream=False).streamed


def test_a_reader_who_leaves_takes_the_thread_along(pack, train):
    def readers():
        return [thread for thread in threading.enumerate() if thread.name.startswith("glauke-pictures")]

    for batch in Batches(pack, train, batch_size=50, stream=True):
        assert len(readers()) == 1 and len(batch.labels) == 50
        break
    gc.collect()
    assert readers() == []
    with pytest.raises(KeyboardInterrupt):
        for _ in Batches(pack, train, batch_size=50, stream=True):
            raise KeyboardInterrupt
    gc.collect()
    assert readers() == []


def test_an_unreadable_pack_is_an_error_in_the_loop(pack, train, monkeypatch):
    def broken(images, rows, size):
        raise OSError("the disk has gone")

    monkeypatch.setattr(_batches, "read_rows", broken)
    with pytest.raises(OSError, match="the disk has gone"):
        next(iter(Batches(pack, train, batch_size=50, stream=True)))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("stream", [False, True])
def test_a_gpu_serves_the_same_pictures(pack, train, stream):
    plan = Augmentation(pad=2, flip=True, alternate=True, trivial=True, mixup=0.4, cutmix=1.0)
    here, there = (
        Batches(pack, train, batch_size=50, shuffle=True, augmentation=plan, seed=3, device=device, stream=stream)
        for device in ("cpu", "cuda")
    )
    for a, b in zip(here.epoch(1), there.epoch(1), strict=True):
        assert b.images.is_cuda and torch.equal(a.samples, b.samples.cpu())
        assert torch.allclose(a.targets.float(), b.targets.float().cpu(), atol=1e-6)
        # A rounding apart where a rotated pixel lies between two, or a grey level on the edge of one.
        assert ((a.images - b.images.cpu()).abs() > 1e-4).double().mean() < 0.01


def test_pictures_go_to_the_device_block_by_block(pack, train, monkeypatch):
    made, empty = [], torch.empty

    def noted(shape, **options):
        made.append((shape, options.get("device")))
        return empty(shape, **{**options, "device": "cpu"})

    monkeypatch.setattr(_batches.torch, "empty", noted)
    gpu = torch.device("cuda:0")  # asked for, never touched
    at_size = _batches._at_size(pack, train, 8, device=gpu, block=100)
    assert made == [((len(train), 8, 8, pack.channels), gpu)]  # the whole set has no place in the host's memory
    assert torch.equal(at_size, torch.from_numpy(pack.images[train]))


def test_the_thread_that_reads_asks_for_nothing_on_the_device(pack, train):
    batches = Batches(pack, train, batch_size=64, shuffle=True, seed=2, stream=True)
    wanted = list(Batches(pack, train, batch_size=64, shuffle=True, seed=2, stream=False).epoch(1, first_step=3))
    batches.indices = batches.indices.to("meta")  # whose values cannot be read
    read = [batches._read(positions) for positions in _batches._chunks(batches._order(1), 64)[3:]]
    mean, std = batches.mean, batches.std
    assert len(read) == len(wanted)
    for pictures, batch in zip(read, wanted, strict=True):
        assert torch.equal(pictures, unnormalised(batch.images, mean=tuple(mean.tolist()), std=tuple(std.tolist())))
