"""The page of one file of annotations: how many clusters and which anchors, what is wrong, and what the boxes show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from glauke.boxes import DETECTORS, RESIZES, RULES, Anchors, Annotations, Clusters, Description, Finding, meant_for

from ._boxes_answer import SEVERITIES, answer
from ._boxes_captions import box_captions, centers, enumerated, ratio, ratio_words
from ._figures import figure
from ._html import Child, Markup, element, page, section, table
from ._photographs import photograph_grid, sheets_of_labels
from ._words import amount, count, percent, short

CAVEAT = (
    "Take it as a suggestion. The elbow “severely lacks theoretic support” (Schubert, “Stop using the elbow criterion "
    "for k-means”, arXiv 2212.12189): a smooth curve has no corner, and a longer axis moves the one that is drawn. The "
    "other numbers say how far it moves with the axis alone, not with other boxes: the true number may be none of them."
)
MAX_LISTED = 100  # findings of one rule, or boxes that no anchor covers, that are named on the page
SECTIONS = ("labels", "elbow", "ratios", "clusters", "anchors", "positions")  # figures that have a place


def boxes_page(
    annotations: Annotations,
    *,
    findings: Sequence[Finding],
    clusters: Clusters | None,
    description: Description,
    command: str,
    by_label: Mapping[str, Clusters] | None = None,
    anchors: Anchors | None = None,
    snippets: Mapping[str, str] | None = None,
    figures: Mapping[str, str] | None = None,
    photographs: Sequence[tuple[str, bytes]] = (),
    contact_sheets: Sequence[tuple[str, bytes]] = (),
    notes: Sequence[str] = (),
    plots: str | None = "plots",
) -> str:
    """One self-contained HTML document; the answer comes first, the file explained in words last.

    Args:
        annotations: What was read, with repairs.
        findings: Those of the check.
        clusters: None where there was nothing to cluster; `notes` should say why, as for `anchors`.
        description: The file in words.
        command: What was typed.
        by_label: Clusters of each label alone; those in `clusters` unless given.
        anchors: For one detector's input.
        snippets: Text to paste by the name of the detector.
        figures: SVG texts by name: "labels", "elbow", "ratios", "clusters", "anchors" and "positions" have their own
            places, others follow under their name.
        photographs: Caption and JPEG of pictures with their boxes.
        contact_sheets: Caption and JPEG of all boxes of one label each.
        notes: Said at the top: what is missing here, and why.
        plots: The folder beside the page with the figures' CSVs; None where there is none.

    Raises:
        DataError: a figure is not SVG, or a photograph not JPEG.
    """
    figures = figures or {}
    captions = box_captions(annotations, clusters=clusters, anchors=anchors)
    shown = {n: figure(svg, name=n, caption=captions.get(n, ""), folder=plots) for n, svg in figures.items()}
    alone = by_label if by_label is not None else {} if clusters is None else clusters.by_label
    title = annotations.path.name if annotations.path else description.file
    return page(
        f"Boxes of {title}" if title else "Boxes",
        _headline(annotations, title, description),
        answer(annotations, clusters, anchors, findings),
        element("ul", [element("li", note) for note in notes], class_="status") if notes else None,
        section("Problems in the file", _findings(findings)),
        section("Labels", shown.get("labels"), _labels(annotations, alone), _notes(clusters)),
        section("How many clusters", shown.get("elbow"), _curve(clusters)),
        section("Shapes", shown.get("ratios"), _clusters(clusters)),
        section("Widths and heights", shown.get("clusters")),
        section("Anchors", shown.get("anchors"), _anchors(anchors), _snippets(snippets or {}, anchors)),
        section("Where in the picture", shown.get("positions")),
        [section(n.replace("_", " ").capitalize(), shown[n]) for n in figures if n not in SECTIONS],
        section("Pictures with their boxes", _choice(photographs), photograph_grid(photographs)),
        section("Every label side by side", sheets_of_labels(contact_sheets, labels=_num_labels(annotations))),
        section("The file in words", _description(description)),
        element("footer", "Written by glauke with ", element("code", command)),
    )


def _choice(photographs: Sequence[object]) -> Markup | None:
    """How `photographs` of glauke.boxes.plots chooses."""
    if not photographs:
        return None
    most = (len(photographs) + 1) // 2
    rest = " and the first others of the file" if len(photographs) > 1 else ""
    return element("p", f"The {amount(most, 'picture')} with the most boxes{rest}, of those that can be read.")


def _num_labels(annotations: Annotations) -> int:
    """Labels that some box has."""
    return sum(n > 0 for n in annotations.label_counts().values())


def _headline(annotations: Annotations, title: str, description: Description) -> Markup:
    heading: Child = ["Boxes of ", element("bdi", title)] if title else "Boxes"
    attribute = annotations.class_attribute
    labelled = ["; labels are its attribute ", element("bdi", attribute)] if attribute else None
    return element(
        "header", element("h1", heading), element("p", f"A file of kind {description.kind}", labelled, class_="run")
    )


def _findings(findings: Sequence[Finding]) -> list[Child]:
    rank = {severity: place for place, severity in enumerate(SEVERITIES)}
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: rank.get(finding.severity, len(rank))):
        groups.setdefault((finding.severity, finding.rule), []).append(finding)
    if not groups:
        return [element("p", "The check found none.")]
    rows = [(s, _problem(rule), count(len(g)), _finding(g[0])) for (s, rule), g in groups.items()]
    return [
        table(rows, caption="Problems in the file", header=["Severity", "Problem", "Times", "The first"]),
        [_all_of(severity, rule, group) for (severity, rule), group in groups.items() if len(group) > 1],
    ]


def _problem(rule: str) -> list[Child]:
    return [element("code", rule), f": {RULES[rule]}" if rule in RULES else None]


def _all_of(severity: str, rule: str, group: Sequence[Finding]) -> Markup:
    more = len(group) - MAX_LISTED
    return element(
        "details",
        element("summary", f"{severity}: {rule}, {count(len(group))} times"),
        element("ul", [element("li", _finding(finding)) for finding in group[:MAX_LISTED]]),
        element("p", f"and {count(more)} more") if more > 0 else None,
    )


def _finding(finding: Finding) -> list[Child]:
    said: list[Child] = []
    if finding.image is not None:
        region = "" if finding.region is None else f", region {finding.region}"
        said += [element("bdi", finding.image), f"{region}: "]
    end = "" if finding.message.endswith(".") else "."
    return [*said, finding.message, f"{end} Fix: {finding.fix}" if finding.fix else None]


def _labels(annotations: Annotations, alone: Mapping[str, Clusters]) -> list[Child]:
    total = annotations.num_boxes()
    rows: list[list[Child]] = []
    for label, n in annotations.label_counts().items():
        row: list[Child] = [element("bdi", label), count(n), percent(n / total, digits=1) if total else "–"]
        if alone:
            own = alone.get(label)
            row += ["–", "–"] if own is None else [_read(own), _centers_with_boxes(own)]
        rows.append(row)
    if unlabelled := annotations.num_unlabelled():
        rows.append(["(no label)", count(unlabelled), percent(unlabelled / total, digits=1), *["–"] * 2 * bool(alone)])
    header = ["Label", "Boxes", "Share", *(["Clusters", "Centres (boxes)"] if alone else [])]
    if not rows:
        return []
    shown = table(rows, caption="Labels", header=header, numeric=not alone)
    if len(rows) > MAX_LISTED:
        return [element("details", element("summary", f"{count(len(rows))} labels"), shown)]
    return [shown]


def _notes(clusters: Clusters | None) -> Markup | None:
    notes = clusters.notes if clusters is not None else ()
    return element("ul", [element("li", note) for note in notes]) if notes else None


def _read(clusters: Clusters) -> str:
    """How many, and how many other ranges of the curve give."""
    others = sorted(set(clusters.elbow.by_range.values()) - {clusters.elbow.suggested_k})
    return f"{clusters.elbow.suggested_k}" + (f" ({enumerated(list(map(str, others)), last='or')})" if others else "")


def _centers_with_boxes(clusters: Clusters) -> str:
    both = zip(centers(clusters), clusters.counts.tolist(), strict=True)
    return ", ".join(f"{center}\N{NO-BREAK SPACE}({count(n)})" for center, n in both)


def _curve(clusters: Clusters | None) -> Child:
    if clusters is None:
        return None
    header = ["Clusters", "Inertia", "Mean IoU", "Gain", "Silhouette"]
    rows = [
        (str(p.k), short(p.inertia), *("–" if v is None else f"{v:.4f}" for v in (p.mean_iou, p.gain, p.silhouette)))
        for p in clusters.curve
    ]
    known = [i for i in range(5) if any(row[i] != "–" for row in rows)]
    shown = table(
        [[row[i] for i in known] for row in rows],
        caption="The curve in numbers",
        header=[header[i] for i in known],
        numeric=True,
    )
    by_range = "; ".join(_ranges(clusters.elbow.by_range))
    return [
        element("p", CAVEAT) if by_range else None,
        element("p", f"Where the elbow lies, by how far the curve is drawn: {by_range}.") if by_range else None,
        element("details", element("summary", "The curve in numbers"), shown),
    ]


def _ranges(by_range: Mapping[int, int]) -> Iterator[str]:
    """Neighbours with the same elbow in one."""
    for k, run in groupby(by_range.items(), key=lambda pair: pair[1]):
        ends = [last for last, _ in run]
        yield f"at {k} for curves to {ends[0]}" + (f" … {ends[-1]} clusters" if len(ends) > 1 else " clusters")


def _clusters(clusters: Clusters | None) -> Child:
    if clusters is None:
        return None
    header, columns = ["Centre", "Boxes", "Share"], [centers(clusters), clusters.counts.tolist()]
    rows = [[center, count(n), percent(n / clusters.boxes, digits=1)] for center, n in zip(*columns, strict=True)]
    if clusters.borders is not None:
        header.append("From width / height of")
        borders = [ratio_words(ratio(clusters, border)) for border in clusters.borders.tolist()]
        rows = [[*row, border] for row, border in zip(rows, ["the smallest", *borders], strict=True)]
    how = f"No other division into {clusters.k} has a smaller inertia"
    how = how if clusters.exact else "These are the best that several starts have found"
    left = f"; {amount(clusters.left_out, 'region')} without a shape left out" if clusters.left_out else ""
    return [table(rows, caption="Clusters", header=header, numeric=True), element("p", f"{how}{left}.")]


def _anchors(anchors: Anchors | None) -> Child:
    if anchors is None:
        return None
    sizes = zip(anchors.sizes.tolist(), anchors.counts.tolist(), strict=True)
    rows = [(str(i), f"{w:.1f}", f"{h:.1f}", count(n)) for i, ((w, h), n) in enumerate(sizes, start=1)]
    fits = [
        (element("bdi", label), count(fit.boxes), f"{fit.mean_iou:.3f}", percent(fit.recall, digits=1))
        for label, fit in anchors.by_label.items()
    ]
    worst, best = anchors.spread
    return [
        table(rows, caption="Anchors", header=["Anchor", "Width, px", "Height, px", "Boxes"], numeric=True),
        element("p", f"One start of the search alone gives a mean IoU between {worst:.3f} and {best:.3f}."),
        _other_numbers(anchors),
        _by_label(fits),
        _uncovered(anchors),
    ]


def _other_numbers(anchors: Anchors) -> list[Child]:
    """What fewer and more anchors would give."""
    if len(anchors.iou_by_count) < 2:
        return []
    before = None
    rows = []
    for number, overlap in anchors.iou_by_count:
        asked = " (these)" if number == len(anchors) else ""
        rows.append((f"{number}{asked}", f"{overlap:.3f}", "–" if before is None else f"{overlap - before:+.3f}"))
        before = overlap
    return [
        element("h3", "Fewer or more anchors"),
        table(rows, caption="Mean IoU by number of anchors", header=["Anchors", "Mean IoU", "Gain"], numeric=True),
        element(
            "p",
            "On the boxes that they are made from, where more anchors always fit better. A detector has its own number "
            "(YOLOv2 5, YOLOv3 to v7 9, the tiny ones 6), and pays for each in every cell of its grid.",
        ),
    ]


def _by_label(fits: Sequence[Sequence[Child]]) -> list[Child]:
    if not fits:
        return []
    return [
        element("h3", "Fit by label"),
        table(fits, caption="Fit by label", header=["Label", "Boxes", "Mean IoU", "Covered"], numeric=True),
        element("p", "Covered: no side is four times that of the nearest anchor, nor a quarter, YOLOv5's rule."),
    ]


def _uncovered(anchors: Anchors) -> Markup | None:
    if not anchors.num_uncovered:
        return None
    rows = [
        (element("bdi", box.image), str(box.region), box.label or "–", f"{box.width:.1f} × {box.height:.1f}")
        for box in anchors.uncovered[:MAX_LISTED]
    ]
    header = ["Picture", "Region", "Label", "Width × height, px"]
    more = anchors.num_uncovered - len(rows)
    return element(
        "details",
        element("summary", f"{amount(anchors.num_uncovered, 'box', 'boxes')} that no anchor covers, worst first"),
        table(rows, caption="Boxes that no anchor covers", header=header),
        element("p", f"and {count(more)} more") if more > 0 else None,
    )


def _snippets(snippets: Mapping[str, str], anchors: Anchors | None) -> list[Child]:
    if not snippets:
        return []
    texts = [
        element(
            "details",
            element("summary", name, element("small", f" – {meant_for(name)}") if name in DETECTORS else None),
            element("pre", element("code", text), tabindex="0"),
        )
        for name, text in snippets.items()
    ]
    why = (
        "Detectors bring pictures to their input size in different ways, and boxes with them, so each has anchors of "
        "its own."
    )
    if anchors is not None:
        why += f" In those above {RESIZES[anchors.resize]}."
    return [element("h3", "To paste into a detector's configuration"), element("p", why), texts]


def _description(description: Description) -> Markup | None:
    sections: list[Child] = []
    for part in description.sections:
        blocks: list[Child] = []
        for block in part.blocks:
            if isinstance(block, str):
                blocks.append(element("p", block))
            else:
                rest = set(range(1, len(block.columns)))
                numeric = bool(rest) and rest <= set(block.numeric)
                blocks.append(table(block.rows, caption=part.title, header=block.columns, numeric=numeric))
        sections.append([element("h3", part.title), blocks])
    if not sections:
        return None
    return element("details", element("summary", "What this file is and how it is written"), sections)
