"""MNIST and Fashion-MNIST: 70,000 pictures of 28 x 28 grey pixels in ten classes, in four IDX files.

LeCun, Cortes and Burges, "The MNIST database of handwritten digits", 1998; Xiao, Rasul and Vollgraf, "Fashion-MNIST",
2017 (arXiv 1708.07747), which took the names of MNIST's files over. They are found under every spelling in use, packed
with gzip or not, in a folder or an archive, and among other files.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from glauke.errors import DataError

from ._idx import IdxFile, open_idx
from ._picture import Finding, Picture
from ._published import PublishedFile, Watch, find_published
from ._raw_pixels import as_file
from ._tree import ArchiveTree, FolderTree, open_tree

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
READABLE = {"mnist": DIGITS, "fashion-mnist": CLOTHES}
COUNTS = {"train": 60_000, "test": 10_000}
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
PLACES = {
    "mnist": ("mnist", "MNIST", "mnist.zip", "mnist.tar.gz"),
    "fashion-mnist": ("fashion-mnist", "FashionMNIST", "fashion_mnist", "fashion", "fashion-mnist.zip"),
}
_SIZES = {
    "mnist": (9_912_422, 28_881, 1_648_877, 4_542),
    "fashion-mnist": (26_421_880, 29_515, 4_422_102, 5_148),
}
_SHA256 = {
    "mnist": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
    "fashion-mnist": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}
# MNIST's own page answers strangers no more; this is the copy of the Common Visual Data Foundation.
_ADDRESSES = {
    "mnist": "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "fashion-mnist": "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
}
PUBLISHED = {
    name: tuple(
        PublishedFile(url=f"{address}{file}.gz", num_bytes=num_bytes, sha256=sha256)
        for file, num_bytes, sha256 in zip(FILES, _SIZES[name], _SHA256[name], strict=True)
    )
    for name, address in _ADDRESSES.items()
}
"""The four files of each set, by its name."""

_SIDE = 28
_NAME = re.compile(
    r"(?:^|/)(train|t10k|test)[-_.](images[-_.]idx3|labels[-_.]idx1)[-_.]ubyte(?:\.gz|\.gzip)?$", re.IGNORECASE
)
_PARTS = {"train": "train", "t10k": "test", "test": "test"}


class Mnist:
    """MNIST, or what has its form, from a folder or an archive with its four files."""

    size = _SIDE
    channels = 1
    expected = sum(COUNTS.values())
    classes = DIGITS
    parts = ("train", "test")

    def __init__(self, path: Path, *, name: str = "mnist") -> None:
        self._tree: FolderTree | ArchiveTree = open_tree(path)
        self.path = path
        self.name = name
        self.readable = READABLE[name]
        self.notes: tuple[Finding, ...] = ()

    def identity(self) -> str:
        """Digest of names, sizes and times; see `Source`."""
        return self._tree.identity()

    def heads(self) -> Iterator[bytes]:
        """Every picture's file."""
        return (data for _, data in self.stream())

    def stream(self) -> Iterator[tuple[Picture, bytes]]:
        """All pictures, named by part, class and row; a file waits in memory until its partner has come."""
        chosen = {name: key for key, name in idx_files(self._tree.names()).items()}
        waiting: dict[tuple[str, str], IdxFile] = {}
        counts = {}
        for name, data in self._tree.read(chosen.__contains__):
            part, kind = chosen[name]
            dimensions = 3 if kind == "images" else 1
            waiting[part, kind] = open_idx(data, dimensions=dimensions, place=f"{self.path}: {name}")
            if (part, "images") in waiting and (part, "labels") in waiting:
                images, labels = waiting.pop((part, "images")), waiting.pop((part, "labels"))
                counts[part] = images.shape[0]
                yield from _pictures(part, images, labels)
        if len(counts) < len(self.parts):
            raise self._incomplete(set(chosen.values()))
        self.notes = tuple(_notes(counts))

    def _incomplete(self, there: set[tuple[str, str]]) -> DataError:
        missing = [name for name, key in _official().items() if key not in there]
        unreadable = "; ".join(f"{name}: {reason}" for name, reason in sorted(self._tree.unreadable.items()))
        what = (
            f"{' and '.join(missing)} (.gz or not) cannot be found"
            if missing
            else f"not all can be read ({unreadable})"
        )
        return DataError(
            f"{self.name} has four files, and {what}", place=str(self.path), fix="fetch what is missing from its page"
        )


def idx_files(names: Iterable[str]) -> dict[tuple[str, str], str]:
    """Which file of a tree holds what, as {(part, "images" or "labels"): name}; one of several that would do.

    The one that lies highest, and of two side by side the unpacked one: whoever unpacks keeps both. Two folders of
    the same height are a `DataError`, for one may be MNIST and the other Fashion-MNIST.

    >>> idx_files(["MNIST/raw/t10k-labels-idx1-ubyte.gz", "MNIST/raw/t10k-labels-idx1-ubyte", "LICENSE"])
    {('test', 'labels'): 'MNIST/raw/t10k-labels-idx1-ubyte'}
    """
    found: dict[tuple[str, str], str] = {}
    matches = {name: match for name in names if (match := _NAME.search(name))}
    for name in sorted(matches, key=lambda name: (name.count("/"), name.lower().endswith("gz"), name)):
        first = found.setdefault((_PARTS[matches[name][1].lower()], matches[name][2][:6].lower()), name)
        if first.count("/") == name.count("/") and first.rpartition("/")[0] != name.rpartition("/")[0]:
            raise DataError(f"there are both {first} and {name}", fix="name the folder of one of them")
    return found


def mnist_at(path: Path) -> Mnist | None:
    """MNIST or Fashion-MNIST where a path leads to its files, told apart by the names above them; None elsewhere."""
    name = "fashion-mnist" if "fashion" in "/".join(path.resolve().parts[-3:]).lower() else "mnist"
    if path.is_dir():
        folders = (path, path / "raw")  # the second is where torchvision puts them
        there = any(idx_files(each.name for each in folder.iterdir()) for folder in folders if folder.is_dir())
        return Mnist(path, name=name) if there else None
    if path.is_file() and "mnist" in path.name.lower():  # listing an archive reads all of it
        source = Mnist(path, name=name)
        return source if idx_files(source._tree.names()) else None
    return None


def find_mnist(name: str, watch: Watch | None = None) -> Path:
    """The folder or archive of "mnist" or "fashion-mnist" in `./data` or the cache; downloaded if it is in neither."""
    return find_published(
        name, places=PLACES[name], published=PUBLISHED[name], folder=name, complete=_complete, watch=watch
    )


def _complete(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and len(idx_files(FolderTree(path).names())) == len(FILES))


def _official() -> dict[str, tuple[str, str]]:
    return {name: key for key, name in idx_files(FILES).items()}


def _pictures(part: str, images: IdxFile, labels: IdxFile) -> Iterator[tuple[Picture, bytes]]:
    count, *sides = images.shape
    if sides != [_SIDE, _SIDE]:
        raise DataError(f"the pictures have {sides[0]} x {sides[1]} pixels, not {_SIDE} x {_SIDE}", place=images.place)
    if labels.shape[0] != count:
        raise DataError(
            f"there are {labels.shape[0]:,} labels for {count:,} pictures", place=labels.place, fix="fetch both anew"
        )
    known = np.concatenate(list(labels.rows()))
    for row in np.flatnonzero(known >= len(DIGITS))[:1].tolist():
        raise DataError(f"label {known[row]} of picture {row:,} is not one of 0 to 9", place=labels.place)
    for row, pixels in enumerate(pixels for block in images.rows() for pixels in block):
        label = DIGITS[known[row]]
        yield Picture(name=f"{part}/{label}/{row:05}.png", part=part, label=label), as_file(pixels)


def _notes(counts: dict[str, int]) -> Iterator[Finding]:
    for part, published in COUNTS.items():
        if counts[part] != published:
            message = f"the {part} part has {counts[part]:,} pictures; {published:,} were published"
            yield Finding(rule="other-count", severity="note", files=(), message=message)
