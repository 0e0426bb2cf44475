"""`glauke boxes cluster`, `anchors`, `crops` and `report`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from glauke.options import BoxOptions

from ._boxes import Beside, split_labels
from ._output import amount, say, show, show_json, table
from ._train import Switch


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
    for name, part in (("", found), *found.by_label.items()):
        if name:
            show(f"\n{name}")
        rows = [
            (
                "*" if point.k == part.k else "",
                point.k,
                f"{point.inertia:.4f}",
                _or_blank(point.mean_iou),
                _or_blank(point.silhouette),
            )
            for point in part.curve
        ]
        show(table(("", "k", "inertia", "mean IoU", "silhouette"), rows))
        centers = ", ".join(_center(center) for center in part.centers.tolist())
        counts = ", ".join(f"{count:,}" for count in part.counts.tolist())
        show(f"{amount(part.k, 'cluster')} at {centers}, with {counts} of {amount(part.boxes, 'box', 'boxes')}")
        say(f"{amount(part.boxes, 'box', 'boxes')}: {part.elbow.reason}")
    for note in found.notes:
        say(f"note: {note}")
    if found.left_out:
        say(f"note: {amount(found.left_out, 'region')} without an area left out")
    return 0


def anchors(
    file: Path,
    /,
    *,
    count: int = 9,
    input_size: int = 416,
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
        Side of the detector's input in pixels.
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
        input_size=input_size,
        detector=detector,
    )
    found = done.anchors
    if json:
        show_json(boxes.anchors_as_dict(found) | ({} if done.text is None else {"for": detector, "text": done.text}))
        return 0
    pairs = zip(found.sizes.tolist(), found.counts.tolist(), strict=True)
    rows = [(f"{w:.1f}", f"{h:.1f}", f"{w / h:.2f}", n) for (w, h), n in pairs]
    say(table(("width", "height", "ratio", "boxes"), rows))
    labels = [(label, f.boxes, f"{f.mean_iou:.4f}", f"{f.recall:.1%}") for label, f in found.by_label.items()]
    if labels:
        say(table(("label", "boxes", "mean IoU", "recall"), labels))
    width, height = found.input_size
    say(
        f"{found.boxes:,} boxes at {width} x {height} px ({found.resize}): mean IoU {found.mean_iou:.4f}, "
        f"best possible recall {found.best_possible_recall:.1%}, {found.num_uncovered:,} boxes that no anchor covers"
    )
    for one in found.uncovered[:5]:
        say(f"not covered: {one.image}, region {one.region} ({one.label}): {one.width:.0f} x {one.height:.0f} px")
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
    say(f"{done.crops:,} crops from {done.pictures:,} pictures: {labels}; to train on them: glauke train {out}")
    show(str(out))
    return 0


def report(
    file: Path,
    /,
    *,
    labels: str | None = None,
    count: int = 9,
    input_size: int = 416,
    out: Path = Path("report.html"),
    beside: Beside = BoxOptions(),  # noqa: B008  it is frozen
) -> int:
    """Write one page: the answer, what is wrong with the file, clusters, elbow, anchors, pictures, the file explained.

    Parameters
    ----------
    file
        Annotations of any kind.
    labels
        The labels that boxes may have, separated by commas.
    count
        How many anchors.
    input_size
        Side of the detector's input in pixels.
    out
        The page; figures and their numbers go into a folder beside it.
    """
    import shlex
    import sys

    from glauke.jobs import clusters as jobs

    page = jobs.report(
        file,
        beside,
        out=out,
        labels=split_labels(labels),
        count=count,
        input_size=input_size,
        command=shlex.join(["glauke", *sys.argv[1:]]),
    )
    show(str(page))
    return 0


def _or_blank(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _center(center: float | list[float]) -> str:
    return f"({center[0]:.3g}, {center[1]:.3g})" if isinstance(center, list) else f"{center:.3g}"
