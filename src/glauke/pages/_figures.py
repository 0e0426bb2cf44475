"""Figures of a page, each with a sentence that has its numbers in it; the sentences of a run's figures."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from glauke.runs import EpochRow, RangeCurve, RunRecord

from ._html import Markup, element
from ._svg import inline_svg
from ._words import count, duration, percent, short


def figure(svg: str, *, name: str, caption: str, folder: str | None = "plots") -> Markup:
    """The figure with its caption and, if `folder` beside the page has them, a link to its numbers."""
    title = caption or f"Figure {name.replace('_', ' ')}"
    where = [quote(part, safe="", errors="replace") for part in (folder or "", f"{name}.csv")]
    numbers = None if folder is None else [" Numbers: ", element("a", f"{name}.csv", href="/".join(where))]
    # A narrow screen scrolls the figure instead of shrinking its text.
    drawn = element(
        "div", inline_svg(svg, name=name, title=title), class_="scroll", role="region", aria_label=title, tabindex="0"
    )
    return element("figure", drawn, element("figcaption", caption, numbers))


def plot_captions(record: RunRecord, *, rows: Sequence[EpochRow], range_test: RangeCurve | None) -> dict[str, str]:
    """What each of a run's own figures shows, in words."""
    captions = {"schedule": _schedule(record)}
    if rows:
        captions |= {"curves": _curves(rows), "time": _time(rows)}
    if range_test is not None and range_test.rates:
        captions["range_test"] = _range_test(range_test)
    return captions


def _curves(rows: Sequence[EpochRow]) -> str:
    last = rows[-1]
    text = f"After epoch {last.epoch}: training accuracy {percent(last.train_accuracy)}, loss {short(last.train_loss)}"
    judged = [row for row in rows if row.val_accuracy is not None]
    if judged:
        row = judged[-1]
        when = "" if row is last else f" after epoch {row.epoch}"
        text += (
            f"; held-out accuracy {percent(row.val_accuracy)}{when}, loss {short(row.val_loss)}, "
            f"on {count(row.val_pictures)} pictures"
        )
    sizes = sorted({row.val_pictures for row in judged})
    if len(sizes) > 1:
        text += f". Some epochs looked at only {count(sizes[0])} of the {count(sizes[-1])} held-out pictures"
    return f"{text}. Training accuracy is measured on augmented pictures while the weights still move."


def _range_test(test: RangeCurve) -> str:
    steps = f"{count(len(test.rates))} of {count(test.num_steps)} steps"
    ending = "to its end" if test.ended == "complete" else f"until it ended ({test.ended})"
    rates = "; ".join(
        f"{s.rule} {short(s.rate)}" if s.rate is not None else f"{s.rule}: none" for s in test.suggestions().values()
    )
    return (
        f"The rate grew in {steps} ({test.ramp} ramp), "
        f"from {short(test.rates[0])} to {short(test.rates[-1])}, {ending}. "
        f"Suggested rates: {rates}."
    )


def _schedule(record: RunRecord) -> str:
    peak = (
        f", on a cycle with its peak at {short(record.max_lr)}, which no step need hit"
        if record.max_lr is not None
        else ""
    )
    return (
        f"Learning rate and momentum over {count(record.steps)} steps, "
        f"{count(record.steps_per_epoch)} in each of {count(record.epochs)} epochs{peak}."
    )


def _time(rows: Sequence[EpochRow]) -> str:
    first, last = rows[0], rows[-1]
    ends = f"; the first took {duration(first.seconds)}, the last {duration(last.seconds)}" if len(rows) > 1 else ""
    whole = sum(row.seconds for row in rows)
    return (
        f"{count(len(rows))} epochs in {duration(whole)}{ends}. "
        f"The last trained on {count(round(last.images_per_second))} pictures per second."
    )
