"""Hostile and damaged zip archives, made byte by byte; `_archive.stream_members` is the way in."""

import re
import stat
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass, replace

import pytest

from glauke.errors import DataError
from glauke.files import Limits, Member, list_members, stream_members


@dataclass(frozen=True)
class Entry:
    """What a zip says of a file, in both places; None: the truth."""

    name: bytes = b"a"
    data: bytes = b"x"
    method: int = 8
    flags: int = 0
    mode: int = 0
    extra: bytes = b""
    packed: bytes | None = None
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    offset: int | None = None
    local_name: bytes | None = None
    local_method: int | None = None
    local_extra: bytes = b""


def deflated(data):
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


def archive(*entries, comment=b"", count=None, directory_shift=0, disk=0):
    body, directory = b"", b""
    for e in entries:
        packed = e.packed if e.packed is not None else deflated(e.data) if e.method == 8 else e.data
        crc = zlib.crc32(e.data) if e.crc is None else e.crc
        size = len(e.data) if e.size is None else e.size
        packed_size = len(packed) if e.packed_size is None else e.packed_size
        offset = len(body) if e.offset is None else e.offset
        name = e.name if e.local_name is None else e.local_name
        method = e.method if e.local_method is None else e.local_method
        sizes = (0, 0, 0) if e.flags & 8 else (crc, packed_size & 0xFFFFFFFF, size & 0xFFFFFFFF)
        body += struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, e.flags, method, 0, 0, *sizes, len(name), len(e.local_extra)
        )  # fmt: skip
        body += name + e.local_extra + packed
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20 | 3 << 8, 20, e.flags, e.method, 0, 0, crc, packed_size, size,
            len(e.name), len(e.extra), 0, 0, 0, e.mode << 16, offset,
        )  # fmt: skip
        directory += e.name + e.extra
    count = len(entries) if count is None else count
    end = struct.pack(
        "<4s4H2LH", b"PK\5\6", disk, disk, count, count, len(directory), len(body) + directory_shift, len(comment)
    )  # fmt: skip
    return body + directory + end + comment


def read(tmp_path, data, **options):
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    return [(m.name, d) for m, d in stream_members(path, wanted=lambda name: True, **options)]


def refused(tmp_path, data, **options):
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, **options)
    assert str(tmp_path / "a.zip") in str(caught.value)
    return caught.value.message


def test_files_come_in_the_order_of_the_directory(tmp_path):
    data = archive(Entry(b"b", b"1" * 5000), Entry(b"d/", b""), Entry(b"d/a", b"", method=0), Entry(b"a", b"2"))

    assert read(tmp_path, data) == [("b", b"1" * 5000), ("d/a", b""), ("a", b"2")]
    assert list_members(tmp_path / "a.zip")[0] == Member(name="b", size=5000)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_zipfile_writes_is_read(tmp_path, method):
    names = ["a.jpg", "d/", "d/b.jpg", "é/日本.png"]
    with zipfile.ZipFile(tmp_path / "z.zip", "w", method) as file:
        for name in names:
            file.writestr(name, "" if name == "d/" else name * 1000)
        with file.open("large", "w", force_zip64=True) as member:
            member.write(b"zip64")
        file.comment = b"PK\5\6 a comment that looks like an end"

    found = {m.name: d for m, d in stream_members(tmp_path / "z.zip", wanted=lambda name: True)}

    assert list(found) == ["a.jpg", "d/b.jpg", "é/日本.png", "large"]
    assert found["large"] == b"zip64"
    assert found["é/日本.png"] == ("é/日本.png" * 1000).encode()


def test_a_zip_written_as_a_stream_has_its_sizes_in_the_directory(tmp_path):
    class NoSeek:
        def __init__(self, file):
            self.write, self.flush = file.write, file.flush

    with (tmp_path / "z.zip").open("wb") as file, zipfile.ZipFile(NoSeek(file), "w") as zipped:
        zipped.writestr("a", "12345")

    assert [d for _, d in stream_members(tmp_path / "z.zip", wanted=lambda name: True)] == [b"12345"]


def test_names_without_the_utf8_flag_are_dos_names(tmp_path):
    assert read(tmp_path, archive(Entry("é".encode("cp437")))) == [("é", b"x")]
    assert read(tmp_path, archive(Entry("grün".encode()))) == [("grün", b"x")]  # UTF-8 without its flag
    assert read(tmp_path, archive(Entry("é".encode(), flags=1 << 11))) == [("é", b"x")]


def test_zip64(tmp_path):
    big = 0xFFFFFFFF
    extra = struct.pack("<2H", 7, 2) + b"??" + struct.pack("<2H3Q", 1, 24, 3, 3, 0)
    data = archive(Entry(b"a", b"123", method=0, size=big, packed_size=big, offset=big, extra=extra))
    assert read(tmp_path, data) == [("a", b"123")]

    end = data[-22:]
    directory_size, offset = struct.unpack_from("<2L", end, 12)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, directory_size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(data) - 22, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, big, big, 0)
    assert read(tmp_path, data[:-22] + record + locator + end) == [("a", b"123")]

    assert "zip64 record" in refused(tmp_path, data[:-22] + b"x" * 56 + locator + end)
    assert "lacks the zip64 sizes" in refused(tmp_path, archive(Entry(size=big)))
    assert "more than 2,000,000" in refused(
        tmp_path,
        data[:-22]
        + struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 10**7, 10**7, directory_size, offset)
        + locator
        + end,
    )


ZEROS = bytes(10_000_000)
NUL = b"a\0.jpg"
HOSTILE = {
    "parent": (archive(Entry(b"../evil.txt")), r"'../evil.txt' has a name that is not allowed"),
    "parent inside": (archive(Entry(b"a/../../b.txt")), "not allowed"),
    "absolute": (archive(Entry(b"/abs.txt")), "absolute"),
    "drive": (archive(Entry(b"C:/a")), "drive"),
    "unc": (archive(Entry(b"\\\\server\\share\\a")), "backslash"),
    "backslash": (archive(Entry(b"d\\a.jpg")), "backslash"),
    "nul": (archive(Entry(NUL)), "NUL"),
    "empty": (archive(Entry(b"")), "empty"),
    "only a slash": (archive(Entry(b"/", b"")), "empty"),
    "control": (archive(Entry(b"a\r\n")), "control"),
    "device name": (archive(Entry(b"CON.jpg")), "reserves"),
    "trailing space": (archive(Entry(b"a /b")), "dot or a space"),
    "long part": (archive(Entry(b"a" * 256)), "256 bytes"),
    "long name": (archive(Entry(b"/".join([b"a" * 100] * 20))), "2,019 bytes"),
    "twice": (archive(Entry(b"a"), Entry(b"a")), "'a' occurs twice"),
    "twice by case": (archive(Entry(b"D/a.jpg"), Entry(b"d/A.JPG")), "occurs twice"),
    "twice by accent": (
        archive(Entry("é".encode(), flags=1 << 11), Entry("e\u0301".encode(), flags=1 << 11)),
        "occurs twice",
    ),
    "file and folder": (archive(Entry(b"a"), Entry(b"a/b")), "a file and a folder"),
    "bad folder": (archive(Entry(b"../d/", b"")), r"'../d'"),
    "folder with content": (archive(Entry(b"d/", b"x")), "folder that holds 1 bytes"),
    "not utf-8": (archive(Entry(b"\xff", flags=1 << 11)), "not UTF-8"),
    "symlink": (archive(Entry(b"a", b"/etc/passwd", mode=stat.S_IFLNK | 0o777)), "'a' is a symbolic link"),
    "device": (archive(Entry(mode=stat.S_IFCHR | 0o666)), "device or pipe"),
    "pipe": (archive(Entry(mode=stat.S_IFIFO | 0o666)), "device or pipe"),
    "encrypted": (archive(Entry(flags=1)), "'a' is encrypted"),
    "strong encryption": (archive(Entry(flags=1 << 6 | 1)), "encrypted"),
    "masked directory": (archive(Entry(flags=1 << 13)), "encrypted"),
    "bzip2": (archive(Entry(method=12)), r"method 12 \(bzip2\)"),
    "lzma": (archive(Entry(method=14)), "method 14"),
    "unknown method": (archive(Entry(method=77)), r"method 77 \(unknown\)"),
    "patch": (archive(Entry(flags=1 << 5)), "method 8"),
    "bomb": (archive(Entry(data=ZEROS)), "'a' unpacks to more than 200 times"),
    "bomb that lies": (archive(Entry(data=ZEROS, size=10, crc=zlib.crc32(bytes(10)))), "said to hold 10 bytes"),
    "4 GB claimed": (archive(Entry(size=4 * 10**9)), "4,000,000,000 bytes, more than 536,870,912"),
    "too much claimed": (archive(Entry(data=b"1" * 9, size=10)), "said to hold 10 bytes"),
    "too little claimed": (archive(Entry(data=b"1" * 9, size=8)), "said to hold 8 bytes"),
    "stored, too much": (archive(Entry(data=b"1" * 9, size=10, method=0)), "said to hold 10 bytes"),
    "same bytes twice": (archive(Entry(), Entry(b"b", offset=0)), "overlaps"),
    "into the directory": (archive(Entry(packed_size=500)), "overlaps"),
    "into the next": (archive(Entry(packed_size=40), Entry(b"b")), "'a' overlaps"),
    "bad crc": (archive(Entry(crc=1)), "checksum of member 'a'"),
    "bad deflate": (archive(Entry(packed=b"\xff" * 9)), "damaged in member 'a'"),
    "cut deflate": (archive(Entry(packed=deflated(b"123456")[:-3], size=6)), "cut short"),
    "another name inside": (archive(Entry(b"a", local_name=b"b")), "differently in the directory"),
    "another method inside": (archive(Entry(local_method=0)), "differently in the directory"),
    "no entry there": (archive(Entry(b"a", offset=3)), "overlaps|not where the directory says"),
    "fewer promised": (archive(Entry(b"a"), Entry(b"b"), count=1), "holds more than the 1 entries"),
    "more promised": (archive(Entry(b"a"), count=2), "promises 2 entries"),
    "directory elsewhere": (archive(Entry(b"a"), directory_shift=1), "directory is not where"),
    "several disks": (archive(Entry(b"a"), disk=1), "several files"),
    "data in front": (archive(Entry(b"a", method=0, data=b"PK")) * 2, "directory is not where"),
    "data behind": (archive(Entry(b"a")) + b"garbage", "which is missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile(tmp_path, case):
    data, expected = HOSTILE[case]

    message = refused(tmp_path, data)

    assert re.search(expected, message), message
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("entry", [Entry(b"../a"), Entry(b"a", mode=stat.S_IFLNK), Entry(b"a", flags=1)])
def test_what_is_not_wanted_is_checked_as_well(tmp_path, entry):
    (tmp_path / "a.zip").write_bytes(archive(Entry(b"first"), entry))

    with pytest.raises(DataError, match="member"):
        next(stream_members(tmp_path / "a.zip", wanted=lambda name: name == "first"))
    with pytest.raises(DataError, match="member"):
        list_members(tmp_path / "a.zip")


def test_an_extra_field_may_not_hide_an_overlap(tmp_path):
    hidden = Entry(b"b", b"y", method=0)
    second = archive(hidden)[: 30 + 1 + 1]
    # The first file's local extra field spans the second file, so both would end in the same bytes.
    first = Entry(b"a", b"", method=0, local_extra=second)
    data = archive(first, replace(hidden, offset=31))
    assert [name for name, _ in read(tmp_path, archive(first))] == ["a"]

    with pytest.raises(DataError, match="'a' overlaps"):
        read(tmp_path, data)


def test_every_truncation_is_noticed(tmp_path):
    data = archive(Entry(b"a", bytes(range(256))), Entry(b"b"), comment=b"12345")

    for length in range(0, len(data), 3):
        path = tmp_path / "a.zip"
        path.write_bytes(data[:length])
        with pytest.raises(DataError):
            list(stream_members(path, wanted=lambda name: True))


def test_every_flipped_bit_is_noticed_or_does_no_harm(tmp_path):
    data = archive(Entry(b"a", b"hello"), Entry(b"b", b"world", method=0))
    true = [("a", b"hello"), ("b", b"world")]
    changed = 0

    for bit in range(0, 8 * len(data), 3):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            found = read(tmp_path, bytes(flipped))
        except DataError:
            continue
        assert [content for _, content in found] == [content for _, content in true]
        changed += found != true
    assert changed == 0  # a name is protected by standing twice


def test_limits(tmp_path):
    data = archive(*(Entry(b"%d" % number, b"12345") for number in range(10)))

    assert len(read(tmp_path, data, limits=Limits(entries=10, member_bytes=5, total_bytes=50))) == 10
    assert "more than 9" in refused(tmp_path, data, limits=Limits(entries=9))
    assert "more than 4" in refused(tmp_path, data, limits=Limits(member_bytes=4))
    assert "unpacks to more than 49 bytes" in refused(tmp_path, data, limits=Limits(total_bytes=49))
    data = archive(Entry(data=bytes(1024**2 + 1)))
    assert len(read(tmp_path, data, limits=Limits(ratio=2000))) == 1


def test_small_drawings_may_compress_well(tmp_path):
    assert read(tmp_path, archive(Entry(data=bytes(1024**2)))) == [("a", bytes(1024**2))]


def test_zipfile_agrees_that_the_builder_builds_zips(tmp_path):
    (tmp_path / "a.zip").write_bytes(archive(Entry(b"a", b"1"), Entry(b"d/b", b"2", method=0), comment=b"c"))

    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert file.testzip() is None
        assert file.namelist() == ["a", "d/b"]
