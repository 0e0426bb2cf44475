"""Files in the IDX format of MNIST: a head that says what follows, then bytes, as they are or inside gzip.

The format stands on the page of "The MNIST database of handwritten digits" (LeCun, Cortes and Burges): two zeros, the
kind of number, the number of dimensions, each dimension as a big-endian 32-bit number, and then the numbers.
"""

import gzip
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO

import numpy as np
from jaxtyping import UInt8

from glauke.errors import DataError

UNSIGNED_BYTES = 8
GZIP = b"\x1f\x8b"

_ROWS_AT_ONCE = 4096
_MOST_ROWS = 10_000_000  # of a file's own promise, before it is believed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IdxFile:
    """An IDX file of bytes whose head has been read."""

    shape: tuple[int, ...]
    """Of the whole array, the number of rows first."""
    place: str
    """For errors."""
    stream: BufferedIOBase
    """Stands behind the head."""

    def rows(self) -> Iterator[UInt8[np.ndarray, "..."]]:
        """The rows in blocks of some thousands; `DataError` where the file ends too soon, too late or is damaged."""
        count, row = self.shape[0], math.prod(self.shape[1:])
        for start in range(0, count, _ROWS_AT_ONCE):
            wanted = min(_ROWS_AT_ONCE, count - start)
            data = _read(self.stream, wanted * row, place=self.place)
            if len(data) < wanted * row:
                there = start + len(data) // row
                raise DataError(
                    f"the file is cut short: it holds {there:,} of the {count:,} rows that its head names",
                    place=self.place,
                    fix="fetch it anew",
                )
            yield np.frombuffer(data, np.uint8).reshape(wanted, *self.shape[1:])
        if _read(self.stream, 1, place=self.place):
            raise DataError(
                f"more data follow after the {count:,} rows that its head names", place=self.place, fix="fetch it anew"
            )


def open_idx(data: bytes, *, dimensions: int, place: str) -> IdxFile:
    """Read the head of an IDX file of bytes, or say in a `DataError` what stands there instead.

    >>> file = open_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]), dimensions=1, place="labels")
    >>> file.shape, [row.tolist() for row in file.rows()]
    ((3,), [[5, 0, 4]])
    """
    stream: BufferedIOBase = BytesIO(data)
    if data.startswith(GZIP):
        stream = gzip.GzipFile(fileobj=stream)
    head = _read(stream, 4 + 4 * dimensions, place=place)
    magic, wanted = int.from_bytes(head[:4], "big"), UNSIGNED_BYTES << 8 | dimensions
    if len(head) < 4 or magic != wanted:
        kind = {UNSIGNED_BYTES << 8 | 1: ", that of labels", UNSIGNED_BYTES << 8 | 3: ", that of pictures"}.get(
            magic, ""
        )
        raise DataError(
            f"an IDX file of {dimensions} dimensions begins with the magic number {wanted}, and this one "
            + (f"with {magic}{kind}" if len(head) >= 4 else f"has only {len(head)} bytes"),
            place=place,
            fix="fetch it anew",
        )
    if len(head) < 4 + 4 * dimensions:
        raise DataError("the head of the file is cut short", place=place, fix="fetch it anew")
    shape = tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, len(head), 4))
    if not 0 < shape[0] <= _MOST_ROWS:
        raise DataError(f"the head of the file names {shape[0]:,} rows", place=place, fix="fetch it anew")
    return IdxFile(shape=shape, place=place, stream=stream)


def _read(stream: BufferedIOBase, num_bytes: int, *, place: str) -> bytes:
    """Up to so many bytes; less only where the file ends."""
    try:
        return stream.read(num_bytes)
    except (OSError, EOFError, zlib.error) as error:  # gzip's own, of which the file in memory has none
        raise DataError(
            f"its gzip data are damaged or cut short ({error})", place=place, fix="fetch it anew"
        ) from error
