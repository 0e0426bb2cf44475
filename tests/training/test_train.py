"""Whole runs of a small network on the embedded digits."""

import csv
import json
import os
import signal
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from glauke import runs
from glauke.errors import CannotGoOnError, DataError, NoCheckpointError, NotFiniteError, UsageError
from glauke.models import begin_shallow, build_model, set_shallow
from glauke.training import EpochDone, Note, Recipe, Stepped, resume, train
from glauke.training.loop import _session
from glauke.training.loop._limits import gflop_per_picture
from glauke.training.recipes import assignment
from glauke.training.saving._checkpoint import load_checkpoint

STEPS = 10  # an epoch: 1,258 training pictures in batches of 128


def same_weights(a, b):
    first, second = load_file(a / "final.safetensors"), load_file(b / "final.safetensors")
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def untimed(row):
    timed = [field.name for field in fields(row) if field.name.startswith("seconds")]
    return replace(row, **dict.fromkeys([*timed, "images_per_second"], 0.0))


@pytest.fixture
def done(recipe, pack, split, tmp_path):
    folder = tmp_path / "whole"
    folder.mkdir()
    return train(recipe, pack, split, folder, seed=3), folder


@pytest.fixture(scope="module")
def averaged(pack, split, tmp_path_factory):
    """A run with an average of its weights, and batches twice as large in its last epoch."""
    recipe = Recipe(
        name="test", why="", model="small", epochs=3, batch_size=128, batches=((1.0, 256),), max_lr=0.1, pad=1, ema=0.9
    )
    folder = tmp_path_factory.mktemp("averaged")
    return recipe, train(recipe, pack, split, folder, seed=3), folder


@pytest.fixture(scope="module")
def grown(pack, split, tmp_path_factory):
    """A run whose network has one block a stage in the first two epochs of three."""
    recipe = Recipe(
        name="test", why="", model="resnet18", epochs=3, batch_size=128, max_lr=0.05, pad=1, flip=False, grow=1.0
    )
    folder = tmp_path_factory.mktemp("grown")
    return recipe, train(recipe, pack, split, folder, seed=3), folder


def test_a_run_leaves_a_folder_that_explains_itself(done, pack, split):
    record, folder = done
    assert runs.read(folder) == record
    assert record.status == "done" and record.steps == 3 * STEPS == record.epochs * record.steps_per_epoch
    assert record.final.val_pictures == len(split.val) and record.final.epoch == 3
    assert record.data.fingerprint == pack.fingerprint and record.split.fingerprint == split.fingerprint
    rows = runs.read_metrics(folder / "metrics.csv")
    assert [row.epoch for row in rows] == [1, 2, 3] and [row.size for row in rows] == [8, 8, 10]
    assert [row.val_pictures for row in rows] == [200, 200, len(split.val)]
    assert rows[-1].val_accuracy == record.final.val_accuracy
    assert str(folder.parent) not in (folder / "run.json").read_text()
    for name in ("config.toml", "split.npz", "predictions.csv", "best.safetensors", "final.safetensors"):
        assert (folder / name).stat().st_size > 0


def test_the_predictions_give_the_accuracy_and_the_loss_of_the_record(done, pack, split):
    record, folder = done
    with (folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["file"] for row in rows) == sorted(pack.names[i] for i in split.val.tolist())
    hits = np.mean([row["label"] == row["predicted"] for row in rows])
    assert hits == pytest.approx(record.final.val_accuracy) and 0.3 < hits < 1.0
    assert np.mean([row["correct"] == "true" for row in rows]) == hits
    assert np.mean([float(row["loss"]) for row in rows]) == pytest.approx(record.final.val_loss, abs=1e-5)
    assert np.mean([int(row["rank"]) <= 5 for row in rows]) == pytest.approx(record.final.val_top5)


def test_final_weights_are_those_that_were_judged(done, pack):
    record, folder = done
    model = build_model("small", num_classes=10, in_channels=1, stem="full", seed=0)
    model.load_state_dict(load_file(folder / "final.safetensors"))
    with safe_open(folder / "final.safetensors", "pt") as file:
        about = json.loads(file.metadata()["glauke"])
    assert about["classes"] == list(pack.classes) and about["size"] == 10
    from glauke.images import Batches, load_split
    from glauke.training._device import choose_precision
    from glauke.training.loop._loop import evaluate, make_objective
    from glauke.training.loop._step import Totals, classification

    cpu = torch.device("cpu")
    batches = Batches(pack, load_split(folder / "split.npz", pack).val, batch_size=64, size=10)
    model = model.to(memory_format=torch.channels_last)
    means = evaluate(
        model,
        batches,
        compute=classification(make_objective(0.0)),
        precision=choose_precision(record.precision, cpu),
        totals=Totals(cpu),
    ).means()
    assert means["accuracy"] == pytest.approx(record.final.val_accuracy, abs=0.004)


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(done, recipe, pack, split, tmp_path):
    _, folder = done
    for seed, equal in ((3, True), (4, False)):
        other = tmp_path / f"seed{seed}"
        other.mkdir()
        train(recipe, pack, split, other, seed=seed)
        same = (folder / "final.safetensors").read_bytes() == (other / "final.safetensors").read_bytes()
        assert same is equal


@pytest.mark.parametrize("stop", [1, STEPS - 1, STEPS, STEPS + 4, 3 * STEPS - 1])
def test_a_stopped_run_goes_on_to_the_bit(done, recipe, pack, split, tmp_path, stop):
    _, folder = done
    other = tmp_path / "stopped"
    other.mkdir()
    paused = train(recipe, pack, split, other, seed=3, stop_after_steps=stop)
    assert paused.status == "stopped" and paused.final is None
    # Another random state in between must not matter.
    torch.manual_seed(stop)
    finished = resume(other, pack)
    assert finished.status == "done" and finished.resumed_from_steps == (stop,)
    assert same_weights(folder, other)
    ours, theirs = (runs.read_metrics(f / "metrics.csv") for f in (folder, other))
    assert [untimed(row) for row in ours] == [untimed(row) for row in theirs]
    assert (folder / "predictions.csv").read_bytes() == (other / "predictions.csv").read_bytes()


@pytest.mark.parametrize("stop", [STEPS, STEPS + 4, 2 * STEPS + 2])
def test_averaged_weights_and_growing_batches_go_on_to_the_bit_too(averaged, pack, split, tmp_path, stop):
    recipe, whole, folder = averaged
    assert whole.steps == 2 * STEPS + 5 and whole.steps_per_epoch == STEPS
    train(recipe, pack, split, tmp_path, seed=3, stop_after_steps=stop)
    finished = resume(tmp_path, pack)
    assert finished.resumed_from_steps == (stop,) and finished.best == whole.best and finished.final == whole.final
    for name in ("final.safetensors", "best.safetensors", "predictions.csv"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()
    ours, theirs = (runs.read_metrics(f / "metrics.csv") for f in (folder, tmp_path))
    assert [untimed(row) for row in ours] == [untimed(row) for row in theirs]


@pytest.mark.parametrize("stop", [STEPS // 2, 2 * STEPS + 1])
def test_a_network_that_grows_goes_on_to_the_bit_and_ends_whole(grown, pack, split, tmp_path, stop):
    recipe, whole, folder = grown
    part = tmp_path / "part"
    part.mkdir()
    train(recipe, pack, split, part, seed=3, stop_after_steps=stop)
    assert resume(part, pack).final == whole.final
    assert same_weights(folder, part)


def test_every_block_of_a_grown_network_has_learnt(grown, pack):
    _, record, folder = grown
    first = build_model("resnet18", num_classes=10, in_channels=1, stem="maxpool", seed=3)
    begin_shallow(first)
    last_norms = [f"layer{stage}.1.bn2.weight" for stage in (1, 2, 3, 4)]
    weights = load_file(folder / "final.safetensors")
    assert all(weights[name].any() and not first.get_parameter(name).any() for name in last_norms)
    assert record.final.val_accuracy > 0.3
    shallow = gflop_per_picture(first, channels=1, size=8)
    set_shallow(first, False)
    mean = (2 * shallow + gflop_per_picture(first, channels=1, size=8)) / 3
    assert record.extra["speed"]["gflop_per_picture"] == pytest.approx(mean)


def test_a_run_that_broke_off_after_its_last_epoch_is_judged_whole(grown, pack, split, tmp_path, monkeypatch):
    recipe, whole, _ = grown

    def broken(*others, **more):
        raise CannotGoOnError("no room")

    with monkeypatch.context() as patch, pytest.raises(CannotGoOnError):
        patch.setattr(_session, "save_weights", broken)
        train(recipe, pack, split, tmp_path, seed=3)
    assert resume(tmp_path, pack).final == whole.final


def test_the_range_test_is_that_of_the_shallow_network_and_leaves_no_trace(grown, pack, split, tmp_path):
    recipe = replace(grown[0], epochs=2, max_lr="auto", lr_steps=10, lr_to=0.3)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    found = train(recipe, pack, split, first, seed=3)
    given = train(replace(recipe, max_lr=found.max_lr), pack, split, second, seed=3)
    assert given.final == found.final and same_weights(first, second)


def test_growing_is_refused_where_it_cannot_be(grown, recipe, pack, split, tmp_path):
    with pytest.raises(UsageError, match="none of them"):
        train(replace(recipe, grow=1.0), pack, split, tmp_path)
    with pytest.raises(UsageError, match="half grown"):
        replace(grown[0], ema=0.9)
    assert not any(tmp_path.iterdir())


def test_weights_from_elsewhere_are_not_those_of_a_shallow_network(grown, pack, split, tmp_path):
    recipe, _, folder = grown
    with pytest.raises(UsageError, match="it begins with a part of the network"):
        train(recipe, pack, split, tmp_path, weights=folder / "final.safetensors")


def test_what_is_judged_and_kept_is_the_average_and_the_weights_train_on(averaged, pack, split):
    _, record, folder = averaged
    checkpoint = load_checkpoint(folder / "checkpoints")
    final = load_file(folder / "final.safetensors")
    assert final.keys() == checkpoint.average.keys() == checkpoint.model.keys()
    assert all(torch.equal(final[name], checkpoint.average[name]) for name in final)
    moving = [name for name in final if final[name].is_floating_point()]
    assert all(not torch.equal(final[name], checkpoint.model[name]) for name in moving)
    with (folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert np.mean([row["correct"] == "true" for row in rows]) == pytest.approx(record.final.val_accuracy)


def test_the_comparison_of_resumed_runs_can_fail(done, recipe, pack, split, tmp_path):
    _, folder = done
    other = tmp_path / "stopped"
    other.mkdir()
    train(recipe, pack, split, other, seed=3, stop_after_steps=12)
    state = other / "checkpoints" / "step-00000012"
    model = load_checkpoint(other / "checkpoints").model
    final = load_file(folder / "final.safetensors")
    assert any(not torch.equal(model[k], final[k]) for k in final) and state.is_dir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_and_saves(done, recipe, pack, split, tmp_path, number):
    _, folder = done
    other = tmp_path / "interrupted"
    other.mkdir()

    def press(event):
        if isinstance(event, Stepped) and event.step == 13:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    record = train(recipe, pack, split, other, seed=3, watch=press)
    assert signal.getsignal(number) is before
    assert record.status == "interrupted" and str(int(number)) in record.stopped_reason
    resume(other, pack)
    assert same_weights(folder, other)


def test_a_damaged_checkpoint_is_passed_over_and_named(done, recipe, pack, split, tmp_path):
    _, folder = done
    other = tmp_path / "damaged"
    other.mkdir()
    train(recipe, pack, split, other, seed=3, stop_after_steps=15)
    newest = other / "checkpoints" / "step-00000015" / "optimizer.safetensors"
    data = bytearray(newest.read_bytes())
    data[-7] ^= 1
    newest.write_bytes(data)
    told = []
    record = resume(other, pack, watch=lambda e: told.append(e.text) if isinstance(e, Note) else None)
    assert record.resumed_from_steps == (STEPS,)
    assert any("step-00000015" in text and "hash" in text for text in told)
    assert same_weights(folder, other)


def test_only_damaged_checkpoints_are_an_error_and_none_is_a_fresh_start(recipe, pack, split, tmp_path):
    train(recipe, pack, split, tmp_path, seed=3, stop_after_steps=15)
    for manifest in tmp_path.glob("checkpoints/*/MANIFEST.json"):
        manifest.write_text("{")
    with pytest.raises(NoCheckpointError, match="every checkpoint is damaged"):
        resume(tmp_path, pack)
    for manifest in list(tmp_path.glob("checkpoints/*")):
        manifest.rename(tmp_path / manifest.name)
    told = []
    record = resume(tmp_path, pack, watch=lambda e: told.append(e.text) if isinstance(e, Note) else None)
    assert record.status == "done" and any("starts afresh" in text for text in told)


def test_a_finished_run_and_another_pack_are_refused(done, pack):
    _, folder = done
    with pytest.raises(UsageError, match="finished"):
        resume(folder, pack)
    runs.write(folder, replace(runs.read(folder), status="interrupted"))
    with pytest.raises(DataError, match="pictures have changed"):
        resume(folder, replace(pack, fingerprint="0" * 64))


def test_two_checkpoints_stay(done):
    _, folder = done
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["step-00000020", "step-00000030"]


def test_a_diverging_run_stops_with_the_rate_and_the_pictures(recipe, pack, split, tmp_path):
    with pytest.raises(NotFiniteError, match=r"at rate .* begins with") as caught:
        train(replace(recipe, max_lr=1e38, momentum_low=None), pack, split, tmp_path, seed=0)
    assert "--max-lr" in (caught.value.fix or "")
    assert runs.read(tmp_path).status == "failed"
    assert not list(tmp_path.glob("checkpoints/.tmp*"))


def test_weights_that_are_not_finite_are_never_saved(recipe, pack, split, tmp_path):
    from glauke.training._device import choose_precision
    from glauke.training.saving._checkpoint import save_checkpoint

    model = build_model("small", num_classes=10, in_channels=1, stem="full", seed=0)
    with torch.no_grad():
        model[0].weight[0, 0, 0, 0] = float("nan")
    scaler = choose_precision("fp32", torch.device("cpu")).scaler()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(CannotGoOnError, match="not finite"):
        save_checkpoint(tmp_path, step=1, model=model, optimizer=optimizer, scaler=scaler, state={})
    assert list(tmp_path.iterdir()) == []


def test_auto_runs_the_range_test_and_trains_with_its_suggestion(recipe, pack, split, tmp_path):
    auto = replace(recipe, max_lr="auto", lr_ramp="exponential", lr_from=1e-4, lr_to=5.0, lr_rule="valley")
    rates = []
    record = train(
        auto, pack, split, tmp_path, seed=1, watch=lambda e: rates.append(e.lr) if isinstance(e, Stepped) else None
    )
    assert record.max_lr_rule in ("valley", "steepest", "minimum") and record.max_lr_reason
    assert max(rates) == pytest.approx(record.max_lr) and (tmp_path / "range_test.csv").exists()
    # The proof: a run that is given that rate is the same run, bit for bit.
    given = tmp_path / "given"
    given.mkdir()
    train(replace(auto, max_lr=record.max_lr), pack, split, given, seed=1)
    assert same_weights(tmp_path, given)


def test_the_first_20_steps_of_the_assignment_run(pack, split, tmp_path):
    # The embedded digits stand in for Tiny ImageNet; the network, the batch of 512 and the schedule are the exercise's.
    record = train(replace(assignment(), max_lr=0.1, pad=2, cutout=2), pack, split, tmp_path, stop_after_steps=20)
    assert record.status == "stopped" and record.model == "resnet18" and record.stem == "full"
    assert record.steps_per_epoch == 3 and record.epochs == 50
    rows = runs.read_metrics(tmp_path / "metrics.csv")
    assert [row.step for row in rows] == [3, 6, 9, 12, 15, 18] and rows[-1].train_loss < rows[0].train_loss


def test_minutes_shorten_the_cycle_before_it_starts(recipe, pack, split, tmp_path):
    long = replace(recipe, epochs=20_000, minutes=1.0)
    record = train(long, pack, split, tmp_path, stop_after_steps=3)
    assert record.epochs < 20_000 and any("to keep to" in note for note in record.notes)


def test_a_target_stops_the_run_and_all_pictures_are_judged(recipe, pack, split, tmp_path):
    record = train(replace(recipe, epochs=20), pack, split, tmp_path, target=0.3)
    assert record.status == "stopped" and "30.00%" in record.stopped_reason
    assert record.final.epoch < 20 and record.final.val_pictures == len(split.val)


def test_mirrored_accuracy_is_reported_apart(recipe, pack, split, tmp_path):
    record = train(replace(recipe, epochs=1), pack, split, tmp_path, mirror=True)
    assert 0 <= record.final.extra["val_accuracy_mirrored"] <= 1


def test_every_epoch_is_told_with_where_its_time_went(recipe, pack, split, tmp_path):
    told = []
    train(recipe, pack, split, tmp_path, watch=lambda e: told.append(e.row) if isinstance(e, EpochDone) else None)
    for row in told:
        parts = row.seconds_data + row.seconds_train + row.seconds_optimizer + row.seconds_eval + row.seconds_write
        assert row.seconds == pytest.approx(parts) and min(row.seconds_train, row.seconds_optimizer) > 0


def test_the_global_random_state_is_left_alone(recipe, pack, split, tmp_path):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    train(replace(recipe, epochs=1), pack, split, tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
