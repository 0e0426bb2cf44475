"""CIFAR-10 and CIFAR-100 in their binary versions: 60,000 pictures of 32 x 32 colour pixels.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. A picture is a record of one label byte (two
in CIFAR-100, of which the second is the fine class) and 3,072 bytes, all of red before green before blue. The sets also
come as Python pickles; those can run whatever their author wanted, and are refused.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glauke.errors import DataError

from ._picture import Finding, Picture
from ._published import PublishedFile, Watch, find_published
from ._raw_pixels import as_file
from ._tree import ArchiveTree, FolderTree, open_tree

_SIDE = 32
_PIXEL_BYTES = 3 * _SIDE * _SIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class CifarForm:
    """What tells the two sets apart."""

    name: str
    num_classes: int
    label_limits: tuple[int, ...]
    """How many values each label byte has; the last is the class."""
    parts: dict[str, str]
    """Part by the name of each file of pictures."""
    texts: str
    """The file with the names of the classes, one a line in the order of their numbers."""
    counts: dict[str, int]
    """Pictures of each part as they were published."""
    pickles: tuple[str, ...]
    """Files by which the Python version is known."""
    archive: PublishedFile
    folder: str

    @property
    def places(self) -> tuple[str, ...]:
        """Where people keep it: the archive and the folder that comes out of it, and ours."""
        return (self.archive.name, self.folder, f"{self.name}/{self.archive.name}", f"{self.name}/{self.folder}")


CIFAR10 = CifarForm(
    name="cifar10",
    num_classes=10,
    label_limits=(10,),
    parts={**{f"data_batch_{i}.bin": "train" for i in range(1, 6)}, "test_batch.bin": "test"},
    texts="batches.meta.txt",
    counts={"train": 50_000, "test": 10_000},
    pickles=("data_batch_1", "data_batch_1.mat", "batches.meta"),
    archive=PublishedFile(
        url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        num_bytes=170_052_171,
        sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
    folder="cifar-10-batches-bin",
)
CIFAR100 = CifarForm(
    name="cifar100",
    num_classes=100,
    label_limits=(20, 100),
    parts={"train.bin": "train", "test.bin": "test"},
    texts="fine_label_names.txt",
    counts={"train": 50_000, "test": 10_000},
    pickles=("train", "train.mat"),
    archive=PublishedFile(
        url="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        num_bytes=168_513_733,
        sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    ),
    folder="cifar-100-binary",
)
FORMS = (CIFAR10, CIFAR100)


class Cifar:
    """CIFAR-10 or CIFAR-100 from its binary archive or the folder that came out of it."""

    size = _SIDE
    channels = 3
    parts = ("train", "test")

    def __init__(self, path: Path, form: CifarForm) -> None:
        self._tree: FolderTree | ArchiveTree = open_tree(path)
        self._form = form
        self.path = path
        self.name = form.name
        self.expected = sum(form.counts.values())
        digits = len(str(form.num_classes - 1))
        self.classes = tuple(f"{label:0{digits}}" for label in range(form.num_classes))  # sorted as they are numbered
        self.readable = self.classes
        self.notes: tuple[Finding, ...] = ()

    def identity(self) -> str:
        """Digest of names, sizes and times; see `Source`."""
        return self._tree.identity()

    def heads(self) -> Iterator[bytes]:
        """Every picture's file."""
        return (data for _, data in self.stream())

    def stream(self) -> Iterator[tuple[Picture, bytes]]:
        """All pictures, named by part, class, file and row."""
        form = self._form
        found = self._files()
        counts = dict.fromkeys(form.counts, 0)
        for name, data in self._tree.read(set(found.values()).__contains__):
            place, short = f"{self.path}: {name}", _short(name)
            if short == form.texts:
                self.readable = _class_names(data, form, place=place)
                continue
            labels, pixels = _records(data, form, place=place)
            part, batch = form.parts[short], short.removesuffix(".bin")
            counts[part] += len(labels)
            for row, (label, picture) in enumerate(zip(labels.tolist(), pixels, strict=True)):
                each = self.classes[label]
                yield Picture(name=f"{part}/{each}/{batch}-{row:05}.png", part=part, label=each), as_file(picture)
        for name, reason in sorted(self._tree.unreadable.items()):
            if name in found.values():
                raise DataError(reason, place=f"{self.path}: {name}")
        self.notes = tuple(_notes(counts, form, named=form.texts in found))

    def _files(self) -> dict[str, str]:
        """Where each file lies in the tree, by its own name; refuses a set that is not whole, or pickled."""
        form, place = self._form, str(self.path)
        names = sorted(self._tree.names(), key=lambda name: (name.count("/"), name))
        found: dict[str, str] = {}
        for name in names:
            if _short(name) in (*form.parts, form.texts):
                found.setdefault(_short(name), name)
        missing = [name for name in form.parts if name not in found]
        there = {_short(name) for name in names}
        if missing == list(form.parts) and there.intersection(form.pickles):
            raise DataError(
                f"this is {form.name} in its Python or MATLAB version, which is not read: to unpickle a file is to run "
                "what its author put there",
                place=place,
                fix=f"get the binary version, {form.archive.url}",
            )
        if missing:
            raise DataError(
                f"{' and '.join(missing)} of {form.name} cannot be found among {len(names):,} files",
                place=place,
                fix=f"get the binary version, {form.archive.url}",
            )
        return found


def cifar_at(path: Path) -> Cifar | None:
    """CIFAR-10 or CIFAR-100 where a path leads to it, in whatever version; None elsewhere."""
    if path.is_dir():
        for form in FORMS:
            for folder in (path, path / form.folder):
                if form_of({each.name for each in folder.iterdir()} if folder.is_dir() else ()) is form:
                    return Cifar(folder, form)
        return None
    match = (
        re.match(r"cifar[-_]?(100|10)\b[-_.](?:binary|python|matlab)", path.name.lower()) if path.is_file() else None
    )
    return Cifar(path, CIFAR100 if match[1] == "100" else CIFAR10) if match else None


def form_of(names: Iterable[str]) -> CifarForm | None:
    """Which of the two sets has files of these names; of pickles it takes two that are side by side.

    >>> form_of(["train.bin", "test.bin", "fine_label_names.txt"]).name, form_of(["train", "val"])
    ('cifar100', None)
    """
    short = {_short(name) for name in names}
    if short & {"data_batch_1.bin", "data_batch_1", "data_batch_1.mat"}:
        return CIFAR10
    marks = ({"train.bin", "fine_label_names.txt"}, {"train", "test", "meta"}, {"train.mat", "test.mat", "meta.mat"})
    return CIFAR100 if any(mark <= short for mark in marks) else None


def find_cifar(form: CifarForm, watch: Watch | None = None) -> Path:
    """The archive or folder in `./data` or among the downloads of the cache; downloaded if it is in neither."""
    return find_published(form.name, places=form.places, published=(form.archive,), watch=watch)


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _records(data: bytes, form: CifarForm, *, place: str) -> tuple[np.ndarray, np.ndarray]:
    """The classes (n) and the pixels (n, 32, 32, 3) of a file of pictures."""
    length = len(form.label_limits) + _PIXEL_BYTES
    whole, rest = divmod(len(data), length)
    if rest or not whole:
        raise DataError(
            f"{len(data):,} bytes are not a whole number of pictures of {length:,} bytes: the file is cut short or "
            "something else",
            place=place,
            fix="fetch it anew",
        )
    records = np.frombuffer(data, np.uint8).reshape(whole, length)
    for column, limit in enumerate(form.label_limits):
        for row in np.flatnonzero(records[:, column] >= limit)[:1].tolist():
            kind = "coarse label" if column < len(form.label_limits) - 1 else "label"
            raise DataError(
                f"{kind} {records[row, column]} of picture {row:,} is not one of 0 to {limit - 1}", place=place
            )
    labels, pixels = records[:, len(form.label_limits) - 1], records[:, len(form.label_limits) :]
    return labels, np.ascontiguousarray(pixels.reshape(whole, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1))


def _class_names(data: bytes, form: CifarForm, *, place: str) -> tuple[str, ...]:
    try:
        names = tuple(data.decode("utf-8-sig").split())
    except UnicodeDecodeError as error:
        raise DataError(f"this is not UTF-8 text ({error.reason} at byte {error.start})", place=place) from error
    if len(set(names)) != form.num_classes or len(names) != form.num_classes:
        raise DataError(
            f"there are {len(names)} names, {len(set(names))} of them different, for {form.num_classes} classes",
            place=place,
        )
    return names


def _notes(counts: dict[str, int], form: CifarForm, *, named: bool) -> Iterator[Finding]:
    if not named:
        message = f"{form.texts} is not there; the classes are called by their numbers"
        yield Finding(rule="no-names", severity="warning", files=(), message=message)
    for part, count in counts.items():
        if count != form.counts[part]:
            message = f"the {part} part has {count:,} pictures; {form.counts[part]:,} were published"
            yield Finding(rule="other-count", severity="warning", files=(), message=message)
