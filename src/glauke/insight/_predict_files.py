"""Picture files become class names with probabilities, a batch at a time."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from jaxtyping import Float, UInt8

from glauke.errors import DataError, UsageError
from glauke.files import PICTURE_ENDINGS, is_archive, quiet_pillow, read_csv, write_csv
from glauke.images import UndecodableError, decode, normalise, open_tree, resized

from ._trained import Trained

MAX_FILE_BYTES = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A class, and how probable the network holds it to be."""

    id: str
    name: str
    """For people."""
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePrediction:
    """What the network says to one file, or why it says nothing."""

    file: str
    """Path as it was given; what lies in a folder or archive has its name behind it."""
    guesses: tuple[Guess, ...]
    """The most probable first; empty if there is a problem."""
    problem: str | None = None
    """Why the file gave no picture."""


def predict_files(
    trained: Trained, paths: Iterable[str | Path], *, top: int = 5, batch_size: int = 64
) -> Iterator[FilePrediction]:
    """Say what each picture shows; files are read while the predictions are taken, `batch_size` at a time.

    A folder or an archive stands for all files in it that are called pictures, at any depth, sorted (an archive in its
    own order). A file that gives no picture stops nothing: its prediction carries the reason. Pictures become squares
    by the rules of the training data, first at the pack's size and then at the network's.

    Raises:
        UsageError: `top` or `batch_size` is less than 1.
    """
    if top < 1:
        raise UsageError(f"it must be at least 1, not {top}", place="--top")
    if batch_size < 1:
        raise UsageError(f"the batch size must be at least 1, not {batch_size}")
    return _predicted(trained, _contents(paths), top=top, batch_size=batch_size)


def require_prediction_table(path: Path) -> None:
    """Raise `UsageError` where a table cannot go: no folder, or a file that `write_file_predictions` did not write."""
    if not path.parent.is_dir():
        raise UsageError("there is no such folder", place=str(path.parent), fix="make it, or give another --csv")
    if not path.exists():
        return
    try:
        header = read_csv(path)[0]
    except DataError:
        header = []
    if len(header) % 3 != 2 or header != _header((len(header) - 2) // 3):
        raise UsageError(
            "this is no earlier table of predictions, and nothing else is overwritten",
            place=str(path),
            fix="give another --csv",
        )


def write_file_predictions(path: Path, predictions: Sequence[FilePrediction]) -> None:
    """Write a row for each file: the guesses side by side, then the problem; a spreadsheet can open it safely."""
    most = max((len(prediction.guesses) for prediction in predictions), default=0)
    header = _header(most)
    rows = []
    for prediction in predictions:
        cells = [cell for guess in prediction.guesses for cell in (guess.id, guess.name, round(guess.probability, 6))]
        rows.append([prediction.file, *cells, *[None] * (len(header) - 2 - len(cells)), prediction.problem])
    write_csv(path, header, rows)


def _header(most: int) -> list[str]:
    """The columns of a table with up to `most` guesses."""
    columns = (f"{what}_{rank}" for rank in range(1, most + 1) for what in ("id", "name", "probability"))
    return ["file", *columns, "problem"]


def _predicted(
    trained: Trained, contents: Iterator[tuple[str, bytes | str]], *, top: int, batch_size: int
) -> Iterator[FilePrediction]:
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # Pillow decodes without holding the interpreter
        while chunk := list(islice(contents, batch_size)):
            with quiet_pillow():
                decoded = list(pool.map(lambda content: _decoded(content, trained), (data for _, data in chunk)))
            pictures = [pixels for pixels in decoded if not isinstance(pixels, str)]
            guesses = iter(_guesses(trained, np.stack(pictures), top) if pictures else ())
            for (file, _), pixels in zip(chunk, decoded, strict=True):
                if isinstance(pixels, str):
                    yield FilePrediction(file=file, guesses=(), problem=pixels)
                else:
                    yield FilePrediction(file=file, guesses=next(guesses))


def _contents(paths: Iterable[str | Path]) -> Iterator[tuple[str, bytes | str]]:
    """Every file by name with its bytes, or with the reason why there are none."""
    for given in paths:
        path = Path(given)
        try:
            if path.is_dir() or (path.is_file() and is_archive(path)):
                tree = open_tree(path)
                for name, data in tree.read(_called_picture):
                    yield str(path / name), data
                for name, reason in sorted(tree.unreadable.items()):
                    yield str(path / name), reason
            else:
                yield str(path), _read(path)
        except DataError as error:
            yield str(path), error.message


def _called_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PICTURE_ENDINGS


def _read(path: Path) -> bytes | str:
    try:
        if not path.exists():
            return "there is no such file"
        if not path.is_file():
            return "neither a file nor a folder"
        if path.stat().st_size > MAX_FILE_BYTES:
            return f"{path.stat().st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read"
        return path.read_bytes()
    except OSError as error:
        return error.strerror or str(error)


def _decoded(content: bytes | str, trained: Trained) -> UInt8[np.ndarray, "size size channels"] | str:
    if isinstance(content, str):
        return content
    try:
        return decode(content, size=trained.pack_size or trained.size, channels=trained.channels)
    except UndecodableError as error:
        return error.message


def _guesses(
    trained: Trained, pictures: UInt8[np.ndarray, "batch height width channels"], top: int
) -> list[tuple[Guess, ...]]:
    best, classes = _probabilities(trained, pictures).topk(min(top, len(trained.classes)), dim=1)
    return [
        tuple(Guess(id=trained.classes[c], name=trained.readable[c], probability=p) for p, c in zip(*row, strict=True))
        for row in zip(best.tolist(), classes.tolist(), strict=True)
    ]


def _probabilities(
    trained: Trained, pictures: UInt8[np.ndarray, "batch height width channels"]
) -> Float[torch.Tensor, "batch classes"]:
    device = trained.device
    mean, std = (torch.tensor(values, dtype=torch.float32, device=device) for values in (trained.mean, trained.std))
    # Scaled before they travel, as the pictures of a pack are: then they have the same bits whatever the device.
    scaled = resized(torch.from_numpy(pictures), trained.size).to(device)
    with torch.inference_mode():
        return trained.model(normalise(scaled, mean=mean, std=std)).double().softmax(dim=1)
