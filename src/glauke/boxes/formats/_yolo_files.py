"""Which files of a YOLO folder are labels, which are their pictures, and which name the classes."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from glauke.errors import DataError
from glauke.files import PICTURE_ENDINGS

from ._yolo_names import is_names_file

_FOR_LISTS = ("train", "trainval", "val", "valid", "test", "readme", "license", "notes", "requirements", "names")
"""Text files of these names, outside of a folder labels/, hold no boxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloPicture:
    """One picture, with its labels if it has any."""

    name: str
    """File name; with its folders where another picture is called the same."""

    path: str | None
    """Relative to the folder; None where there are only labels."""

    labels: str | None
    """The label file, relative to the folder."""

    @property
    def key(self) -> tuple[str, ...]:
        """The path without its ending and without labels/ or images/; the same for a picture and its labels."""
        return _key(self.labels, "labels") if self.labels else _key(self.path or self.name, "images")


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloFiles:
    """The files of a folder, as relative paths with "/"."""

    labels: tuple[str, ...]
    images: tuple[str, ...]
    names: tuple[str, ...]
    has_folder: bool
    """Whether there is a folder labels/."""

    skipped: tuple[str, ...]
    """What was not looked into, with the reason."""

    def pictures(self) -> Iterator[YoloPicture]:
        """All pictures and all label files without one, sorted by path."""
        by_key = {_key(name, "images"): name for name in self.images}
        by_stem: dict[str, list[str]] = {}
        for name in self.images:
            by_stem.setdefault(PurePosixPath(name).stem, []).append(name)
        pairs: list[tuple[str | None, str | None]] = []
        taken: set[str] = set()
        for labels in self.labels:
            found = by_key.get(_key(labels, "labels"))
            alike = by_stem.get(PurePosixPath(labels).stem, [])
            if found is None and len(alike) == 1 and alike[0] not in taken:
                found = alike[0]
            if found in taken:  # a second label file of one picture keeps its boxes, and has no picture
                found = None
            if found is not None:
                taken.add(found)
            pairs.append((found, labels))
        pairs += [(image, None) for image in self.images if image not in taken]
        pairs.sort(key=lambda pair: pair[0] or pair[1] or "")
        last = [PurePosixPath(image).name if image else PurePosixPath(labels or "").stem for image, labels in pairs]
        times = Counter(last)
        for (image, labels), name in zip(pairs, last, strict=True):
            whole = image or str(PurePosixPath(labels or "").with_suffix(""))
            yield YoloPicture(name=name if times[name] == 1 else whole, path=image, labels=labels)


def yolo_files_of(folder: Path) -> YoloFiles:
    """Look through a folder; links to folders are not followed.

    Raises:
        DataError: the folder cannot be read.
    """
    texts, images, names, skipped = [], [], [], []
    has_folder = False

    def unreadable(error: OSError) -> None:
        if error.filename is not None and Path(error.filename) != folder:
            skipped.append(f"{error.filename} cannot be read ({error.strerror})")
            return
        raise DataError(f"the folder cannot be read ({error.strerror or error})", place=str(folder)) from error

    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        prefix = PurePosixPath(Path(parent).relative_to(folder).as_posix())
        has_folder = has_folder or "labels" in folders
        for name in sorted(files):
            path, ending = str(prefix / name), PurePosixPath(name).suffix.lower()
            if name.startswith("."):
                continue
            if is_names_file(name):
                names.append(path)
            elif ending in PICTURE_ENDINGS:
                images.append(path)
            elif ending == ".txt":
                texts.append(path)
    inside = [path for path in texts if "labels" in PurePosixPath(path).parts[:-1]]
    labels = inside or [path for path in texts if not _is_list(path)]
    return YoloFiles(
        labels=tuple(labels), images=tuple(images), names=tuple(names), has_folder=has_folder, skipped=tuple(skipped)
    )


def _is_list(path: str) -> bool:
    stem = PurePosixPath(path).stem.lower()
    return stem in _FOR_LISTS or stem.startswith(("readme", "license"))


def picture_key(path: str) -> tuple[str, ...]:
    """`YoloPicture.key` of a path that somebody wrote on any system; () where it names no file."""
    path = path.replace("\\", "/")
    return _key(path, "images") if PurePosixPath(path).name else ()


def _key(path: str, folder: str) -> tuple[str, ...]:
    """What a picture and its labels have in common: the path without its ending and the last `folder` in it."""
    parts = list(PurePosixPath(path).with_suffix("").parts)
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] == folder:
            del parts[at]
            break
    return tuple(parts)
