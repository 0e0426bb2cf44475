"""The bytes inside a compressed file, in order, with bounded memory and a watch on how much comes out.

`gzip`, `bz2` and `lzma` of the standard library ignore what follows the first damaged stream, do not say how
much they have read, and let an xz file ask for 4 GiB of memory; hence one loop of our own around their
decompressors.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from io import BufferedIOBase
from typing import Protocol

from ._members import RATIO_FROM_MEMBER_BYTES, RATIO_FROM_TOTAL_BYTES, Register

_INPUT_BYTES = 4096  # small, so that input and output can be compared: 200 x 4096 is below the 1 MiB of the rule
_OUTPUT_BYTES = 64 * 1024
_XZ_MEMORY_BYTES = 256 * 1024**2  # `xz -9` needs 65 MiB to unpack; a header can ask for 4 GiB

MAGIC = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\0": "xz"}
"""How a compressed file begins."""


class _Decompressor(Protocol):
    """What the decompressors of bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gunzip:
    """zlib's decompressor with the manners of the other two; checks the CRC and length at the end."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


_MAKERS: dict[str, Callable[[], _Decompressor]] = {
    "gz": _Gunzip,
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES),
}


class Decompressed:
    """Reads forward only. `kind` is a value of `MAGIC`, or "" for a file that is not compressed."""

    def __init__(
        self, file: BufferedIOBase, kind: str, register: Register, *, chunk_bytes: int = _OUTPUT_BYTES
    ) -> None:
        self._chunk_bytes = chunk_bytes
        self._file = file
        self._kind = kind
        self._register = register
        self._decompressor = _MAKERS[kind or "gz"]()  # an idle one where nothing is compressed
        self._pending = b""  # input that was read but not yet used
        self._chunk = b""
        self._at = 0
        self._consumed = 0
        self._produced = 0
        self._watched_from = 0
        self._watched: str | None = None

    def read(self, num_bytes: int) -> bytes:
        """The next `num_bytes`, fewer only where the file ends."""
        end = self._at + num_bytes
        if end <= len(self._chunk):
            piece = self._chunk[self._at : end]
            self._at = end
            return piece
        pieces = []
        while num_bytes > 0 and (piece := self._piece(num_bytes)):
            pieces.append(piece)
            num_bytes -= len(piece)
        return b"".join(pieces)

    def skip(self, num_bytes: int) -> int:
        """As `read`, but keeps nothing; returns how many bytes were there."""
        skipped = 0
        while skipped < num_bytes and (piece := self._piece(num_bytes - skipped)):
            skipped += len(piece)
        return skipped

    def watch(self, name: str | None) -> None:
        """From here on, the bytes that come out belong to the member `name`; None: to no member."""
        self._watched, self._watched_from = name, self._produced

    def _piece(self, at_most: int) -> bytes:
        if self._at >= len(self._chunk):
            self._chunk, self._at = self._next_chunk(), 0
        piece = self._chunk[self._at : self._at + at_most]
        self._at += len(piece)
        return piece

    def _next_chunk(self) -> bytes:
        if not self._kind:
            return self._file.read(self._chunk_bytes)
        chunk = self._decompress()
        self._check_ratio()
        self._register.allow_raw_bytes(self._produced)
        return chunk

    def _decompress(self) -> bytes:
        pieces, wanted = [], self._chunk_bytes
        while wanted > 0 and not (self._decompressor.eof and not self._begin_next_stream()):
            data = self._input() if self._decompressor.needs_input else b""
            piece = self._unpacked(data, wanted)
            pieces.append(piece)
            wanted -= len(piece)
            self._produced += len(piece)
        return b"".join(pieces)

    def _input(self) -> bytes:
        data = self._pending or self._file.read(_INPUT_BYTES)
        if not data:
            raise self._register.damage(f"it is cut short: its {self._kind} data end in the middle")
        self._consumed += 0 if self._pending else len(data)
        self._pending = b""
        return data

    def _unpacked(self, data: bytes, at_most: int) -> bytes:
        try:
            return self._decompressor.decompress(data, at_most)
        except (lzma.LZMAError, zlib.error, OSError) as error:  # OSError is bz2's; files are read elsewhere
            if "emory usage limit" in str(error):
                reason = f"unpacking it takes more than {_XZ_MEMORY_BYTES:,} bytes of memory"
                raise self._register.damage(reason, fix="compress it again with xz -9 or less") from error
            reason = f"its {self._kind} data are damaged near byte {self._consumed:,} ({error})"
            raise self._register.damage(reason) from error

    def _begin_next_stream(self) -> bool:
        """Several compressed streams in a row are one file (pigz, pbzip2 and `xz --append` write such)."""
        rest = self._decompressor.unused_data
        while not rest.lstrip(b"\0"):  # zeros may fill the space after a stream
            rest = self._file.read(_INPUT_BYTES)
            self._consumed += len(rest)
            if not rest:
                return False
        self._pending = rest.lstrip(b"\0")
        self._decompressor = _MAKERS[self._kind]()
        return True

    def _check_ratio(self) -> None:
        ratio = self._register.limits.ratio
        # Against all that was read so far, not since the member began: a copy of an earlier file takes next to
        # nothing in an xz, and bzip2 reads a block of 900 kB before anything comes out.
        if self._produced <= ratio * self._consumed:
            return
        if self._watched is not None and self._produced - self._watched_from > RATIO_FROM_MEMBER_BYTES:
            reason = f"unpacks to more than {ratio} times its packed size"
            raise self._register.refusal(reason, name=self._watched)
        if self._produced > RATIO_FROM_TOTAL_BYTES:
            raise self._register.damage(f"it unpacks to more than {ratio} times its size")
