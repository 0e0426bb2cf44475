"""A source becomes the files of a pack: read once in its own order, decoded on all cores, written in a fixed order."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from glauke import files
from glauke.errors import DataError

from ..sources._picture import Finding, PackProgress, Picture, Source
from ._decode import measure
from ._duplicates import components, same_content
from ._workers import Chunk, Decoders, decode_chunk

FORMAT = 1
MAX_COMMON_SIZE = 256

_CHUNK_FILES = 512
_CHUNK_BYTES = 8 << 20
_BLOCK_BYTES = 8 << 20
_ALONE_FILES = 2000  # below this, starting processes takes longer than decoding
_ALONE_SECONDS = 2.0

Watch = Callable[[PackProgress], None]


def build_pack(source: Source, folder: Path, *, size: int | None, watch: Watch) -> None:
    """Fill `folder` with the pack of a source; `size` None is the source's own or what its pictures have."""
    side = size or source.size or common_size(source, watch)
    if source.expected:
        files.require_space(folder, 2 * source.expected * side * side * source.channels)
    decoded = _decode_all(source, folder / "slots", size=side, watch=watch)
    _write(source, folder, decoded, size=side, watch=watch)


def common_size(source: Source, watch: Watch) -> int:
    """Side for pictures whose source declares none, from their headers.

    The side that all have, if they are squares of at most 256 pixels; else 64 where the median shorter side
    is at most 96 pixels, else 128. What cannot be looked at does not count: the decoding will tell why.
    """
    sizes = []
    with files.quiet_pillow():
        for i, head in enumerate(source.heads()):
            sizes.append(measure(head))
            if i % 1000 == 0:
                watch(PackProgress(stage="look", done=i, total=source.expected))
    known = [size for size in sizes if size is not None]
    if known and len(set(known)) == 1 and known[0][0] == known[0][1] <= MAX_COMMON_SIZE:
        return known[0][0]
    return 64 if known and np.median([min(size) for size in known]) <= 96 else 128


@dataclass(slots=True, eq=False)
class _Everything:
    """All pictures of a source after decoding, by slot: the order in which the source gave them."""

    slots: Path
    pictures: list[Picture] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)
    squares: list[int] = field(default_factory=list)
    failures: dict[int, tuple[str, str]] = field(default_factory=dict)


def _decode_all(source: Source, slots: Path, *, size: int, watch: Watch) -> _Everything:
    result, done, finished = _Everything(slots=slots), [], 0
    slots.touch()
    cores = _num_cores()
    with ExitStack() as stack:
        file = stack.enter_context(slots.open("r+b"))
        decoders: Decoders | None = None
        alone_seconds = 0.0
        for chunk in _chunks(source, result.pictures, size * size * source.channels):
            many = (source.expected or chunk.first) >= _ALONE_FILES or alone_seconds > _ALONE_SECONDS
            if decoders is None and many and cores > 1 and sys.executable:
                decoders = Decoders(slots, size=size, channels=source.channels, num_workers=cores)
                stack.enter_context(decoders)
            if decoders is not None:
                new = decoders.submit(chunk)
            else:
                start = time.perf_counter()
                with files.quiet_pillow():
                    new = [decode_chunk(chunk, slots=file, size=size, channels=source.channels)]
                alone_seconds += time.perf_counter() - start
            done += new
            finished += sum(len(each.digests) for each in new)
            watch(PackProgress(stage="decode", done=finished, total=source.expected))
        if decoders is not None:
            new = decoders.finish()
            done += new
            finished += sum(len(each.digests) for each in new)
    for each in sorted(done, key=lambda each: each.first):
        result.digests += each.digests
        result.failures |= each.failures
    result.sums = [sum(column) for column in zip(*(each.sums for each in done if each.sums), strict=True)]
    result.squares = [sum(column) for column in zip(*(each.squares for each in done if each.sums), strict=True)]
    watch(PackProgress(stage="decode", done=finished, total=finished))
    return result


def _chunks(source: Source, pictures: list[Picture], picture_bytes: int) -> Iterator[Chunk]:
    """Cut the stream, noting every picture in `pictures`: its place there is its slot."""
    most = max(1, min(_CHUNK_FILES, _CHUNK_BYTES // picture_bytes))
    first, held, num_bytes = 0, [], 0
    for picture, data in source.stream():
        pictures.append(picture)
        held.append(data)
        num_bytes += len(data)
        if len(held) == most or num_bytes >= _CHUNK_BYTES:
            yield Chunk(first=first, files=held)
            first, held, num_bytes = len(pictures), [], 0
    if held:
        yield Chunk(first=first, files=held)


def _write(source: Source, folder: Path, decoded: _Everything, *, size: int, watch: Watch) -> None:
    pictures = decoded.pictures
    part_of = {part: i for i, part in enumerate(source.parts)}
    class_of = {label: i for i, label in enumerate(source.classes)}
    findings = [*source.notes, *_failures(decoded)]
    order = [slot for slot, digest in enumerate(decoded.digests) if digest]
    order.sort(key=lambda i: (part_of[pictures[i].part], class_of[pictures[i].label], pictures[i].name))
    chosen = [pictures[i] for i in order]
    if len({picture.label for picture in chosen}) < 2:
        raise _nothing_to_learn(source, chosen, findings)
    names = [picture.name for picture in chosen]
    labels = np.array([class_of[picture.label] for picture in chosen], np.int64)
    parts = np.array([part_of[picture.part] for picture in chosen], np.int8)
    content = [decoded.digests[i] for i in order]
    ids = components(content, [picture.group for picture in chosen])
    findings += [*same_content(content, names, [source.readable[i] for i in labels])]
    findings += _counts(source, labels, parts)

    blocks = _write_images(folder, decoded.slots, order, size=size, channels=source.channels, watch=watch)
    decoded.slots.unlink()  # before the folder is synced: most of it need never reach the disk
    for name, column in {"labels": labels, "parts": parts, "duplicates": ids}.items():
        np.save(folder / f"{name}.npy", column, allow_pickle=False)
    (folder / "names.json").write_text(json.dumps(names), encoding="ascii")
    total = len(order) * size * size
    small = ("labels.npy", "parts.npy", "duplicates.npy", "names.json")
    manifest = {
        "format": FORMAT,
        "data": source.name,
        "pictures": len(order),
        "size": size,
        "channels": source.channels,
        "classes": source.classes,
        "readable": source.readable,
        "part_names": source.parts,
        "counts": {part: int((parts == i).sum()) for part, i in part_of.items()},
        "mean": [value / total / 255 for value in decoded.sums],
        "std": [_std(value, square, total) for value, square in zip(decoded.sums, decoded.squares, strict=True)],
        "fingerprint": _fingerprint(chosen, content, source.classes, size, source.channels),
        "source_sha256": files.sha256(source.path) if source.path and source.path.is_file() else None,
        "blocks": blocks,
        "sha256": {name: files.sha256(folder / name) for name in small},
        "findings": [asdict(finding) for finding in findings],
    }
    write_manifest(folder, manifest)


def write_manifest(folder: Path, manifest: dict[str, object]) -> None:
    """Write manifest.json with a checksum of its own content."""
    manifest = json.loads(json.dumps(manifest, allow_nan=False))
    files.write_json(folder / "manifest.json", {**manifest, "checksum": manifest_checksum(manifest)})


def manifest_checksum(manifest: dict[str, object]) -> str:
    """SHA-256 of a manifest without its `checksum`."""
    rest = {key: value for key, value in manifest.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def pictures_per_block(size: int, channels: int) -> int:
    """How many pictures share a checksum: about 8 MiB of them."""
    return max(1, _BLOCK_BYTES // (size * size * channels))


def _write_images(folder: Path, slots: Path, order: list[int], *, size: int, channels: int, watch: Watch) -> list[str]:
    """Copy the pixels from their slots into images.npy in the final order; the SHA-256 of every block."""
    shape = (size, size, channels)
    pixels = np.memmap(slots, np.uint8, "r").reshape(-1, *shape)
    path = folder / "images.npy"
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(order), *shape)}
        np.lib.format.write_array_header_1_0(file, header)
        offset = file.tell()

    def copy(start: int) -> str:
        block = np.take(pixels, order[start : start + step], axis=0)
        with path.open("r+b") as file:
            file.seek(offset + start * pixels[0].nbytes)
            file.write(block.data)
        return hashlib.sha256(block.data).hexdigest()

    step = pictures_per_block(size, channels)
    blocks = []
    with ThreadPoolExecutor(_num_cores()) as threads:  # NumPy, writing and hashing all run side by side
        for block in threads.map(copy, range(0, len(order), step)):
            blocks.append(block)
            watch(PackProgress(stage="write", done=min(len(blocks) * step, len(order)), total=len(order)))
    return blocks


def _num_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _std(total: int, squares: int, count: int) -> float:
    # Whole numbers until the end: the variance is (n * sum of squares - sum^2) / n^2, without cancellation.
    return (count * squares - total * total) ** 0.5 / count / 255


def _fingerprint(
    pictures: list[Picture], digests: list[bytes], classes: tuple[str, ...], size: int, channels: int
) -> str:
    rows = [
        f"{picture.name}\0{picture.label}\0{digest.hex()}" for picture, digest in zip(pictures, digests, strict=True)
    ]
    text = "\n".join([f"{size} {channels}", "\0".join(classes), *sorted(rows)])
    return hashlib.sha256(text.encode()).hexdigest()


def _failures(decoded: _Everything) -> Iterator[Finding]:
    for slot, (rule, reason) in sorted(decoded.failures.items(), key=lambda item: decoded.pictures[item[0]].name):
        name = decoded.pictures[slot].name
        yield Finding(rule=rule, severity="warning", files=(name,), message=f"{name}: {reason}")


def _counts(source: Source, labels: np.ndarray, parts: np.ndarray) -> Iterator[Finding]:
    for i, name in enumerate(source.readable):
        count = int((labels == i).sum())
        if count < 2:
            message = f"the class {name!r} has {count or 'no'} picture{'' if count else 's'}; training needs two"
            yield Finding(rule="few-pictures", severity="error", files=(), message=message)
    for part, part_name in enumerate(source.parts):
        present = set(labels[parts == part].tolist())
        for i, name in enumerate(source.readable):
            if i not in present and len(source.parts) > 1:
                message = f"the class {name!r} has no pictures in the {part_name} part"
                yield Finding(rule="missing-class", severity="warning", files=(), message=message)


def _nothing_to_learn(source: Source, chosen: list[Picture], findings: list[Finding]) -> DataError:
    place = str(source.path or source.name)
    reasons = [finding.message for finding in findings if finding.severity == "warning"]
    because = f"; for example {reasons[0]}" if reasons else ""
    classes = sorted({picture.label for picture in chosen})
    if classes:
        message = f"only the class {classes[0]!r} has pictures that can be read"
    else:
        message = "there is no picture that can be read"
    return DataError(message + because, place=place)
