"""Pictures are decoded on all cores, by processes that know NumPy and Pillow and nothing else.

A worker is this very file in a fresh interpreter, spoken to over its standard input and output: unlike
`multiprocessing` it never runs the user's script again, works in notebooks and from any thread on every
system, and ends by itself when its input does, so that a killed parent leaves nobody behind.
"""

import contextlib
import hashlib
import json
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from glauke.errors import CannotGoOnError
from glauke.files import quiet_pillow

from ._decode import UndecodableError, decode

_REQUEST = struct.Struct("<QI")
_REPLY = struct.Struct("<I")
_MEMORY_LIMIT = 4 << 30  # address space of a worker: a picture of 50 megapixels takes at most a quarter of it
_START = "from glauke.images.packing._workers import serve; serve()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Files that are decoded together, into neighbouring slots."""

    first: int
    """Slot of the first file."""

    files: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What came of a chunk; the pixels lie in the slot file."""

    first: int
    digests: list[bytes]
    """BLAKE2b of every file's pixels, 16 bytes; none at all of a file that gave no pixels."""
    sums: list[int]
    """Of all pixels that were given, by channel."""
    squares: list[int]
    """Sums of squares."""
    failures: dict[int, tuple[str, str]]
    """Rule and reason by slot, for the files that gave no pixels."""


def decode_chunk(chunk: Chunk, *, slots: BinaryIO, size: int, channels: int) -> Decoded:
    """Decode a chunk, write its pixels to their slots and add them up."""
    pixels = np.zeros((len(chunk.files), size, size, channels), np.uint8)
    digests = []
    failures: dict[int, tuple[str, str]] = {}
    for i, data in enumerate(chunk.files):
        try:
            pixels[i] = decode(data, size=size, channels=channels)
            digests.append(hashlib.blake2b(pixels[i].data, digest_size=16).digest())
        except UndecodableError as error:
            failures[chunk.first + i] = (error.rule, error.message)
            digests.append(b"")
    slots.seek(chunk.first * size * size * channels)
    slots.write(pixels.data)
    slots.flush()
    sums, squares = _added_up(pixels)
    return Decoded(first=chunk.first, digests=digests, sums=sums, squares=squares, failures=failures)


def _added_up(pixels: np.ndarray, *, step: int = 64) -> tuple[list[int], list[int]]:
    """Exact sums and sums of squares by channel; over pictures first, along which memory is read in order."""
    sums = np.zeros(pixels.shape[1:], np.uint64)
    squares = np.zeros_like(sums)
    for start in range(0, len(pixels), step):  # 64 squares of a byte fit 32 bits, one fits 16
        few = pixels[start : start + step]
        sums += few.sum(axis=0, dtype=np.uint32)
        squares += np.square(few, dtype=np.uint16).sum(axis=0, dtype=np.uint32)
    return sums.sum(axis=(0, 1)).tolist(), squares.sum(axis=(0, 1)).tolist()


def serve() -> None:
    """Be a worker: decode chunks from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, resource.RLIM_INFINITY))
    path, size, channels = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    with path.open("r+b") as slots, quiet_pillow():
        while len(head := requests.read(_REQUEST.size)) == _REQUEST.size:
            first, count = _REQUEST.unpack(head)
            lengths = np.frombuffer(requests.read(8 * count), "<u8").tolist()
            chunk = Chunk(first=first, files=[requests.read(length) for length in lengths])
            try:
                done = decode_chunk(chunk, slots=slots, size=size, channels=channels)
                answer = {**asdict(done), "digests": [digest.hex() for digest in done.digests]}
            except OSError as error:
                answer = {"errno": error.errno, "message": str(error)}
            text = json.dumps(answer).encode()
            replies.write(_REPLY.pack(len(text)) + text)
            replies.flush()


class _DiedError(Exception):
    """The worker process ended instead of answering."""


class _Worker:
    """One decoding process."""

    def __init__(self, slots: Path, *, size: int, channels: int) -> None:
        arguments = [sys.executable, "-P", "-c", _START, str(slots), str(size), str(channels)]
        # One thread each: the processes are the parallelism, and idle BLAS threads cost memory.
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def decode(self, chunk: Chunk) -> Decoded:
        """Send a chunk and wait for its answer; `_DiedError` if the process ends first."""
        requests, replies = self.process.stdin, self.process.stdout
        assert requests is not None
        assert replies is not None
        lengths = np.array([len(data) for data in chunk.files], "<u8").tobytes()
        try:
            # In one piece: every single write would wait for its turn with the thread that unpacks.
            requests.write(b"".join([_REQUEST.pack(chunk.first, len(chunk.files)), lengths, *chunk.files]))
            requests.flush()
            head = replies.read(_REPLY.size)
            if len(head) < _REPLY.size:
                raise _DiedError
            (length,) = _REPLY.unpack(head)
            answer = json.loads(replies.read(length))
        except OSError as error:
            raise _DiedError from error
        if "errno" in answer:
            raise OSError(answer["errno"], answer["message"])
        answer["digests"] = [bytes.fromhex(digest) for digest in answer["digests"]]
        answer["failures"] = {int(slot): tuple(failure) for slot, failure in answer["failures"].items()}
        return Decoded(**answer)

    def close(self) -> None:
        """End the process, at once if it is busy."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):  # what was not flushed has nowhere to go
                if pipe is not None:
                    pipe.close()
        self.process.wait()


class Decoders:
    """As many decoding processes as there are cores, each with a thread that feeds it.

    At most three chunks per process are in memory, however fast they are submitted.
    """

    def __init__(self, slots: Path, *, size: int, channels: int, num_workers: int) -> None:
        self._settings = {"size": size, "channels": channels}
        self._slots = slots
        self._workers: set[_Worker] = set()
        self._chunks: queue.Queue[Chunk | None] = queue.Queue(maxsize=num_workers)
        self._results: queue.Queue[list[Decoded] | BaseException] = queue.Queue()
        self._closing = False
        self._pending = 0
        self._threads = [threading.Thread(target=self._feed, daemon=True) for _ in range(num_workers)]

    def __enter__(self) -> "Decoders":
        """Start the processes."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, whatever they are doing."""
        self._closing = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._chunks.get_nowait()
        for worker in tuple(self._workers):
            worker.process.kill()
        for _thread in self._threads:
            self._chunks.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, chunk: Chunk) -> list[Decoded]:
        """Hand over a chunk, waiting for room, and return what has been decoded meanwhile."""
        self._pending += 1
        done = []
        while True:
            try:
                self._chunks.put(chunk, timeout=0.2)
                break
            except queue.Full:  # look for errors too, since workers that have failed take no more chunks
                done += self._collect()
        return done + self._collect()

    def finish(self) -> list[Decoded]:
        """Wait for everything that was submitted."""
        done = []
        while self._pending:
            done += self._take(self._results.get())
        return done

    def _collect(self) -> list[Decoded]:
        done = []
        with contextlib.suppress(queue.Empty):
            while True:
                done += self._take(self._results.get_nowait())
        return done

    def _take(self, result: list[Decoded] | BaseException) -> list[Decoded]:
        if isinstance(result, list):
            self._pending -= 1
            return result
        raise result

    def _feed(self) -> None:
        worker = None
        try:
            worker = self._start()
            while (chunk := self._chunks.get()) is not None:
                try:
                    decoded = [worker.decode(chunk)]
                except _DiedError:
                    self._end(worker)
                    if self._closing:
                        return
                    worker, decoded = self._one_by_one(chunk)
                self._results.put(decoded)
        except BaseException as error:  # raised again where the result is waited for, which would wait for ever
            self._results.put(error)
        finally:
            if worker is not None:
                self._end(worker)

    def _one_by_one(self, chunk: Chunk) -> tuple[_Worker, list[Decoded]]:
        """Find the file that a worker died on: it alone is left out."""
        worker, decoded = self._answering(), []
        for i, data in enumerate(chunk.files):
            slot = chunk.first + i
            try:
                decoded.append(worker.decode(Chunk(first=slot, files=[data])))
            except _DiedError:
                crashed = {slot: ("damaged", "the process that decoded it crashed")}
                decoded.append(Decoded(first=slot, digests=[b""], sums=[], squares=[], failures=crashed))
                self._end(worker)
                worker = self._answering()
        return worker, decoded

    def _start(self) -> _Worker:
        if self._closing:
            raise CannotGoOnError("the decoding was ended")
        worker = _Worker(self._slots, **self._settings)
        self._workers.add(worker)
        return worker

    def _end(self, worker: _Worker) -> None:
        worker.close()
        self._workers.discard(worker)

    def _answering(self) -> _Worker:
        worker = self._start()
        try:
            worker.decode(Chunk(first=0, files=[]))
        except _DiedError:
            self._end(worker)
            code = worker.process.returncode
            raise CannotGoOnError(f"the processes that decode pictures end at once, with exit code {code}") from None
        return worker
