"""`glauke predict`."""

from pathlib import Path
from typing import Literal

from ._output import amount, printable, say, show, show_json, table
from ._screen import Screen
from ._train import Switch

MOST_LETTERS = 28
"""Of a class in the table; a class of Tiny ImageNet has up to 100, and five of them stand side by side."""


def predict(
    model: Path,
    pictures: list[Path],
    /,
    *,
    top: int = 5,
    weights: Literal["final", "best"] | None = None,
    device: str = "auto",
    csv: Path | None = None,
    json: Switch = False,
) -> int:
    """Say what pictures show. A file that gives no picture is listed and stops nothing; the exit code is then 1.

    Parameters
    ----------
    model
        A run's folder, the folder of an export to safetensors, or a .safetensors file of glauke.
    pictures
        Files, folders or archives of pictures.
    top
        How many classes to name, the most probable first.
    weights
        final, or best: the epoch with the highest held-out accuracy; final without it.
    device
        auto, cpu or cuda.
    csv
        Write a table with whole names and all digits; it replaces nothing but an earlier one.
    json
        Print everything as one JSON object.
    """
    from glauke.jobs import exporting

    from ._progress import ProgressView

    with Screen() as screen:
        predictions = exporting.predict(
            model, pictures, top=top, weights=weights, device=device, csv=csv, watch=ProgressView(screen)
        )
    failed = [each for each in predictions if each.problem is not None]
    if json:
        said = [
            {
                "file": each.file,
                "classes": [{"id": g.id, "name": g.name, "probability": g.probability} for g in each.guesses],
            }
            for each in predictions
            if each.problem is None
        ]
        show_json({"pictures": said, "failed": [{"file": each.file, "problem": each.problem} for each in failed]})
        return 1 if failed else 0
    rows = [
        (printable(each.file), *(f"{g.probability:6.1%} {_short(g.name)}" for g in each.guesses))
        for each in predictions
        if each.problem is None
    ]
    if rows:
        show(table(("file", *(f"class {rank}" for rank in range(1, len(rows[0])))), rows))
    for each in failed:
        say(f"{printable(each.file)}: {each.problem}")
    if failed:
        say(f"{amount(len(failed), 'file')} of {len(predictions):,} gave no picture")
    return 1 if failed else 0


def _short(name: str) -> str:
    name = printable(name)
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"
