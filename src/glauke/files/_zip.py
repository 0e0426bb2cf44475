"""Zip, read by its central directory: stored or deflated files, and every contradiction is an error.

A reader of our own because `zipfile` lets overlapping entries pass before Python 3.11.8 (CVE-2024-0450),
builds an object for each of 10 million promised entries before one can look, and gives fewer bytes than a
header promises without a word. The format: PKWARE's APPNOTE.TXT 6.3.10; the numbers of its sections stand at
the functions.
"""

import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase

from ._members import RATIO_FROM_MEMBER_BYTES, Member, Register

MAGIC = (b"PK\3\4", b"PK\5\6")  # the second begins a zip without members

_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END64_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")  # 4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
_LONGEST_COMMENT = 0xFFFF
_IN_ZIP64 = 0xFFFFFFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _PATCH, _STRONG, _UTF8, _MASKED = 1 << 0, 1 << 5, 1 << 6, 1 << 11, 1 << 13  # 4.4.4
_METHODS = {9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstandard", 95: "xz", 96: "jpeg", 99: "encrypted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    member: Member
    raw_name: bytes
    deflated: bool
    crc: int
    packed_bytes: int
    offset: int


def zip_members(
    file: BufferedIOBase, register: Register, wanted: Callable[[str], bool]
) -> Iterator[tuple[Member, bytes | None]]:
    """Every regular file in the order of the directory, with its bytes if `wanted`; `DataError` as for tar.

    Names, sizes and overlaps are checked for all entries before the first is handed out.
    """
    offset, num_bytes, num_entries = _find_directory(file, register)
    entries = list(_directory(file, register, offset, num_bytes, num_entries))
    ends = _ends(entries, offset, register)
    for entry in entries:
        keep = wanted(entry.member.name)
        yield entry.member, _content(file, register, entry, ends[entry.offset]) if keep else None


def _find_directory(file: BufferedIOBase, register: Register) -> tuple[int, int, int]:
    """Offset, bytes and entries of the central directory, which must end where the end record begins."""
    file_bytes = file.seek(0, 2)
    file.seek(max(0, file_bytes - _END.size - _LONGEST_COMMENT - _END64_LOCATOR.size))
    tail = file.read()
    at = len(tail) - _END.size
    while at >= 0:  # a comment of any length may follow; what looks like the record must also end the file
        if tail.startswith(b"PK\5\6", at) and at + _END.size + _u16(tail, at + 20) == len(tail):
            break
        at = tail.rfind(b"PK\5\6", 0, at)
    if at < 0:
        raise register.damage("it is cut short: a zip ends with a directory, which is missing")
    _, disk, first_disk, here, num_entries, num_bytes, offset, _ = _END.unpack_from(tail, at)
    end = file_bytes - len(tail) + at
    if at >= _END64_LOCATOR.size and tail.startswith(b"PK\6\7", at - _END64_LOCATOR.size):
        _, _, end, _ = _END64_LOCATOR.unpack_from(tail, at - _END64_LOCATOR.size)
        file.seek(min(end, file_bytes))
        record = file.read(_END64.size)
        if len(record) < _END64.size or not record.startswith(b"PK\6\6"):
            raise register.damage("its directory is damaged: the zip64 record is not where it should be")
        _, _, _, _, disk, first_disk, here, num_entries, num_bytes, offset = _END64.unpack(record)
    if disk or first_disk or here != num_entries:
        raise register.damage("it is one part of a zip in several files", fix="join the parts first")
    if offset + num_bytes != end:
        raise register.damage("its directory is not where it should be, or something was put before the archive")
    if num_entries > register.limits.entries:
        raise register.damage(f"it holds {num_entries:,} entries, more than {register.limits.entries:,}")
    return offset, num_bytes, num_entries


def _directory(
    file: BufferedIOBase, register: Register, offset: int, num_bytes: int, num_entries: int
) -> Iterator[_Entry]:
    file.seek(offset)
    for _ in range(num_entries):
        fixed = file.read(_ENTRY.size)
        if len(fixed) < _ENTRY.size or not fixed.startswith(b"PK\1\2"):
            raise register.damage(f"its directory is damaged: it promises {num_entries:,} entries and holds fewer")
        name_bytes, extra_bytes, comment_bytes = struct.unpack_from("<3H", fixed, 28)
        raw_name, extra, _ = file.read(name_bytes), file.read(extra_bytes), file.read(comment_bytes)
        if entry := _admitted(fixed, raw_name, extra, register):
            yield entry
    if file.tell() != offset + num_bytes:
        raise register.damage(f"its directory is damaged: it holds more than the {num_entries:,} entries promised")


def _admitted(fixed: bytes, raw_name: bytes, extra: bytes, register: Register) -> _Entry | None:
    """The entry if it is a file, None if it is a folder."""
    fields = _ENTRY.unpack(fixed)
    flags, method, crc, packed_bytes, size = fields[5], fields[6], *fields[9:12]
    attributes, offset = fields[17:19]
    try:
        name = raw_name.decode("utf-8")
    except UnicodeDecodeError as error:
        if flags & _UTF8:
            raise register.damage(
                f"the name {raw_name[:100]!r} is not UTF-8", fix="rename and pack it again"
            ) from error
        name = raw_name.decode("cp437")  # without the flag the standard says so; but many archivers write UTF-8
    size, packed_bytes, offset = _zip64(extra, (size, packed_bytes, offset), name, register)
    kind = stat.S_IFMT(attributes >> 16)  # Unix's mode; 0 from everybody else
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "symbolic link" if kind == stat.S_IFLNK else "device or pipe"
        raise register.refusal(f"is a {what}; only files and folders are read", name=name)
    if name.endswith("/") or kind == stat.S_IFDIR:
        if size:
            raise register.refusal(f"is a folder that holds {size:,} bytes", name=name)
        register.admit_folder(name)
        return None
    if flags & (_ENCRYPTED | _STRONG | _MASKED):
        raise register.refusal("is encrypted", name=name)
    if method not in (_STORED, _DEFLATED) or flags & _PATCH:
        known = _METHODS.get(method, "unknown")
        raise register.refusal(f"is packed by method {method} ({known}); only deflate is read", name=name)
    member = register.admit_file(name, size)
    if size > RATIO_FROM_MEMBER_BYTES and size > register.limits.ratio * packed_bytes:
        raise register.refusal(f"unpacks to more than {register.limits.ratio} times its packed size", name=name)
    return _Entry(
        member=member, raw_name=raw_name, deflated=method == _DEFLATED, crc=crc,
        packed_bytes=packed_bytes, offset=offset,
    )  # fmt: skip


def _zip64(extra: bytes, values: tuple[int, int, int], name: str, register: Register) -> tuple[int, ...]:
    """Size, packed size and offset, each taken from the extra field where it says 0xFFFFFFFF (4.5.3)."""
    if _IN_ZIP64 not in values:
        return values
    at = 0
    while at + 4 <= len(extra):
        field, num_bytes = struct.unpack_from("<2H", extra, at)
        needed = 8 * values.count(_IN_ZIP64)
        if field == 1 and needed <= num_bytes <= len(extra) - at - 4:
            large = iter(struct.unpack_from(f"<{needed // 8}Q", extra, at + 4))
            return tuple(next(large) if value == _IN_ZIP64 else value for value in values)
        at += 4 + num_bytes
    raise register.refusal("lacks the zip64 sizes that its entry promises", name=name)


def _ends(entries: list[_Entry], directory: int, register: Register) -> dict[int, int]:
    """Where each entry must have ended at the latest, by its offset; refuses entries that share bytes."""
    by_offset = sorted(entries, key=lambda entry: entry.offset)
    ends = {}
    for entry, next_offset in zip(by_offset, [*(e.offset for e in by_offset[1:]), directory], strict=True):
        # The local extra field, unknown here, can only make it longer; `_content` looks at that.
        if entry.offset + _LOCAL.size + len(entry.raw_name) + entry.packed_bytes > next_offset:
            raise register.refusal("overlaps another entry or the directory", name=entry.member.name)
        ends[entry.offset] = next_offset
    return ends


def _content(file: BufferedIOBase, register: Register, entry: _Entry, end: int) -> bytes:
    name, size = entry.member.name, entry.member.size
    file.seek(entry.offset)
    local = file.read(_LOCAL.size)
    if len(local) < _LOCAL.size or not local.startswith(b"PK\3\4"):
        raise register.damage(f"it is damaged: member {name!r} is not where the directory says")
    method, name_bytes, extra_bytes = _u16(local, 8), _u16(local, 26), _u16(local, 28)
    if file.read(name_bytes) != entry.raw_name or (method == _DEFLATED) != entry.deflated:
        raise register.refusal("is called or packed differently in the directory", name=name)
    begin = entry.offset + _LOCAL.size + name_bytes + extra_bytes
    if begin + entry.packed_bytes > end:
        raise register.refusal("overlaps another entry or the directory", name=name)
    file.seek(begin)
    data = file.read(entry.packed_bytes)
    if entry.deflated:
        data = _inflated(data, register, entry)
    if len(data) != size:
        raise register.refusal(f"is said to hold {size:,} bytes and does not", name=name)
    if zlib.crc32(data) != entry.crc:
        raise register.damage(f"it is damaged: the checksum of member {name!r} does not fit")
    return data


def _inflated(data: bytes, register: Register, entry: _Entry) -> bytes:
    inflate = zlib.decompressobj(wbits=-15)
    try:
        # One byte more than promised is enough to see the lie, and all that is ever produced.
        data = inflate.decompress(data, entry.member.size + 1)
    except zlib.error as error:
        raise register.damage(f"it is damaged in member {entry.member.name!r} ({error})") from error
    if len(data) <= entry.member.size and not inflate.eof:
        raise register.damage(f"it is damaged: member {entry.member.name!r} is cut short")
    return data


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")
