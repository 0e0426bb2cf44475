import bz2
import gzip
import io
import lzma
import random
import time
import zlib
from pathlib import Path

import pytest

from glauke.errors import DataError
from glauke.files._decompressed import MAGIC, Decompressed
from glauke.files._members import Limits, Register

PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "": bytes}
NOISE = random.Random(0).randbytes(200_000)
ANYTHING = NOISE + bytes(300_000) + NOISE[:1000]
kinds = pytest.mark.parametrize("kind", PACK)
compressed = pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])


def opened(data, kind, limits=None):
    return Decompressed(io.BytesIO(data), kind, Register(Path("a.tar"), limits or Limits()))


def everything(stream):
    return b"".join(iter(lambda: stream.read(10_000), b""))


def test_every_kind_is_known_by_its_beginning():
    for magic, kind in MAGIC.items():
        assert PACK[kind](b"x").startswith(magic)


@kinds
def test_pieces_of_any_size_are_the_whole(kind):
    stream, pieces, sizes = opened(PACK[kind](ANYTHING), kind), [], random.Random(1)
    while True:
        wanted = sizes.choice([1, 511, 512, 65_536, 100_000])
        piece = stream.read(wanted)
        pieces.append(piece)
        if len(piece) < wanted:
            break

    assert b"".join(pieces) == ANYTHING
    assert stream.read(1) == b""


@kinds
def test_skipping_is_reading_without_keeping(kind):
    stream = opened(PACK[kind](ANYTHING), kind)

    assert stream.skip(123_456) == 123_456
    assert stream.read(10) == ANYTHING[123_456:123_466]
    assert stream.skip(10**6) == len(ANYTHING) - 123_466


@compressed
def test_several_streams_in_a_row_are_one(kind):
    data = PACK[kind](b"1" * 100_000) + PACK[kind](b"") + PACK[kind](b"2" * 5) + bytes(4 * 5000)

    assert everything(opened(data, kind)) == b"1" * 100_000 + b"2" * 5


@compressed
@pytest.mark.parametrize("garbage", [b"garbage", bytes(8) + b"garbage", bytes(9000) + b"\x1f"])
def test_what_is_no_stream_behind_the_last_is_refused(kind, garbage):
    with pytest.raises(DataError, match=r"damaged|cut short"):
        everything(opened(PACK[kind](ANYTHING) + garbage, kind))


@compressed
def test_every_truncation_is_noticed(kind):
    data = PACK[kind](NOISE[:700])

    for length in range(len(data)):
        with pytest.raises(DataError, match=f"a.tar: it is cut short: its {kind} data end"):
            everything(opened(data[:length], kind))


@compressed
def test_every_damage_is_noticed(kind):
    data, missed = PACK[kind](NOISE[:500]), []

    for at in range(8, len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0x10
        try:
            if everything(opened(bytes(damaged), kind)) != NOISE[:500]:
                missed.append(at)
        except DataError as error:
            assert "damaged" in str(error) or "cut short" in str(error)
    assert missed == []


def test_an_error_of_the_disk_is_not_called_damage():
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        Decompressed(Broken(), "bz2", Register(Path("a"), Limits())).read(1)


def test_an_xz_that_asks_for_gigabytes_of_memory_is_refused():
    # A header of 12 bytes and a block header whose dictionary has 4 GiB: property byte 40 of LZMA2.
    modest = lzma.compress(b"x" * 1000, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 2**16}])
    at = modest.index(bytes([0x21, 1]), 12) + 2
    block = modest[12:at] + bytes([40]) + modest[at + 1 : 24 - 4]
    greedy = modest[:12] + block + zlib.crc32(block).to_bytes(4, "little") + modest[24:]

    with pytest.raises(DataError, match="more than 268,435,456 bytes of memory; compress it again"):
        opened(greedy, "xz").read(1)


@compressed
def test_a_bomb_in_a_member_is_noticed_early(kind):
    bomb = opened(PACK[kind](bytes(10_000_000)), kind)
    bomb.watch("a.jpg")

    begin = time.monotonic()
    with pytest.raises(DataError, match=r"member 'a.jpg' unpacks to more than 200 times its packed size"):
        bomb.read(10_000_000)
    assert time.monotonic() - begin < 2


@compressed
def test_noise_may_lie_beside_zeros(kind):
    data = random.Random(2).randbytes(100_000) + bytes(5_000_000)
    stream = opened(PACK[kind](data), kind)
    stream.watch("a")

    assert stream.read(len(data)) == data


@pytest.mark.parametrize("kind", ["bz2", "xz"])
def test_a_copy_of_a_large_file_is_no_bomb(kind):
    photo = random.Random(3).randbytes(1_100_000)
    stream = opened(PACK[kind](photo * 2), kind)

    for name in ("original", "copy"):
        stream.watch(name)
        assert stream.read(len(photo)) == photo


def test_a_bomb_outside_the_members_is_noticed(monkeypatch):
    monkeypatch.setattr("glauke.files._decompressed.RATIO_FROM_TOTAL_BYTES", 2_000_000)

    with pytest.raises(DataError, match=r"a.tar: it unpacks to more than 200 times its size"):
        opened(lzma.compress(bytes(20_000_000)), "xz").skip(20_000_000)


def test_the_total_is_counted_as_it_comes_out(monkeypatch):
    monkeypatch.setattr("glauke.files._members._PADDING_BYTES", 50_000)
    assert opened(gzip.compress(NOISE), "gz", Limits(total_bytes=150_000)).skip(10**6) == len(NOISE)

    with pytest.raises(DataError, match="unpacks to more than 100,000 bytes"):
        opened(gzip.compress(NOISE), "gz", Limits(total_bytes=100_000)).skip(10**6)
