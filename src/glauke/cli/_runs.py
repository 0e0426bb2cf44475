"""`glauke runs` and `glauke report`."""

from pathlib import Path
from typing import TYPE_CHECKING

from ._output import clock, say, show, show_json, table
from ._train import Switch

if TYPE_CHECKING:
    from glauke.runs import Group


def runs(folder: Path = Path("runs"), /, *, best: Switch = False, json: Switch = False) -> int:
    """List the runs in a folder, oldest first, and the groups of them.

    Parameters
    ----------
    folder
        Folder that holds run folders.
    best
        The highest final accuracy first; on other pictures or another split it says little.
    json
        Print every record, as one JSON object.
    """
    from glauke import runs as room

    broken: list[str] = []
    records = room.list_runs(folder, broken=lambda error: broken.append(str(error)))
    if best:
        records.sort(key=lambda record: room.final_accuracy(record) or 0.0, reverse=True)
    groups = room.list_groups(folder)
    if json:
        shown = [{"folder": str(group.folder), **room.group_as_dict(group)} for group in groups]
        records_shown = [{"folder": str(record.folder), **room.as_dict(record)} for record in records]
        show_json({"runs": records_shown, "groups": shown, "unreadable": broken})
        return 0
    rows = [
        (
            str(record.folder),
            record.status,
            record.data.name,
            record.split.kind,
            record.recipe.get("name", ""),
            record.epochs,
            "" if (accuracy := room.final_accuracy(record)) is None else f"{accuracy:.2%}",
            clock(record.seconds),
        )
        for record in records
    ]
    if rows:
        show(table(("run", "status", "data", "split", "recipe", "epochs", "accuracy", "time"), rows))
    together = [
        (
            str(group.folder),
            group.kind,
            f"{group.accuracy.runs if group.accuracy else 0} of {len(group.members)}",
            _accuracies(group),
        )
        for group in groups
    ]
    if together:
        show("\n" + table(("group", "kind", "finished", "accuracy"), together))
    for sentence in broken:
        say(sentence)
    if not rows and not broken:
        say(f"no runs in {folder}")
    return 0


def _accuracies(group: "Group") -> str:
    """Mean and deviation say something of repeats; of different experiments, only the range does."""
    from glauke.runs import spread_words

    made = group.accuracy
    if made is None:
        return ""
    return spread_words(made) if group.kind == "seeds" else f"{made.least:.2%} to {made.most:.2%}"


def report(run: Path, /, *, json: Switch = False) -> int:
    """Draw the plots of a run, or of repeats, and write the page anew.

    Parameters
    ----------
    run
        The folder of the run or of the repeats.
    json
        Print the page's path as one JSON object.
    """
    from glauke import runs as room
    from glauke.jobs import repeats, training

    page = repeats.report(run) if room.is_group(run) else training.report(run)
    if json:
        show_json({"report": str(page)})
    else:
        show(str(page))
    return 0
