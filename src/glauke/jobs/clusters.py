"""The commands that go from checked annotations to clusters, anchors, crops and the page."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from glauke import boxes, pages
from glauke.boxes import Anchors, Annotations, Clusters, Crops, Finding, Prepared
from glauke.errors import DataError, GlaukeError, UsageError
from glauke.files import write_text
from glauke.options import BoxOptions

from .boxes import NOTHING_BESIDE, origins, prepare

T = TypeVar("T")

DETECTORS = ("yolov2", "yolov3", "yolov5", "mmdet", "torchvision")
"""Whose configuration the page has ready to paste."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnchorsFound:
    """Anchors, and the text to paste where one was asked for."""

    anchors: Anchors
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reported:
    """A page about a file of annotations, and what it says first."""

    page: Path
    plots: Path
    """The folder of the figures and their numbers."""
    clusters: Clusters | None
    anchors: Anchors | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    """What is missing on the page and why, and where repairs came from."""


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
    annotations = boxes.sound(prepared, labels=by_label)
    found = boxes.cluster(annotations, feature=feature, distance=distance, k=number, by_label=by_label)
    return replace(found, notes=(*_origins(prepared), *found.notes))


def anchors(
    file: Path,
    options: BoxOptions = NOTHING_BESIDE,
    *,
    count: int = 9,
    input_size: int | tuple[int, int] = 416,
    detector: str | None = None,
) -> AnchorsFound:
    """Find anchors for a detector's input size, and the text to paste into its configuration."""
    resize = "stretch" if detector is None else boxes.resize_of(detector)  # before the work: a wrong name is told first
    boxes.input_size_of(input_size, count=count)
    prepared = prepare(file, options)
    annotations = boxes.sound(prepared, labels=False)
    found = boxes.anchors(annotations, count=count, input_size=input_size, resize=resize, other_counts=True)
    found = replace(found, notes=(*_origins(prepared), *found.notes))
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
    feature: str = "aspect-ratio",
    distance: str = "euclidean",
    k: str = "auto",
    count: int = 9,
    input_size: int | tuple[int, int] = 416,
    command: str = "",
) -> Reported:
    """Write one page about a file of annotations; what its data do not allow is left out, and the page says why."""
    from glauke.boxes import plots  # matplotlib takes a second to load, and only the page needs it

    number = _number_of_clusters(k)
    size = boxes.input_size_of(input_size, count=count)
    folder = out.parent / f"{out.stem}_plots"
    _require_new(out, folder)
    prepared = prepare(file, options, labels=labels)
    annotations, document, pictures = prepared.annotations, prepared.document, prepared.pictures
    findings = boxes.check(annotations, labels=labels, pictures=pictures, unrepaired=prepared.as_read)
    refused: dict[str, list[str]] = {}
    found = _unless_refused(
        lambda: _clusters(prepared, feature, distance, number), "no clusters", refused, errors=(DataError,)
    )
    anchored = {
        resize: _unless_refused(lambda r=resize: _anchors(prepared, count, size, r), "no anchors", refused)
        for resize in dict.fromkeys(boxes.resize_of(detector) for detector in DETECTORS)
    }
    notes = [*_origins(prepared), *_without_labels(prepared), *_without_pictures(prepared, findings)]
    snippets = {}
    for detector in DETECTORS:
        suited = anchored[boxes.resize_of(detector)]
        if suited is not None:
            text = _unless_refused(lambda d=detector, a=suited: boxes.paste_ready(a, detector=d), detector, refused)
            snippets |= {} if text is None else {detector: text}
    notes += [f"{', '.join(dict.fromkeys(whats))}: {why}" for why, whats in refused.items()]
    _make_folder(out.parent)
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
        notes=tuple(notes),
        plots=folder.name,
    )
    write_text(out, page)
    return Reported(
        page=out, plots=folder, clusters=found, anchors=anchored["stretch"], findings=findings, notes=tuple(notes)
    )


def _require_new(out: Path, folder: Path) -> None:
    """Refuse a page that exists or that cannot be written, before the work."""
    for path in (out, folder):
        if path.exists():
            raise UsageError(
                "it exists already, and a report overwrites nothing", place=str(path), fix="give another --out"
            )
    nearest = next(place for place in out.absolute().parents if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        what = "one may not write there" if nearest.is_dir() else "it is a file, and no folder can be in it"
        raise UsageError(what, place=str(nearest), fix="give another --out")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder cannot be made ({error.strerror})", place=str(folder), fix="give another --out"
        ) from error


def _origins(prepared: Prepared) -> list[str]:
    return [note.message for note in origins(prepared)]


def _without_labels(prepared: Prepared) -> list[str]:
    lost = boxes.unsound(prepared.annotations)
    return [] if lost is None else [f"no clusters by label: {lost.message}"]


def _without_pictures(prepared: Prepared, findings: Sequence[Finding]) -> list[str]:
    if prepared.pictures is None:
        return ["no pictures: give their folder with --images to see the boxes on them"]
    of_none = [f for f in findings if f.rule == "missing-picture" and f.image is None]
    return [f"no pictures: {finding.message}; {finding.fix}" for finding in of_none]


def _clusters(prepared: Prepared, feature: str, distance: str, k: int | Literal["auto"]) -> Clusters:
    """By label, too, where the file knows its labels."""
    lost = boxes.unsound(prepared.annotations) is not None
    annotations = boxes.sound(prepared, labels=False)
    return boxes.cluster(annotations, feature=feature, distance=distance, k=k, by_label=not lost)


def _anchors(prepared: Prepared, count: int, input_size: tuple[int, int], resize: str) -> Anchors:
    return boxes.anchors(
        boxes.sound(prepared, labels=False),
        count=count,
        input_size=input_size,
        resize=resize,
        other_counts=resize == "stretch",
    )


def _unless_refused(
    work: Callable[[], T],
    what: str,
    refused: dict[str, list[str]],
    *,
    errors: tuple[type[GlaukeError], ...] = (DataError, UsageError),
) -> T | None:
    """The result, or None; then `refused` says why, and what there is not."""
    try:
        return work()
    except errors as error:
        why = error.message + (f"; {error.fix}" if error.fix else "")
        refused.setdefault(why, []).append(what)
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
        raise UsageError(
            f"it must be auto or a whole number, not {text!r}", place="--k", fix="give auto or a number from 1 on"
        )
    return int(text)
