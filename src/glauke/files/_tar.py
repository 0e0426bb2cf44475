"""Tar, read forward: only files and folders, and every oddity is an error.

A reader of our own because `tarfile` takes a damaged header in the middle for the end of the archive, stops
before the checksum of the compressed data is verified, follows links, and spends 40 microseconds a member.
The format: POSIX.1-1988 (ustar), POSIX.1-2001 (pax), and GNU's long names; see "Basic Tar Format" in GNU
tar's manual.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ._decompressed import Decompressed
from ._members import Member, Register

BLOCK_BYTES = 512
_ZEROS = bytes(BLOCK_BYTES)
_EXTENSION_BYTES = 1024**2  # a pax header holds a name and some dates; Linux stops a name at 4 KiB
_EXTENSIONS_IN_A_ROW = 8  # real ones have two: a long name and a long link, or a global and a local header

_FILE, _FOLDER, _PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = "0", "5", "x", "g", "L", "K"
_REFUSED = {
    "1": "is a hard link",
    "2": "is a symbolic link",
    "3": "is a character device",
    "4": "is a block device",
    "6": "is a named pipe",
    "S": "is a sparse file",
    "M": "continues a file of another archive",
}


class _Header(NamedTuple):  # a hundred thousand of them: a frozen dataclass takes four times as long
    name: str
    size: int
    kind: str


def is_tar_header(block: bytes) -> bool:
    """Whether a file that begins with `block` is a tar archive: its first header's checksum fits."""
    return len(block) == BLOCK_BYTES and block != _ZEROS and _checksum_fits(block)


def tar_members(
    stream: Decompressed, register: Register, wanted: Callable[[str], bool]
) -> Iterator[tuple[Member, bytes | None]]:
    """Every regular file in turn, with its bytes if `wanted`; raises `DataError` at the first broken rule.

    The checksum of the compressed data is known good only when the iterator has ended.
    """
    while header := _next_header(stream, register):
        if header.kind == _FOLDER:
            if header.size:
                raise register.refusal(f"is a folder that holds {header.size:,} bytes", name=header.name)
            register.admit_folder(header.name)
            continue
        if header.kind != _FILE:
            reason = _REFUSED.get(header.kind, f"is of the unknown type {header.kind!r}")
            raise register.refusal(f"{reason}; only files and folders are read", name=header.name)
        member = register.admit_file(header.name, header.size)
        yield member, _content(stream, register, member, keep=wanted(member.name))
    _finish(stream, register)


def _content(stream: Decompressed, register: Register, member: Member, *, keep: bool) -> bytes | None:
    padded_bytes = member.size + -member.size % BLOCK_BYTES
    stream.watch(member.name)
    data = stream.read(padded_bytes) if keep else None
    if (stream.skip(padded_bytes) if data is None else len(data)) < padded_bytes:
        raise register.damage(f"it is cut short in the middle of member {member.name!r}")
    stream.watch(None)
    return None if data is None else data[: member.size]


def _next_header(stream: Decompressed, register: Register) -> _Header | None:
    """The next file, folder or oddity, the extension headers before it applied; None at the end marker."""
    name, size = None, None
    for _ in range(_EXTENSIONS_IN_A_ROW):
        block = stream.read(BLOCK_BYTES)
        if len(block) < BLOCK_BYTES:
            raise register.damage("it is cut short: it ends without an end marker")
        if block == _ZEROS:
            if name is not None or size is not None:
                raise register.damage("it ends after an extension header that nothing follows")
            return None
        if not _checksum_fits(block):
            raise register.damage("it is damaged: the checksum of a tar header does not fit")
        header = _parsed(block, register)
        if header.kind in (_PAX, _PAX_GLOBAL):
            records = _pax_records(_extension(stream, register, header), register)
            if header.kind == _PAX_GLOBAL:
                if records.keys() & {"path", "size"}:
                    raise register.damage("it gives one name or size to all its members")
                continue
            name = records.get("path", name)
            size = _pax_size(records["size"], register) if "size" in records else size
        elif header.kind == _LONG_NAME:
            name = name or _text(_extension(stream, register, header).removesuffix(b"\0"), register)
        elif header.kind == _LONG_LINK:
            _extension(stream, register, header)  # the link that follows is refused anyway
        else:
            return _with_extensions(header, name, size)
    raise register.damage(f"it has more than {_EXTENSIONS_IN_A_ROW} extension headers in a row")


def _with_extensions(header: _Header, name: str | None, size: int | None) -> _Header:
    if name is None and size is None and header.kind in (_FILE, _FOLDER):
        return header
    name = header.name if name is None else name
    kind = header.kind
    if kind in ("\0", "7"):  # 1979's spelling of a file, and "contiguous", which nobody treats apart
        kind = _FOLDER if name.endswith("/") else _FILE
    return _Header(name=name, size=header.size if size is None else size, kind=kind)


def _parsed(block: bytes, register: Register) -> _Header:
    name = block[:100].split(b"\0", 1)[0]
    kind = chr(block[156])
    # GNU tar keeps other things where POSIX has the prefix, and marks its headers "ustar  ".
    if block[257:263] == b"ustar\0" and (prefix := block[345:500].split(b"\0", 1)[0]):
        name = prefix + b"/" + name
    size = _number(block[124:136])
    if size is None:
        raise register.damage(f"member {name!r} has a size that is not a number")
    return _Header(name=_text(name, register), size=size, kind=kind)


def _number(field: bytes) -> int | None:
    """Octal digits, or base 256 if the first bit is set (GNU); None for anything else, negative ones too."""
    if field[0] & 0x80:
        negative = field[0] & 0x40
        return None if negative else int.from_bytes(field, "big") - (0x80 << 8 * (len(field) - 1))
    digits = field.split(b"\0", 1)[0].strip(b" ")
    if digits.strip(b"01234567"):  # `int` would let signs and underscores pass
        return None
    return int(digits, 8) if digits else 0


def _checksum_fits(block: bytes) -> bool:
    field = block[148:156]  # counts as eight spaces in its own sum
    return _number(field) == sum(block) - sum(field) + 8 * ord(" ")


def _extension(stream: Decompressed, register: Register, header: _Header) -> bytes:
    if header.size > _EXTENSION_BYTES:
        raise register.damage(f"an extension header has {header.size:,} bytes, more than {_EXTENSION_BYTES:,}")
    padding = -header.size % BLOCK_BYTES
    data = stream.read(header.size + padding)
    if len(data) < header.size + padding:
        raise register.damage("it is cut short in the middle of an extension header")
    return data[: header.size]


def _pax_records(data: bytes, register: Register) -> dict[str, str]:
    """The records we act on, of many lines "LENGTH KEY=VALUE"; sparse files hide in them and are refused."""
    records = {}
    while data:
        length, space, _ = data[:20].partition(b" ")
        end = int(length) if length.isdigit() else 0
        record = data[len(length) + 1 : end]
        key, equals, value = record.removesuffix(b"\n").partition(b"=")
        if not (space and equals and record.endswith(b"\n")) or end > len(data):
            raise register.damage("an extension header is damaged")
        if key.startswith(b"GNU.sparse") or key == b"SCHILY.realsize":
            raise register.damage("it holds a sparse file; only ordinary ones are read", fix="pack it without")
        if key in (b"path", b"size"):
            records[key.decode()] = _text(value, register)
        data = data[end:]
    return records


def _pax_size(text: str, register: Register) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise register.damage(f"an extension header gives the size as {text[:40]!r}")
    return int(text)


def _text(name: bytes, register: Register) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise register.damage(f"the name {name[:100]!r} is not UTF-8", fix="rename and pack it again") from error


def _finish(stream: Decompressed, register: Register) -> None:
    """Read to the very end, so that the last checksum is verified and nothing hides behind the end marker."""
    while block := stream.read(64 * BLOCK_BYTES):
        if block.strip(b"\0"):
            raise register.damage(
                "more data follow its end marker (are these several archives in one file?)",
                fix="unpack and pack them again as one",
            )
