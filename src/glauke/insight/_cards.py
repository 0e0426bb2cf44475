"""What a notebook shows of predictions, a confusion and a calibration."""

from functools import partial

from glauke.markup import Markup, card, picture, table, visible

from .numbers._calibration import Calibration
from .numbers._confusion import Confusion
from .numbers._explanation import Explanation
from .numbers._mistakes import mistakes
from .numbers._predictions import Predictions

SHOWN = 10
"""Rows of a table in a notebook."""


def predictions_line(predictions: Predictions) -> str:
    """Predictions in a line: of how many pictures, and how many are right."""
    pictures, classes = f"{len(predictions):,} pictures", f"{len(predictions.classes):,} classes"
    top = f", {predictions.accuracy(top=5):.2%} among the first five" if len(predictions.classes) > 5 else ""
    return f"{pictures}, {classes}, {predictions.accuracy():.2%} right{top}, loss {predictions.losses.mean():.3f}"


def predictions_card(predictions: Predictions) -> str:
    """The numbers of all, and the pictures with the highest loss."""
    names = predictions.readable
    rows = [
        (one.name, names[one.label], names[one.predicted], f"{one.confidence:.1%}", f"{one.loss:.2f}")
        for one in mistakes(predictions, count=SHOWN)
    ]
    header = ["Picture", "Label", "Predicted", "Confidence", "Loss"]
    worst = table(rows, caption="Mistakes with the highest loss", header=header) if rows else None
    return card(f"Predictions: {predictions_line(predictions)}", worst)


def confusion_line(confusion: Confusion) -> str:
    """A confusion in a line: how many are right, and the classes that are confused most."""
    total = int(confusion.matrix.sum())
    said = f"{int(confusion.matrix.trace()):,} of {total:,} right in {len(confusion.classes):,} classes"
    names = [visible(name) for name in confusion.readable]  # the line is for a terminal too
    worst = [f"{names[pair.first]} and {names[pair.second]}" for pair in confusion.pairs(1)]
    return ", most confused ".join([said, *worst])


def confusion_card(confusion: Confusion) -> str:
    """The pairs that are confused most, and the matrix."""
    from . import plots  # loads matplotlib, so not before a figure is to be shown

    names = confusion.readable
    rows = [
        (names[p.first], names[p.second], f"{p.first_as_second:,}", f"{p.second_as_first:,}")
        for p in confusion.pairs(SHOWN)
    ]
    header = ["Class", "Other class", "Taken for the other", "The other way"]
    line = confusion_line(confusion)
    return card(
        f"Confusion: {line}",
        table(rows, caption="Most confused", header=header) if rows else None,
        picture(partial(plots.save_confusion, confusion), alt=f"Confusion matrix: {line}"),
    )


def calibration_line(calibration: Calibration) -> str:
    """A calibration in a line: how far confidence is from accuracy, before and after scaling."""
    scaled = f"{calibration.ece_scaled:.3f} at temperature {calibration.temperature:.3f}"
    return (
        f"expected calibration error {calibration.ece:.3f} ({calibration.ece_by_chance:.3f} by chance alone), "
        f"{scaled if calibration.fits else 'no temperature fits'}"
    )


def calibration_card(calibration: Calibration) -> str:
    """The two errors, and confidence against accuracy."""
    from . import plots

    line = calibration_line(calibration)
    return card(f"Calibration: {line}", picture(partial(plots.save_calibration, calibration), alt=line))


def explanation_card(explanation: Explanation) -> str:
    """The answer, then the pairs that are confused most, the matrix and the calibration."""
    shown = [confusion_card(explanation.confusion)]
    if explanation.calibration is not None:
        shown.append(calibration_card(explanation.calibration))
    return card(repr(explanation).strip("<>"), *map(Markup, shown))
