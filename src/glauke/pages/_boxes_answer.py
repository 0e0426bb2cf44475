"""What most readers of a page of boxes want to know: how many clusters, which anchors, and how far to trust both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from glauke.boxes import Anchors, Annotations, Clusters, Finding

from ._boxes_captions import FEATURES, RESIZED, centers, enumerated
from ._html import Child, Markup, element
from ._words import amount, count, percent

SEVERITIES = ("error", "warning", "note")


def answer(
    annotations: Annotations, clusters: Clusters | None, anchors: Anchors | None, findings: Sequence[Finding]
) -> list[Markup]:
    """The answer, a sentence for each part of it, and right below it what speaks against it."""
    doubts = [
        *(clusters.doubts if clusters is not None else ()),
        *(anchors.notes if anchors is not None else ()),
    ]
    said = [
        _boxes(annotations),
        None if clusters is None else _clusters(clusters),
        None if anchors is None else _anchors(anchors),
        None if clusters is None or anchors is None else _both(clusters, anchors),
        [element("strong", "Check: "), verdict(findings)],
    ]
    shown = [element("div", [element("p", part) for part in said if part], class_="lead")]
    if doubts:
        shown.append(element("p", "What to keep in mind:"))
        shown.append(element("ul", [element("li", _sentence(doubt)) for doubt in doubts], class_="status"))
    return shown


def verdict(findings: Sequence[Finding]) -> str:
    """How many findings there are of each kind."""
    times = Counter(finding.severity for finding in findings)
    told = [amount(times[severity], severity) for severity in SEVERITIES if times[severity]]
    if not told:
        return "nothing is wrong with the file as far as it can see."
    return f"it has {enumerated(told)}."


def _boxes(annotations: Annotations) -> list[Child]:
    """How many boxes, and how many of them and of the pictures have no part in the rest."""
    labels = sum(n > 0 for n in annotations.label_counts().values())
    boxes = annotations.num_boxes()
    said: list[Child] = [
        element("strong", amount(boxes, "box", "boxes")),
        f" of {amount(labels, 'label')}" if labels else " without labels" if boxes else "",
    ]
    if annotations.kind != "table":
        pictures, filled = len(annotations.names), len(np.unique(annotations.image))
        of = count(filled) + " of " if 0 < filled < pictures else ""
        said.append(f" in {of}{amount(pictures, 'picture')}")
    empty = len(annotations) - int(annotations.encloses.sum())
    if empty:
        said.append(f"; {count(empty)} of them {'encloses' if empty == 1 else 'enclose'} nothing and have no say below")
    return [*said, "."]


def _clusters(clusters: Clusters) -> list[Child]:
    found, _, why = clusters.elbow.reason.partition(": ")
    said: list[Child] = [
        f"Clusters of {FEATURES.get(clusters.feature, clusters.feature)}: ",
        element("strong", found),
        f". {_sentence(why)}" if why else ".",
    ]
    if clusters.k != clusters.elbow.suggested_k:
        said.append(f" {clusters.k} were asked for and are shown here.")
    told = [
        f"{center} ({amount(n, 'box', 'boxes')})"
        for center, n in zip(centers(clusters), clusters.counts.tolist(), strict=True)
    ]
    return [*said, f" {'The centre is' if clusters.k == 1 else 'Their centres are'} {enumerated(told)}."]


def _anchors(anchors: Anchors) -> list[Child]:
    """The sizes themselves, and how well they fit: on these boxes, on others, and where they do not."""
    width, height = anchors.input_size
    # No line breaks within a size.
    sizes = enumerated([f"{w:.0f}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{h:.0f}" for w, h in anchors.sizes.tolist()])
    held_out = anchors.mean_iou_held_out
    badly = f"{percent(anchors.below_half, digits=1)} of the boxes fit" if anchors.below_half else "No box fits"
    return [
        f"{'Anchor' if len(anchors) == 1 else 'Anchors'} for {width} × {height} px, {RESIZED[anchors.resize]}: ",
        element("strong", sizes),
        f" px. On the boxes that they are made from, mean IoU is {anchors.mean_iou:.3f}; ",
        "there are too few pictures to hold some out"
        if held_out is None
        else f"on pictures that had no part in the search {held_out:.3f}",
        f". {badly} badly, with an IoU below 0.5 with {'the' if len(anchors) == 1 else 'every'} anchor.",
    ]


def _both(clusters: Clusters, anchors: Anchors) -> str:
    """Why the two numbers differ."""
    if clusters.borders is None:
        return (
            "Clusters are sizes in parts of the picture, as many as the curve suggests; anchors are sizes in pixels of "
            f"the input, as many as were asked for: {len(anchors)}."
        )
    more = f", so that it takes more of them ({len(anchors)} against {clusters.k})" if len(anchors) > clusters.k else ""
    choice = " How many is yours to choose: a table below has what fewer and more would give."
    return (
        f"The clusters tell shapes apart whatever their size; an anchor is a shape of one size{more}."
        f"{choice if len(anchors.iou_by_count) > 1 else ''}"
    )


def _sentence(text: str) -> str:
    """Begun with a capital and ended with a full stop; a quotation at its beginning stays as it is."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?", "!")) else ".")
