"""How fast this machine decodes JPEGs: no packing, and no loader that decodes anew in every epoch, is faster."""

import io
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from ._decode import decode
from ._workers import Chunk, Decoders

_PICTURES = 64
_QUALITY = 90


def decode_rate(*, seconds: float | int, size: int = 64, num_workers: int | None = None) -> float:
    """Made JPEGs of `size` x `size` pixels decoded a second, for about `seconds`.

    In this very process, on one core, or with `num_workers` processes as packing has them; then what it costs to hand
    the files over is in it too, and starting the processes is not.
    """
    files = made_jpegs(_PICTURES, size=size)
    if num_workers is None:
        start, done = time.perf_counter(), 0
        while (spent := time.perf_counter() - start) < seconds or not done:
            for data in files:
                decode(data, size=size, channels=3)
            done += len(files)
        return done / spent
    handle, name = tempfile.mkstemp()
    os.close(handle)
    try:
        return _rate_of_workers(files, Path(name), seconds=seconds, size=size, num_workers=num_workers)
    finally:
        Path(name).unlink()


def made_jpegs(count: int, *, size: int) -> list[bytes]:
    """JPEG files of soft shapes with a little noise, about as large as photographs of that size."""
    random, files = np.random.default_rng(0), []
    for _ in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        soft = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), np.int16)
        noisy = np.clip(soft + random.integers(-12, 13, soft.shape), 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noisy).save(buffer, format="JPEG", quality=_QUALITY)
        files.append(buffer.getvalue())
    return files


def _rate_of_workers(files: list[bytes], slots: Path, *, seconds: float | int, size: int, num_workers: int) -> float:
    chunk = Chunk(first=0, files=files)
    with Decoders(slots, size=size, channels=3, num_workers=num_workers) as decoders:
        for _ in range(2 * num_workers):  # until every process has answered, none counts
            decoders.submit(chunk)
        decoders.finish()
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < seconds or not done:
            decoders.submit(chunk)
            done += len(files)
        decoders.finish()
        return done / (time.perf_counter() - start)
