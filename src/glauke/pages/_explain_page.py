"""The page of an explained run: how often it is right, what it confuses, how far to believe it, and where it errs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glauke.insight import Calibration, ClassScore, ConfusedPair, Explanation
from glauke.runs import RunRecord

from ._explain_galleries import Looked, galleries
from ._figures import figure
from ._html import Child, Markup, element, isolated, page, section, table
from ._words import amount, count, percent

MOST_PAIRS, MOST_CLASSES = 15, 15
SLIGHT = 0.01  # of the accuracy; a gap below is called none, however many pictures show it


def explain_page(
    record: RunRecord,
    explanation: Explanation,
    *,
    weights: str = "final",
    pictures: Mapping[int, bytes] | None = None,
    looked: Looked | None = None,
    figures: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    shown: int = 24,
    notes: Sequence[str] = (),
    command: str = "",
) -> str:
    """One self-contained HTML document; the answer comes first.

    Args:
        record: Of the run.
        explanation: All that was found in the predictions.
        weights: "final" or "best".
        pictures: PNG or JPEG by index in the pack; a picture that is not here is named without being shown.
        looked: Grad-CAM of some mistakes.
        figures: SVG texts: "confusion", "per_class" and "calibration" have their places, others follow.
        files: What lies beside the page, by name, and what it holds.
        shown: Mistakes in each gallery.
        notes: Said at the top.
        command: What was typed.

    Raises:
        DataError: a figure is not SVG, or a picture neither PNG nor JPEG.
    """
    captions = _captions(explanation)
    drawn = {n: figure(svg, name=n, caption=captions.get(n, ""), folder=".") for n, svg in (figures or {}).items()}
    names = explanation.predictions.readable
    return page(
        f"Errors of {record.model} on {record.data.name}: {record.name}",
        _headline(record, weights),
        _answer(explanation, names),
        element("ul", [element("li", note) for note in notes], class_="status") if notes else None,
        section("What it confuses", _pairs(explanation, names), drawn.get("confusion")),
        section("Class by class", drawn.get("per_class"), _classes(explanation.scores, names)),
        section("How sure it is, and how right", drawn.get("calibration"), _calibration(explanation)),
        [section(n.replace("_", " ").capitalize(), made) for n, made in drawn.items() if n not in captions],
        [
            section(heading, *content)
            for heading, content in galleries(explanation, pictures=pictures or {}, looked=looked, shown=shown)
        ],
        section("Files", _files(files or {})),
        element("footer", "Written by glauke with ", element("code", command)) if command else None,
    )


def _headline(record: RunRecord, weights: str) -> Markup:
    after = record.best if weights == "best" else record.final
    when = f" after epoch {after.epoch}" if after is not None else ""
    split = f"held-out pictures of the {record.split.kind} split, split seed {record.split.seed}"
    return element(
        "header",
        element("h1", "What ", isolated(record.model), " gets wrong on ", isolated(record.data.name)),
        element("p", "Run ", isolated(record.name), f", its {weights} weights{when}, on the {split}", class_="run"),
    )


def _answer(explanation: Explanation, names: Sequence[str]) -> Markup:
    """All that most readers want to know, in one paragraph."""
    said, (low, high) = explanation.predictions, explanation.interval
    told: list[Child] = [
        element("strong", percent(said.accuracy())),
        f" of {amount(len(said), 'held-out picture')} are recognised (95% interval {percent(low)} to {percent(high)})",
    ]
    if len(names) > 5:
        told.append(f"; {percent(said.accuracy(top=5))} have their class among the first five")
    told.append(". ")
    if explanation.pairs:
        pair = explanation.pairs[0]
        told += ["It confuses ", isolated(names[pair.first]), " with ", isolated(names[pair.second])]
        others = sum(other.count == pair.count for other in explanation.pairs) - 1
        often = f", and {amount(others, 'other pair')} as often" if others else ""
        told.append(f" most often ({amount(pair.count, 'picture')}, both ways together){often}. ")
    else:
        told.append("It confuses nothing. ")
    return element("p", told, _sureness(explanation), _suspicion(explanation), class_="lead")


def _sureness(explanation: Explanation) -> str:
    found = explanation.calibration
    if found is None:
        return ""
    said, right = float(explanation.predictions.confidence.mean()), explanation.predictions.accuracy()
    if not found.gap_shown:
        verdict = f"no further apart than chance can put them for {amount(len(explanation.predictions), 'picture')}"
    elif abs(found.gap) < SLIGHT:
        verdict = "on average it is as right as it says"
    else:
        verdict = "it is too sure of itself" if found.gap > 0 else "it is less sure than it might be"
    return (
        f"Its confidence is {percent(said, digits=1)} on average, its accuracy {percent(right, digits=1)}: {verdict} "
        f"(calibration error {found.ece:.3f}, where one of {found.ece_by_chance:.3f} would come by chance alone). "
        f"{_scaling(found)} "
    )


def _scaling(found: Calibration) -> str:
    """What a temperature does for the network, and that it does nothing where it does not."""
    if not found.fits:
        return "No temperature mends it: the loss falls all the way to the temperature's limit."
    if not found.helps:
        return "A temperature does not mend it: fitted on one half of the pictures it does not help on the other."
    despite = ""
    if found.gap_shown and abs(found.gap) >= SLIGHT and (found.gap > 0) == (found.temperature < 1):
        more = "more" if found.temperature < 1 else "less"
        despite = f", though it makes every answer {more} sure: the error is not the same at all confidences"
    return f"Temperature {found.temperature:.2f} lowers the error to {found.ece_scaled:.3f}{despite}."


def _suspicion(explanation: Explanation) -> str:
    total = explanation.suspects.total
    if not explanation.judges_labels:
        look = "looks" if total == 1 else "look"
        though = f", though {amount(total, 'label')} {look} wrong to it" if total else ""
        return f"It errs too often to judge labels{though}."
    if not total:
        return "No label looks wrong."
    return f"{amount(total, 'label')} may be wrong and {'is' if total == 1 else 'are'} worth a look."


def _captions(explanation: Explanation) -> dict[str, str]:
    """What each figure shows, in words."""
    said, found = explanation.predictions, explanation.calibration
    wrong = len(explanation.mistakes)
    recalls = [score.recall for score in explanation.scores if score.recall is not None]
    captions = {
        "confusion": (
            f"Every row is a class, every column what its pictures are called; {count(wrong)} of {count(len(said))} "
            "pictures lie off the diagonal. Classes that are taken for each other stand side by side, so groups of "
            "them show as squares; the stronger a cell's colour, the larger its share of the row."
        ),
        "per_class": (
            "Recall is the share of a class's pictures that are recognised, precision the share of the pictures called "
            f"so that are of it. Recall goes from {percent(min(recalls), digits=1)} to "
            f"{percent(max(recalls), digits=1)}."
        ),
    }
    if found is not None:
        captions["calibration"] = (
            "On the dotted line a network is right as often as it says. A hollow marker has fewer than 20 pictures. "
            f"Expected calibration error {found.ece:.4f} as it is, {found.ece_scaled:.4f} scaled, each half of the "
            f"pictures by the temperature of the other half; {found.ece_by_chance:.4f} is the mean for as many "
            "pictures of a network that is right exactly as often as it says."
        )
    return captions


def _pairs(explanation: Explanation, names: Sequence[str]) -> list[Child]:
    shown, total = explanation.pairs[:MOST_PAIRS], len(explanation.pairs)
    if not shown:
        return [element("p", "No picture is taken for another class.")]
    header = ["A, B", "A called B", "Share", "B called A", "Share"]
    rows = [_pair(pair, names) for pair in shown]
    more = f"The {len(shown)} most confused of {count(total)} pairs of classes; all" if total > len(shown) else "All"
    return [
        table(rows, caption="Most confused pairs", header=header, numeric=True),
        element("p", f"{more} are in ", _link("confused_pairs.csv"), "."),
    ]


def _pair(pair: ConfusedPair, names: Sequence[str]) -> list[Child]:
    return [
        [isolated(names[pair.first]), ", ", isolated(names[pair.second])],
        count(pair.first_as_second),
        percent(pair.first_share, digits=1),
        count(pair.second_as_first),
        percent(pair.second_share, digits=1),
    ]


def _classes(scores: Sequence[ClassScore], names: Sequence[str]) -> list[Child]:
    judged = sorted((s for s in scores if s.recall is not None), key=lambda s: (s.recall or 0, s.f1 or 0, s.index))
    link = element("p", "Every class is in ", _link("per_class.csv"), ".")
    if len(judged) <= 2 * MOST_CLASSES:
        return [_scores(judged, names, caption="Every class, lowest recall first"), link]
    return [
        element("h3", f"The {MOST_CLASSES} with the lowest recall"),
        _scores(judged[:MOST_CLASSES], names, caption="Classes with the lowest recall"),
        element("h3", f"The {MOST_CLASSES} with the highest recall"),
        _scores(judged[: -MOST_CLASSES - 1 : -1], names, caption="Classes with the highest recall"),
        link,
    ]


def _scores(scores: Sequence[ClassScore], names: Sequence[str], *, caption: str) -> Markup:
    rows = [
        [
            isolated(score.name),
            count(score.count),
            percent(score.recall, digits=1),
            percent(score.precision, digits=1),
            percent(score.f1, digits=1),
            "–"
            if score.taken_for is None
            else [isolated(names[score.taken_for]), f" ({count(score.taken_for_count)})"],
        ]
        for score in scores
    ]
    header = ["Class", "Pictures", "Recall", "Precision", "F1", "Most often taken for"]
    return table(rows, caption=caption, header=header, numeric=True)


def _calibration(explanation: Explanation) -> Child:
    found = explanation.calibration
    if found is None:
        return element("p", "One picture says nothing about how far confidence can be believed.")
    rows = [
        ["As it is", "1", f"{found.ece:.4f}", f"{found.nll:.4f}"],
        [
            "Each half scaled by the other's",
            " and ".join(f"{temperature:.3f}" for temperature in found.fold_temperatures),
            f"{found.ece_scaled:.4f}",
            f"{found.nll_scaled:.4f}",
        ],
    ]
    to_use = (
        f"Fitted on all pictures the temperature is {found.temperature:.3f}, the one to use: dividing the logits by it "
        "changes no prediction, only how sure each one sounds."
        if found.helps
        else _scaling(found)
    )
    header = ["Probabilities", "Temperature", "Calibration error", "Loss, nats"]
    return [
        table(rows, caption="Before and after temperature scaling", header=header, numeric=True),
        element(
            "p",
            f"{to_use} A network that is right exactly as often as it says would have a calibration error of "
            f"{found.ece_by_chance:.4f} on average of {amount(len(explanation.predictions), 'picture')}, by chance "
            "alone; only what lies well above that speaks against this one.",
        ),
    ]


def _files(files: Mapping[str, str]) -> Markup | None:
    if not files:
        return None
    return table([[_link(name), told] for name, told in files.items()], caption="Files", header=["File", "Holds"])


def _link(name: str) -> Markup:
    return element("a", name, href=name)
