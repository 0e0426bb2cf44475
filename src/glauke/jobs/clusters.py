"""The commands that go from checked annotations to clusters, anchors, crops and the page."""

from dataclasses import dataclass
from pathlib import Path

from glauke import boxes
from glauke.boxes import Anchors, Clusters, Crops
from glauke.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnchorsFound:
    """Anchors, and the text to paste where one was asked for."""

    anchors: Anchors
    text: str | None


def cluster(
    file: Path,
    *,
    feature: str = "aspect-ratio",
    distance: str = "euclidean",
    k: str = "auto",
    by_label: bool = False,
    attribute: str | None = None,
    images: Path | None = None,
    sizes: Path | None = None,
    repair_from: Path | None = None,
) -> Clusters:
    """Divide the boxes of a file into clusters, and say how many there should be."""
    number = _number_of_clusters(k)
    prepared = boxes.prepare(file, attribute=attribute, images=images, sizes=sizes, repair_from=repair_from)
    return boxes.cluster(boxes.sound(prepared), feature=feature, distance=distance, k=number, by_label=by_label)


def anchors(
    file: Path,
    *,
    count: int = 9,
    input_size: int = 416,
    detector: str | None = None,
    attribute: str | None = None,
    images: Path | None = None,
    sizes: Path | None = None,
    repair_from: Path | None = None,
) -> AnchorsFound:
    """Find anchors for a detector's input size, and the text to paste into its configuration."""
    resize = "stretch" if detector is None else boxes.resize_of(detector)  # before the work: a wrong name is told first
    prepared = boxes.prepare(file, attribute=attribute, images=images, sizes=sizes, repair_from=repair_from)
    found = boxes.anchors(boxes.sound(prepared), count=count, input_size=input_size, resize=resize)
    return AnchorsFound(anchors=found, text=None if detector is None else boxes.paste_ready(found, detector=detector))


def crops(
    file: Path,
    *,
    images: Path,
    out: Path,
    margin: float = 0.1,
    least_size: int = 16,
    attribute: str | None = None,
    repair_from: Path | None = None,
) -> Crops:
    """Cut every box out of its picture, into folders by label that `glauke train` takes."""
    prepared = boxes.prepare(file, attribute=attribute, images=images, repair_from=repair_from)
    assert prepared.pictures is not None
    annotations = boxes.sound(prepared)
    return boxes.crops(annotations, images=prepared.pictures, out=out, margin=margin, least_size=least_size)


def _number_of_clusters(text: str) -> int | str:
    if text == "auto":
        return text
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"it must be auto or a whole number, not {text!r}", place="--k")
    return int(text)
