"""YOLO's labels: for each picture a text file of the same name, for each box a line of fractions of the picture.

A line is class, centre x, centre y, width and height (darknet, Ultralytics). Lines of segmentation have the corners of
a polygon instead, lines of oriented boxes four corners, lines of predictions a confidence at the end, and lines of
poses key points after the box.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from glauke.errors import DataError
from glauke.files import picture_header, read_text

from .._annotations import Annotations
from .._findings import Finding
from .._wording import counted
from ._gathered import POLYGON, RECT, Gathered
from ._shapes import NO_BOX, Box
from ._via_document import shortened
from ._yolo_files import YoloFiles, YoloPicture, picture_key, yolo_files_of
from ._yolo_names import YoloNames, yolo_names

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_CLASS = re.compile(r"([0-9]{1,6})(?:\.0*)?")
_MOST = 2.0
"""Fractions above it are pixels; a box may reach a little beyond its picture."""

_TRIES = 20
"""How many files of something else make a folder something else."""

Size = tuple[int, int]


def is_yolo(path: Path) -> bool:
    """Whether a folder holds label files whose lines are a class and fractions.

    A folder without any line of labels needs a file with the names of classes and a folder labels/.
    """
    files = yolo_files_of(path)
    tried = 0
    for name in files.labels:
        try:
            lines = [cells for line in read_text(path / name).splitlines() if (cells := line.split())]
        except DataError:
            continue
        if any(_numbers(cells) is not None for cells in lines):
            return True
        tried += bool(lines)
        if tried == _TRIES:
            return False
    return bool(files.names) and files.has_folder


def read_yolo(path: Path, *, sizes: Mapping[str, Size] | None = None) -> Annotations:
    """The boxes of a folder of YOLO labels, in pixels; all parts (train, val) together, pictures sorted by path.

    Pictures are found as Ultralytics finds them: `labels` in a path stands for `images`. Their sizes come from their
    headers, else from `sizes` by path or by file name, with or without its ending. Boxes of a picture whose size is
    not known are NaN, and a finding counts them. A picture without a label file has no regions.

    Raises:
        DataError: a file with the names of the classes cannot be read.
    """
    files = yolo_files_of(path)
    names = yolo_names(path, files.names)
    pictures = list(files.pictures())
    given = _Given(sizes or {}, pictures)
    numbers = sorted(names.names)
    reader = _Reader(path, names, labels={number: i for i, number in enumerate(numbers)})
    for picture in pictures:
        name = given.name_of(picture)
        if picture.path is None and name is not None:
            name_of_file = name if "/" in picture.name else PurePosixPath(name).name
            picture = replace(picture, name=name_of_file)
        reader.read(picture, _size(path, picture) or (sizes or {}).get(name or ""))
    return reader.finished(files, [names.names[number] for number in numbers])


class _Given:
    """Which of the names that sizes are given for is which picture."""

    def __init__(self, sizes: Mapping[str, Size], pictures: Iterable[YoloPicture]) -> None:
        self._sizes = sizes
        self._by_key: dict[tuple[str, ...], list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        for name in sizes:
            if key := picture_key(name):
                self._by_key.setdefault(key, []).append(name)
                self._by_stem.setdefault(key[-1], []).append(name)
        self._times = Counter(picture.key[-1] for picture in pictures)

    def name_of(self, picture: YoloPicture) -> str | None:
        """The name of the same path, else that of the same file name where no other has it; None if sizes differ."""
        stem = picture.key[-1]
        alike = self._by_key.get(picture.key) or (self._by_stem.get(stem, []) if self._times[stem] == 1 else [])
        return alike[0] if len({self._sizes[name] for name in alike}) == 1 else None


class _Reader:
    """Reads label files one by one, and remembers what is to be said about all of them at the end."""

    def __init__(self, folder: Path, names: YoloNames, *, labels: dict[int, int]) -> None:
        self.gathered = Gathered()
        self._folder, self._names = folder, names
        self._labels, self._num_named = labels, len(labels)
        self._unnamed: dict[int, int] = {}
        self._confidences = 0

    def read(self, picture: YoloPicture, size: Size | None) -> None:
        """Add one picture with the boxes of its label file."""
        self.gathered.picture(picture.name, key=picture.labels or picture.path or picture.name, size=size or (0, 0))
        if picture.labels is None:
            return
        try:
            text = read_text(self._folder / picture.labels)
        except DataError as error:
            self._say("bad-entry", f"{picture.labels} cannot be read: {error.message}", picture, fix=error.fix)
            return
        first = len(self.gathered.boxes)
        for line, content in enumerate(re.split(r"\r\n|\r|\n", text), 1):
            if content.strip():
                self._read_line(content, line, picture, size)
        boxes = len(self.gathered.boxes) - first
        if boxes and size is None:
            what = "is no picture, or damaged" if picture.path else "is not there"
            message = (
                f"its size is not known, since the picture {what}: {counted(boxes, 'box', 'boxes')} without pixels"
            )
            fix = "put it beside its labels or into images/ beside labels/, or give its size with --sizes, by its path"
            self._say("size-unknown", message, picture, fix=fix)

    def _read_line(self, content: str, line: int, picture: YoloPicture, size: Size | None) -> None:
        found = _numbers(content.split())
        if found is None:
            message = f"line {line} of {picture.labels} is no class with fractions: {shortened(content.strip())!r}"
            self._say("bad-row", f"{message}; it was left out", picture, fix="correct the line")
            return
        number, values = found
        label = self._labels.setdefault(number, len(self._labels))
        if label >= self._num_named:
            self._unnamed[number] = self._unnamed.get(number, 0) + 1
        polygon, values = self._of_shape(values)
        wrong = next((value for value in values if not abs(value) <= _MOST), None)
        if wrong is not None:
            self.gathered.broken_region(f"has {wrong:g}, where fractions are expected", label=label, line=line)
            return
        x, y, w, h = _enclosing(values) if polygon else _cornered(values)
        if w < 0 or h < 0:
            self.gathered.broken_region(f"has the size {w:g} by {h:g}", label=label, line=line)
            return
        box: Box = NO_BOX if size is None else (x * size[0], y * size[1], w * size[0], h * size[1])
        self.gathered.region(box, label=label, shape=POLYGON if polygon else RECT, line=line)

    def _of_shape(self, values: list[float]) -> tuple[bool, list[float]]:
        """Whether the numbers of a line are a polygon, and those that matter."""
        if len(values) == 4 or len(values) == 4 + self._names.keypoints:
            return False, values[:4]
        if len(values) % 2 or len(values) == 5:
            self._confidences += 1
            return len(values) > 5, values[:-1]
        return True, values

    def _say(self, rule: str, message: str, picture: YoloPicture, *, fix: str | None) -> None:
        self.gathered.findings.append(
            Finding(rule=rule, severity="error", message=message, image=picture.name, fix=fix)
        )

    def finished(self, files: YoloFiles, labels: list[str]) -> Annotations:
        """All that was read."""
        add = self.gathered.findings.append
        for number, count in sorted(self._unnamed.items()) if self._num_named else ():
            message = f"class {number} has {counted(count, 'box', 'boxes')} and no name among the {len(labels)} of "
            fix = f"add its name to {self._names.file}"
            add(Finding(rule="unknown-category", severity="warning", message=f"{message}{self._names.file}", fix=fix))
        for problem in self._names.problems:
            fix = "write one name for each class, under names: at the beginning of a line"
            add(Finding(rule="bad-entry", severity="warning", message=problem, fix=fix))
        for other in self._names.others:
            message = f"{other} names the classes differently from {self._names.file}, which was taken"
            add(Finding(rule="bad-entry", severity="warning", message=message, fix=f"correct or remove {other}"))
        if self._confidences:
            message = f"{counted(self._confidences, 'line has', 'lines have')} a confidence at the end"
            add(Finding(rule="bad-row", severity="note", message=f"{message}, which are not used"))
        for name in files.skipped:
            add(Finding(rule="not-looked-into", severity="note", message=name))
        named = [label if label.strip() else str(i) for i, label in enumerate(labels)]
        unnamed = [str(number) for number in list(self._labels)[self._num_named :]]
        labels = list(dict.fromkeys([*named, *unnamed]))
        # Two classes of one name are one label.
        index = [labels.index(each) for each in [*named, *unnamed]]
        self.gathered.label[:] = [index[each] for each in self.gathered.label]
        return self.gathered.annotations(kind="yolo", path=self._folder, labels=labels)


def _size(folder: Path, picture: YoloPicture) -> Size | None:
    try:
        header = picture_header(folder / picture.path) if picture.path else None
    except DataError:
        return None
    return (header.width, header.height) if header else None


def _numbers(cells: list[str]) -> tuple[int, list[float]] | None:
    """The class and the numbers of a line; None if it is no line of labels."""
    if len(cells) < 5 or (number := _CLASS.fullmatch(cells[0])) is None:
        return None
    if not all(_NUMBER.fullmatch(cell) for cell in cells[1:]):
        return None
    return int(number[1]), [float(cell) for cell in cells[1:]]


def _cornered(values: list[float]) -> tuple[float, float, float, float]:
    x, y, w, h = values
    return x - w / 2, y - h / 2, w, h


def _enclosing(values: list[float]) -> tuple[float, float, float, float]:
    xs, ys = values[::2], values[1::2]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
