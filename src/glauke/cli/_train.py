"""`glauke train`."""

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from glauke.errors import UsageError
from glauke.options import TrainOptions

from ._output import clock, say, show, show_json
from ._repeats import train_repeats
from ._screen import Screen

Options = Annotated[TrainOptions, Parameter(name="*")]
Switch = Annotated[bool, Parameter(negative="")]


def train(
    data: str | None = None,
    /,
    *,
    resume: Path | None = None,
    options: Options = TrainOptions(),  # noqa: B008  it is frozen
    json: Switch = False,
) -> int:
    """Train a classifier from a raw data set.

    Parameters
    ----------
    data
        A name (tiny-imagenet, cifar10, cifar100, mnist, fashion-mnist, digits) or the path of an archive or a folder of
        class folders.
    resume
        Folder of an unfinished run, or of repeats, to continue; needs nothing else.
    json
        Print the run's record as one JSON object.
    """
    began = time.perf_counter()
    from glauke import runs
    from glauke.jobs import training

    from ._progress import ProgressView

    repeated = options.seeds is not None if resume is None else runs.is_group(resume)
    if repeated and (data is not None or resume is not None):
        return train_repeats(data, resume, options, json=json, command=_command(), began=began)
    with Screen() as screen:
        watch = ProgressView(screen)
        if resume is not None:
            record = training.resume(resume, data, options, began=began, watch=watch)
        elif data is None:
            raise UsageError("there are no data to train on", fix="name them: glauke train digits")
        else:
            record = training.train(data, options, command=_command(), began=began, watch=watch)
    folder = record.folder
    assert folder is not None
    if json:
        show_json(runs.as_dict(record))
    if record.final is None:
        say(
            f"{record.status} after {clock(record.seconds)}; to go on: glauke train --resume {shlex.quote(str(folder))}"
        )
        return _code(record.stopped_reason)
    final = record.final
    accuracy = f"accuracy {final.val_accuracy:.2%}"
    if final.val_top5 is not None and record.data.classes > 5:  # among five classes or fewer it is 100% anyway
        accuracy += f" (top-5 {final.val_top5:.2%})"
    pictures = f"all {final.val_pictures:,} held-out pictures of the {record.split.kind} split"
    say(f"{record.status} in {clock(record.seconds)}: {accuracy} on {pictures}, after epoch {final.epoch}")
    if not json:
        show(str(folder / "report.html"))
    return 0


def _code(reason: str | None) -> int:
    """128 + signal for an interrupted run, 0 for one that stopped where it was told to."""
    if reason and reason.startswith("signal "):
        return 128 + int(reason.removeprefix("signal "))
    return 0


def _command() -> str:
    return shlex.join(["glauke", *sys.argv[1:]])
