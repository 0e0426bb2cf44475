"""The page of one training run: what came out, how, with what, and where the time went."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from glauke.runs import EpochRow, RangeCurve, RunRecord, Score, flattened

from ._figures import figure, plot_captions
from ._html import Child, Markup, element, isolated, page, section, table
from ._words import arithmetic, bytes_of, count, duration, fixed, percent, setting, short

HEADINGS = {
    "curves": "How it learned",
    "range_test": "How the learning rate was found",
    "schedule": "How the rate was spent",
    "time": "Where the time went",
}
PARTS = {
    "data": "waiting for batches",
    "train": "forward and backward",
    "optimizer": "the optimizer's step",
    "eval": "held-out pictures",
    "write": "checkpoints and tables",
}
"""Names of the parts of the time that do not explain themselves."""
SEVERITIES = ("error", "warning", "note")
MANY = 4  # findings of one rule that are folded into one line
MAX_FILES = 200  # named on the page for one finding; the message has their number


@runtime_checkable
class DataFinding(Protocol):
    """Something that was found in the pictures; `glauke.images.Finding` is one."""

    @property
    def rule(self) -> str:
        """Short name of what was looked for."""
        ...

    @property
    def severity(self) -> str:
        """One of "error", "warning" and "note"."""
        ...

    @property
    def files(self) -> tuple[str, ...]:
        """The pictures concerned."""
        ...

    @property
    def message(self) -> str:
        """What was found, as a sentence."""
        ...


def run_page(
    record: RunRecord,
    *,
    rows: Sequence[EpochRow] = (),
    range_test: RangeCurve | None = None,
    figures: Mapping[str, str] | None = None,
    findings: Sequence[DataFinding] = (),
    notes: Sequence[str] = (),
) -> str:
    """One self-contained HTML document; it belongs beside the run's `plots` folder and its `metrics.csv`.

    `figures` are SVG texts by name: "curves", "range_test", "schedule" and "time" have their own sections,
    others follow under their name. `notes` are added to the record's own.

    Raises:
        DataError: a figure is not SVG.
    """
    figures = figures or {}
    captions = plot_captions(record, rows=rows, range_test=range_test)
    shown = {name: figure(svg, name=name, caption=captions.get(name, "")) for name, svg in figures.items()}
    others = [name for name in figures if name not in HEADINGS]
    return page(
        f"{record.model} on {record.data.name}: {record.name}",
        _headline(record),
        section("Key figures", _key_figures(record, rows)),
        section(HEADINGS["curves"], shown.get("curves"), _epochs(rows)),
        section(HEADINGS["range_test"], shown.get("range_test"), _suggestions(record, range_test)),
        section(HEADINGS["schedule"], shown.get("schedule")),
        section(HEADINGS["time"], shown.get("time"), _time(record)),
        [section(name.replace("_", " ").capitalize(), shown[name]) for name in others],
        section("Configuration", _configuration(record)),
        section("Data and split", _data(record)),
        section("What was found in the data", _findings(findings)),
        section("Environment", _environment(record)),
        section("Notes", _list([*record.notes, *notes])),
        _footer(record),
    )


def _list(items: Sequence[Child]) -> Markup | None:
    return element("ul", [element("li", item) for item in items]) if items else None


def _code(text: str | None) -> Child:
    return element("code", text) if text else "none"


def _headline(record: RunRecord) -> Markup:
    return element(
        "header",
        element("h1", isolated(record.model), " on ", isolated(record.data.name)),
        element("p", "Run ", isolated(record.name), class_="run"),
        _status(record),
        _lead(record),
    )


def _status(record: RunRecord) -> Markup | None:
    if record.status == "done":
        return None
    words = {
        "running": "This run had not ended when the page was written",
        "interrupted": "This run was interrupted; it can be resumed",
        "failed": "This run failed",
        "stopped": "This run was stopped before its planned end",
    }[record.status]
    return element("p", words, f": {record.stopped_reason}" if record.stopped_reason else ".", class_="status")


def _lead(record: RunRecord) -> Markup:
    split = f"{record.split.kind} split, split seed {record.split.seed}"
    if record.final is None:
        return element("p", f"No final result yet; {count(record.split.val)} pictures are held out ({split}).")
    final = record.final
    if math.isnan(final.val_accuracy):
        numbers = ", ".join(f"{name} {value}" for name, value in _measured(final))
        return element("p", element("strong", numbers), f" after epoch {final.epoch}.", class_="lead")
    return element(
        "p",
        element("strong", percent(final.val_accuracy)),
        f" of {count(final.val_pictures)} held-out pictures right after epoch {final.epoch} ({split}), ",
        f"in {duration(record.seconds)} on {record.hardware.gpu or record.hardware.cpu}.",
        class_="lead",
    )


def _key_figures(record: RunRecord, rows: Sequence[EpochRow]) -> Markup:
    facts: list[tuple[str, Child]] = []
    if record.final and math.isnan(record.final.val_accuracy):
        facts += [(f"After the last epoch: {name}", value) for name, value in _measured(record.final)]
        best = [] if record.best is None else _measured(record.best)
        facts += [(f"After the best epoch: {name}", value) for name, value in best]
    elif record.final:
        facts.append(("Held-out accuracy", _score(record.final, split=record.split.kind)))
        if record.final.val_top5 is not None:
            facts.append(("Held-out top-5 accuracy", percent(record.final.val_top5)))
        facts.append(("Held-out loss", short(record.final.val_loss)))
    if record.best and not math.isnan(record.best.val_accuracy):
        facts.append(("Best epoch", _score(record.best, split=record.split.kind)))
    if rows and rows[-1].train_accuracy is not None:
        seen = f"{percent(rows[-1].train_accuracy)} while training in epoch {rows[-1].epoch} of {record.epochs}"
        facts.append(("Training accuracy", seen))
    peak = short(record.max_lr) + (f" ({record.max_lr_rule})" if record.max_lr_rule else "")
    facts += [
        ("Peak learning rate", peak if record.max_lr is not None else "not chosen yet"),
        ("Parameters", count(record.parameters)),
        ("Time", duration(record.seconds)),
    ]
    if record.images_per_second is not None:
        facts.append(("Training speed", f"{count(round(record.images_per_second))} pictures per second"))
    if record.peak_memory_mib is not None:
        facts.append(("Peak memory", bytes_of(record.peak_memory_mib)))
    if record.resumed_from_steps:
        facts.append(("Resumed from step", ", ".join(map(count, record.resumed_from_steps))))
    return table(facts, caption="Key figures")


def _measured(score: Score) -> list[tuple[str, str]]:
    """The metrics of a program's own step, which measures no accuracy."""
    own = [(name, value) for name, value in score.extra.items() if isinstance(value, int | float)]
    return [(name.replace("_", " "), short(value)) for name, value in [("val_loss", score.val_loss), *own]]


def _score(score: Score, *, split: str) -> str:
    return (
        f"{percent(score.val_accuracy)} of {count(score.val_pictures)} pictures ({split} split) "
        f"after epoch {score.epoch}"
    )


def _epochs(rows: Sequence[EpochRow]) -> Markup | None:
    if not rows:
        return None
    header = ["Epoch", "Rate", "Training", "Loss", "Held-out", "Loss", "Pictures", "Seconds"]
    cells = [
        [
            str(row.epoch),
            short(row.lr),
            percent(row.train_accuracy),
            fixed(row.train_loss),
            percent(row.val_accuracy),
            fixed(row.val_loss),
            count(row.val_pictures),
            f"{row.seconds:.1f}",
        ]
        for row in rows
    ]
    link = element("p", element("a", "metrics.csv", href="metrics.csv"), " has every digit.")
    shown = table(cells, caption="Every epoch", header=header, numeric=True)
    return element("details", element("summary", f"Every epoch in numbers ({len(rows)})"), shown, link)


def _suggestions(record: RunRecord, range_test: RangeCurve | None) -> Child:
    used = None
    if record.max_lr is not None:
        by = f" by the rule “{record.max_lr_rule}”" if record.max_lr_rule not in (None, "given") else ""
        reason = f": {record.max_lr_reason.rstrip('.')}." if record.max_lr_reason else "."
        used = element("p", element("strong", f"Used: {short(record.max_lr)}"), f"{by}{reason}")
    found = [] if range_test is None else range_test.suggestions().values()
    rates = [(s.rule, short(s.rate) if s.rate is not None else "no suggestion", s.estimates, s.reason) for s in found]
    header = ["Rule", "Rate", "Good for", "Why"]
    return [used, table(rates, caption="Suggested learning rates", header=header) if rates else None]


def _time(record: RunRecord) -> list[Child]:
    if not record.seconds_by_part:
        return []
    whole = record.seconds or sum(record.seconds_by_part.values()) or 1.0
    names = PARTS if "optimizer" in record.seconds_by_part else {}  # earlier versions counted it to the training
    parts = [
        (names.get(part, part.replace("_", " ")), f"{seconds:,.1f}", percent(seconds / whole, digits=1))
        for part, seconds in record.seconds_by_part.items()
    ]
    header = ["Part", "Seconds", "Share"]
    rest = "other is the rest of the wall clock, such as loading the libraries and making the network."
    return [
        _speed(record),
        table(parts, caption="Seconds by part of the run", header=header, numeric=True),
        element("p", rest) if "other" in record.seconds_by_part else None,
    ]


def _speed(record: RunRecord) -> Markup | None:
    """How near the run came to what its machine can do."""
    facts = record.extra.get("speed")
    known = facts if isinstance(facts, Mapping) else {}
    gflops, limit = known.get("gflops"), known.get("matrix_gflops")
    if not (isinstance(gflops, int | float) and isinstance(limit, int | float) and gflops > 0 and limit > 0):
        return None
    reached = f"Trained at {arithmetic(gflops, of=limit)} that a matrix product reaches here in {record.precision}"
    return element("p", f"{reached} ({percent(gflops / limit, digits=0)}), the making of batches included.")


def _configuration(record: RunRecord) -> list[Child]:
    fields = [
        ("Model", f"{record.model}, stem {record.stem}"),
        (
            "Epochs",
            f"{record.epochs}, each of {count(record.steps_per_epoch)} steps; {count(record.steps)} steps in all",
        ),
        ("Seed", str(record.seed)),
    ]
    recipe = [(name, setting(value)) for name, value in flattened(record.recipe)]
    return [
        element("p", "The exact command:"),
        element("pre", element("code", record.command), tabindex="0"),
        table(fields, caption="The run"),
        element("h3", "Recipe") if recipe else None,
        table(recipe, caption="Every field of the recipe") if recipe else None,
    ]


def _data(record: RunRecord) -> Markup:
    data, split = record.data, record.split
    if not data.size:  # a program's own loaders, of which nobody knows more
        examples = [("Trained on", f"{count(split.train)} examples"), ("Held out", f"{count(split.val)} examples")]
        return table([("Data", isolated(data.name)), *examples], caption="Data and split")
    facts: list[tuple[str, Child]] = [
        ("Data", isolated(data.name)),
        ("Pictures", f"{count(data.pictures)} in {count(data.classes)} classes, {data.size} × {data.size} pixels"),
        ("Mean and deviation", f"{setting(data.mean)} and {setting(data.std)} (scale 0 to 1)"),
        ("Fingerprint of the pictures", _code(data.fingerprint)),
        ("SHA-256 of the archive", _code(data.source_sha256)),
        ("Split", f"{split.kind}, split seed {split.seed}, {percent(split.val_fraction, digits=0)} asked for"),
        ("Trained on", f"{count(split.train)} pictures"),
        ("Held out", f"{count(split.val)} pictures"),
        ("Fingerprint of the split", _code(split.fingerprint)),
    ]
    return table(facts, caption="Data and split")


def _findings(findings: Sequence[DataFinding]) -> list[Child]:
    rank = {severity: place for place, severity in enumerate(SEVERITIES)}
    groups: dict[tuple[str, str], list[DataFinding]] = {}
    for finding in sorted(findings, key=lambda finding: rank.get(finding.severity, len(rank))):
        groups.setdefault((finding.severity, finding.rule), []).append(finding)
    return [_finding_group(*key, group) for key, group in groups.items()]


def _finding_group(severity: str, rule: str, group: Sequence[DataFinding]) -> Child:
    """All findings of one rule; folded into one line where they are many."""
    each = [_finding(finding) for finding in group]
    if len(group) < MANY:
        return each
    return element("details", element("summary", f"{severity}: {rule}, {count(len(group))} times"), *each)


def _finding(finding: DataFinding) -> Markup:
    title = f"{finding.severity}: {finding.message}"
    if not finding.files:
        return element("p", element("strong", title), f" ({finding.rule})")
    named = [isolated(file) for file in finding.files[:MAX_FILES]]
    more = len(finding.files) - MAX_FILES
    return element(
        "details",
        element("summary", title, f" ({finding.rule}, {count(len(finding.files))} files)"),
        _list(named),
        element("p", f"and {count(more)} more") if more > 0 else None,
    )


def _environment(record: RunRecord) -> Markup:
    machine = record.hardware
    facts: list[tuple[str, Child]] = [
        ("Device and precision", f"{record.device}, {record.precision}"),
        ("GPU", machine.gpu or "none"),
        ("CPU", f"{machine.cpu}, {machine.cores} cores"),
        ("Memory", f"{machine.memory_gib:,.1f} GiB"),
        ("CPU features", ", ".join(machine.features) or "none that matter here"),
        ("glauke", record.glauke),
        ("git", _code(record.git)),
        ("Python and torch", f"{record.python}, {record.torch}"),
        ("Started", record.started),
        ("Ended", record.ended or "not yet"),
    ]
    return table(facts, caption="Environment")


def _footer(record: RunRecord) -> Markup:
    record_link = element("a", "run.json", href="run.json")
    return element("footer", f"Written by glauke {record.glauke} from ", record_link, " and the tables beside it.")
