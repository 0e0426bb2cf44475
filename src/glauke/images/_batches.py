"""Pictures on the training device, served in batches: no loader processes, no decoding."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from glauke.errors import UsageError

from ._memory import fits
from ._stream import one_ahead, read_rows
from .augmenting._augment import Augmentation, augmented, cutout
from .augmenting._keyed import permutation
from .augmenting._mix import mixed
from .augmenting._pixels import Pictures, normalise, resized
from .packing._pack import Pack


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """One step's pictures, ready for the network."""

    images: Float[Tensor, "batch channels height width"]
    """Normalised, channels-last memory, on the training device."""
    labels: Int[Tensor, " batch"]
    """Index into the pack's classes."""
    samples: Int[Tensor, " batch"]
    """Index into the pack: what a message about this batch can name the files by."""
    partners: Int[Tensor, " batch"] | None = None
    """Where pictures are mixed, the label of the one that each is mixed with."""
    shares: Float[Tensor, " batch"] | None = None
    """Where pictures are mixed, how much of each is its own: the loss is that of the label in this share, and that of
    the partner in the rest."""
    num_classes: int | None = None
    """Where pictures are mixed, the number of classes."""

    def __iter__(self) -> Iterator[Tensor]:
        """Unpack like any loader's batch: `images, targets = batch`."""
        return iter((self.images, self.targets))

    @property
    def targets(self) -> Tensor:
        """What PyTorch's cross-entropy takes: the labels, or (batch, classes) of shares where pictures are mixed.

        >>> batch = Batch(
        ...     images=torch.zeros(2, 1, 8, 8), labels=torch.tensor([2, 0]), samples=torch.tensor([7, 8]),
        ...     partners=torch.tensor([0, 0]), shares=torch.tensor([0.75, 0.5]), num_classes=3,
        ... )
        >>> batch.targets.tolist()
        [[0.25, 0.0, 0.75], [1.0, 0.0, 0.0]]
        """
        if self.partners is None or self.shares is None or self.num_classes is None:
            return self.labels
        own, other = (F.one_hot(labels, self.num_classes) for labels in (self.labels, self.partners))
        return self.shares[:, None] * own + (1 - self.shares[:, None]) * other


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

    With `stream` the pictures stay on the disk, and a thread reads and resizes them one batch ahead: the same bits, out
    of any amount of data. None streams where the pictures would take more than half of the device's free memory.
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
        stream: bool | None = None,
    ) -> None:
        if batch_size < 1:
            raise UsageError(f"the batch size must be at least 1, not {batch_size}", place="--batch-size")
        if len(indices) == 0:
            raise UsageError("there are no pictures to make batches of")
        self.pack = pack
        self.batch_size = batch_size
        self.size = size or pack.size
        self.device = torch.device(device)
        self.shuffle = shuffle
        self.augmentation = augmentation or Augmentation()
        self.seed = seed
        num_bytes = len(indices) * self.size**2 * pack.channels
        self.streamed = not fits(num_bytes, str(self.device)) if stream is None else stream
        self.pictures = None if self.streamed else _at_size(pack, indices, self.size, device=self.device)
        self.labels = torch.from_numpy(pack.labels[indices].astype(np.int64)).to(self.device)
        self.rows = torch.from_numpy(np.array(indices, dtype=np.int64))
        """`indices` in the host's memory, for the thread that reads: asking a GPU for them would wait for its work."""
        self.indices = self.rows.to(self.device)
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

    def epoch(self, epoch: int, *, first_step: int = 0, batch_size: int | None = None) -> Generator[Batch, None, None]:
        """Serve the batches of `epoch` from its step `first_step` on; a resumed run begins in the middle this way.

        `batch_size` stands in for the one of these batches, for a run whose batches grow.
        """
        most, order = batch_size or self.batch_size, self._order(epoch)
        chunks = _chunks(order.to(self.device), most)[first_step:]
        if not self.streamed:
            yield from (self.batch(positions, epoch) for positions in chunks)
            return
        with closing(one_ahead(self._read, _chunks(order, most)[first_step:])) as ahead:
            yield from map(partial(self._made, epoch=epoch), chunks, ahead)

    def order(self, epoch: int) -> Int[Tensor, " n"]:
        """Positions of the pictures in the order in which `epoch` serves them."""
        return self._order(epoch).to(self.device)

    def batch(self, positions: Int[Tensor, " batch"], epoch: int) -> Batch:
        """Gather, augment and normalise the pictures at `positions`."""
        pictures = self._read(positions.cpu()) if self.pictures is None else self.pictures[positions]
        return self._made(positions, pictures, epoch=epoch)

    def _order(self, epoch: int) -> Int[Tensor, " n"]:
        """The same as `order`, in the host's memory."""
        if not self.shuffle:
            return torch.arange(len(self.labels))
        return permutation(len(self.labels), seed=self.seed, epoch=epoch, purpose="order")

    def _read(self, positions: Int[Tensor, " batch"]) -> Pictures:
        """The pictures at `positions` from the pack; in page-locked memory if they are to travel to a GPU."""
        pictures = read_rows(self.pack.images, self.rows[positions].numpy(), self.size)
        return pictures.pin_memory() if self.device.type == "cuda" else pictures

    def _made(self, positions: Int[Tensor, " batch"], pictures: Pictures, *, epoch: int) -> Batch:
        samples, labels, plan = self.indices[positions], self.labels[positions], self.augmentation
        key = {"seed": self.seed, "epoch": epoch}
        pictures = augmented(pictures.to(self.device, non_blocking=True), samples, plan, **key)
        images = normalise(pictures, mean=self.mean, std=self.std)
        images = cutout(images, samples, size=plan.cutout, **key)
        if not (plan.mixup or plan.cutmix):
            return Batch(images=images, labels=labels, samples=samples)
        images, partners, shares = mixed(images, samples, mixup=plan.mixup, cutmix=plan.cutmix, **key)
        return Batch(
            images=images,
            labels=labels,
            samples=samples,
            partners=labels[partners],
            shares=shares,
            num_classes=len(self.pack.classes),
        )


def _chunks(order: Int[Tensor, " n"], most: int) -> list[Int[Tensor, " batch"]]:
    """The order cut into batches."""
    last = steps_in_epoch(len(order), most) - 1
    return [order[step * most : None if step == last else (step + 1) * most] for step in range(last + 1)]


def _at_size(pack: Pack, indices: np.ndarray, size: int, *, device: torch.device, block: int = 4096) -> Tensor:
    """The pictures on the device, sent there block by block: the host never holds all of them."""
    pictures = torch.empty((len(indices), size, size, pack.channels), dtype=torch.uint8, device=device)
    for start in range(0, len(indices), block):
        rows = torch.from_numpy(pack.images[indices[start : start + block]])
        pictures[start : start + block] = resized(rows, size)
    return pictures
