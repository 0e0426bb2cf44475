import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile
from itertools import islice
from pathlib import Path

import pytest

from glauke.errors import DataError
from glauke.files import Limits, Member, is_archive, list_members, stream_members

CONTENT = {"set/train/cat/1.png": b"1" * 600, "set/train/dog/2.png": b"22", "set/words.txt": b""}
KINDS = ["zip", "tar", "tar.gz", "tar.xz", "tar.bz2"]
kinds = pytest.mark.parametrize("kind", KINDS)


def make(path, kind, content=None):
    content = CONTENT if content is None else content
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in content.items():
                file.writestr(name, data)
        return path
    with tarfile.open(path, f"w:{kind.removeprefix('tar').removeprefix('.')}") as file:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def read(path, wanted=lambda name: True, **options):
    return {member.name: data for member, data in stream_members(path, wanted=wanted, **options)}


@kinds
def test_every_kind_is_read_whatever_its_name(tmp_path, kind):
    path = make(tmp_path / "data.bin", kind)

    assert is_archive(path)
    assert read(path) == CONTENT
    assert list(read(path)) == list(CONTENT)
    assert list_members(path) == [Member(name=name, size=len(data)) for name, data in CONTENT.items()]


@kinds
def test_only_what_is_wanted_comes(tmp_path, kind):
    path, asked = make(tmp_path / "a", kind), []

    found = read(path, wanted=lambda name: asked.append(name) or name.endswith("2.png"))

    assert found == {"set/train/dog/2.png": b"22"}
    assert asked == list(CONTENT)


@kinds
def test_nothing_is_ever_written(tmp_path, kind):
    make(tmp_path / "a", kind)
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path, *tmp_path.rglob("*")))

    read(tmp_path / "a")

    assert sorted((path, path.stat().st_mtime_ns) for path in (tmp_path, *tmp_path.rglob("*"))) == before


@kinds
def test_an_archive_in_the_archive_is_a_file(tmp_path, kind):
    inner = make(tmp_path / "inner", kind).read_bytes()

    assert read(make(tmp_path / "outer", kind, {"inner.zip": inner})) == {"inner.zip": inner}


@kinds
def test_a_truncated_archive_gives_no_quiet_end(tmp_path, kind):
    data = make(tmp_path / "a", kind, {f"{i}.bin": os.urandom(3000) for i in range(4)}).read_bytes()
    path = tmp_path / "cut"
    # Plain tar fills its last record with zeros that nobody needs.
    last = len(data.rstrip(b"\0")) if kind == "tar" else len(data) - 1

    for length in range(600, last, 463):
        path.write_bytes(data[:length])
        with pytest.raises(DataError) as caught:
            read(path)
        assert "cut short" in str(caught.value)
        assert str(caught.value).startswith(f"{path}: ")
        if kind in ("tar", "tar.gz", "tar.xz"):  # bzip2 gives nothing before its first block is whole
            assert is_archive(path)


@pytest.mark.parametrize("kind", ["tar.gz", "tar.xz", "tar.bz2"])
def test_damage_behind_the_last_member_is_noticed(tmp_path, kind):
    path = make(tmp_path / "a", kind)
    data = bytearray(path.read_bytes())
    # CRC-32 of gzip, CRC of bzip2's stream, the record of the block's size in xz's index.
    checksum = {"tar.gz": len(data) - 8, "tar.bz2": len(data) - 3, "tar.xz": len(data) - 18}[kind]
    data[checksum] ^= 1
    path.write_bytes(bytes(data))

    with pytest.raises(DataError, match=r"damaged|cut short"):
        read(path)


OTHERS = {
    "empty": b"",
    "text": b"hello, world\n" * 100,
    "png": b"\x89PNG\r\n\x1a\n" + bytes(600),
    "zeros": bytes(2048),
    "html": b"<!DOCTYPE html><html>404 Not Found</html>",
    "gzip of text": gzip.compress(b"hello" * 1000),
    "xz of text": lzma.compress(b"hello" * 1000),
    "bz2 of text": bz2.compress(b"hello" * 1000),
    "rar": b"Rar!\x1a\x07\x01\x00" + bytes(600),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(600),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_archive_is_not_taken_for_one(tmp_path, case):
    path = tmp_path / "a.zip"
    path.write_bytes(OTHERS[case])

    assert not is_archive(path)
    with pytest.raises(DataError, match=r"a.zip: it is not an archive; what can be read: zip, tar"):
        read(path)


def test_folders_pipes_and_nothing_are_not_opened(tmp_path):
    assert not is_archive(tmp_path)
    assert not is_archive(tmp_path / "missing")
    with pytest.raises(DataError, match="missing: there is no such file"):
        list_members(tmp_path / "missing")
    with pytest.raises(DataError, match="it is not a file"):
        list_members(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    assert not is_archive(tmp_path / "pipe")
    with pytest.raises(DataError, match="it is not a file"):
        read(tmp_path / "pipe")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user who may not read everything")
def test_a_file_without_permission_is_a_sentence(tmp_path):
    path = make(tmp_path / "a", "zip")
    path.chmod(0)

    with pytest.raises(DataError, match=r"it cannot be read \(Permission denied"):
        read(path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz", "tar.bz2"])
def test_bombs_are_refused_in_little_memory(tmp_path, kind):
    path = make(tmp_path / "a", kind, {"first.jpg": b"1", "bomb.jpg": bytes(25_000_000)})

    tracemalloc.start()
    with pytest.raises(DataError, match=r"member 'bomb.jpg' unpacks to more than 200 times its packed size"):
        read(path)
    with pytest.raises(DataError, match=r"bomb.jpg"):
        list_members(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 16_000_000  # xz has a dictionary of 8 MiB


@kinds
def test_limits_hold_for_every_kind(tmp_path, kind):
    path = make(tmp_path / "a", kind)

    for limits in (Limits(entries=2), Limits(member_bytes=599), Limits(total_bytes=601)):
        with pytest.raises(DataError, match="more than"):
            read(path, limits=limits)


def test_the_file_is_closed_when_the_reader_stops_early(tmp_path):
    path = make(tmp_path / "a", "tar.gz")
    members = stream_members(path, wanted=lambda name: True)

    assert next(members)[0].name == "set/train/cat/1.png"
    members.close()  # an open file would be a ResourceWarning, which is an error here


def test_the_real_tiny_imagenet_is_read():
    folder = os.environ.get("GLAUKE_DATASETS")
    path = Path(folder or ".", "tiny-imagenet-200.tar.xz")
    if not folder or not path.exists():
        pytest.skip("GLAUKE_DATASETS names no folder with tiny-imagenet-200.tar.xz")

    assert is_archive(path)
    members = stream_members(path, wanted=lambda name: name.endswith(".JPEG"))
    found = list(islice(members, 1001))
    members.close()

    assert found[0][0].name == "tiny-imagenet-200/train/n01443537/images/n01443537_0.JPEG"
    assert all(data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9") for _, data in found)
    assert all(len(data) == member.size for member, data in found)
    assert len({member.name.split("/")[2] for member, _ in found}) == 3
