"""`glauke runs` and `glauke report`."""

from pathlib import Path

from ._output import clock, say, show, show_json, table
from ._train import Switch


def runs(folder: Path = Path("runs"), /, *, json: Switch = False) -> int:
    """List the runs in a folder, oldest first.

    Parameters
    ----------
    folder
        Folder that holds run folders.
    json
        Print every record, as one JSON object.
    """
    from glauke import runs as room

    broken: list[str] = []
    records = room.list_runs(folder, broken=lambda error: broken.append(str(error)))
    if json:
        show_json({"runs": [room.as_dict(record) for record in records], "unreadable": broken})
        return 0
    rows = [
        (
            str(record.folder),
            record.status,
            record.data.name,
            record.split.kind,
            record.recipe.get("name", ""),
            record.epochs,
            f"{record.final.val_accuracy:.2%}" if record.final else "",
            clock(record.seconds),
        )
        for record in records
    ]
    if rows:
        show(table(("run", "status", "data", "split", "recipe", "epochs", "accuracy", "time"), rows))
    for sentence in broken:
        say(sentence)
    if not rows and not broken:
        say(f"no runs in {folder}")
    return 0


def report(run: Path, /, *, json: Switch = False) -> int:
    """Draw a run's plots and write its page anew.

    Parameters
    ----------
    run
        The run's folder.
    json
        Print the page's path as one JSON object.
    """
    from glauke.jobs import training

    page = training.report(run)
    if json:
        show_json({"report": str(page)})
    else:
        show(str(page))
    return 0
