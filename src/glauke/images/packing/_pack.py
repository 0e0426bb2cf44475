"""A pack: all pictures of a data set decoded once, side by side in a file that is mapped into memory."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
from jaxtyping import Int8, Int64, UInt8

from glauke import files
from glauke.errors import DataError, UsageError

from ..sources._picture import Finding, PackProgress, Source
from ..sources._sources import find_source
from ._packing import FORMAT, build_pack, manifest_checksum, pictures_per_block

_MAX_SIZE = 1024

if TYPE_CHECKING:
    Names = Sequence[str]
else:
    Names = Sequence  # a check of the elements at run time would read the names, which are to wait


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pack:
    """Decoded pictures with labels, sorted by (part, class id, name) whatever container they came from."""

    folder: Path
    """Where the files lie in the cache."""
    images: UInt8[np.ndarray, "n size size channels"]
    """Mapped from the disk, read-only."""
    labels: Int64[np.ndarray, " n"]
    """Index into `classes`."""
    parts: Int8[np.ndarray, " n"]
    """Index into `part_names`."""
    part_names: tuple[str, ...]
    """Official parts that the data has: "train", "val", "test"."""
    names: Names
    """Where each picture lies in the source; read from the disk when first used."""
    classes: tuple[str, ...]
    """Ids, sorted."""
    readable: tuple[str, ...]
    """Names for people, in the order of `classes`."""
    size: int
    """Side of every picture in pixels."""
    channels: int
    """3 for colour, 1 for grey."""
    mean: tuple[float, ...]
    """Of every channel over all pixels, on a scale of 0 to 1; from exact sums."""
    std: tuple[float, ...]
    """Standard deviation of every channel over all pixels, not the mean over pictures that is often quoted."""
    duplicates: Int64[np.ndarray, " n"]
    """Equal numbers for pictures with the same pixels or group, which must stay on one side of a split."""
    findings: tuple[Finding, ...]
    """What a person should know about the data before training."""
    fingerprint: str
    """SHA-256 of names, labels and pixels; the same pictures have the same one from a zip, a tar and a folder."""
    data: str
    """What the source is called."""
    source_sha256: str | None
    """Of the archive; None for a folder."""


class _Names(Sequence[str]):
    """Names that are read from the disk when the first one is asked for."""

    def __init__(self, path: Path, *, count: int, sha256: str) -> None:
        self._path, self._count, self._sha256 = path, count, sha256

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._all[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    @cached_property
    def _all(self) -> list[str]:
        data = self._path.read_bytes()
        if hashlib.sha256(data).hexdigest() != self._sha256:
            raise _damaged(self._path, "the names do not have their checksum")
        return json.loads(data)


def open_pack(
    data: str,
    source: Path | None = None,
    *,
    size: int | None = None,
    watch: Callable[[PackProgress], None] | None = None,
) -> Pack:
    """The pack of a named data set or a path; built in the cache if it is not there, is damaged, or the data changed.

    `size` resizes every picture to squares of that many pixels; without it the data's own size holds. Damaged
    files are left out and listed in `findings`; the user's files are only read. Two processes may build the
    same pack at once: one of the two is kept.
    """
    if size is not None and not 1 <= size <= _MAX_SIZE:
        raise UsageError(f"the size must be 1 to {_MAX_SIZE} pixels, not {size}", place="--size")
    found = find_source(data, source, watch=watch)
    packs = files.cache_folder() / "packs"
    folder = packs / _key(found, size)
    try:
        return read_pack(folder)
    except DataError:  # absent or damaged: build it
        pass
    packs.mkdir(parents=True, exist_ok=True)
    files.sweep(packs)
    _set_aside(folder)
    with files.new_folder(folder, keep_existing=True) as fresh:
        build_pack(found, fresh, size=size, watch=watch or (lambda progress: None))
    return read_pack(folder)


def read_pack(folder: Path) -> Pack:
    """Open a finished pack; `DataError` if it is not whole, by its sizes and the checksums of all but the pixels."""
    manifest = _manifest(folder / "manifest.json")
    columns = {}
    for name, digest in manifest["sha256"].items():
        if name.endswith(".npy"):
            if _sha256(folder / name) != digest:
                raise _damaged(folder / name, "the file does not have its checksum")
            columns[name] = np.load(folder / name, allow_pickle=False)
    size, channels, count = manifest["size"], manifest["channels"], manifest["pictures"]
    return Pack(
        folder=folder,
        images=_images(folder / "images.npy", (count, size, size, channels)),
        labels=columns["labels.npy"],
        parts=columns["parts.npy"],
        part_names=tuple(manifest["part_names"]),
        names=_Names(folder / "names.json", count=count, sha256=manifest["sha256"]["names.json"]),
        classes=tuple(manifest["classes"]),
        readable=tuple(manifest["readable"]),
        size=size,
        channels=channels,
        mean=tuple(manifest["mean"]),
        std=tuple(manifest["std"]),
        duplicates=columns["duplicates.npy"],
        findings=tuple(Finding(**{**each, "files": tuple(each["files"])}) for each in manifest["findings"]),
        fingerprint=manifest["fingerprint"],
        data=manifest["data"],
        source_sha256=manifest["source_sha256"],
    )


def verify(pack: Pack, *, watch: Callable[[PackProgress], None] | None = None) -> None:
    """Compare all pixels with their checksums; `DataError` that says which pictures are damaged."""
    blocks = _manifest(pack.folder / "manifest.json")["blocks"]
    step = pictures_per_block(pack.size, pack.channels)
    for i, digest in enumerate(blocks):
        block = pack.images[i * step : (i + 1) * step]
        if hashlib.sha256(block.data).hexdigest() != digest:
            last = i * step + len(block) - 1
            raise _damaged(pack.folder / "images.npy", f"pictures {i * step} to {last} do not have their checksum")
        if watch is not None:
            watch(PackProgress(stage="verify", done=i * step + len(block), total=len(pack.images)))


def _key(source: Source, size: int | None) -> str:
    side = size or source.size or "own"
    text = "\0".join([f"format {FORMAT}", source.name, f"size {side}", source.identity()])
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _manifest(path: Path) -> dict:
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise _damaged(path, f"this is not JSON ({error})") from error
    if not isinstance(manifest, dict) or manifest.get("checksum") != manifest_checksum(manifest):
        raise _damaged(path, "the manifest does not have its checksum")
    return manifest


def _images(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except (
        OSError,
        ValueError,
        EOFError,
        SyntaxError,
    ) as error:  # a damaged header, a file that is too short
        raise _damaged(path, str(error)) from error
    if images.shape != shape or images.dtype != np.uint8 or not images.flags.c_contiguous:
        raise _damaged(path, f"the array is {images.dtype} {images.shape}, not uint8 {shape}")
    if path.stat().st_size != images.offset + images.nbytes:
        raise _damaged(path, "the file has not the length of its array")
    return images


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from error


def _damaged(path: Path, what: str) -> DataError:
    return DataError(f"the pack is damaged: {what}", place=str(path), fix="open the data again to rebuild it")


def _set_aside(folder: Path) -> None:
    """Move a damaged pack out of the way; the name lets a later sweep finish what a kill interrupts."""
    aside = folder.with_name(f".tmp-{uuid.uuid4().hex}")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return
    shutil.rmtree(aside, ignore_errors=True)
