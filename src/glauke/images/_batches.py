"""Pictures on the training device, served in batches: no loader processes, no decoding, no copies between devices."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from glauke.errors import UsageError

from ._augment import crop_and_flip, cutout, normalise, resized
from ._keyed import permutation
from ._pack import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """What happens to a training picture, drawn anew for every picture in every epoch."""

    pad: int = 0
    """Shift by up to this many pixels each way, at the training size."""
    flip: bool = False
    """Mirror half of the pictures; wrong where left and right differ, as in letters and digits."""
    cutout: int = 0
    """Side of the blanked square in pixels; 0 is none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """One step's pictures, ready for the network."""

    images: Float[Tensor, "batch channels height width"]
    """Normalised, channels-last memory, on the training device."""
    labels: Int[Tensor, " batch"]
    """Index into the pack's classes."""
    samples: Int[Tensor, " batch"]
    """Index into the pack: what a message about this batch can name the files by."""

    def __iter__(self) -> Iterator[Tensor]:
        """Unpack like any loader's batch: `images, labels = batch`."""
        return iter((self.images, self.labels))


def steps_in_epoch(num_pictures: int, batch_size: int) -> int:
    """Batches in an epoch; a single picture that would be left over joins the batch before it.

    Batch norm has no variance to divide by in a batch of one picture whose maps have shrunk to one pixel.

    >>> steps_in_epoch(70_000, 512), steps_in_epoch(257, 128), steps_in_epoch(258, 128)
    (137, 2, 3)
    """
    left = num_pictures % batch_size
    return num_pictures // batch_size + (left > 1 or (left == 1 and num_pictures == 1))


class Batches:
    """The chosen pictures of a pack on a device, as batches that depend on (seed, epoch, step) alone.

    Iterating serves epoch 0; `epoch` serves any. Without `shuffle` the pictures come in the order of `indices`. They
    stay uint8 on the device, at the size that is asked for: a phase of a run at another size makes another `Batches`.
    The short last batch is served too.
    """

    def __init__(
        self,
        pack: Pack,
        indices: Int[np.ndarray, " n"],
        *,
        batch_size: int,
        size: int | None = None,
        device: torch.device | str = "cpu",
        shuffle: bool = False,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        if batch_size < 1:
            raise UsageError(f"the batch size must be at least 1, not {batch_size}", place="--batch-size")
        if len(indices) == 0:
            raise UsageError("there are no pictures to make batches of")
        self.batch_size = batch_size
        self.size = size or pack.size
        self.device = torch.device(device)
        self.shuffle = shuffle
        self.augmentation = augmentation or Augmentation()
        self.seed = seed
        self.pictures = _at_size(pack, indices, self.size).to(self.device)
        self.labels = torch.from_numpy(pack.labels[indices].astype(np.int64)).to(self.device)
        self.indices = torch.from_numpy(np.asarray(indices, dtype=np.int64)).to(self.device)
        self.mean = torch.tensor(pack.mean, dtype=torch.float32, device=self.device)
        self.std = torch.tensor(pack.std, dtype=torch.float32, device=self.device)

    def __len__(self) -> int:
        """Steps in an epoch, the short last one included."""
        return steps_in_epoch(len(self.labels), self.batch_size)

    @property
    def num_pictures(self) -> int:
        """Pictures in an epoch."""
        return len(self.labels)

    def __iter__(self) -> Iterator[Batch]:
        """Serve epoch 0."""
        return self.epoch(0)

    def epoch(self, epoch: int, *, first_step: int = 0) -> Iterator[Batch]:
        """Serve the batches of `epoch` from its step `first_step` on; a resumed run begins in the middle this way."""
        order = self.order(epoch)
        for step in range(first_step, len(self)):
            last = step == len(self) - 1
            yield self.batch(order[step * self.batch_size : None if last else (step + 1) * self.batch_size], epoch)

    def order(self, epoch: int) -> Int[Tensor, " n"]:
        """Positions of the pictures in the order in which `epoch` serves them."""
        if not self.shuffle:
            return torch.arange(len(self.labels), device=self.device)
        return permutation(len(self.labels), seed=self.seed, epoch=epoch, purpose="order").to(self.device)

    def batch(self, positions: Int[Tensor, " batch"], epoch: int) -> Batch:
        """Gather, augment and normalise the pictures at `positions`."""
        pictures, samples = self.pictures[positions], self.indices[positions]
        plan = self.augmentation
        pictures = crop_and_flip(pictures, samples, pad=plan.pad, flip=plan.flip, seed=self.seed, epoch=epoch)
        images = normalise(pictures, mean=self.mean, std=self.std)
        images = cutout(images, samples, size=plan.cutout, seed=self.seed, epoch=epoch)
        return Batch(images=images, labels=self.labels[positions], samples=samples)


def _at_size(pack: Pack, indices: np.ndarray, size: int, *, block: int = 4096) -> Tensor:
    pictures = torch.empty((len(indices), size, size, pack.channels), dtype=torch.uint8)
    for start in range(0, len(indices), block):
        rows = torch.from_numpy(pack.images[indices[start : start + block]])
        pictures[start : start + block] = resized(rows, size)
    return pictures
