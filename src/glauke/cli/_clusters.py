"""`glauke boxes cluster`, `anchors`, `crops` and `report`."""

import math
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from glauke.errors import UsageError
from glauke.options import BoxOptions

from ._boxes import Beside, split_labels
from ._output import amount, printable, say, show, show_json, table
from ._train import Switch

if TYPE_CHECKING:
    from glauke.boxes import Clusters


def cluster(
    file: Path,
    /,
    *,
    feature: Literal["aspect-ratio", "log-aspect-ratio", "relative-size"] = "aspect-ratio",
    distance: Literal["euclidean", "iou"] = "euclidean",
    k: str = "auto",
    by_label: Switch = False,
    beside: Beside = BoxOptions(),  # noqa: B008  it is frozen
    json: Switch = False,
) -> int:
    """Cluster the boxes by shape or size, for every number of clusters, and choose one by the elbow.

    Parameters
    ----------
    file
        Annotations of any kind.
    feature
        What is clustered: width / height, its logarithm, or width and height in parts of the picture.
    distance
        euclidean, or iou for relative-size.
    k
        Number of clusters, or auto for the elbow.
    by_label
        Cluster the boxes of each label apart, too.
    json
        Print everything as one JSON object.
    """
    from glauke import boxes
    from glauke.jobs import clusters as jobs

    found = jobs.cluster(
        file,
        beside,
        feature=feature,
        distance=distance,
        k=k,
        by_label=by_label,
    )
    if json:
        show_json(boxes.clusters_as_dict(found))
        return 0
    _show_clusters(found)
    for name, part in found.by_label.items():
        show(f"\n{printable(name)}")
        _show_clusters(part)
    for note in found.notes:
        say(f"note: {printable(note)}")
    if found.left_out:
        say(f"note: {amount(found.left_out, 'region')} without an area left out")
    return 0


def anchors(
    file: Path,
    /,
    *,
    count: int = 9,
    input_size: str = "416",
    detector: Annotated[str | None, Parameter(name="--for")] = None,
    beside: Beside = BoxOptions(),  # noqa: B008  it is frozen
    json: Switch = False,
) -> int:
    """Find anchors: the box sizes that overlap the annotated boxes best, at a detector's input size.

    Parameters
    ----------
    file
        Annotations of any kind.
    count
        How many anchors.
    input_size
        The detector's input in pixels: the side of a square, as 416, or width and height, as 640x480.
    detector
        Print the text to paste for yolov2, yolov3 (and v4), yolov5 (and v7), mmdet, torchvision or json.
    json
        Print everything as one JSON object.
    """
    from glauke import boxes
    from glauke.jobs import clusters as jobs

    done = jobs.anchors(
        file,
        beside,
        count=count,
        input_size=_input_size(input_size),
        detector=detector,
    )
    found = done.anchors
    if json:
        show_json(boxes.anchors_as_dict(found) | ({} if done.text is None else {"for": detector, "text": done.text}))
        return 0
    # With a text to paste, that alone is the result, so that it can go into a file.
    tell = show if done.text is None else say
    pairs = zip(found.sizes.tolist(), found.counts.tolist(), strict=True)
    rows = [(f"{w:.1f}", f"{h:.1f}", f"{w / h:.2f}", f"{n:,}") for (w, h), n in pairs]
    tell(table(("width", "height", "ratio", "boxes"), rows))
    labels = [
        (printable(label), f.boxes, f"{f.mean_iou:.4f}", f"{f.recall:.1%}") for label, f in found.by_label.items()
    ]
    if labels:
        tell(table(("label", "boxes", "mean IoU", "recall"), labels))
    width, height = found.input_size
    tell(
        f"{amount(found.boxes, 'box', 'boxes')} at {width} x {height} px ({found.resize}): "
        f"mean IoU {found.mean_iou:.4f}, best possible recall {found.best_possible_recall:.1%}, "
        f"{amount(found.num_uncovered, 'box', 'boxes')} that no anchor covers"
    )
    tell(f"{found.below_half:.1%} of the boxes have an IoU below 0.5 with every anchor")
    if found.mean_iou_held_out is not None:
        tell(f"on pictures that the search has not seen: mean IoU {found.mean_iou_held_out:.4f}")
    tell("mean IoU by number of anchors: " + ", ".join(f"{n}: {iou:.3f}" for n, iou in found.iou_by_count))
    for note in found.notes:
        tell(f"note: {printable(note)}")
    for one in found.uncovered[:5]:
        label = "without a label" if one.label is None else printable(one.label)
        place = f"{printable(one.image)}, region {one.region} ({label})"
        tell(f"not covered: {place}: {one.width:.0f} x {one.height:.0f} px")
    show(done.text if done.text is not None else ",  ".join(f"{w:.0f},{h:.0f}" for w, h in found.sizes.tolist()))
    return 0


def crops(
    file: Path,
    /,
    *,
    out: Path,
    margin: float = 0.1,
    least_size: int = 16,
    beside: Beside = BoxOptions(),  # noqa: B008  it is frozen
    json: Switch = False,
) -> int:
    """Cut every box out of its picture into folders by label, ready for glauke train.

    Parameters
    ----------
    file
        Annotations of any kind.
    out
        Folder to make; must not exist.
    margin
        What is added on every side, in parts of the box's side.
    least_size
        Boxes with a shorter side in pixels are left out.
    json
        Print counts as one JSON object.
    """
    from glauke.jobs import clusters as jobs

    done = jobs.crops(
        file,
        beside,
        out=out,
        margin=margin,
        least_size=least_size,
    )
    if json:
        counts = {"crops": done.crops, "pictures": done.pictures, "labels": dict(done.labels)}
        show_json({"out": str(out), **counts, "left_out": dict(done.left_out), "notes": list(done.notes)})
        return 0
    for note in done.notes:
        say(f"note: {note}")
    labels = ", ".join(f"{count:,} {label}" for label, count in done.labels.items())
    crops, pictures = amount(done.crops, "crop"), amount(done.pictures, "picture")
    say(f"{crops} from {pictures}: {labels}; to train on {'it' if done.crops == 1 else 'them'}: glauke train {out}")
    show(str(out))
    return 0


def report(
    file: Path,
    /,
    *,
    labels: str | None = None,
    feature: Literal["aspect-ratio", "log-aspect-ratio", "relative-size"] = "aspect-ratio",
    distance: Literal["euclidean", "iou"] = "euclidean",
    k: str = "auto",
    count: int = 9,
    input_size: str = "416",
    out: Path = Path("report.html"),
    beside: Beside = BoxOptions(),  # noqa: B008  it is frozen
    json: Switch = False,
) -> int:
    """Write one page: the answer, what is wrong with the file, clusters, elbow, anchors, pictures, the file explained.

    Parameters
    ----------
    file
        Annotations of any kind.
    labels
        The labels that boxes may have, separated by commas.
    feature
        What is clustered: width / height, its logarithm, or width and height in parts of the picture.
    distance
        euclidean, or iou for relative-size.
    k
        Number of clusters, or auto for the elbow.
    count
        How many anchors.
    input_size
        The detector's input in pixels: the side of a square, as 416, or width and height, as 640x480.
    out
        The page; figures and their numbers go into a folder beside it.
    json
        Print what the page says first as one JSON object.
    """
    import shlex
    import sys

    from glauke import boxes
    from glauke.jobs import clusters as jobs

    done = jobs.report(
        file,
        beside,
        out=out,
        labels=split_labels(labels),
        feature=feature,
        distance=distance,
        k=k,
        count=count,
        input_size=_input_size(input_size),
        command=shlex.join(["glauke", *sys.argv[1:]]),
    )
    if json:
        severities = Counter(finding.severity for finding in done.findings)
        show_json(
            {
                "out": str(done.page),
                "plots": str(done.plots),
                "clusters": None if done.clusters is None else boxes.clusters_as_dict(done.clusters),
                "anchors": None if done.anchors is None else boxes.anchors_as_dict(done.anchors),
                "findings": {severity: severities[severity] for severity in ("error", "warning", "note")},
                "notes": list(done.notes),
            }
        )
        return 0
    for note in done.notes:
        say(f"note: {printable(note)}")
    answer = [] if done.clusters is None else [done.clusters.elbow.reason]
    if done.anchors is not None:
        width, height = done.anchors.input_size
        fit = f"{amount(len(done.anchors), 'anchor')} at {width} x {height} px with a mean IoU of"
        answer.append(f"{fit} {done.anchors.mean_iou:.3f}")
    if answer:
        say("; ".join(answer))
    show(str(done.page))
    return 0


def _show_clusters(found: "Clusters") -> None:
    """The curve, the clusters, and how far they can be trusted."""
    columns = {
        "": ["*" if point.k == found.k else "" for point in found.curve],
        "k": [str(point.k) for point in found.curve],
        "inertia": [f"{point.inertia:.4f}" for point in found.curve],
        "mean IoU": [_or_blank(point.mean_iou) for point in found.curve],
        "gain": [_or_blank(point.gain) for point in found.curve],
        "silhouette": [_or_blank(point.silhouette) for point in found.curve],
    }
    known = {name: cells for name, cells in columns.items() if any(cells)}
    show(table(tuple(known), list(zip(*known.values(), strict=True))))
    centers = ", ".join(_center(center, feature=found.feature) for center in found.centers.tolist())
    counts = ", ".join(f"{count:,}" for count in found.counts.tolist())
    show(f"{amount(found.k, 'cluster')} at {centers}, with {counts} of {amount(found.boxes, 'box', 'boxes')}")
    show(f"elbow: {found.elbow.reason}")
    for doubt in found.doubts:
        show(f"but: {printable(doubt)}")


def _input_size(text: str) -> tuple[int, int]:
    """A side, or width and height, in pixels."""
    found = re.fullmatch(r"(\d{1,9})(?:x(\d{1,9}))?", text.strip(), re.ASCII)
    if found is None:
        raise UsageError(
            f"it must be a number of pixels, or width x height, not {text!r}",
            place="--input-size",
            fix="write 416 or 640x480",
        )
    return int(found[1]), int(found[2] or found[1])


def _or_blank(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _center(center: float | list[float], *, feature: str) -> str:
    """In the feature's unit; a logarithm also as the ratio that it stands for."""
    if isinstance(center, list):
        return f"({center[0]:.3g}, {center[1]:.3g})"
    return f"{math.exp(center):.3g} (log {center:.3g})" if feature == "log-aspect-ratio" else f"{center:.3g}"
