"""Pascal VOC's annotations: one XML file for each picture.

VOC counts pixels from 1 and both corners belong to the box (Everingham et al., "The PASCAL VOC Challenge 2007
Development Kit", section on annotation): x = xmin - 1, width = xmax - xmin + 1; the exporter does the inverse.
"""

import math
import os
import xml.parsers.expat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from glauke.errors import DataError

from .._annotations import Annotations
from .._findings import Finding
from ._gathered import Gathered, LabelIndex
from ._shapes import MOST_PIXELS, Box
from ._via_document import shortened

_MOST_BYTES = 64 * 1024**2
_MOST_LEVELS = 64
_TRIES = 20
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(slots=True, kw_only=True)
class _Object:
    """One object as the texts of its tags."""

    line: int
    texts: dict[str, str] = field(default_factory=dict)
    """"name", and the corners by "bndbox/xmin" and so on; the first where a tag is repeated."""


@dataclass(slots=True, kw_only=True)
class _Document:
    """What one XML file holds."""

    root: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    objects: list[_Object] = field(default_factory=list)


def is_voc(path: Path) -> bool:
    """Whether a file, or one of the first XML files of a folder, has the root `<annotation>`."""
    if path.is_file():
        return _root(path) == "annotation"
    files = (file for file, _ in zip(_xml_files(path), range(_TRIES), strict=False))
    return any(_root(path / file) == "annotation" for file in files)


def read_voc(path: Path) -> Annotations:
    """The annotations of a VOC file, or of all such files below a folder, sorted by path.

    In a folder, a file that is no sound XML is a finding; so is an object without a box. A polygon beside the box, and
    boxes of an object's parts, are passed over.

    Raises:
        DataError: the single file is not XML, or declares document types or entities, which are never expanded.
    """
    gathered, labels = Gathered(), LabelIndex()
    files = ["."] if path.is_file() else list(_xml_files(path))
    for file in files:
        where = path if file == "." else path / file
        try:
            document = _document(where)
        except DataError as error:
            if path.is_file():
                raise
            gathered.findings.append(_unreadable(file, error))
            continue
        if document.root == "annotation":
            _add(document, gathered, labels, key=path.name if file == "." else file)
    return gathered.annotations(kind="voc", path=path, labels=tuple(labels))


def _add(document: _Document, gathered: Gathered, labels: LabelIndex, *, key: str) -> None:
    name = document.texts.get("filename", "").strip() or Path(key).stem
    width, height = (_pixels(document.texts.get(f"size/{side}", "")) for side in ("width", "height"))
    gathered.picture(name, key=key, size=(width, height) if width and height else (0, 0))
    for each in document.objects:
        label = labels[each.texts.get("name", "")]
        found = _box(each.texts)
        if isinstance(found, str):
            gathered.broken_region(found, label=label, line=each.line)
        else:
            gathered.region(found, label=label, line=each.line)


def _box(texts: Mapping[str, str]) -> Box | str:
    """The box of an object, or why there is none, as the end of a sentence."""
    values = []
    for corner in _CORNERS:
        text = texts.get(f"bndbox/{corner}")
        if text is None:
            return f"has no {corner}"
        value = _number(text)
        if not abs(value) <= MOST_PIXELS:
            return f"has {shortened(text.strip())!r} for its {corner}"
        values.append(value)
    left, top, right, bottom = values
    width, height = right - left + 1, bottom - top + 1
    if width < 0 or height < 0:
        return f"has corners the wrong way round, {left:g},{top:g} and {right:g},{bottom:g}"
    return left - 1, top - 1, width, height


def _number(text: str) -> float:
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def _pixels(text: str) -> int:
    value = _number(text)
    return int(value) if 0 < value <= MOST_PIXELS and value == int(value) else 0


def _xml_files(folder: Path) -> Iterator[str]:
    """Paths of all XML files below a folder, relative, with "/"; links to folders are not followed."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.lower().endswith(".xml") and not name.startswith("."):
                yield (Path(parent) / name).relative_to(folder).as_posix()


def xml_root(path: Path) -> str:
    """The name of a file's outermost tag.

    Raises:
        DataError: it is broken before that tag is complete, or cannot be read.
    """
    return _document(path, root_only=True).root


def _root(path: Path) -> str:
    try:
        return xml_root(path)
    except DataError:
        return ""


class _StoppedError(Exception):
    """All that was asked for is known."""


def _document(path: Path, *, root_only: bool = False) -> _Document:
    """One XML file, taken apart without ever building a tree."""
    document = _Document()
    open_tags: list[str] = []
    texts: list[str] = []
    parser = xml.parsers.expat.ParserCreate()
    parser.buffer_text = True

    def start(tag: str, _: object) -> None:
        open_tags.append(tag)
        texts.clear()
        if len(open_tags) == 1:
            document.root = tag
            if root_only:
                raise _StoppedError
        elif open_tags == ["annotation", "object"]:
            document.objects.append(_Object(line=parser.CurrentLineNumber))
        elif len(open_tags) > _MOST_LEVELS:
            raise DataError(f"more than {_MOST_LEVELS} tags are nested", place=_place(path, parser))

    def end(_: str) -> None:
        if open_tags[1:2] == ["object"] and document.objects:
            document.objects[-1].texts.setdefault("/".join(open_tags[2:]), "".join(texts))
        else:
            document.texts.setdefault("/".join(open_tags[1:]), "".join(texts))
        open_tags.pop()
        texts.clear()

    def refuse(*_: object) -> None:
        message = "it declares a document type, which may hold entities"
        raise DataError(message, place=_place(path, parser), fix="remove the lines from <!DOCTYPE on to its >")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = texts.append
    if not root_only:  # what is refused must first be known for what it is; no entity is expanded before the root
        parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(_bytes(path), True)
    except _StoppedError:
        pass
    except xml.parsers.expat.ExpatError as error:
        reason = xml.parsers.expat.ErrorString(error.code)
        place = f"{path}, line {error.lineno} column {error.offset + 1}"
        raise DataError(f"it is not XML ({reason})", place=place, fix="export it again, or leave it out") from error
    except (LookupError, ValueError) as error:  # of the encoding that it declares
        raise DataError(f"its encoding is not known ({error})", place=str(path), fix="save it as UTF-8") from error
    return document


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():  # opening a named pipe would wait for ever
            raise DataError("it is not a file", place=str(path))
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise DataError(f"it has {size:,} bytes; at most {_MOST_BYTES:,} are read", place=str(path))
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error})", place=str(path)) from error


def _place(path: Path, parser: xml.parsers.expat.XMLParserType) -> str:
    return f"{path}, line {parser.CurrentLineNumber} column {parser.CurrentColumnNumber + 1}"


def _unreadable(file: str, error: DataError) -> Finding:
    message = f"{file} cannot be read: {error.message}"
    return Finding(rule="bad-entry", severity="error", message=message, image=Path(file).stem, fix=error.fix)
