"""What `glauke train --seeds` and `glauke train --resume GROUP` print."""

import shlex
from pathlib import Path

from glauke.errors import CannotGoOnError
from glauke.options import TrainOptions

from ._output import say, show, show_json, table
from ._screen import Screen


def train_repeats(
    data: str | None, resume: Path | None, options: TrainOptions, *, json: bool, command: str, began: float
) -> int:
    """Begin repeats or take them up again; return the exit code."""
    from glauke import runs
    from glauke.jobs import repeats

    from ._progress import ProgressView

    with Screen() as screen:
        watch = ProgressView(screen)
        if resume is None:
            assert data is not None
            done = repeats.train(data, options, command=command, began=began, watch=watch)
        else:
            done = repeats.resume(resume, data, options, command=command, watch=watch)
    group, spread = done.group, done.group.accuracy
    if json:
        records = [runs.as_dict(record) for record in done.records]
        summary = {name: getattr(spread, name, None) for name in ("mean", "deviation", "least", "most")}
        about = {"target": group.target, "seconds_to_target": dict(group.seconds_to_target)}
        show_json({"group": str(done.folder), "runs": records, **summary, **about, "failed": list(done.failed)})
    elif done.records:
        show(table(runs.RESULTS, runs.result_table(runs.beside(done.records))))
    for name, seconds in group.seconds_to_target.items():
        reached = "not reached" if seconds is None else f"reached after {seconds:,.1f} s of epochs"
        say(f"{name}: {group.target:.2%} {reached}")
    if spread is not None:
        say(f"accuracy {runs.spread_words(spread)}.{runs.stopped_early(runs.beside(done.records))}")
    if done.failed:
        error = CannotGoOnError(
            f"{len(done.failed)} of {len(group.members)} repeats failed, as their loss was not finite: "
            f"{', '.join(done.failed)}",
            place=str(done.folder),
            fix="begin again with a lower --max-lr",
        )
        if not json:
            raise error
        say(f"glauke: {error}")  # the one JSON object names them already
        return error.exit_code
    stopped = done.unfinished
    if stopped is not None:
        say(f"{stopped.status}; to go on: glauke train --resume {shlex.quote(str(done.folder))}")
        reason = stopped.stopped_reason or ""
        return 128 + int(reason.removeprefix("signal ")) if reason.startswith("signal ") else 0
    if not json:
        show(str(done.folder / repeats.PAGE))
    return 0
