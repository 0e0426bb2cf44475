"""The commands that go from checked annotations to clusters, anchors, crops and the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from glauke import boxes, pages
from glauke.boxes import Anchors, Annotations, Clusters, Crops, Prepared
from glauke.errors import InputError, UsageError
from glauke.files import write_text
from glauke.options import BoxOptions

from .boxes import NOTHING_BESIDE, prepare

T = TypeVar("T")

DETECTORS = ("yolov3", "yolov5", "torchvision")
"""Whose configuration the page has ready to paste."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnchorsFound:
    """Anchors, and the text to paste where one was asked for."""

    anchors: Anchors
    text: str | None


def cluster(
    file: Path,
    options: BoxOptions = NOTHING_BESIDE,
    *,
    feature: str = "aspect-ratio",
    distance: str = "euclidean",
    k: str = "auto",
    by_label: bool = False,
) -> Clusters:
    """Divide the boxes of a file into clusters, and say how many there should be."""
    number = _number_of_clusters(k)
    prepared = prepare(file, options)
    return boxes.cluster(boxes.sound(prepared), feature=feature, distance=distance, k=number, by_label=by_label)


def anchors(
    file: Path,
    options: BoxOptions = NOTHING_BESIDE,
    *,
    count: int = 9,
    input_size: int = 416,
    detector: str | None = None,
) -> AnchorsFound:
    """Find anchors for a detector's input size, and the text to paste into its configuration."""
    resize = "stretch" if detector is None else boxes.resize_of(detector)  # before the work: a wrong name is told first
    prepared = prepare(file, options)
    found = boxes.anchors(boxes.sound(prepared), count=count, input_size=input_size, resize=resize)
    return AnchorsFound(anchors=found, text=None if detector is None else boxes.paste_ready(found, detector=detector))


def crops(file: Path, options: BoxOptions, *, out: Path, margin: float = 0.1, least_size: int = 16) -> Crops:
    """Cut every box out of its picture, into folders by label that `glauke train` takes."""
    if options.images is None:
        raise UsageError("crops are cut from pictures, and none are given", place="--images", fix="name their folder")
    prepared = prepare(file, options)
    assert prepared.pictures is not None
    annotations = boxes.sound(prepared, sizes=False)  # a picture that is not there is left out, and told
    return boxes.crops(annotations, images=prepared.pictures, out=out, margin=margin, least_size=least_size)


def report(
    file: Path,
    options: BoxOptions = NOTHING_BESIDE,
    *,
    out: Path,
    labels: Sequence[str] | None = None,
    count: int = 9,
    input_size: int = 416,
    command: str = "",
) -> Path:
    """Write one page about a file of annotations; what its data do not allow is left out, and the page says why."""
    from glauke.boxes import plots  # matplotlib takes a second to load, and only the page needs it

    folder = out.parent / f"{out.stem}_plots"
    for path in (out, folder):
        if path.exists():
            raise UsageError(
                "it exists already, and a report overwrites nothing", place=str(path), fix="give another --out"
            )
    prepared = prepare(file, options, labels=labels)
    annotations, document, notes = prepared.annotations, prepared.document, []
    findings = boxes.check(annotations, labels=labels, pictures=prepared.pictures, unrepaired=prepared.as_read)
    found = _unless_refused(lambda: boxes.cluster(boxes.sound(prepared), by_label=True), "no clusters", notes)
    anchored = {
        resize: _unless_refused(lambda r=resize: _anchors(prepared, count, input_size, r), "no anchors", notes)
        for resize in dict.fromkeys(boxes.resize_of(detector) for detector in DETECTORS)
    }
    snippets = {}
    for detector in DETECTORS:
        suited = anchored[boxes.resize_of(detector)]
        if suited is not None:
            text = _unless_refused(lambda d=detector, a=suited: boxes.paste_ready(a, detector=d), detector, notes)
            snippets |= {} if text is None else {detector: text}
    pictures = prepared.pictures
    if pictures is None:
        notes.append("no pictures: give their folder with --images to see the boxes on them")
    page = pages.boxes_page(
        annotations,
        findings=findings,
        clusters=found,
        description=boxes.describe(annotations, document=document.json, text=document.text, findings=findings),
        command=command,
        anchors=anchored["stretch"],
        snippets=snippets,
        figures=_figures(annotations, found, anchored["stretch"], folder),
        photographs=() if pictures is None else plots.photographs(annotations, pictures),
        contact_sheets=() if pictures is None else plots.contact_sheets(annotations, pictures),
        notes=tuple(dict.fromkeys(notes)),
        plots=folder.name,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, page)
    return out


def _anchors(prepared: Prepared, count: int, input_size: int, resize: str) -> Anchors:
    return boxes.anchors(boxes.sound(prepared), count=count, input_size=input_size, resize=resize)


def _unless_refused(work: Callable[[], T], what: str, notes: list[str]) -> T | None:
    """The result, or None and a note of why there is none."""
    try:
        return work()
    except InputError as error:
        notes.append(f"{what}: {error.message}" + (f"; {error.fix}" if error.fix else ""))
        return None


def _figures(
    annotations: Annotations, clusters: Clusters | None, anchors: Anchors | None, folder: Path
) -> dict[str, str]:
    from glauke.boxes import plots

    figures = {"labels": plots.save_labels(annotations, folder)}
    if clusters is not None:
        figures["elbow"] = plots.save_elbow(clusters, folder)
        figures["ratios"] = plots.save_ratios(annotations, folder, clusters=clusters)
        figures["clusters"] = plots.save_clusters(annotations, folder, clusters=clusters)
    if anchors is not None:
        figures["anchors"] = plots.save_anchors(anchors, folder)
    if (annotations.widths > 0).any():
        figures["positions"] = plots.save_positions(annotations, folder)
    return figures


def _number_of_clusters(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"it must be auto or a whole number, not {text!r}", place="--k")
    return int(text)
