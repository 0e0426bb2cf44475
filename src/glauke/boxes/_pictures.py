"""A folder of pictures, and which of them each picture of an annotation file is."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from glauke.errors import DataError
from glauke.files import PICTURE_ENDINGS, PictureHeader, picture_header

from ._annotations import Annotations
from ._picture_names import name_finder


@dataclass(frozen=True, kw_only=True)  # no slots: `header` is kept once it is read
class PictureFile:
    """One file of a folder of pictures."""

    path: Path
    """Relative to the folder."""

    byte_size: int
    """Length of the file, which VIA stores as `size`."""

    folder: Path
    """The folder that was looked through."""

    @property
    def name(self) -> str:
        """The path with forward slashes, on every system."""
        return self.path.as_posix()

    @cached_property
    def header(self) -> PictureHeader | None:
        """Kind, size and turn, read when first asked for; None if it is no picture or is damaged at its beginning."""
        return picture_header(self.folder / self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFolder:
    """Every picture below a folder, sorted by path."""

    path: Path
    files: tuple[PictureFile, ...]
    """What `match_pictures` counts by."""

    by_name: dict[str, list[PictureFile]]
    """By file name without folders; more than one where folders hold the same name."""

    by_size: dict[int, list[PictureFile]]
    """By length in bytes."""

    skipped: tuple[str, ...] = ()
    """What was not looked into, with the reason: links that lead out of the folder, folders that cannot be read."""


def picture_folder(path: Path) -> PictureFolder:
    """List the pictures below a folder by the endings of their names; nothing is opened yet.

    Links are followed to files within the folder only, and never to folders.

    Raises:
        DataError: there is no such folder, or it cannot be read.
    """
    if not path.is_dir():
        what = "this is a file, not a folder" if path.exists() else "there is no such folder"
        raise DataError(what, place=str(path), fix="name the folder that holds the pictures")
    skipped: list[str] = []
    files = sorted(_walk(path, skipped), key=lambda file: file.name)
    by_name: dict[str, list[PictureFile]] = {}
    by_size: dict[int, list[PictureFile]] = {}
    for file in files:
        by_name.setdefault(file.path.name, []).append(file)
        by_size.setdefault(file.byte_size, []).append(file)
    return PictureFolder(
        path=path, files=tuple(files), by_name=by_name, by_size=by_size, skipped=tuple(sorted(skipped))
    )


def match_pictures(annotations: Annotations, pictures: PictureFolder) -> tuple[int | None, ...]:
    """For each picture of the annotations, the index of its file in `pictures.files`; None where there is none.

    The name decides: as a path within the folder, else the file name alone, else without regard to capitals; paths of
    other machines and URLs count by their last part. Where folders hold the same name, the size in bytes decides, and
    if that cannot, there is no match: a guess would put boxes on another picture.
    """
    find = name_finder([file.name for file in pictures.files])
    sizes = annotations.byte_sizes.tolist()
    return tuple(_one(find(name), size, pictures) for name, size in zip(annotations.names, sizes, strict=True))


def renamed_pictures(
    annotations: Annotations, pictures: PictureFolder, matches: tuple[int | None, ...]
) -> dict[int, int]:
    """Pictures whose entry names one file, or none, and has the byte size of just one other file.

    Returns the index in `pictures.files` of that other file by index of the picture. It is what an entry looks like
    after its file was renamed, or the name given to another picture: its boxes belong to the file of that size.
    """
    index = {file.name: i for i, file in enumerate(pictures.files)}
    found = {}
    for i, (size, match) in enumerate(zip(annotations.byte_sizes.tolist(), matches, strict=True)):
        if size > 0 and (match is None or pictures.files[match].byte_size != size):
            same = pictures.by_size.get(size, [])
            if len(same) == 1:
                found[i] = index[same[0].name]
    return found


def _one(candidates: list[int], byte_size: int, pictures: PictureFolder) -> int | None:
    if len(candidates) > 1:
        candidates = [i for i in candidates if pictures.files[i].byte_size == byte_size]
    return candidates[0] if len(candidates) == 1 else None


def _walk(root: Path, skipped: list[str]) -> Iterator[PictureFile]:
    inside = _insider(root)
    todo = [""]
    while todo:
        prefix = todo.pop()
        try:
            with os.scandir(root / prefix) as entries:
                found = list(entries)
        except OSError as error:
            if not prefix:
                raise DataError(f"the folder cannot be read ({error.strerror})", place=str(root)) from error
            skipped.append(f"{prefix}: {error.strerror or error}")
            continue
        for entry in found:
            name = prefix + entry.name
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(f"{name}/")
                elif PurePosixPath(name).suffix.lower() in PICTURE_ENDINGS and entry.is_file():
                    if entry.is_symlink() and not inside(entry.path):
                        skipped.append(f"{name}: a link that leads out of the folder")
                    else:
                        yield PictureFile(path=Path(name), byte_size=entry.stat().st_size, folder=root)
                elif entry.is_symlink() and entry.is_dir():
                    skipped.append(f"{name}: a link to a folder")
            except OSError as error:
                skipped.append(f"{name}: {error.strerror or error}")


def _insider(root: Path) -> Callable[[str], bool]:
    real = os.path.realpath(root)
    return lambda path: os.path.realpath(path).startswith(real.rstrip(os.sep) + os.sep)
