"""Tiny ImageNet: 200 classes of 500 training and 50 validation pictures of 64 x 64 pixels.

Le and Yang, "Tiny ImageNet Visual Recognition Challenge", Stanford CS 231N, 2015. The validation pictures lie
in one folder and a text file names their classes, so that a reader of class folders would take them for a
single class. The test pictures have no labels and are not read.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from glauke.errors import DataError

from ._picture import Finding, Picture
from ._published import PublishedFile, Watch, find_published
from ._tree import ArchiveTree, FolderTree, hidden, open_tree

ARCHIVE = PublishedFile(
    url="https://cs231n.stanford.edu/tiny-imagenet-200.zip",
    num_bytes=248_100_043,
    sha256="6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
)
PLACES = tuple(f"tiny-imagenet-200{ending}" for ending in (".zip", ".tar.xz", ".tar.gz", ".tar", ""))

_LAYOUT = "train/<class>/images/, val/images/ with val/val_annotations.txt, wnids.txt and words.txt"
_INSIDE = re.compile(r"(?:^|/)((?:train|val|test)/.*|wnids\.txt|words\.txt)$")
_TEST = re.compile(r"(?:[^/]+/)?test(?:/|$)")
_ANNOTATIONS = "val/val_annotations.txt"


class TinyImageNet:
    """Tiny ImageNet from its archive or its unpacked folder."""

    name = "tiny-imagenet"
    size = 64
    channels = 3
    expected = 110_000

    def __init__(self, path: Path) -> None:
        self._tree: FolderTree | ArchiveTree = open_tree(path, ignored=_ignored)
        self.path = path
        self.classes: tuple[str, ...] = ()
        self.readable: tuple[str, ...] = ()
        self.parts: tuple[str, ...] = ()
        self.notes: tuple[Finding, ...] = ()

    def identity(self) -> str:
        """Digest of names, sizes and times; see `Source`."""
        return self._tree.identity()

    def heads(self) -> Iterator[bytes]:
        """Every picture's file, for a look at its size."""
        return (data for name, data in self._tree.read(_is_picture, heads=True))

    def stream(self) -> Iterator[tuple[Picture, bytes]]:
        """Every labelled picture; validation pictures wait in memory (20 MB) until their labels have come."""
        texts: dict[str, str] = {}
        labels: dict[str, str] | None = None
        waiting: dict[str, bytes] = {}
        seen: dict[str, set[str]] = {"train": set(), "val": set()}
        unseen: set[str] = set()
        unlabelled = []
        for found, data in self._tree.read(lambda name: _inside(name) is not None):
            name = _inside(found) or ""
            if name.endswith(".txt"):
                texts[name] = _text(data, f"{self.path}: {found}")
                if name == _ANNOTATIONS:
                    labels = _annotations(texts[name], place=f"{self.path}: {found}")
                    ready, waiting, unseen = waiting, {}, set(labels)
                else:
                    continue
            else:
                ready = {name: data}
            for each, content in ready.items():
                part, folder, *_ = each.split("/")
                label = folder
                if part == "val" and folder == "images":
                    if labels is None:
                        waiting[each] = content
                        continue
                    file = each.rsplit("/", 1)[-1]
                    label = labels.get(file, "")
                    unseen.discard(file)
                if not label:
                    unlabelled.append(each)
                    continue
                seen[part].add(label)
                yield Picture(name=each, part=part, label=label), content
        self._finish(texts, seen, waiting)
        self.notes = tuple(_notes(self._tree.unreadable, unlabelled, sorted(unseen)))

    def _finish(self, texts: dict[str, str], seen: dict[str, set[str]], waiting: dict[str, bytes]) -> None:
        place = str(self.path)
        if waiting:
            raise DataError(
                f"there are {len(waiting):,} validation pictures but no {_ANNOTATIONS} that names their classes",
                place=place,
                fix="fetch the data anew",
            )
        listed = set(texts.get("wnids.txt", "").split())
        used = seen["train"] | seen["val"]
        if not seen["train"]:
            raise DataError(f"there are no training pictures; expected {_LAYOUT}", place=place)
        if listed and not used <= listed:
            strangers = sorted(used - listed)
            raise DataError(
                f"there are classes that wnids.txt does not list: {len(strangers)}, such as {strangers[0]!r}",
                place=place,
            )
        self.classes = tuple(sorted(listed or used))
        self.readable = readable_names(self.classes, texts.get("words.txt", ""))
        self.parts = tuple(part for part in ("train", "val") if seen[part])


def looks_like_tiny_imagenet(path: Path) -> bool:
    """Whether a folder has the file that class folders never have, or an archive is called so."""
    if path.is_file():
        return path.name.lower().replace("_", "-").startswith("tiny-imagenet")
    return any((root / _ANNOTATIONS).is_file() for root in (path, path / "tiny-imagenet-200"))


def find_tiny_imagenet(watch: Watch | None = None) -> Path:
    """The archive or folder in `./data` or among the downloads of the cache; downloaded if it is in neither."""
    return find_published("tiny-imagenet", places=PLACES, published=(ARCHIVE,), watch=watch)


def readable_names(ids: tuple[str, ...], words: str) -> tuple[str, ...]:
    r"""Names for people from `words.txt`: as few synonyms as tell the classes apart.

    >>> readable_names(("n1", "n2", "n3"), "n1\tbus\nn2\tcrane, bird\nn3\tcrane, machine\n")
    ('bus', 'crane, bird', 'crane, machine')
    """
    wanted = set(ids)
    lines = (line.split("\t", 1) for line in words.splitlines())
    synonyms = {line[0]: line[1].split(", ") for line in lines if len(line) == 2 and line[0] in wanted}
    names = {each: synonyms.get(each, [each])[0] for each in ids}
    for count in (2, 3, None):
        for each in _shared(names):
            names[each] = ", ".join(synonyms.get(each, [each])[:count])
    for each in _shared(names):
        names[each] = f"{names[each]} ({each})"
    return tuple(names[each] for each in ids)


def _shared(names: dict[str, str]) -> list[str]:
    taken = list(names.values())
    return [each for each, name in names.items() if taken.count(name) > 1]


def _ignored(name: str) -> bool:
    return _TEST.match(name) is not None or hidden(name)


def _inside(name: str) -> str | None:
    """The name below the folder that holds train/ and val/; None if nothing there is ours."""
    match = _INSIDE.search(name)
    inside = match[1] if match else ""
    if inside in ("wnids.txt", "words.txt", _ANNOTATIONS):
        return inside
    ours = inside.startswith(("train/", "val/")) and inside.count("/") >= 2 and not inside.endswith(".txt")
    return inside if ours else None


def _is_picture(name: str) -> bool:
    inside = _inside(name)
    return inside is not None and not inside.endswith(".txt")


def _text(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"this is not UTF-8 text ({error.reason} at byte {error.start})", place=place) from error


def _annotations(text: str, *, place: str) -> dict[str, str]:
    labels = {}
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split("\t")
        if len(fields) < 2:
            raise DataError(f"line {number} is not 'picture<tab>class<tab>box', it is {line[:60]!r}", place=place)
        labels[fields[0]] = fields[1]
    return labels


def _notes(unreadable: dict[str, str], unlabelled: list[str], unseen: list[str]) -> Iterator[Finding]:
    for name, reason in sorted(unreadable.items()):
        yield Finding(rule="unreadable", severity="warning", files=(name,), message=f"{name}: {reason}")
    if unlabelled:
        message = f"{len(unlabelled):,} pictures of val/images are not in {_ANNOTATIONS} and are left out"
        yield Finding(rule="unlabelled", severity="warning", files=tuple(unlabelled), message=message)
    if unseen:
        message = f"{len(unseen):,} pictures that {_ANNOTATIONS} names are not there, such as {unseen[0]}"
        yield Finding(rule="missing-picture", severity="warning", files=tuple(unseen), message=message)
