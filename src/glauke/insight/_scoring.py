"""A trained network is asked about pictures of a pack."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Int

from glauke.errors import DataError
from glauke.images import Batches, Pack
from glauke.training import choose_precision

from ._trained import Trained
from .numbers._predictions import Predictions


def batches_for(trained: Trained, pack: Pack, indices: Int[np.ndarray, " n"], *, batch_size: int = 256) -> Batches:
    """The chosen pictures as the network wants them: at its size, with its mean and deviation, on its device.

    They come in the order of `indices`. Raises `DataError` for a pack with other channels.
    """
    if pack.channels != trained.channels:
        raise DataError(
            f"the pictures have {pack.channels} channels, but the network takes {trained.channels}", place=pack.data
        )
    return Batches(
        replace(pack, mean=trained.mean, std=trained.std),  # those of its training, whatever the pictures are
        indices,
        batch_size=batch_size,
        size=trained.size,
        device=trained.device,
    )


def predict(
    trained: Trained,
    pack: Pack,
    indices: Int[np.ndarray, " n"],
    *,
    batch_size: int = 256,
    precision: str = "auto",
    watch: Callable[[int, int], object] | None = None,
) -> Predictions:
    """Ask the network about the pictures at `indices` of a pack.

    `precision` is a name of `glauke.training.choose_precision`; to get a run's own numbers again, give that of the
    run. `watch` is called after each batch with the pictures done and all pictures.

    Raises:
        UsageError: there are no indices, or the precision is not for this device.
        DataError: the pack has other channels or classes than the network, or the network's answers are not finite.
    """
    if pack.classes != trained.classes:
        raise DataError(
            f"the pictures' {len(pack.classes)} classes are not the network's {len(trained.classes)}",
            place=pack.data,
            fix="give the data that the run was trained with",
        )
    batches = batches_for(trained, pack, indices, batch_size=batch_size)
    chosen = choose_precision(precision, trained.device)
    logits = np.empty((batches.num_pictures, len(trained.classes)), np.float32)
    done = 0
    with torch.inference_mode(), chosen.autocast():
        for images, _ in batches:
            logits[done : done + len(images)] = trained.model(images).float().cpu().numpy()
            done += len(images)
            if watch is not None:
                watch(done, batches.num_pictures)
    return Predictions(
        logits=logits,
        labels=pack.labels[indices].astype(np.int64),
        samples=np.asarray(indices, dtype=np.int64),
        names=tuple(pack.names[int(i)] for i in indices),
        classes=trained.classes,
        readable=pack.readable,
    )
