"""TensorBoard reads back what a run measured; a fault is told once and training goes on."""

import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from glauke.errors import UsageError
from glauke.runs import read_metrics
from glauke.training import EpochDone, Note, resume, tensorboard, train
from glauke.training.saving import _tensorboard as adapter

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def read_back(folder: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorBoard's reader is not ours
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found = EventAccumulator(str(folder))
        found.Reload()
    return found


def test_every_epoch_is_read_back(recipe, pack, split, run):
    heard = []
    with tensorboard(heard.append) as watch:
        train(recipe, pack, split, run, command="glauke train digits", watch=watch)

    found = read_back(run / "tensorboard")
    rows = read_metrics(run / "metrics.csv")
    for name, column in (("loss/val", "val_loss"), ("accuracy/train", "train_accuracy"), ("epoch/lr", "lr")):
        assert [(e.step, e.value) for e in found.Scalars(name)] == [
            (row.step, pytest.approx(getattr(row, column), rel=1e-6)) for row in rows
        ]
    assert [e.step for e in found.Scalars("step/loss")] == list(range(1, rows[-1].step + 1))
    assert b"glauke train digits" in found.Tensors("run/text_summary")[0].tensor_proto.string_val[0]
    assert [type(event) for event in heard].count(EpochDone) == len(rows)


def test_a_resumed_run_hides_what_lay_after_its_checkpoint(recipe, pack, split, run):
    with tensorboard(lambda event: None) as watch:
        train(recipe, pack, split, run, stop_after_steps=13, watch=watch)
    shutil.rmtree(run / "checkpoints" / "step-00000013")  # so that it goes on from the end of the first epoch
    with tensorboard(lambda event: None) as watch:
        resume(run, pack, watch=watch)

    steps = [e.step for e in read_back(run / "tensorboard").Scalars("step/loss")]
    assert steps == list(range(1, len(steps) + 1)) and len(steps) == read_metrics(run / "metrics.csv")[-1].step


def test_a_fault_is_told_once_and_training_goes_on(recipe, pack, split, run, monkeypatch):
    heard = []
    opened = adapter._opened

    def breaking(event):
        writer = opened(event)
        monkeypatch.setattr(writer, "add_scalar", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
        return writer

    monkeypatch.setattr(adapter, "_opened", breaking)
    with tensorboard(heard.append) as watch:
        record = train(recipe, pack, split, run, watch=watch)

    told = [event.text for event in heard if isinstance(event, Note) and "TensorBoard" in event.text]
    assert told == ["TensorBoard's event file could not be written (no space left); training goes on without it"]
    assert record.status == "done"


def test_a_place_that_cannot_be_written_does_not_stop_training(recipe, pack, split, run):
    heard = []

    def watch_and_block(event):
        heard.append(event)
        if not (run / "tensorboard").exists():
            (run / "tensorboard").write_text("a file where the folder should be")

    with tensorboard(watch_and_block) as watch:
        assert train(recipe, pack, split, run, watch=watch).status == "done"

    assert sum("TensorBoard" in event.text for event in heard if isinstance(event, Note)) == 1


def test_without_the_package_it_is_one_sentence_before_anything(monkeypatch):
    monkeypatch.setattr(adapter, "find_spec", lambda name: None)

    told = r"--tensorboard: TensorBoard is not installed; pip install 'glauke\[tensorboard\]'"
    with pytest.raises(UsageError, match=told), tensorboard(lambda event: None):
        pytest.fail("training began")


def test_a_programs_own_metrics_share_a_chart_by_metric(recipe, pack, split, run):
    train(recipe, pack, split, run, stop_after_steps=11)
    (row,) = read_metrics(run / "metrics.csv")
    names = adapter.scalars_of(replace(row, val_accuracy=None, extra={"val_mean_iou": 0.5, "train_mean_iou": 0.6}))

    assert names["mean_iou/val"] == 0.5 and names["mean_iou/train"] == 0.6
    assert "accuracy/val" not in names
