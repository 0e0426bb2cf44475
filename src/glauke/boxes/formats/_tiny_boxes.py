"""The boxes of Tiny ImageNet, one for each training and validation picture of 64 x 64 pixels.

Le and Yang, "Tiny ImageNet Visual Recognition Challenge", Stanford CS 231N, 2015. A line is a picture (in val its class
too) and two corners. Both corners belong to the box: over all 110,000 lines the numbers go from 0 to 63, and those that
cover a whole picture are 0, 0, 63, 63. So width = x2 - x1 + 1.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from glauke.errors import DataError
from glauke.files import stream_members

from .._annotations import Annotations
from .._findings import Finding
from ._gathered import Gathered, LabelIndex
from ._via_document import shortened

_SIDE = 64
_TRIES = 1_000  # members of an archive that are looked at before it is something else
_OURS = re.compile(r"(?:^|/)((?:train/(n\d{8})/\2_boxes\.txt)|val/val_annotations\.txt|words\.txt|wnids\.txt)$")
_TELLING = re.compile(r"(?:^|/)(?:train/(n\d{8})/(?:images/\1_\d+\.JPEG|\1_boxes\.txt)|val/val_annotations\.txt)$")
_ROOTS = ("", "tiny-imagenet-200")
_MOST_BYTES = 64 * 1024**2
_WHOLE = re.compile(r"-?[0-9]{1,9}")


def is_tiny_imagenet(path: Path) -> bool:
    """Whether an archive begins as Tiny ImageNet's does, or a folder has its files of boxes."""
    if path.is_file():
        tried = 0

        def wanted(name: str) -> bool:
            nonlocal tried
            tried += 1
            return tried > _TRIES or _TELLING.search(name) is not None

        return any(_TELLING.search(member.name) is not None for member, _ in _first(path, wanted))
    return _root(path) is not None


def read_tiny_imagenet(path: Path) -> Annotations:
    """The boxes of the training and the validation part, from the archive or its unpacked folder.

    Training pictures come first, by class in the order of the archive. A label is the first name of `words.txt`, or
    the WordNet id where another class has that name too.

    Raises:
        DataError: the archive is damaged.
    """
    texts = dict(_archive_texts(path) if path.is_file() else _folder_texts(path))
    gathered, ids = Gathered(), LabelIndex()
    for wnid in texts.get("wnids.txt", "").split():
        ids.setdefault(wnid, len(ids))
    for name in sorted(texts, key=lambda name: name.startswith("val/")):
        if name.endswith("_boxes.txt"):
            _add(texts[name], gathered, ids, file=name, wnid=name.split("/")[1])
        elif name.startswith("val/"):
            _add(texts[name], gathered, ids, file=name, wnid=None)
    labels = _readable(tuple(ids), texts.get("words.txt", ""))
    return gathered.annotations(kind="tiny-imagenet", path=path, labels=labels)


def _add(text: str, gathered: Gathered, ids: LabelIndex, *, file: str, wnid: str | None) -> None:
    """Add the pictures of one file; lines of the validation part name their class, those of training do not."""
    folder = f"{file.rpartition('/')[0]}/images"
    skip = 1 if wnid else 2
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        cells = line.strip().split("\t")
        if len(cells) != skip + 4:
            message = f"line {number} of {file} is not a picture and four numbers: {shortened(line)!r}; it was left out"
            gathered.findings.append(Finding(rule="bad-row", severity="error", message=message))
            continue
        label = ids[wnid or cells[1]]
        gathered.picture(cells[0], key=f"{folder}/{cells[0]}", size=(_SIDE, _SIDE))
        corners = cells[skip:]
        if not all(_WHOLE.fullmatch(each) for each in corners):
            gathered.broken_region(f"has the corners {shortened(' '.join(corners))!r}", label=label, line=number)
            continue
        left, top, right, bottom = map(int, corners)
        if right < left or bottom < top:
            problem = f"has corners the wrong way round, {left},{top} and {right},{bottom}"
            gathered.broken_region(problem, label=label, line=number)
            continue
        gathered.region((left, top, right - left + 1, bottom - top + 1), label=label, line=number)


def _readable(ids: tuple[str, ...], words: str) -> tuple[str, ...]:
    r"""The first name of each class, where no other class has the same.

    >>> _readable(("n1", "n2", "n3"), "n1\tgoldfish, Carassius auratus\nn2\tcrane\nn3\tcrane, lifter\n")
    ('goldfish', 'n2', 'n3')
    """
    wanted = set(ids)
    lines = (line.split("\t", 1) for line in words.split("\n"))
    known = {line[0]: line[1].split(",")[0].strip() for line in lines if len(line) == 2 and line[0] in wanted}
    names = [known.get(each) or each for each in ids]
    times = Counter(names)
    return tuple(name if times[name] == 1 else each for each, name in zip(ids, names, strict=True))


def _archive_texts(path: Path) -> Iterator[tuple[str, str]]:
    for member, data in stream_members(path, wanted=lambda name: _OURS.search(name) is not None):
        found = _OURS.search(member.name)
        assert found is not None
        yield found[1], _text(data, place=f"{path}: {member.name}")


def _folder_texts(path: Path) -> Iterator[tuple[str, str]]:
    root = _root(path) or path
    files = [*sorted(root.glob("train/*/*_boxes.txt")), root / "val" / "val_annotations.txt"]
    for file in (*files, root / "wnids.txt", root / "words.txt"):
        name = file.relative_to(root).as_posix()
        if _OURS.search(name) and file.is_file():
            if file.stat().st_size > _MOST_BYTES:
                raise DataError(
                    f"it has {file.stat().st_size:,} bytes; at most {_MOST_BYTES:,} are read", place=str(file)
                )
            yield name, _text(file.read_bytes(), place=str(file))


def _root(folder: Path) -> Path | None:
    """The folder that holds train/ and val/: this one, or the one that the archive unpacks to."""
    for root in (folder / name for name in _ROOTS):
        if (root / "val" / "val_annotations.txt").is_file() or next(root.glob("train/n*/n*_boxes.txt"), None):
            return root
    return None


def _first(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple]:
    return (found for found, _ in zip(stream_members(path, wanted=wanted), range(1), strict=False))


def _text(data: bytes, *, place: str) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise DataError(f"it is not UTF-8 (byte {error.start + 1})", place=place, fix="fetch the data anew") from error
