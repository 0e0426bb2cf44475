"""Hostile and damaged tar archives, made byte by byte; `_archive.stream_members` is the way in."""

import io
import re
import tarfile

import pytest

from glauke.errors import DataError
from glauke.files import Limits, Member, list_members, stream_members

BLOCK = 512
END = bytes(2 * BLOCK)


def header(name, size=0, kind=b"0", *, link="", prefix="", magic=b"ustar\x0000", size_field=None):
    """One tar header with a valid checksum; `name` may be bytes."""
    name = name if isinstance(name, bytes) else name.encode()
    block = bytearray(BLOCK)
    block[: len(name)] = name
    block[100:108] = b"0000644\0"
    block[124:136] = size_field or b"%011o\0" % size
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157 : 157 + len(link)] = link.encode()
    block[257 : 257 + len(magic)] = magic
    block[345 : 345 + len(prefix)] = prefix.encode()
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def entry(name, data=b"x", kind=b"0", **options):
    return header(name, len(data), kind, **options) + padded(data)


def pax(*records, kind=b"x"):
    lines = b""
    for key, value in records:
        line = b" %s=%s\n" % (key, value)
        length = len(line) + 1
        while len(b"%d" % length) + len(line) != length:
            length += 1
        lines += b"%d%s" % (length, line)
    return entry("pax", lines, kind)


def read(tmp_path, data, **options):
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    return [(m.name, d) for m, d in stream_members(path, wanted=lambda name: True, **options)]


def refused(tmp_path, data, **options):
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, **options)
    with pytest.raises(DataError):  # whatever is wanted
        list(stream_members(tmp_path / "a.tar", wanted=lambda name: False, **options))
    assert str(tmp_path / "a.tar") in str(caught.value)
    return caught.value.message


def test_files_come_in_order_and_folders_do_not(tmp_path):
    data = entry("b", b"1" * 512) + header("d/", kind=b"5") + entry("d/a", b"") + entry("a", b"22") + END

    assert read(tmp_path, data) == [("b", b"1" * 512), ("d/a", b""), ("a", b"22")]
    assert list_members(tmp_path / "a.tar") == [
        Member(name="b", size=512),
        Member(name="d/a", size=0),
        Member(name="a", size=2),
    ]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_tarfile_writes_is_read(tmp_path, format):
    names = ["train", "train/a.jpg", "train/" + "n" * 90 + "/" + "p" * 60, "plain"]
    if format != tarfile.USTAR_FORMAT:
        names += ["train/" + "q" * 200 + "/" + "r" * 200, "é" * 60 + "/日本.png"]
    with tarfile.open(tmp_path / "t.tar", "w", format=format) as tar:
        for number, name in enumerate(names):
            info = tarfile.TarInfo(name)
            info.mtime = 1234567890.5
            if name == "train":
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                data = bytes([number]) * (number * 300)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))

    found = [(m.name, d) for m, d in stream_members(tmp_path / "t.tar", wanted=lambda name: True)]

    assert found == [(name, bytes([i]) * (i * 300)) for i, name in enumerate(names) if i]


def test_a_leading_dot_is_taken_off(tmp_path):
    data = header("./", kind=b"5") + header("./d/", kind=b"5") + entry("./d/a") + END

    assert read(tmp_path, data) == [("d/a", b"x")]


def test_old_spellings_of_a_file_and_a_folder(tmp_path):
    data = (
        header("d/", kind=b"\0", magic=b"")
        + entry("d/a", kind=b"\0", magic=b"")
        + entry("d/b", kind=b"7", magic=b"ustar  \0")
        + END
    )

    assert read(tmp_path, data) == [("d/a", b"x"), ("d/b", b"x")]


def test_gnu_keeps_dates_where_posix_has_the_prefix(tmp_path):
    data = entry("a", magic=b"ustar  \0", prefix="14712345670") + entry("a", prefix="b") + END

    assert read(tmp_path, data) == [("a", b"x"), ("b/a", b"x")]


def test_pax_overrides_name_and_size(tmp_path):
    data = pax((b"mtime", b"1.5"), (b"path", "é/a".encode()), (b"size", b"3")) + header("x", 9) + padded(b"123")
    data += pax((b"comment", b"by git"), kind=b"g") + entry("b") + END

    assert read(tmp_path, data) == [("é/a", b"123"), ("b", b"x")]


def test_base_256_sizes(tmp_path):
    data = header("a", size_field=b"\x80" + (3).to_bytes(11, "big")) + padded(b"123") + END

    assert read(tmp_path, data) == [("a", b"123")]


HOSTILE = {
    "parent": (entry("../evil.txt"), r"'../evil.txt' has a name that is not allowed"),
    "parent inside": (entry("a/../../b"), "'a/../../b'"),
    "absolute": (entry("/abs.txt"), "absolute"),
    "drive": (entry("C:/a.jpg"), "drive"),
    "unc": (entry("\\\\server\\a"), "backslash"),
    "nul in pax": (pax((b"path", b"a\0b")) + entry("a"), "NUL"),
    "newline in pax": (pax((b"path", b"a\nb")) + entry("a"), "control"),
    "parent in pax": (pax((b"path", b"../b")) + entry("a"), "'../b'"),
    "parent in long name": (entry("L", b"../b\0", b"L") + entry("a"), "'../b'"),
    "parent in prefix": (entry("a", prefix=".."), "'../a'"),
    "empty": (entry(""), "empty"),
    "device name": (entry("train/CON.jpg"), "reserves"),
    "trailing dot": (entry("a./b"), "dot or a space"),
    "long part": (pax((b"path", b"a" * 300)) + entry("a"), "300 bytes"),
    "long name": (pax((b"path", b"/".join([b"a" * 100] * 20))) + entry("a"), "2,019 bytes"),
    "bad folder": (header("../d/", kind=b"5"), "'../d'"),
    "twice": (entry("a") + entry("a"), "'a' occurs twice"),
    "twice by case": (entry("d/a.JPG") + entry("D/A.jpg"), "'D/A.jpg' occurs twice"),
    "twice by accent": (entry("caf\u00e9") + entry("cafe\u0301"), "occurs twice"),
    "file then folder": (entry("a") + entry("a/b"), "a file and a folder"),
    "file, folder named": (entry("a") + header("A/", kind=b"5"), "a file and a folder"),
    "folder then file": (entry("a/b") + entry("a"), "a file and a folder"),
    "symlink": (header("a", kind=b"2", link="/etc/passwd"), "'a' is a symbolic link"),
    "symlink inside": (header("a", kind=b"2", link="b"), "symbolic link"),
    "symlink by long link": (entry("K", b"/etc\0", b"K") + header("a", kind=b"2"), "symbolic link"),
    "hard link": (entry("b") + header("a", kind=b"1", link="b"), "'a' is a hard link"),
    "character device": (header("a", kind=b"3"), "character device"),
    "block device": (header("a", kind=b"4"), "block device"),
    "pipe": (header("a", kind=b"6"), "named pipe"),
    "sparse": (header("a", kind=b"S"), "sparse"),
    "sparse in pax": (pax((b"GNU.sparse.major", b"1"), (b"path", b"a")) + entry("a"), "sparse"),
    "multi-volume": (header("a", kind=b"M"), "another archive"),
    "unknown type": (header("a", kind=b"Z"), "unknown type 'Z'"),
    "name for all": (pax((b"path", b"b"), kind=b"g") + entry("a"), "one name or size to all"),
    "size for all": (pax((b"size", b"1"), kind=b"g") + entry("a"), "one name or size to all"),
    "folder with content": (entry("d/", b"x" * 600, b"5"), "folder that holds 600 bytes"),
    "not utf-8": (entry(b"caf\xe9"), "not UTF-8"),
    "negative size": (header("a", size_field=b"\xff" * 12), "size that is not a number"),
    "minus sign": (header("a", size_field=b"-0000000001\0"), "size that is not a number"),
    "underscore": (header("a", size_field=b"0000000_001\0"), "size that is not a number"),
    "not octal": (header("a", size_field=b"00000000008\0"), "size that is not a number"),
    "negative in pax": (pax((b"size", b"-1")) + entry("a"), "size as '-1'"),
    "huge in pax": (pax((b"size", b"9" * 40)) + entry("a"), "size as '9999"),
    "4 GB claimed": (header("a", 4 * 10**9) + padded(b"10 bytes.."), "4,000,000,000 bytes, more than"),
    "2**80 claimed": (header("a", size_field=b"\x80\1" + bytes(10)), "more than 536,870,912"),
    "300 MB claimed": (header("a", 300 * 2**20) + padded(b"x"), "cut short in the middle of member 'a'"),
    "large extension": (header("pax", 2 * 10**6, b"x"), "2,000,000 bytes, more than 1,048,576"),
    "large long name": (header("L", 2 * 10**9, b"L"), "more than 1,048,576"),
    "many extensions": (pax((b"mtime", b"1")) * 9 + entry("a"), "more than 8 extension headers"),
    "pax length 0": (entry("pax", b"0 a=b\n", b"x") + entry("a"), "extension header is damaged"),
    "pax length too long": (entry("pax", b"99 a=b\n", b"x") + entry("a"), "extension header is damaged"),
    "pax without newline": (entry("pax", b"6 a=bc", b"x") + entry("a"), "extension header is damaged"),
    "pax without equals": (entry("pax", b"6 abc\n", b"x") + entry("a"), "extension header is damaged"),
    "pax of letters": (entry("pax", b"hello", b"x") + entry("a"), "extension header is damaged"),
    "extension and no more": (entry("a") + pax((b"path", b"b")), "nothing follows"),
    "bad checksum behind": (entry("a") + b"\1" + header("b")[1:] + END, "checksum of a tar header"),
    "garbage behind": (entry("a") + b"garbage " * 64, "checksum of a tar header"),
    "second archive": (entry("a") + END + entry("b"), "more data follow its end marker"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile(tmp_path, case):
    data, expected = HOSTILE[case]

    message = refused(tmp_path, data + END)

    assert re.search(expected, message), message
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


def test_every_truncation_is_noticed(tmp_path):
    data = entry("a", b"1" * 700) + pax((b"path", b"b")) + entry("x", b"2") + END

    for length in range(BLOCK, len(data) - 2 * BLOCK + 1, 97):
        assert "cut short" in refused(tmp_path, data[:length])
    assert "cut short" in refused(tmp_path, data[: -2 * BLOCK])


def test_limits(tmp_path):
    data = b"".join(entry(f"d/{number}", b"12345") for number in range(10)) + END

    assert len(read(tmp_path, data, limits=Limits(entries=10, member_bytes=5, total_bytes=50))) == 10
    assert "more than 9 entries" in refused(tmp_path, data, limits=Limits(entries=9))
    assert "'d/0' is said to hold 5 bytes" in refused(tmp_path, data, limits=Limits(member_bytes=4))
    assert "unpacks to more than 49 bytes" in refused(tmp_path, data, limits=Limits(total_bytes=49))


def test_folders_count_as_entries(tmp_path):
    data = b"".join(header(f"{number}/", kind=b"5") for number in range(10)) + END

    assert "more than 9 entries" in refused(tmp_path, data, limits=Limits(entries=9))
