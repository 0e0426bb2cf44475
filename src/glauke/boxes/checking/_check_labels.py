"""Labels that are missing, misspelt or harmful."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np
from jaxtyping import Bool, Int

from .._annotations import Annotations
from .._findings import Finding, What
from .._wording import counted, listed, quoted
from ._placed import Placed, of_file, of_rows
from ._spelling import letters_between, nearest, plain, singulars

UNSAFE = re.compile(r"[<>\"'&\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that VIA puts into a page unescaped, or that break lines."""
_COMMONER = 10
"""How many times as often another label must occur before a label that differs by letters is taken for a slip."""
_LEAST_LETTERS = 5  # of a label that may differ by a letter where nobody has said which labels there are
_MOST_COMPARED = 400  # labels whose letters are compared with each other


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckedLabels:
    """Findings about labels, and what labels would be once they were mended."""

    found: list[Placed]

    label: Int[np.ndarray, " regions"]
    """Equal numbers for equal labels after mending; -1 for none."""

    gone: Bool[np.ndarray, " regions"]
    """Which regions would be set aside for their label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What is wrong with one label."""

    rule: str
    severity: str
    message: str
    better: str | None
    """The label that was meant; None if that cannot be known."""


def check_labels(
    annotations: Annotations,
    *,
    labels: Sequence[str] | None,
    skip: set[int],
    gone: Bool[np.ndarray, " regions"],
) -> CheckedLabels:
    """Check every label against the expected ones, or against its neighbours in the file where none are given.

    Regions of `skip` are known to have no label for a reason that the reader has given. Those that are `gone` for their
    boxes do not count where one label is held to be commoner than another: it should still be so without them.
    """
    counts = _counts(annotations, annotations.label >= 0)
    if labels is not None:
        verdicts = _against_expected(annotations.labels, counts, labels)
    else:
        verdicts = _against_each_other(
            annotations.labels, counts, _counts(annotations, (annotations.label >= 0) & ~gone)
        )
    for i, text in enumerate(annotations.labels):
        if counts[i] and i not in verdicts and text not in (labels or ()) and UNSAFE.search(text):
            verdicts[i] = _unsafe(text)
    verdicts = _followed(verdicts, annotations.labels)
    # Where no label is left at all, the list of labels is another file's, and a fix would empty this one.
    is_lost = all(i in verdicts and verdicts[i].better is None for i in np.flatnonzero(counts).tolist())
    last = set(verdicts) if is_lost else set()
    found, gone = [], annotations.label < 0
    meant = list(annotations.labels)
    for i, verdict in verdicts.items():
        rows = np.flatnonzero(annotations.label == i)
        if verdict.better is None:
            gone[rows] = True
        else:
            meant[i] = verdict.better
        found.append(_of_label(annotations, rows, verdict, is_last=i in last))
    found.append(_unlabelled(annotations, skip=skip))
    if labels is not None:
        found.append(_missing(labels, {meant[i] for i in np.flatnonzero(counts)}))
    number: dict[str, int] = {}
    merged = np.array([*(number.setdefault(text, len(number)) for text in meant), -1], np.int64)
    return CheckedLabels(found=found, label=merged[annotations.label], gone=gone)


def _followed(verdicts: dict[int, _Verdict], texts: Sequence[str]) -> dict[int, _Verdict]:
    """The same, where a label that is meant but has a verdict itself gives way to what that one means."""
    meant = {texts[i]: verdict.better for i, verdict in verdicts.items()}
    followed = {}
    for i, verdict in verdicts.items():
        better, seen = verdict.better, {texts[i]}
        while better in meant and better not in seen:
            seen.add(better)
            better = meant[better]
        followed[i] = replace(verdict, better=better)
    return followed


def _against_expected(
    texts: Sequence[str], counts: Int[np.ndarray, " labels"], labels: Sequence[str]
) -> dict[int, _Verdict]:
    verdicts = {}
    for i in np.flatnonzero(counts).tolist():
        text = texts[i]
        if text in labels:
            continue
        better = nearest(text, labels)
        message = f"the label {quoted(text)} is none of the expected ones ({listed(map(quoted, labels), most=8)})"
        verdicts[i] = _Verdict(rule="unknown-label", severity="error", message=message, better=better)
    return verdicts


def _counts(annotations: Annotations, rows: Bool[np.ndarray, " regions"]) -> Int[np.ndarray, " labels"]:
    return np.bincount(annotations.label[rows], minlength=len(annotations.labels))


def _against_each_other(
    texts: Sequence[str], counts: Int[np.ndarray, " labels"], sound_counts: Int[np.ndarray, " labels"]
) -> dict[int, _Verdict]:
    """Slips among the labels of one file: a rarer way to write what is also written otherwise."""
    weight: dict[str, int] = {}
    for i, text in enumerate(texts):
        weight[plain(text)] = weight.get(plain(text), 0) + int(sound_counts[i])
    # The commonest way to write the commonest word comes first; of equals the one without blanks.
    order = sorted(
        (i for i in range(len(texts)) if counts[i]),
        key=lambda i: (-weight[plain(texts[i])], -counts[i], texts[i] != texts[i].strip()),
    )
    first_plain: dict[str, int] = {}
    first_singular: dict[str, int] = {}
    verdicts: dict[int, _Verdict] = {}
    kept: list[int] = []
    for i in order:
        word = plain(texts[i])
        same = first_plain.setdefault(word, i)
        of_number = next((first_singular[s] for s in singulars(word) if s in first_singular), None)
        if same != i:
            meant: int | None = same
        elif of_number is not None and weight[plain(texts[of_number])] >= _COMMONER * weight[word]:
            meant = of_number
        else:
            meant = _misspelt(word, texts, weight, kept[:_MOST_COMPARED])
        if meant is None:
            kept.append(i)
            for singular in singulars(word):
                first_singular.setdefault(singular, i)
            if texts[i] != texts[i].strip():
                verdicts[i] = _blanks(texts[i])
            continue
        message = (
            f"the label {quoted(texts[i])} ({counted(int(counts[i]), 'region')}) looks like "
            f"{quoted(texts[meant])} ({counted(int(counts[meant]), 'region')})"
        )
        better = texts[meant].strip()
        verdicts[i] = _Verdict(rule="unknown-label", severity="warning", message=message, better=better)
    return verdicts


def _misspelt(word: str, texts: Sequence[str], weight: Mapping[str, int], kept: Sequence[int]) -> int | None:
    if len(word) < _LEAST_LETTERS:
        return None
    for i in kept:
        other = plain(texts[i])
        if weight[other] >= _COMMONER * weight[word] and letters_between(word, other) is not None:
            return i
    return None


def _blanks(text: str) -> _Verdict:
    message = f"the label {quoted(text)} has blanks or line ends around it"
    return _Verdict(rule="unknown-label", severity="warning", message=message, better=text.strip() or None)


def _unsafe(text: str) -> _Verdict:
    better = " ".join(UNSAFE.sub(" ", text).split()) or None
    message = f"the label {quoted(text)} holds characters that VIA takes for HTML, or that end lines"
    return _Verdict(rule="unsafe-label", severity="warning", message=message, better=better)


def _of_label(annotations: Annotations, rows: Int[np.ndarray, " n"], verdict: _Verdict, *, is_last: bool) -> Placed:
    what: What | None = "label" if verdict.better is not None else None if is_last else "drop-region"
    fix = f"write {quoted(verdict.better)}" if verdict.better is not None else "give it one of the expected labels"
    return of_rows(
        annotations,
        rows,
        rule=verdict.rule,
        severity="error" if verdict.severity == "error" else "warning",
        messages=repeat(verdict.message),
        fixes=repeat(fix),
        whats=repeat(what),
        values=repeat(verdict.better),
    )


def _unlabelled(annotations: Annotations, *, skip: set[int]) -> Placed:
    """Regions without a label; where nothing has one, no fix would leave anything, and a person must label."""
    rows = np.flatnonzero(annotations.label < 0)
    if skip:
        rows = rows[~np.isin(rows, list(skip))]
    labelled = bool((annotations.label >= 0).any())
    if annotations.kind == "table" and not labelled:
        rows = rows[:0]
    if annotations.class_attribute is None:
        message = "the region has no label; no attribute of this file was taken for one"
    else:
        message = f"the region has no {quoted(annotations.class_attribute)}, which holds the label"
    return of_rows(
        annotations,
        rows,
        rule="unlabelled",
        severity="error",
        messages=repeat(message),
        fixes=repeat("label it in VIA, or delete it"),
        whats=repeat("drop-region" if labelled else None),
    )


def _missing(labels: Sequence[str], used: set[str]) -> Placed:
    """Expected labels that no region has."""
    return of_file(
        [
            Finding(rule="missing-label", severity="note", message=f"no region has the expected label {quoted(label)}")
            for label in labels
            if label not in used
        ]
    )
