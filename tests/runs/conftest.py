"""Run folders made by hand: a record, the metrics and the predictions, without any training."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from glauke.files import write_csv
from glauke.runs import EpochRow, RunRecord, Score, read, write, write_metrics

SAMPLE = Path(__file__).parent / "data" / "run.json"


def epoch_row(epoch: int, **changes: Any) -> EpochRow:
    row = EpochRow(
        epoch=epoch,
        step=10 * epoch,
        size=8,
        lr=0.1,
        momentum=0.9,
        train_loss=2.0 / epoch,
        train_accuracy=min(0.2 * epoch, 1.0),
        train_top5=1.0,
        val_loss=2.1 / epoch,
        val_accuracy=min(0.19 * epoch, 1.0),
        val_top5=1.0,
        val_pictures=8,
        seconds=10.0,
        seconds_data=1.0,
        seconds_train=8.0,
        seconds_eval=0.5,
        seconds_write=0.5,
        images_per_second=100.0,
    )
    return replace(row, **changes)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a run folder; `right` are the answers to its held-out pictures, one letter each: 1 or 0."""

    def make(
        name: str,
        right: str | None = "11110000",
        *,
        recipe: Mapping[str, object] = {},
        rows: int = 3,
        **changes: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        sample: RunRecord = read(SAMPLE)
        final = None
        if right is not None:
            accuracy = right.count("1") / len(right)
            final = Score(epoch=rows, val_accuracy=accuracy, val_loss=1.0, val_pictures=len(right), val_top5=1.0)
            answers = [(f"{i}.png", "cat", "cat" if hit == "1" else "dog") for i, hit in enumerate(right)]
            write_csv(folder / "predictions.csv", ("file", "label", "predicted"), answers)
        record = replace(sample, name=folder.name, recipe={**sample.recipe, **recipe}, final=final, best=final)
        write(folder, replace(record, **changes))
        write_metrics(folder / "metrics.csv", [epoch_row(epoch) for epoch in range(1, rows + 1)])
        return folder

    return make
