"""Any folder, or archive, that holds one folder of pictures per class, with or without train/ and val/ above them."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from glauke.errors import DataError

from ._cifar import form_of
from ._mnist import idx_files
from ._picture import PARTS, Finding, Picture
from ._tree import ArchiveTree, FolderTree, folders_above, open_tree

EXPECTED = (
    "expected one folder of pictures per class (flowers/rose/1.jpg, flowers/tulip/2.jpg), "
    "or train/ and val/ with such folders in them"
)
PART_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
GROUPS = "groups.csv"

_PICTURE_ENDINGS = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".heic", ".avif",
}  # fmt: skip
_OTHER_ENDINGS = {
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".md", ".rst", ".log", ".db", ".pdf",
    ".html", ".htm", ".svg", ".doc", ".docx", ".xls", ".xlsx", ".py", ".ipynb", ".cache", ".npy", ".npz", ".mat",
    ".pth", ".pt", ".pkl", ".h5", ".hdf5", ".mp4", ".avi", ".mov", ".zip", ".tar", ".gz", ".xz", ".bz2", ".7z", ".rar",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the names in a tree say about classes and parts."""

    pictures: dict[str, Picture]
    """By name in the tree."""
    classes: tuple[str, ...]
    parts: tuple[str, ...]
    root: str
    """Prefix of every name that counts: "" or such as "flowers/"."""
    notes: tuple[Finding, ...]


class ClassFolders:
    """Pictures whose class is the folder they lie in."""

    size = None
    channels = 3

    def __init__(self, path: Path) -> None:
        self._tree: FolderTree | ArchiveTree = open_tree(path)
        self.path = path
        self.name = _bare(path.resolve().name)
        self.classes: tuple[str, ...] = ()
        self.readable: tuple[str, ...] = ()
        self.parts: tuple[str, ...] = ()
        self.notes: tuple[Finding, ...] = ()
        self.expected: int | None = None
        self._layout: Layout | None = None

    def identity(self) -> str:
        """Digest of names, sizes and times; see `Source`."""
        return self._tree.identity()

    def heads(self) -> Iterator[bytes]:
        """The beginning of every picture's file; all of it from an archive."""
        pictures = self._laid_out().pictures
        return (data for _, data in self._tree.read(pictures.__contains__, heads=True))

    def stream(self) -> Iterator[tuple[Picture, bytes]]:
        """Every picture that lies in a class folder."""
        layout = self._laid_out()
        for name, data in self._tree.read(layout.pictures.__contains__):
            yield layout.pictures[name], data
        unreadable = (
            Finding(rule="unreadable", severity="warning", files=(name,), message=f"{name}: {reason}")
            for name, reason in sorted((n.removeprefix(layout.root), r) for n, r in self._tree.unreadable.items())
        )
        self.notes = (*layout.notes, *unreadable)

    def _laid_out(self) -> Layout:
        if self._layout is None:
            place = str(self.path)
            layout = lay_out(self._tree.names(), self._tree.folders(), place=place)
            layout = _grouped(layout, self._tree, place=place)
            self._layout = layout
            self.classes = self.readable = layout.classes
            self.parts = layout.parts
            self.expected = len(layout.pictures)
        return self._layout


def lay_out(names: Sequence[str], folders: Sequence[str], *, place: str) -> Layout:
    """Find the classes and official parts behind the names of a tree, or say in a `DataError` what was found instead.

    >>> layout = lay_out(["set/train/rose/1.jpg", "set/train/tulip/2.jpg"], [], place="set.zip")
    >>> layout.classes, layout.parts, layout.pictures["set/train/rose/1.jpg"].name
    (('rose', 'tulip'), ('train',), 'train/rose/1.jpg')
    """
    if any(name.endswith("val/val_annotations.txt") for name in names):
        raise DataError(
            "this is Tiny ImageNet, whose validation labels lie in a text file",
            place=place,
            fix=f"name the data: tiny-imagenet --source {place}",
        )
    candidates = [name for name in names if _may_be_picture(name)]
    # A LICENSE beside the folders has no say in what the folders are, unless no file is called a picture.
    telling = [name for name in candidates if _called_picture(name)]
    if not telling:
        _refuse_raw_sets(names, place=place)
        telling = candidates
    if not telling:
        raise DataError(f"there are no pictures among {len(names):,} files; {EXPECTED}", place=place)
    root = _root(telling)
    inside = {name: name[len(root) :] for name in candidates if name.startswith(root)}
    subfolders = [folder[len(root) :] for folder in folders if folder.startswith(root)]
    filled = {above for name in names for above in folders_above(name[len(root) :])}
    part_folders = _part_folders((name[len(root) :] for name in telling), place=place)
    pictures: dict[str, Picture] = {}
    loose: list[str] = []
    for name, short in inside.items():
        *above, _ = short.split("/")
        if part_folders:
            part, above = part_folders.get(above[0] if above else ""), above[1:]
        else:
            part = "train"
        if part is None or not above:
            if _called_picture(name):
                loose.append(short)
            continue
        pictures[name] = Picture(name=short, part=part, label=above[0])
    classes = _classes(pictures.values(), set(subfolders) - filled, part_folders)
    if len(classes) < 2 or not pictures:
        raise DataError(_what_is_there(pictures, loose, classes), place=place)
    parts = {picture.part for picture in pictures.values()}
    return Layout(
        pictures=pictures,
        classes=classes,
        parts=tuple(part for part in PARTS if part in parts),
        root=root,
        notes=tuple(_notes([name.removeprefix(root) for name in names], loose, classes, subfolders)),
    )


def _refuse_raw_sets(names: Sequence[str], *, place: str) -> None:
    """Pictures may also come as rows of numbers in a few large files; say by which name those are read."""
    form = form_of(names)
    called = form.name if form else "mnist or fashion-mnist" if idx_files(names) else None
    if called:
        raise DataError(
            f"these are the files of {called}, not pictures in class folders",
            place=place,
            fix=f"name the data: {called} --source {place}",
        )


def _root(names: Sequence[str]) -> str:
    """Step into a folder that wraps everything, as archives have it, while it can be neither a class nor a part."""
    root = ""
    while True:
        below = [name[len(root) :] for name in names]
        tops = {name.split("/", 1)[0] for name in below}
        wraps = len(tops) == 1 and min(tops).lower() not in PART_FOLDERS
        if not wraps or not all(name.count("/") >= 2 for name in below):
            return root
        root += f"{min(tops)}/"


def _part_folders(names: Iterable[str], *, place: str) -> dict[str, str]:
    """Which top folders are official parts; none if they are classes, be one of them called "train"."""
    depths: dict[str, set[int]] = {}
    for name in names:
        top, *rest = name.split("/")
        depths.setdefault(top if rest else "", set()).add(len(rest))
    found = {top: PART_FOLDERS[top.lower()] for top in depths if top.lower() in PART_FOLDERS}
    only_parts = bool(found) and len(found) == len(depths)
    training = [top for top, part in found.items() if part == "train"]
    if not training and only_parts:
        there = " and ".join(f"{top}/" for top in sorted(found))
        raise DataError(f"there is {there} but no folder of training pictures; {EXPECTED}", place=place)
    if all(depths[top] == {1} for top in training):
        if only_parts:
            raise DataError(f"{training[0]}/ holds pictures but no class folders; {EXPECTED}", place=place)
        return {}  # pictures of trains, beside other classes
    for part, count in Counter(found.values()).items():
        if count > 1:
            both = " and ".join(f"{top}/" for top in sorted(found) if found[top] == part)
            raise DataError(f"{both} would both be the {part} part", place=place, fix="keep one of them")
    return found


def _classes(pictures: Iterable[Picture], empty: Iterable[str], parts: dict[str, str]) -> tuple[str, ...]:
    """Every class by name, over all parts; an empty folder is a class too, so that it is reported, not forgotten."""
    classes = {picture.label for picture in pictures}
    depth = 1 if parts else 0
    for folder in empty:
        steps = folder.split("/")
        if len(steps) == depth + 1 and not _called_picture(folder) and (not parts or steps[0] in parts):
            classes.add(steps[-1])
    return tuple(sorted(classes))


def _what_is_there(pictures: dict[str, Picture], loose: Sequence[str], classes: Sequence[str]) -> str:
    if len(classes) == 1:
        return f"there is one class, {classes[0]!r}, and a classifier needs at least two; {EXPECTED}"
    if loose:
        return f"{len(loose):,} pictures such as {loose[0]!r} lie in no class folder; {EXPECTED}"
    return f"{len(classes)} class folders hold {len(pictures)} pictures; {EXPECTED}"


def _notes(
    names: Sequence[str], loose: Sequence[str], classes: Sequence[str], folders: Sequence[str]
) -> Iterator[Finding]:
    if loose:
        message = f"{len(loose):,} pictures lie in no class folder and are left out, such as {loose[0]}"
        yield Finding(rule="no-class", severity="warning", files=tuple(loose), message=message)
    others = [name for name in names if not _may_be_picture(name) and name != GROUPS]
    if others:
        endings = ", ".join(sorted({PurePosixPath(name).suffix.lower() for name in others}))
        message = f"{len(others):,} files are no pictures by their names ({endings}) and are not read"
        yield Finding(rule="other-files", severity="note", files=tuple(others), message=message)
    for folder in folders:
        if _called_picture(folder):
            message = f"{folder}: this is a folder, not a picture"
            yield Finding(rule="not-a-picture", severity="warning", files=(folder,), message=message)
    spellings: dict[str, list[str]] = {}
    for label in classes:
        spellings.setdefault(label.casefold(), []).append(label)
    for same in spellings.values():
        if len(same) > 1:
            message = f"the classes {' and '.join(map(repr, same))} differ in upper and lower case only"
            yield Finding(rule="similar-classes", severity="warning", files=(), message=message)


def _grouped(layout: Layout, tree: FolderTree | ArchiveTree, *, place: str) -> Layout:
    """Give every picture the group that groups.csv at the root names for it."""
    wanted = layout.root + GROUPS
    if wanted not in tree.names():
        return layout
    ((_, data),) = tree.read(wanted.__eq__)
    place = f"{place}/{wanted}"
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"this is not a CSV file in UTF-8 ({error})", place=place) from error
    if not rows or [cell.strip() for cell in rows[0]] != ["file", "group"]:
        head = ",".join(rows[0]) if rows else ""
        raise DataError(f"the first line must be 'file,group', not {head[:60]!r}", place=place)
    groups: dict[str, str] = {}
    for number, row in enumerate(rows[1:], 2):
        if row and len(row) != 2:
            raise DataError(f"line {number} has {len(row)} cells, not 2", place=place)
        if row and row[1].strip():
            groups[row[0].strip().replace("\\", "/")] = row[1].strip()
    pictures = {
        name: Picture(name=each.name, part=each.part, label=each.label, group=groups.pop(each.name, None))
        for name, each in layout.pictures.items()
    }
    notes = layout.notes
    if groups:
        message = f"{GROUPS} names {len(groups):,} files that are no pictures here, such as {min(groups)}"
        notes += (Finding(rule="unknown-file", severity="warning", files=tuple(groups), message=message),)
    return Layout(pictures=pictures, classes=layout.classes, parts=layout.parts, root=layout.root, notes=notes)


def _may_be_picture(name: str) -> bool:
    # By content, not by name: a name only says what is certainly something else.
    return PurePosixPath(name).suffix.lower() not in _OTHER_ENDINGS


def _bare(name: str) -> str:
    for ending in (".zip", ".tar", ".tgz", ".txz", ".tbz2", ".tar.gz", ".tar.xz", ".tar.bz2"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _called_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _PICTURE_ENDINGS
