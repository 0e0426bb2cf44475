"""Several runs beside each other: the settings that differ, and what their predictions say about who is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from glauke.errors import DataError, UsageError

from ._comparison import Compared, Comparison, PairedTest, Repeated, final_accuracy
from ._folder import list_runs
from ._group import is_group, members_of, read_group, spread
from ._metrics import read_metrics
from ._paired import PairCounts, holm, mcnemar, newcombe, pair_counts
from ._predictions_csv import Answers, read_answers
from ._record import RunRecord, read
from ._settings import settings_apart

WEIGHTS = "final.safetensors"
ORDER_OF_EQUALS = 0.005  # of the accuracy: in bf16 two classes often get the same logit, and either may be called first


def compare(places: Sequence[Path], *, across_splits: bool = False) -> Comparison:
    """Compare the runs in some folders; a folder with a group, or one that holds runs, stands for all of them.

    Repeats (a group of seeds) are taken together by mean and deviation; tests are between runs that are none.

    Raises:
        UsageError: no folder, the same run twice, or runs with other pictures or another split without `across_splits`.
        DataError: a folder without runs, or a damaged record or table.
    """
    records, together = _expanded(places)
    runs = _grouped(beside(records), together)
    apart = tuple(_apart(runs))
    if apart and not across_splits:
        others = apart[1:]
        more = f" (and {len(others)} more)" if others else ""
        raise UsageError(
            f"their accuracies do not compare, since they were judged on different pictures: {apart[0]}{more}",
            fix="give --across-splits to see the runs beside each other, without a test",
        )
    notes: list[str] = []
    if len(runs) > 1 and not apart and not runs[0].record.split.fingerprint:
        notes.append("the pictures came from a program's own loaders, and nothing vouches that all runs saw the same")
        tests = ()
    else:
        tests = () if apart else _tests(runs, notes)
    return Comparison(
        runs=runs,
        settings=tuple(settings_apart(runs)),
        apart=apart,
        tests=tests,
        notes=tuple(notes),
        groups=tuple(_repeated(name, runs) for name in dict.fromkeys(run.group for run in runs) if name is not None),
    )


def _expanded(places: Sequence[Path]) -> tuple[list[RunRecord], list[Path | None]]:
    """The runs at all places, and for each the folder of the repeats that it is one of."""
    if not places:
        raise UsageError("there are no runs to compare", fix="name their folders: glauke compare runs/a runs/b")
    records, together = [], []
    for place in places:
        found = _runs_at(place)
        records += found
        repeats = not (place / "run.json").exists() and is_group(place) and read_group(place).kind == "seeds"
        together += [place if repeats else None] * len(found)
    folders = sorted(_folder(record).resolve() for record in records)
    for one, other in pairwise(folders):
        if one == other:
            raise UsageError("this run is named twice", place=str(one), fix="name each run once")
    return records, together


def _runs_at(place: Path) -> list[RunRecord]:
    """The run in a folder, the members of a group, or all runs in it."""
    if (place / "run.json").exists() or not place.is_dir():
        return [read(place)]
    found = members_of(read_group(place)) if is_group(place) else list_runs(place)
    if not found:
        raise DataError("there is no run here", place=str(place), fix="name a folder with a run.json, or one of runs")
    return found


def _grouped(runs: Sequence[Compared], together: Sequence[Path | None]) -> tuple[Compared, ...]:
    folders = list(dict.fromkeys(folder for folder in together if folder is not None))
    names = dict(zip(folders, _names(folders), strict=True)) if folders else {}
    return tuple(
        run if folder is None else replace(run, group=names[folder]) for run, folder in zip(runs, together, strict=True)
    )


def _repeated(name: str, runs: Sequence[Compared]) -> Repeated:
    accuracies = [final_accuracy(run.record) for run in runs if run.group == name]
    return Repeated(name=name, accuracy=spread([accuracy for accuracy in accuracies if accuracy is not None]))


def beside(records: Sequence[RunRecord]) -> tuple[Compared, ...]:
    """Runs with their curves, and a name for each that sets it apart from the others."""
    names = _names([_folder(record) for record in records])
    return tuple(
        Compared(
            name=name,
            record=record,
            rows=tuple(read_metrics(_folder(record) / "metrics.csv")),
            weights_mib=_mebibytes(_folder(record) / WEIGHTS),
        )
        for name, record in zip(names, records, strict=True)
    )


def _folder(record: RunRecord) -> Path:
    assert record.folder is not None  # `read` has set it
    return record.folder


def _mebibytes(file: Path) -> float | None:
    try:
        return file.stat().st_size / 2**20
    except OSError:
        return None


def _names(folders: Sequence[Path]) -> list[str]:
    """The last parts of each path, as many as set all of them apart."""
    parts = [folder.resolve().parts for folder in folders]
    for depth in range(1, max(map(len, parts))):
        names = ["/".join(path[-depth:]) for path in parts]
        if len(set(names)) == len(names):
            return names
    return [folder.resolve().as_posix() for folder in folders]


def _apart(runs: Sequence[Compared]) -> Iterator[str]:
    """A sentence for each run that was judged on other pictures than the first one."""
    first, *others = runs
    for other in others:
        one, two = first.record, other.record
        if one.data.fingerprint != two.data.fingerprint:
            yield (
                f"{other.name} has {_pictures(two)} and {first.name} has {_pictures(one)}"
                if _pictures(one) != _pictures(two)
                else f"the pictures of {other.name} and {first.name} have the same name and number but other content "
                f"(fingerprints {two.data.fingerprint[:12]} and {one.data.fingerprint[:12]})"
            )
        elif one.split.fingerprint != two.split.fingerprint:
            yield f"{other.name} has {_split(two)} and {first.name} has {_split(one)}"


def _pictures(record: RunRecord) -> str:
    data = record.data
    return f"{data.name} ({data.pictures:,} pictures of {data.classes:,} classes at {data.size} px)"


def _split(record: RunRecord) -> str:
    split = record.split
    return f"a {split.kind} split with split seed {split.seed}, {split.val:,} of {split.train + split.val:,} held out"


def _tests(runs: Sequence[Compared], notes: list[str]) -> tuple[PairedTest, ...]:
    """Every later run against the first, where both have predictions that agree with their records; no repeats."""
    runs = [run for run in runs if run.group is None]
    if len(runs) < 2:
        return ()
    answers = [_answers(run, notes) for run in runs]
    first, baseline = runs[0], answers[0]
    counted: list[tuple[Compared, PairCounts]] = []
    for other, given in zip(runs[1:], answers[1:], strict=True):
        if baseline is None or given is None:
            continue
        counts = pair_counts(baseline, given)
        if counts is None:
            notes.append(f"no test for {other.name}: its {len(given):,} predictions are of other pictures")
        else:
            counted.append((other, counts))
    ps = [mcnemar(counts.only_first, counts.only_second) for _, counts in counted]
    corrected = holm([mid for _, mid in ps])
    made = []
    for (other, counts), (exact, mid), adjusted in zip(counted, ps, corrected, strict=True):
        low, high = newcombe(counts)
        made.append(
            PairedTest(
                first=first.name,
                second=other.name,
                counts=counts,
                low=low,
                high=high,
                p_exact=exact,
                p_mid=mid,
                p_holm=adjusted,
            )
        )
    return tuple(made)


def _answers(run: Compared, notes: list[str]) -> Answers | None:
    final, accuracy = run.record.final, final_accuracy(run.record)
    if final is None or accuracy is None:
        notes.append(f"no test with {run.name}: it has no final accuracy ({run.record.status})")
        return None
    try:
        answers = read_answers(_folder(run.record))
    except DataError as error:
        notes.append(f"no test with {run.name}: {error.message}")
        return None
    had = round(accuracy * final.val_pictures)
    told = (
        f"its predictions.csv has {len(answers.right):,} of {len(answers):,} right, "
        f"its record {had:,} of {final.val_pictures:,}"
    )
    if len(answers) != final.val_pictures or abs(answers.accuracy - accuracy) > ORDER_OF_EQUALS:
        notes.append(f"no test with {run.name}: {told}")
        return None
    if len(answers.right) != had:
        notes.append(f"the test with {run.name} goes by its predictions: {told}, where classes came out equal")
    return answers
