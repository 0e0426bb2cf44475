"""What a notebook shows of a run, and of several beside each other."""

import math

from glauke.markup import card, picture, table, visible

from ._compare_words import RESULTS, TESTS, headline, paired_table, result_table, setting_table
from ._comparison import Comparison
from ._record import RunRecord, Score


def record_line(record: RunRecord) -> str:
    """A run in a line: what was trained on what, and what came of it."""
    result = "no result yet" if record.final is None else _score(record.final)
    # Names come from folders, and the line is for a terminal too.
    return visible(f"{record.name}: {record.model} on {record.data.name}, {record.status}, {result}")


def record_card(record: RunRecord) -> str:
    """A run's key figures, and its curves if its folder has them."""
    rows: list[tuple[str, str]] = []
    if record.final is not None:
        rows.append(("Held out", f"{_score(record.final)} ({record.split.kind} split)"))
    if record.best is not None:
        rows.append(("Best epoch", _score(record.best)))
    if record.max_lr is not None:
        rows.append(("Peak rate", f"{record.max_lr:.4g}" + (f" ({record.max_lr_rule})" if record.max_lr_rule else "")))
    rows += [
        ("Network", f"{record.model}, {record.stem} stem, {record.parameters:,} parameters"),
        ("Cycle", f"{record.epochs} epochs of {record.steps_per_epoch:,} steps"),
        ("Time", f"{record.seconds:,.0f} s on {record.hardware.gpu or record.hardware.cpu}, {record.precision}"),
    ]
    if record.images_per_second is not None:
        rows.append(("Speed", f"{record.images_per_second:,.0f} pictures/s"))
    rows += [("Note", note) for note in record.notes]
    curves = record.folder / "plots" / "curves.svg" if record.folder is not None else None
    drawn = None
    if curves is not None and curves.is_file():
        drawn = picture(lambda _: curves.read_text(encoding="utf-8"), alt="Accuracy and loss over the epochs")
    return card(f"Run {record_line(record)}", table(rows, caption="Key figures"), drawn)


def comparison_card(comparison: Comparison) -> str:
    """The answer, the results, the tests, and the settings that differ."""
    header, settings = setting_table(comparison)
    tests = paired_table(comparison.tests)
    return card(
        headline(comparison),
        table(result_table(comparison.runs), caption="Results", header=RESULTS),
        table(tests, caption="Paired tests", header=TESTS) if tests else None,
        table(settings, caption="Settings that differ", header=header) if settings else None,
    )


def _score(score: Score) -> str:
    """What an epoch came to; a program's own step need not measure an accuracy."""
    if math.isnan(score.val_accuracy):
        return f"loss {score.val_loss:.4g} after epoch {score.epoch}"
    return f"{score.val_accuracy:.2%} of {score.val_pictures:,} pictures after epoch {score.epoch}"
