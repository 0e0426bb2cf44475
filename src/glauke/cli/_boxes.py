"""`glauke boxes describe`, `check`, `convert`, `merge` and `project`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from glauke.errors import UsageError
from glauke.options import BoxOptions

from ._output import amount, printable, say, show, show_json
from ._train import Switch

if TYPE_CHECKING:
    from glauke.boxes import Annotations, Finding

MOST_TOLD = 50  # of one rule; thousands would hide the others
Beside = Annotated[BoxOptions, Parameter(name="*")]
Labels = Annotated[str | None, Parameter(help="The labels that boxes may have, separated by commas.")]


def describe(file: Path, /, *, json: Switch = False) -> int:
    """Explain a file of annotations in words, with its own values, to somebody who has never seen one.

    Parameters
    ----------
    file
        Annotations of any kind: VIA 1, 2 or 3, COCO, YOLO folder, Pascal VOC, Tiny ImageNet, count table.
    json
        Print the explanation as one JSON object.
    """
    from glauke import boxes
    from glauke.jobs import boxes as jobs

    description = jobs.describe(file)
    if json:
        show_json(boxes.description_as_dict(description))
    else:
        show(boxes.description_as_text(description))
    return 0


def check(
    file: Path,
    /,
    *,
    labels: Labels = None,
    fix: Path | None = None,
    beside: Beside = BoxOptions(),  # noqa: B008  it is frozen
    json: Switch = False,
) -> int:
    """Find what is wrong with annotations, with image, region and a proposed fix. The file is never changed.

    Parameters
    ----------
    file
        Annotations of any kind.
    fix
        Write a mended copy here and list every change.
    json
        Print counts and findings as one JSON object.
    """
    from glauke.jobs import boxes as jobs

    done = jobs.check(
        file,
        beside,
        labels=split_labels(labels),
        fix=fix,
    )
    code = 1 if any(finding.severity != "note" for finding in done.findings) else 0
    if json:
        show_json(
            _counts(done.annotations)
            | {
                "findings": [_as_dict(finding) for finding in done.findings],
                "notes": [note.message for note in done.notes],
                "applied": [applied.message for applied in done.applied],
                "remaining": [_as_dict(finding) for finding in done.remaining],
            }
        )
        return code
    for note in done.notes:
        say(f"note: {note.message}")
    counts = Counter(finding.rule for finding in done.findings)
    told: Counter[str] = Counter()
    for finding in done.findings:
        told[finding.rule] += 1
        if told[finding.rule] <= MOST_TOLD:
            show(_line(finding))
    for rule, count in told.items():
        if count > MOST_TOLD:
            show(f"and {count - MOST_TOLD:,} more findings of the rule {rule}; --json has all")
    found = ", ".join(f"{count:,} {rule}" for rule, count in sorted(counts.items())) or "nothing to report"
    a = done.annotations
    say(f"{a.kind}: {amount(len(a.names), 'picture')}, {amount(a.num_boxes(), 'region')}: {found}")
    for applied in done.applied:
        say(f"changed: {applied.message}")
    if fix is not None:
        say(f"{amount(len(done.applied), 'change')} in {fix}; {file} is as it was")
        for finding in done.remaining[:MOST_TOLD]:
            say(f"left for you in the copy: {_line(finding)}")
    return code


def convert(
    *files: Path,
    to: Literal["via", "coco", "yolo", "voc", "csv"],
    out: Path,
    beside: Beside = BoxOptions(),  # noqa: B008  it is frozen
    json: Switch = False,
) -> int:
    """Write annotations in another format; reading them back gives the same boxes and labels. Several files are joined.

    Parameters
    ----------
    files
        Annotations of any kind.
    to
        The format to write.
    out
        File, or folder for yolo and voc; must not exist.
    json
        Print what was written as one JSON object.
    """
    from glauke.jobs import boxes as jobs

    done, notes = jobs.convert(files, beside, to=to, out=out)
    if not json:
        for finding in notes:
            say(_line(finding))
        for text in done.notes:
            say(f"note: {printable(text)}")
    if json:
        show_json(
            {
                "out": str(out),
                "to": to,
                "images": done.pictures,
                "boxes": done.boxes,
                "notes": list(done.notes),
                "findings": [_as_dict(note) for note in notes],
            }
        )
    else:
        say(f"{amount(done.boxes, 'box', 'boxes')} in {amount(done.pictures, 'picture')}")
        show(str(out))
    return 0


def merge(*files: Path, out: Path, json: Switch = False) -> int:
    """Join several annotators' files into one VIA project; nothing is lost and every conflict is listed.

    Parameters
    ----------
    files
        Two or more files of annotations.
    out
        The project to write; must not exist.
    json
        Print counts and conflicts as one JSON object.
    """
    from glauke.jobs import boxes as jobs

    done = jobs.merge(files, out=out)
    conflicts = any(finding.severity != "note" for finding in done.findings)
    if json:
        show_json(
            {
                "out": str(out),
                "images": done.pictures,
                "regions": done.regions,
                "findings": [_as_dict(finding) for finding in done.findings],
            }
        )
    else:
        for finding in done.findings:
            say(_line(finding))
        say(
            f"{amount(done.regions, 'region')} in {amount(done.pictures, 'picture')}"
            + (", with conflicts" if conflicts else "")
        )
        show(str(out))
    return 0


def project(
    images: Path,
    /,
    *,
    labels: str,
    out: Path,
    at_least: int | None = None,
    json: Switch = False,
) -> int:
    """Write a VIA project of a folder of pictures, ready to open and annotate, after a look at the pictures.

    Parameters
    ----------
    images
        Folder with the pictures.
    labels
        The labels to choose from, in this spelling, separated by commas.
    out
        The project to write; must not exist.
    at_least
        How many pictures there should be.
    json
        Print counts and findings as one JSON object.
    """
    from glauke.jobs import boxes as jobs

    done = jobs.project(images, labels=split_labels(labels) or (), out=out, at_least=at_least)
    if json:
        show_json({"out": str(out), "images": done.pictures, "findings": [_as_dict(f) for f in done.findings]})
    else:
        for finding in done.findings:
            say(_line(finding))
        say(f"{amount(done.pictures, 'picture')}; open the project in VIA with Project > Load")
        show(str(out))
    return 0


def split_labels(text: str | None) -> tuple[str, ...] | None:
    """The names in a list that is separated by commas; None where none was given."""
    if text is None:
        return None
    labels = tuple(label.strip() for label in text.split(",") if label.strip())
    if not labels:
        raise UsageError(f"there is no label in {text!r}", place="--labels", fix="write --labels vest,boots")
    return labels


def _counts(annotations: "Annotations") -> dict[str, object]:
    occupied = len(set(annotations.image.tolist()))
    return {
        "kind": annotations.kind,
        "images": len(annotations.names),
        "images_without_regions": len(annotations.names) - occupied,
        "regions": annotations.num_boxes(),
        "shapes": annotations.shape_counts(),
        "class_attribute": annotations.class_attribute,
        "labels": annotations.label_counts(),
        "unlabelled": annotations.num_unlabelled(),
    }


def _as_dict(finding: "Finding") -> dict[str, object]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "image": finding.image,
        "region": finding.region,
        "message": finding.message,
        "fix": finding.fix,
    }


def _line(finding: "Finding") -> str:
    place = "" if finding.image is None else f"{printable(finding.image)}: "
    if finding.region is not None:
        place = f"{place[:-2]}, region {finding.region}: " if place else f"region {finding.region}: "
    fix = f"; {printable(finding.fix)}" if finding.fix else ""
    return f"{finding.severity}: {finding.rule}: {place}{printable(finding.message)}{fix}"
