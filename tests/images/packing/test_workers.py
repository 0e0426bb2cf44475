"""Decoding processes: the same result as without them, and a crash costs one picture."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from glauke.images.packing import _workers
from glauke.images.packing._workers import Chunk, Decoded, Decoders, decode_chunk


@pytest.fixture
def slots(tmp_path):
    path = tmp_path / "slots"
    path.touch()
    return path


def run(slots, chunks: list[list[bytes]]) -> list[Decoded]:
    done, first = [], 0
    with Decoders(slots, size=8, channels=3, num_workers=2) as decoders:
        for files in chunks:
            done += decoders.submit(Chunk(first=first, files=files))
            first += len(files)
        done += decoders.finish()
    return sorted(done, key=lambda each: each.first)


def test_workers_give_what_the_process_itself_gives(slots, picture):
    chunks = [[picture((i, j)) for j in range(3)] for i in range(9)]
    chunks[4][1] = b"no picture"
    alone = slots.with_name("alone")
    with alone.open("w+b") as file:
        expected = [
            decode_chunk(Chunk(first=3 * i, files=each), slots=file, size=8, channels=3)
            for i, each in enumerate(chunks)
        ]
    assert run(slots, chunks) == expected
    assert slots.read_bytes() == alone.read_bytes()
    assert [each.failures for each in expected if each.failures] == [
        {13: ("not-a-picture", "its content is not a JPEG, PNG, WebP, BMP or GIF picture")}
    ]


def test_sums_are_exact_and_leave_out_what_failed(slots, picture):
    chunk = Chunk(first=0, files=[picture(i, size=(40, 40)) for i in range(70)] + [b""])
    with slots.open("r+b") as file:
        done = decode_chunk(chunk, slots=file, size=40, channels=3)
    pixels = np.fromfile(slots, np.uint8).reshape(-1, 3).astype(int)
    assert done.sums == pixels.sum(axis=0).tolist()
    assert done.squares == (pixels**2).sum(axis=0).tolist()
    assert (done.digests[70], len(set(done.digests))) == (b"", 71)


def test_sums_of_white_pictures_do_not_overflow(slots):
    white = io.BytesIO()
    Image.new("L", (8, 8), 255).save(white, "PNG")
    with slots.open("r+b") as file:
        done = decode_chunk(Chunk(first=0, files=[white.getvalue()] * 200), slots=file, size=128, channels=1)
    assert (done.sums, done.squares) == ([255 * 200 * 128 * 128], [255**2 * 200 * 128 * 128])


def test_a_picture_that_kills_its_process_is_left_out_alone(slots, picture, monkeypatch):
    deadly = (
        "from glauke.images.packing import _workers, _decode\n"
        "import os\n"
        "real = _decode.decode\n"
        "_workers.decode = lambda data, **k: os._exit(9) if data == b'deadly' else real(data, **k)\n"
        "_workers.serve()\n"
    )
    monkeypatch.setattr(_workers, "_START", deadly)
    done = run(slots, [[picture(0)], [picture(1), b"deadly", picture(2)], [picture(3)]])
    digests = [digest for each in done for digest in each.digests]
    assert [bool(digest) for digest in digests] == [True, True, False, True, True]
    assert {k: v for each in done for k, v in each.failures.items()} == {
        2: ("damaged", "the process that decoded it crashed")
    }


def test_processes_that_do_not_start_are_an_error_and_not_a_hang(slots, picture, monkeypatch):
    monkeypatch.setattr(_workers, "_START", "import sys; sys.exit(7)")
    with pytest.raises(_workers.CannotGoOnError, match="exit code 7"):
        run(slots, [[picture(i)] for i in range(20)])


def test_an_error_on_the_disk_comes_back_with_its_number(slots, picture, monkeypatch):
    full = "from glauke.images.packing import _workers\ndef f(*a, **k): raise OSError(28, 'No space')\n"
    monkeypatch.setattr(_workers, "_START", full + "_workers.decode_chunk = f\n_workers.serve()")
    with pytest.raises(OSError, match="No space") as caught:
        run(slots, [[picture(0)]])
    assert caught.value.errno == 28


def test_leaving_early_ends_busy_processes(slots, picture, monkeypatch):
    sleepy = "from glauke.images.packing import _workers\nimport time\n"
    monkeypatch.setattr(
        _workers, "_START", sleepy + "_workers.decode = lambda *a, **k: time.sleep(60)\n_workers.serve()"
    )
    with pytest.raises(KeyboardInterrupt), Decoders(slots, size=8, channels=3, num_workers=2) as decoders:
        decoders.submit(Chunk(first=0, files=[picture(0)]))
        while not decoders._workers:
            pass
        workers = [worker.process for worker in decoders._workers]
        raise KeyboardInterrupt
    assert all(process.poll() is not None for process in workers)


def test_a_worker_ends_when_its_parent_does(slots):
    code = f"from glauke.images.packing._workers import _Worker; w = _Worker({str(slots)!r}, size=8, channels=3)"
    code += "; import os; print(w.process.pid, flush=True); os._exit(0)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment())
    assert child.returncode == 0, child.stderr  # it would hang if the worker kept the pipe of standard error open


def test_workers_load_nothing_heavy():
    code = "import sys; from glauke.images.packing._workers import serve; print(*sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    loaded = set(child.stdout.split())
    assert not loaded & {"torch", "sklearn", "scipy", "matplotlib", "multiprocessing"}


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
