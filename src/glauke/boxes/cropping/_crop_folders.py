"""Names of the folders and files that crops go into: plain on every system, and as `glauke.images` reads them back."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from glauke.errors import DataError
from glauke.files import is_formula, problem_with_name, same_file_key

from .._wording import quoted

_NOT_IN_A_NAME = frozenset('/\\:*?"<>|.%')  # a dot may end a name, hide it, or make it a file's
_NOT_IN_TEXT = frozenset(("Cc", "Cs", "Zl", "Zp"))  # control characters, half characters, line ends
_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_STEM = 60


def class_folders(labels: Iterable[str], *, place: str | None) -> dict[str, str]:
    """The folder of each label: the label itself, with what no folder can be called written as in a URL.

    >>> class_folders(["hardhat", "n/a"], place="boxes.json")
    {'hardhat': 'hardhat', 'n/a': 'n%2Fa'}

    Raises:
        DataError: a label is too long, or two would share a folder, on some systems at least.
    """
    folders: dict[str, str] = {}
    owner: dict[str, str] = {}
    for label in labels:
        folder = _folder(label)
        if problem := problem_with_name(folder):
            raise DataError(
                f"no folder can be named after the label {quoted(label)}: {problem}",
                place=place,
                fix="give the label another name in the annotations",
            )
        first = owner.setdefault(same_file_key(folder), label)
        if first != label:
            raise DataError(
                f"the labels {quoted(first)} and {quoted(label)} would share the folder {quoted(folder)}",
                place=place,
                fix="mend the labels first, with `glauke boxes check --labels ... --fix`",
            )
        folders[label] = folder
    return folders


def plain_stem(name: str) -> str:
    """The middle of a crop's file name: what is plain of its picture's.

    >>> plain_stem("site 2/Gérüst (1).jpg")
    'G_r_st_1'
    """
    return _ODD.sub("_", PurePosixPath(name).stem[: 2 * _LONGEST_STEM])[:_LONGEST_STEM].strip("_") or "picture"


def _folder(label: str) -> str:
    text = unicodedata.normalize("NFC", label.strip())
    folder = "".join(_escaped(c) if c in _NOT_IN_A_NAME or unicodedata.category(c) in _NOT_IN_TEXT else c for c in text)
    # A device of Windows, or what groups.csv would have to mark as text for spreadsheets.
    if is_formula(folder) or folder.startswith("'") or (problem_with_name(folder) or "").startswith("Windows"):
        folder = _escaped(folder[0]) + folder[1:]
    return folder


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogatepass"))
