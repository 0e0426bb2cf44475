"""Any file of annotations becomes `Annotations`; what a file is, its content says and never its name."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from glauke.errors import DataError
from glauke.files import is_archive, parse_json, picture_header, read_json, read_text

from .._annotations import Annotations
from .._sizes import Size, sizes_from_csv
from ..writing._to_yolo import SIZES
from ._coco import annotations_from_coco, recognise_coco
from ._columns import annotations_from_via
from ._table import read_table
from ._tiny_boxes import is_tiny_imagenet, read_tiny_imagenet
from ._via3 import recognise_via3, via3_csv_document, via3_document
from ._via_csv import via_csv_document
from ._via_document import ViaDocument, recognise_via, via_document
from ._voc import is_voc, read_voc, xml_root
from ._yolo import is_yolo, read_yolo

READABLE = (
    "VIA 1, 2 and 3 (JSON, project, CSV, COCO export), COCO, a YOLO folder, Pascal VOC, Tiny ImageNet, or a table of "
    "width,height,count"
)
_HEAD = 4096
_LEAST = 256
"""So many bytes tell what a file is."""
_VIA1_CSV = re.compile(r"#\s*filename\s*,\s*file_size\b", re.IGNORECASE)
_VIA2_CSV = re.compile(r'"?filename"?\s*,\s*"?file_size\b', re.IGNORECASE)
_VIA3_CSV = re.compile(r"^#.*CSV_HEADER\s*=", re.MULTILINE)
_HTML = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
VIA3_SCRIPT = re.compile(rb"\s*(?:var\s+|let\s+|const\s+)?_via_dp(?:\[[^]]*\])?\s*=\s*")
"""The assignment that may stand in front of a project of VIA 3."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """A file of annotations, recognised and parsed, before its regions become columns."""

    kind: str
    """One of `KINDS`."""

    path: Path

    via: ViaDocument | None = None
    """Entries in VIA's form, for every kind that VIA writes but COCO."""

    json: object = None
    """The parsed JSON as it is in the file."""

    text: str | None = None
    """The text of a file that is not JSON."""


def read(path: Path | str, *, attribute: str | None = None) -> Annotations:
    """Read any file, folder or archive of annotations.

    Whatever can be parsed is read, with its defects as `Annotations.findings`; `attribute` names the region attribute
    that holds the class, which is otherwise found.

    Raises:
        DataError: there is nothing to read, it is damaged, or it is of a kind that is not known; with the place.
        UnknownNameError: there is no such `attribute`.
    """
    if path == "":  # which Path takes for the folder where we are
        raise DataError("the path is empty", fix="give a file or folder of annotations")
    return annotations_of(open_document(Path(path)), attribute=attribute)


def open_document(path: Path) -> Document:
    """Recognise and parse a file or folder; its regions are not looked at yet."""
    if not path.exists():
        raise DataError("there is no such file or folder", place=str(path))
    if path.is_dir():
        return Document(kind=_folder_kind(path), path=path)
    if not path.is_file():  # opening a named pipe would wait for ever
        raise DataError("it is neither a file nor a folder", place=str(path), fix="give the annotation file itself")
    start = _start(path)
    if not start:
        raise _stranger(path, "the file is empty")
    if script := VIA3_SCRIPT.match(start):
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").lstrip()[script.end() :]
        return _json_document(parse_json(data.rstrip().rstrip(b";"), place=str(path)), path)
    if start[:1] in b"{[" or start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _json_document(read_json(path), path)
    if start[:1] == b"<":
        if not _HTML.match(start) and xml_root(path) == "annotation":
            return Document(kind="voc", path=path)
        raise _stranger(path, "it is XML or HTML, and not Pascal VOC")
    if is_archive(path):
        if is_tiny_imagenet(path):
            return Document(kind="tiny-imagenet", path=path)
        raise _stranger(path, "it is an archive, and not Tiny ImageNet")
    if b"\0" in start and (header := picture_header(path)) is not None:
        raise DataError(
            f"this is a {header.kind.upper()} picture",
            place=str(path),
            fix="give the annotation file, and name the folder of the pictures with --images",
        )
    return _text_document(read_text(path), path)


def annotations_of(
    document: Document,
    *,
    attribute: str | None = None,
    labels: Collection[str] | None = None,
    sizes: Mapping[str, Size] | None = None,
) -> Annotations:
    """The regions of a parsed document as columns.

    The `labels` that are expected help to find the attribute that holds the class, where none is named; `sizes` of
    pictures matter for YOLO, whose boxes are fractions.
    """
    match document.kind:
        case "coco" | "via-coco":
            return annotations_from_coco(document.json, kind=document.kind, path=document.path)
        case "table":
            return read_table(document.path, document.text or "")
        case "yolo":
            table = document.path / SIZES
            return read_yolo(document.path, sizes=sizes or (sizes_from_csv(table) if table.is_file() else None))
        case "voc":
            return read_voc(document.path)
        case "tiny-imagenet":
            return read_tiny_imagenet(document.path)
    assert document.via is not None
    return annotations_from_via(document.via, attribute=attribute, expected=labels)


def require_annotations(annotations: Annotations) -> Annotations:
    """Refuse a file that only declares attributes; all but `describe` need regions or pictures to work on."""
    if annotations.kind == "via2-attributes":
        raise DataError(
            "the file declares attributes and holds no annotations",
            place=str(annotations.path),
            fix="in VIA choose Annotation > Export Annotations (as json), or save the project, and give that file",
        )
    return annotations


def _folder_kind(path: Path) -> str:
    for kind, recognise in (("tiny-imagenet", is_tiny_imagenet), ("yolo", is_yolo), ("voc", is_voc)):
        if recognise(path):
            return kind
    raise DataError(
        "the folder holds neither YOLO labels, nor Pascal VOC files, nor Tiny ImageNet",
        place=str(path),
        fix="give the annotation file itself",
    )


def _json_document(json: object, path: Path) -> Document:
    if kind := recognise_via(json):
        return Document(kind=kind, path=path, via=via_document(json, kind=kind, path=path), json=json)
    if recognise_via3(json):
        assert isinstance(json, dict)
        return Document(kind="via3-project", path=path, via=via3_document(json, path=path), json=json)
    if kind := recognise_coco(json):
        return Document(kind=kind, path=path, json=json)
    if isinstance(json, dict):
        keys = ", ".join(repr(str(key)[:40]) for key in list(json)[:5])
        raise _stranger(path, f"it is JSON with the keys {keys}, which no known format has" if keys else "it is {}")
    raise _stranger(path, f"it is JSON, but a {type(json).__name__} where an object is expected")


def _text_document(text: str, path: Path) -> Document:
    head = text.lstrip()[:_HEAD]
    if not head:  # blanks that only Unicode knows
        raise _stranger(path, "the file is empty")
    if _VIA1_CSV.match(head) or _VIA2_CSV.match(head):
        kind = "via1-csv" if head.startswith("#") else "via2-csv"
        return Document(kind=kind, path=path, via=via_csv_document(text, path=path, kind=kind), text=text)
    if head.startswith("#") and _VIA3_CSV.search(head):
        return Document(kind="via3-csv", path=path, via=via3_csv_document(text, path=path), text=text)
    columns = {cell.strip().strip('"').lower() for cell in re.split(r"[,;\t]", head.splitlines()[0])}
    if {"width", "height"} <= columns:
        return Document(kind="table", path=path, text=text)
    raise _stranger(path, f"its first line is {head.splitlines()[0][:60]!r}, which no known format begins with")


def _start(path: Path) -> bytes:
    """The first bytes after a mark of UTF-8 and blanks; none if there is nothing else."""
    try:
        with path.open("rb") as file:
            start = file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
            while len(start) < _LEAST and (piece := file.read(_HEAD)):
                start = (start + piece).lstrip()
            return start
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror})", place=str(path)) from error


def _stranger(path: Path, what: str) -> DataError:
    return DataError(what, place=str(path), fix=f"give a file of one of these kinds: {READABLE}")
