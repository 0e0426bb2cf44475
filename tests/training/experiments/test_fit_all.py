"""Experiments one after the other, and their records by name."""

import os
import signal

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from glauke import runs
from glauke.errors import UnknownNameError, UsageError
from glauke.training import Experiment, Note, Stepped, fit_all


def data(count, seed):
    inputs = torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))
    return DataLoader(TensorDataset(inputs, inputs[:, :3].argmax(dim=1)), batch_size=16, shuffle=True)


def experiment(name, **fields):
    torch.manual_seed(len(name))
    defaults = {"model": nn.Linear(8, 3), "train": data(48, 1), "val": data(32, 2), "epochs": 2, "max_lr": 0.5}
    return Experiment(name=name, **{**defaults, **fields})


def test_records_are_had_by_name_and_in_order(tmp_path):
    wanted = ("slow", "auto", "quick")
    records = fit_all(
        [experiment("slow", max_lr=0.001), experiment("auto", max_lr="auto", lr_steps=30), experiment("quick")],
        out=tmp_path,
    )
    assert records.names == wanted == tuple(record.name for record in records) and len(records) == 3
    assert records["quick"].folder == tmp_path / "quick" and records["slow"].max_lr == 0.001
    assert records["auto"].max_lr_rule in ("valley", "minimum", "fallback")  # its own range test
    assert (tmp_path / "auto" / "range_test.csv").exists() and not (tmp_path / "quick" / "range_test.csv").exists()
    with pytest.raises(UnknownNameError, match="did you mean 'quick'"):
        records["quik"]
    assert repr(records).count("\n  RunRecord(") == 3
    shown = records._repr_html_()
    assert "3 experiments in" in shown and all(name in shown for name in wanted)
    group = runs.read_group(tmp_path)
    assert group.kind == "experiments" and group.members == wanted and group.accuracy.runs == 3
    assert runs.members_of(group) == list(records)


def test_the_same_call_again_trains_nothing(tmp_path):
    first = fit_all([experiment("a"), experiment("b")], out=tmp_path)
    steps = []
    watch = lambda event: steps.append(event) if isinstance(event, Stepped) else None  # noqa: E731
    assert fit_all([experiment("a"), experiment("b")], out=tmp_path, watch=watch) == first and steps == []


def test_names_that_are_twice_are_refused_before_anything_runs(tmp_path):
    for names in (("a", "b", "a"), ("Wide", "wide")):
        with pytest.raises(UsageError, match="two experiments are called"):
            fit_all([experiment(name) for name in names], out=tmp_path / "x")
    with pytest.raises(UsageError, match="no experiments"):
        fit_all([], out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_experiments_that_share_a_model_are_refused(tmp_path):
    model = nn.Linear(8, 3)
    with pytest.raises(UsageError, match="'a' and 'b' share one model"):
        fit_all([experiment("a", model=model), experiment("b", model=model)], out=tmp_path / "x")


def test_one_that_fails_does_not_keep_the_others_from_running(tmp_path):
    told = []
    broken = [(torch.full((4, 8), torch.nan), torch.zeros(4, dtype=torch.int64))]
    records = fit_all(
        [experiment("broken", train=broken), experiment("sound")],
        out=tmp_path,
        watch=lambda event: told.append(event.text) if isinstance(event, Note) else None,
    )
    assert records["broken"].status == "failed" and "nan" in records["broken"].stopped_reason
    assert records["sound"].status == "done" and any("the loss became nan" in text for text in told)
    assert runs.read_group(tmp_path).accuracy.runs == 1


def test_one_that_cannot_begin_does_not_keep_the_others_from_running(tmp_path):
    made = [experiment("a"), experiment("b", monitor="val_f1", mode="max"), experiment("c")]
    records = fit_all(made, out=tmp_path)
    assert records.names == ("a", "c") and [record.status for record in records] == ["done"] * 2
    assert list(records.failed) == ["b"] and "measures no 'val_f1'" in records.failed["b"]
    assert runs.read_group(tmp_path).accuracy.runs == 2
    with pytest.raises(UsageError, match="val_f1"):
        fit_all(made[1:2], out=tmp_path / "alone")


def test_an_interrupted_group_goes_on_where_it_stopped(tmp_path):
    def press(event):
        if isinstance(event, Stepped) and event.step == 4 and (tmp_path / "b").exists():
            os.kill(os.getpid(), signal.SIGINT)

    made = [experiment(name) for name in "abc"]
    paused = fit_all(made, out=tmp_path, watch=press)
    assert paused.names == ("a", "b") and paused["b"].status == "interrupted"
    finished = fit_all(made, out=tmp_path)
    assert [record.status for record in finished] == ["done"] * 3
    assert finished["a"] == paused["a"] and finished["b"].resumed_from_steps == (3,)
