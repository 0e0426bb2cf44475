"""What an explained run leaves in its folder: tables, figures, a gallery, and the pictures of its page."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from glauke import insight
from glauke.files import write_bytes, write_csv
from glauke.images import Pack
from glauke.insight import Explanation, plots

PAGE = "explain.html"
RECORD = "explain.json"
"""The hashes of the other files, by which an explanation knows an earlier one."""

TOLD = {
    "mistakes.csv": "every wrongly recognised held-out picture, largest loss first",
    "mistakes.png": "the surest mistakes as one picture",
    "confused_pairs.csv": "every pair of classes with a confusion",
    "confusion.csv": "the confusion matrix, a row for each label",
    "confusion.svg": "the matrix drawn; confusion.png is the same",
    "per_class.csv": "precision, recall and F1 of every class",
    "per_class.svg": "recall and precision drawn; per_class.png is the same",
    "calibration.csv": "confidence and accuracy in bins, as it is and with each half scaled by the other's temperature",
    "calibration.svg": "the same drawn; calibration.png too",
    "label_suspects.csv": "every label that may be wrong, most suspect first",
}
"""What the page says of the files beside it."""

_MAPS_BUDGET = 700_000  # bytes of the Grad-CAM pictures together


def write_tables(found: Explanation, pack: Pack, folder: Path, *, shown: int) -> None:
    """Mistakes, pairs and suspects as CSV, and the gallery as a picture; `shown` mistakes are in it."""
    classes, names = found.predictions.classes, found.predictions.readable
    header = ["file", "label", "label_name", "predicted", "predicted_name", "confidence", "label_probability"]
    write_csv(
        folder / "mistakes.csv",
        [*header, "loss", "rank"],
        (
            (
                *(m.name, classes[m.label], names[m.label], classes[m.predicted], names[m.predicted]),
                *(m.confidence, m.label_probability, m.loss, m.rank),
            )
            for m in found.mistakes
        ),
    )
    write_csv(
        folder / "confused_pairs.csv",
        ["class", "name", "other", "other_name", "as_other", "as_other_share", "from_other", "from_other_share"],
        (
            (
                *(classes[p.first], names[p.first], classes[p.second], names[p.second]),
                *(p.first_as_second, p.first_share, p.second_as_first, p.second_share),
            )
            for p in found.pairs
        ),
    )
    header = ["file", "label", "label_name", "suggested", "suggested_name", "label_probability"]
    write_csv(
        folder / "label_suspects.csv",
        [*header, "suggested_probability", "margin"],
        (
            (
                *(s.name, classes[s.label], names[s.label], classes[s.suggested], names[s.suggested]),
                *(s.label_probability, s.suggested_probability, s.margin),
            )
            for s in found.suspects.suspects
        ),
    )
    if not found.surest:
        return
    entries = [
        (
            np.asarray(pack.images[m.sample]),
            (f"{names[m.predicted]} {m.confidence:.1%}", f"label: {names[m.label]}", m.name.rpartition("/")[2]),
        )
        for m in found.surest[:shown]
    ]
    write_bytes(folder / "mistakes.png", plots.gallery_sheet(entries))


def save_figures(found: Explanation, folder: Path) -> dict[str, str]:
    """Draw what there is to draw; the SVG of each figure by name."""
    figures = {
        "confusion": plots.save_confusion(found.confusion, folder),
        "per_class": plots.save_per_class(found.scores, folder),
    }
    if found.calibration is not None:
        figures["calibration"] = plots.save_calibration(found.calibration, folder)
    return figures


def pictures_of(found: Explanation, pack: Pack, *, shown: int) -> dict[int, bytes]:
    """Every picture that the page shows, by its index in the pack."""
    samples = list(dict.fromkeys(_shown(found, shown)))
    return dict(zip(samples, insight.image_files([np.asarray(pack.images[i]) for i in samples]), strict=True))


def maps_of(pack: Pack, samples: np.ndarray, maps: Sequence[np.ndarray]) -> dict[int, tuple[bytes, bytes]]:
    """The pictures under their maps of the predicted class and of the label, by index in the pack."""
    shaded = [
        plots.heat_map(np.asarray(pack.images[sample]), heat)
        for of_class in maps
        for sample, heat in zip(samples, of_class, strict=True)
    ]
    files = insight.image_files(shaded, budget=_MAPS_BUDGET)
    half = len(samples)
    return {int(sample): (files[i], files[half + i]) for i, sample in enumerate(samples)}


def _shown(found: Explanation, shown: int) -> Iterator[int]:
    for each in (*found.surest[:shown], *found.mistakes[:shown], *found.suspects.suspects[:shown]):
        yield each.sample
    for examples in found.examples:
        rows = (examples.first_as_second, examples.second_as_first, examples.first_right, examples.second_right)
        yield from (int(found.predictions.samples[row]) for each in rows for row in each)
