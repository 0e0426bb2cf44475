"""`glauke explain`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ._output import amount, say, show, show_json
from ._screen import Screen
from ._train import Switch

if TYPE_CHECKING:
    from glauke.jobs.explaining import Explained

MOST_PAIRS = 10  # in the JSON; the table beside the page has all


def explain(
    run: Path,
    data: str | None = None,
    /,
    *,
    weights: Literal["final", "best"] = "final",
    errors: int = 24,
    layer: str | None = None,
    out: Path | None = None,
    source: Path | None = None,
    device: str = "auto",
    json: Switch = False,
) -> int:
    """Explain what a run's network gets wrong: confused classes, confidence, worst mistakes, and where it looked.

    Parameters
    ----------
    run
        The run's folder.
    data
        The run's data, where its pictures are not in the cache any more.
    weights
        final or best.
    errors
        Pictures in each gallery of mistakes.
    layer
        Layer for Grad-CAM; without it the last one with enough cells; a wrong name lists the outermost and the nearest.
    out
        Folder for the page and its tables; by default RUN/explain.
    source
        Archive or folder that holds the named data set, as for train.
    device
        auto, cpu or cuda.
    json
        Print the answer as one JSON object.
    """
    from glauke.jobs import explaining

    from ._progress import ProgressView

    with Screen() as screen:
        done = explaining.explain(
            run,
            data=data,
            source=source,
            weights=weights,
            errors=errors,
            layer=layer,
            out=out,
            device=device,
            command=shlex.join(["glauke", *sys.argv[1:]]),
            watch=ProgressView(screen),
        )
    if json:
        show_json(_as_dict(done))
        return 0
    said, (low, high) = done.explanation.predictions, done.explanation.interval
    say(f"accuracy {said.accuracy():.2%} ({low:.2%} to {high:.2%}) on {amount(len(said), 'held-out picture')}")
    if done.explanation.pairs:
        pair = done.explanation.pairs[0]
        first, second = said.readable[pair.first], said.readable[pair.second]
        say(f"most confused: {first} and {second}, {amount(pair.count, 'picture')}")
    total = done.explanation.suspects.total
    if done.explanation.judges_labels:
        say(f"labels that may be wrong: {total:,}")
    else:
        say(f"labels that look wrong to it: {total:,}, but it errs too often to judge labels")
    show(str(done.page))
    return 0


def _as_dict(done: "Explained") -> dict[str, Any]:
    found = done.explanation
    said, fit = found.predictions, found.calibration
    return {
        "page": str(done.page),
        "weights": done.weights,
        "pictures": len(said),
        "mistakes": len(found.mistakes),
        "accuracy": said.accuracy(),
        "interval": list(found.interval),
        "top5": said.accuracy(top=5) if len(said.classes) > 5 else None,
        "calibration_error": None if fit is None else fit.ece,
        "calibration_error_by_chance": None if fit is None else fit.ece_by_chance,
        "temperature": None if fit is None or not fit.fits else fit.temperature,
        "temperature_helps": fit is not None and fit.helps,
        "calibration_error_scaled": None if fit is None else fit.ece_scaled,
        "label_suspects": found.suspects.total,
        "judges_labels": found.judges_labels,
        "confused": [
            {
                "class": said.classes[pair.first],
                "other": said.classes[pair.second],
                "as_other": pair.first_as_second,
                "from_other": pair.second_as_first,
            }
            for pair in found.pairs[:MOST_PAIRS]
        ],
        "layer": done.layer,
        "notes": list(done.notes),
    }
