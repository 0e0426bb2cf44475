"""What there is to know about a picture before anybody draws on it: kind, size, turn, content, and its outlines."""

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from glauke.files import PILLOW_FAILURES, picture_header

SIDE = 16
NEAR = 12
"""Pictures whose 256 bits differ in at most so many are nearly the same: one saved again at half the size and in JPEG
quality 50 differs in fewer, pictures of different things in more than 60 (`tests/boxes/test_project.py`)."""
_BLANK = 24  # set bits: fewer, or fewer unset, and a picture is too even to tell from another one
_MOST_PAIRS = 2**20  # compared at once, at 32 bytes a pair

_DIGITS = re.compile("([0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPicture:
    """One file of a folder of pictures."""

    name: str
    """Path below the folder, with "/" between its parts."""

    byte_size: int = -1
    digest: bytes = b""
    """SHA-256 of the file."""

    kind: str = ""
    """"jpeg", "png" and so on, by content."""

    width: int = 0
    height: int = 0
    """In pixels, as a person sees the picture."""

    turn: int = 1
    """EXIF orientation, 1 to 8."""

    outlines: bytes = b""
    """256 bits: whether each of 16 x 16 cells is brighter than its left neighbour (a "difference hash")."""

    problem: str | None = None
    """Why the picture cannot be used."""


def natural_order(name: str) -> tuple[object, ...]:
    """A sorting key that counts: 2.jpg comes before 10.jpg, and capitals do not matter.

    >>> sorted(["b/1.jpg", "10.jpg", "2.jpg", "a1.jpg"], key=natural_order)
    ['2.jpg', '10.jpg', 'a1.jpg', 'b/1.jpg']
    """
    pieces = _DIGITS.split(name.casefold())  # text and digits in turn, so that like is compared with like
    return tuple(int(p) if i % 2 else p for i, p in enumerate(pieces)), name


def look_at(folder: Path, name: str) -> NewPicture:
    """Read one picture whole; what cannot be read has its `problem` said."""
    path = folder / name
    if not path.is_file():  # a pipe would wait for ever
        return NewPicture(name=name, problem="it is not a file")
    try:
        data = path.read_bytes()
        header = picture_header(path)
    except OSError as error:
        return NewPicture(name=name, problem=error.strerror or str(error))
    if header is None or header.width < 1 or header.height < 1:
        return NewPicture(name=name, problem="it is empty" if not data else "it is no picture, or its start is damaged")
    try:
        outlines = _outlines(path)
    except PILLOW_FAILURES as error:
        return NewPicture(name=name, problem=f"it is damaged: {error}")
    return NewPicture(
        name=name,
        byte_size=len(data),
        digest=hashlib.sha256(data).digest(),
        kind=header.kind,
        width=header.width,
        height=header.height,
        turn=header.turn,
        outlines=outlines,
    )


def look_alikes(pictures: Sequence[NewPicture]) -> Iterator[tuple[int, int, int]]:
    """Index of a picture, of the later one that looks nearly like it, and in how many bits; not for equal files."""
    words = np.frombuffer(b"".join(p.outlines for p in pictures), np.uint64).reshape(-1, SIDE * SIDE // 64)
    num_set = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    telling = np.flatnonzero((num_set >= _BLANK) & (num_set <= SIDE * SIDE - _BLANK))
    words = words[telling]
    shape = np.array([p.width / p.height for p in pictures])[telling]
    block = max(1, _MOST_PAIRS // max(1, len(words)))
    for start in range(0, len(words), block):
        differ = np.bitwise_count(words[start : start + block, None] ^ words[None, start:]).sum(axis=2, dtype=np.int64)
        # Half a picture squeezed into a square has other proportions, whatever its outlines.
        alike = (differ <= NEAR) & (np.abs(np.log(shape[start : start + block, None] / shape[None, start:])) < 0.1)
        for a, b in np.argwhere(np.triu(alike, k=1)).tolist():
            first, second = int(telling[start + a]), int(telling[start + b])
            if pictures[first].digest != pictures[second].digest:
                yield first, second, int(differ[a, b])


def _outlines(path: Path) -> bytes:
    """The difference hash; decoding the whole picture on the way, so that damage shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd files; what matters of them is an error
        with Image.open(path) as image:
            image.draft("L", (8 * SIDE, 8 * SIDE))  # only JPEG listens, and is decoded at an eighth
            image.load()
            grey = np.asarray(image.convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX), np.int16)
    return np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes()
