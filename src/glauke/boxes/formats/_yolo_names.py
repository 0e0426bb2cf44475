"""Names of YOLO's classes, from the files that may hold them: data.yaml, classes.txt, obj.names.

Of YAML only what these files use is read: `names:` as a list or a mapping, in one line, in brackets over several, or
one to a line; and `kpt_shape:`; also with both in one mapping in braces, as in JSON. Anchors, tags and block texts are
refused, and names that stand elsewhere are told.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glauke.errors import DataError
from glauke.files import read_text

_MOST_BYTES = 1024**2
_LISTS = ("classes.txt", "obj.names", "predefined_classes.txt", "_darknet.labels")
_KEY = re.compile(r"""(?P<quote>["']?)(?P<key>names|kpt_shape)(?P=quote)[ \t]*:[ \t]*(?P<value>.*)""")
_IN_BRACES = re.compile(r"""[{,]\s*["']?(names|kpt_shape)["']?\s*:\s*(\[[^\[\]{}]*\]|\{[^\[\]{}]*\})""")
_SOMEWHERE = re.compile(r"""(?<![\w./-])names["']?\s*:""")
_COMMENT = re.compile(r"""((?:[^\s#'"]|'(?:[^']|'')*+'|"(?:[^"\\]|\\.)*+"|["']|(?<!\s)\#|\s(?!\#))*+)\s*(?:\#.*)?""")
_ITEM = re.compile(
    r"""\s*(?:(?P<number>[0-9]{1,9})\s*:\s*)?
    (?:'(?P<single>(?:[^']|'')*+)'|"(?P<double>(?:[^"\\]|\\.)*+)"|(?P<plain>[^,\[\]{}&*!|>'"%@`][^,\[\]{}]*?))\s*(?:,|\Z)""",
    re.VERBOSE,
)
_LINE = re.compile(r"(?P<indent>[ \t]*)(?:-[ \t]+(?P<item>.*)|(?P<number>[0-9]{1,9})[ \t]*:[ \t]+(?P<value>.*))")
_SCALAR = re.compile(
    r"""\s*(?:'(?P<single>(?:[^']|'')*+)'|"(?P<double>(?:[^"\\]|\\.)*+)"|(?P<plain>[^\[\]{}&*!|>'"%@`].*?))\s*""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloNames:
    """What a folder says about its classes."""

    names: dict[int, str]
    """Name by number; empty where none are given."""

    file: str | None = None
    """Where they stand, relative to the folder."""

    others: tuple[str, ...] = ()
    """Files that give other names."""

    problems: tuple[str, ...] = ()
    """What is said twice, or was not understood, each as a sentence."""

    keypoints: int = 0
    """How many numbers for key points follow the box in each line."""


def is_names_file(name: str) -> bool:
    """Whether a file of this name holds the names of classes."""
    name = name.lower()
    return name in _LISTS or name.endswith((".names", ".yaml", ".yml"))


def yolo_names(folder: Path, files: Sequence[str]) -> YoloNames:
    """The names of the classes, from those of `files` that hold them; the shallowest YAML file comes first.

    Raises:
        DataError: a file of names is damaged, or of a form that is not read.
    """
    found: list[tuple[str, dict[int, str]]] = []
    problems: list[str] = []
    keypoints = 0
    for name in sorted(files, key=lambda name: (not name.lower().endswith((".yaml", ".yml")), name.count("/"), name)):
        text = read_text(folder / name, most_bytes=_MOST_BYTES)
        if name.lower().endswith((".yaml", ".yml")):
            names, more = _yaml(text, file=name, place=str(folder / name), problems=problems)
            keypoints = keypoints or more
        else:
            lines = re.split(r"\r\n|\r|\n", text)
            while lines and not lines[-1].strip():
                lines.pop()
            names = dict(enumerate(lines))
        if names:
            found.append((name, names))
    if not found:
        return YoloNames(names={}, keypoints=keypoints, problems=tuple(problems))
    file, names = found[0]
    others = tuple(other for other, value in found[1:] if value != names)
    return YoloNames(names=names, file=file, others=others, keypoints=keypoints, problems=tuple(problems))


def _yaml(text: str, *, file: str, place: str, problems: list[str]) -> tuple[dict[int, str], int]:
    """Names of classes, and how many numbers a set of key points has."""
    lines = _outermost(re.split(r"\r\n|\r|\n", text))
    pairs: list[tuple[int, str]] = []
    found = False
    keypoints = 0
    for number, line in enumerate(lines):
        match = _KEY.fullmatch(line)
        if match is None:
            continue
        value = _without_comment(match["value"])
        if match["key"] == "kpt_shape":
            digits = [int(each) for each in re.findall(r"[0-9]{1,4}", value)]
            keypoints = digits[0] * digits[1] if len(digits) == 2 else 0
        elif pairs:
            raise DataError("names: stands there twice", place=f"{place}, line {number + 1}", fix="keep one")
        else:
            found = True
            pairs = _flow(value, lines, number, place=place) if value else _block(lines, number + 1, place=place)
    if not found and any(_SOMEWHERE.search(_without_comment(line)) for line in lines):
        problems.append(f"{file} has names: where they are not looked for, and they were not read")
    names: dict[int, str] = {}
    for key, name in pairs:
        if names.get(key, name) != name:
            problems.append(
                f"{file} names class {key} twice, {names[key][:40]!r} and {name[:40]!r}; the last was taken"
            )
        names[key] = name
    return names, keypoints


def _outermost(lines: list[str]) -> list[str]:
    """The lines of a file; of one mapping in braces, a line for each key that is read, and the whole."""
    plain = [_without_comment(line).strip() for line in lines]
    body = " ".join(line for line in plain if line and line != "---" and not line.startswith("%"))
    if not body.startswith("{"):
        return lines
    return [f"{found[1]}: {found[2]}" for found in _IN_BRACES.finditer(body)] + [body]


def _flow(value: str, lines: Sequence[str], number: int, *, place: str) -> list[tuple[int, str]]:
    """Names in brackets, `[a, 'b']` or `{0: a, 1: b}`."""
    closing = {"[": "]", "{": "}"}.get(value[0])
    at = number
    while closing and not value.endswith(closing) and at + 1 < len(lines):
        at += 1
        value = f"{value} {_without_comment(lines[at]).strip()}".rstrip()
    if not closing or not value.endswith(closing):
        raise _odd(f"{place}, line {number + 1}")
    inside = value[1:-1].strip()
    names: list[tuple[int, str]] = []
    at = 0
    while at < len(inside):
        item = _ITEM.match(inside, at)
        if item is None or (item["number"] is None) != (closing == "]"):
            raise _odd(f"{place}, line {number + 1}")
        key = len(names) if item["number"] is None else int(item["number"])
        names.append((key, _text(item, place=f"{place}, line {number + 1}")))
        at = item.end()
    return names


def _block(lines: Sequence[str], first: int, *, place: str) -> list[tuple[int, str]]:
    """Names one to a line, `- a` or `0: a`; it ends where a line is indented less, or is of another form."""
    names: list[tuple[int, str]] = []
    indent = None
    for number in range(first, len(lines)):
        line = _without_comment(lines[number])
        if not line.strip() or line.strip() in ("{}", "[]"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or (indent is not None and match["indent"] != indent):
            if line[:1] in (" ", "\t", "-"):
                raise _odd(f"{place}, line {number + 1}")
            break
        if match["number"] is not None and not match["indent"]:
            break
        indent = match["indent"]
        scalar = _SCALAR.fullmatch(match["item"] if match["number"] is None else match["value"])
        if scalar is None:
            raise _odd(f"{place}, line {number + 1}")
        key = len(names) if match["number"] is None else int(match["number"])
        names.append((key, _text(scalar, place=f"{place}, line {number + 1}")))
    return names


def _without_comment(line: str) -> str:
    match = _COMMENT.match(line)
    return (match[1] if match else line).rstrip()


def _text(match: re.Match[str], *, place: str) -> str:
    if match["single"] is not None:
        return match["single"].replace("''", "'")
    if match["double"] is None:
        return match["plain"].strip()
    try:
        return str(json.loads(f'"{match["double"]}"'))
    except json.JSONDecodeError as error:
        raise _odd(place) from error


def _odd(place: str) -> DataError:
    return DataError(
        "the names of the classes are of a form that is not read",
        place=place,
        fix="write names: ['first', 'second'], or one to a line as in 0: first",
    )
