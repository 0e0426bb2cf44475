"""Names of the files that a folder of labels is made of, checked before anything is written."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from glauke.errors import DataError
from glauke.files import problem_with_name, same_file_key

_SHOWN = 80


def output_names(names: Sequence[str], *, ending: str, place: str) -> list[str]:
    """One file name for each picture: its own, without folders, with another ending.

    >>> output_names(["a/1.jpg", "./2.png"], ending=".txt", place="boxes.json")
    ['1.txt', '2.txt']

    Raises:
        DataError: a name leads out of the folder, or is none on some system, or two pictures would share a file.
    """
    made: list[str] = []
    owner: dict[str, str] = {}
    for name in names:
        if problem := problem_with_name(name.removeprefix("./")):  # "./a.jpg" is a.jpg to everybody
            raise DataError(
                f"no file can be named after the picture {_shown(name)}: {problem}",
                place=place,
                fix="name the pictures plainly, in the file too",
            )
        file = PurePosixPath(name).stem + ending
        if problem := problem_with_name(file):
            raise DataError(
                f"the picture {_shown(name)} would need the file {_shown(file)}: {problem}",
                place=place,
                fix="rename the picture, in the file too",
            )
        # Also where only capitals or the way of writing accents differ: some disks take the two for one.
        first = owner.setdefault(same_file_key(file), name)
        if len(owner) == len(made):
            raise DataError(
                f"the pictures {_shown(first)} and {_shown(name)} would share the file {_shown(file)}",
                place=place,
                fix="give every picture a name of its own, whatever its folder and ending",
            )
        made.append(file)
    return made


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else name[:_SHOWN] + "…")
