"""Runs of a program's own model, loaders, optimizer and schedule: their folders, resuming, restarting."""

import os
import signal
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader

from glauke import runs
from glauke.errors import UsageError
from glauke.training import fit
from glauke.training.saving._checkpoint import load_checkpoint

TRAIN, VAL, BATCH, STEPS = 50, 30, 16, 4  # the last of an epoch's steps has two examples


@pytest.fixture
def drawn():
    """Ask for the figures."""


def holds(model, file):
    return all(torch.equal(value, load_file(file)[name]) for name, value in model.state_dict().items())


def test_a_run_leaves_a_folder_that_explains_itself(tmp_path, drawn, make):
    made = make.experiment()
    record = fit(made, out=tmp_path / "x")
    assert runs.read(tmp_path / "x") == record and record.folder == tmp_path / "x"
    assert record.status == "done" and record.name == "small" and record.model == "Sequential"
    assert record.steps == 3 * STEPS and record.max_lr == 0.1 and record.final.epoch == 3
    assert (record.data.pictures, record.split.train, record.split.val) == (TRAIN + VAL, TRAIN, VAL)
    rows = runs.read_metrics(tmp_path / "x" / "metrics.csv")
    assert [row.epoch for row in rows] == [1, 2, 3] and [row.step for row in rows] == [4, 8, 12]
    assert record.best.val_accuracy == max(row.val_accuracy for row in rows)
    assert rows[-1].val_accuracy == record.final.val_accuracy > 0.4 and rows[-1].val_pictures == VAL
    for name in ("curves", "time", "schedule"):
        assert (tmp_path / "x" / "plots" / f"{name}.svg").stat().st_size > 0
    assert [each.name for each in runs.list_runs(tmp_path)] == ["small"]
    assert str(tmp_path) not in (tmp_path / "x" / "run.json").read_text()


def test_the_model_holds_the_best_weights_afterwards_and_not_the_last(tmp_path, make):
    model = make.network()
    ruinous = make.experiment(
        model=model, optimizer=make.sgd(model), epochs=4, schedule=lambda step: 0.05 if step < 3 * STEPS else 5.0
    )
    record = fit(ruinous, out=tmp_path)
    assert record.best.epoch < record.final.epoch == 4 and record.best.val_loss < record.final.val_loss
    assert holds(model, tmp_path / "best.safetensors") and not holds(model, tmp_path / "final.safetensors")
    inputs, labels = make.examples(VAL, 2).tensors
    accuracy = (model.eval()(inputs).argmax(dim=1) == labels).double().mean().item()
    assert accuracy == pytest.approx(record.best.val_accuracy, abs=0.04)


def test_a_cell_that_is_run_again_gets_its_run_back(tmp_path, make):
    record = fit(make.experiment(), out=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    told, model = [], make.network(seed=9)
    again = fit(make.experiment(model=model), out=tmp_path, watch=make.noted(told))
    assert again == record and any("finished" in text and "restart=True" in text for text in told)
    assert holds(model, tmp_path / "best.safetensors")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def one_cycle(optimizer):
    return {"schedule": "one-cycle", "momenta": (0.95, 0.85), "anneal": "cosine", "peak_epoch": 1}


def function(optimizer):
    return {"schedule": lambda step: 0.1 / (1 + step)}


def torch_one_cycle(optimizer):
    return {"schedule": lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=3 * STEPS)}


def steps(optimizer):
    return {"schedule": lr_scheduler.MultiStepLR(optimizer, [1, 2], gamma=0.5)}


def warm_then_cosine(optimizer):
    warm, cosine = lr_scheduler.LinearLR(optimizer), lr_scheduler.CosineAnnealingLR(optimizer, 2)
    return {"schedule": lr_scheduler.SequentialLR(optimizer, [warm, cosine], [1])}


def plateau(optimizer):
    found = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=10.0)
    return {"schedule": found, "monitor": "val_loss"}


def by_the_step(optimizer):
    return {"schedule": lr_scheduler.ExponentialLR(optimizer, 0.9), "every": "step", "ema": 0.9, "keep": 2, "clip": 1.0}


SCHEDULES = (one_cycle, function, torch_one_cycle, steps, warm_then_cosine, plateau, by_the_step)


@pytest.mark.parametrize(
    ("schedule", "own", "afresh"),
    [*((schedule, False, True) for schedule in SCHEDULES), (steps, True, True), (warm_then_cosine, True, False)],
)
def test_an_interrupted_run_goes_on_to_the_bit(tmp_path, schedule, own, afresh, make):
    def made():
        model = make.network()
        optimizer = make.sgd(model)
        generator = torch.Generator().manual_seed(3) if own else None
        train = DataLoader(make.examples(TRAIN, 1), batch_size=BATCH, shuffle=True, generator=generator)
        return make.experiment(model=model, optimizer=optimizer, train=train, **schedule(optimizer))

    rates, again = [], []
    whole = fit(made(), out=tmp_path / "whole", watch=make.stepped(lambda e: rates.append(e.lr)))

    def press(event):
        if event.step == 2 * STEPS + 2:  # within the last epoch
            os.kill(os.getpid(), signal.SIGINT)

    first = made()
    paused = fit(first, out=tmp_path / "paused", watch=make.stepped(press))
    assert paused.status == "interrupted" and paused.final is None
    torch.manual_seed(77)  # another random state in between must not matter
    second = made() if afresh else first  # a program started again, or a cell run again
    finished = fit(second, out=tmp_path / "paused", watch=make.stepped(lambda e: again.append(e.lr)))
    assert finished.resumed_from_steps == (2 * STEPS,) and again == rates[2 * STEPS :]
    assert finished.final == whole.final and finished.best == whole.best
    for name in ("final.safetensors", "best.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "paused" / name).read_bytes()


def test_an_interrupted_first_epoch_begins_again_from_its_first_weights(tmp_path, make):
    whole = fit(make.experiment(), out=tmp_path / "whole")

    made, press = make.experiment(), make.stepped(lambda e: os.kill(os.getpid(), signal.SIGTERM))
    assert fit(made, out=tmp_path / "paused", watch=press).status == "interrupted"
    finished = fit(made, out=tmp_path / "paused")  # the very same objects, as in a notebook
    assert finished.resumed_from_steps == (0,) and finished.final == whole.final


def test_restart_moves_the_old_run_aside_and_deletes_nothing(tmp_path, make):
    made, told = make.experiment(), []
    first = fit(made, out=tmp_path / "x")
    old = (tmp_path / "x" / "final.safetensors").read_bytes()
    second = fit(make.experiment(model=make.network(seed=4)), out=tmp_path / "x", restart=True, watch=make.noted(told))
    third = fit(replace(made, epochs=1), out=tmp_path / "x", restart=True, watch=make.noted(told))
    assert (tmp_path / "x.1" / "final.safetensors").read_bytes() == old
    assert runs.read(tmp_path / "x.1") == first and runs.read(tmp_path / "x.2") == second
    assert runs.read(tmp_path / "x") == third and third.epochs == 1
    assert [text for text in told if "aside" in text or "is now in" in text] == [
        "what stood in x is now in x.1",
        "what stood in x is now in x.2",
    ]
    assert not any("make it anew" in note for note in (*second.notes, *third.notes))


def test_restart_says_if_the_model_has_learnt_already(tmp_path, make):
    made = make.experiment()
    fit(made, out=tmp_path / "x")
    record = fit(made, out=tmp_path / "x", restart=True)
    assert any("make it anew to train from scratch" in note for note in record.notes)


def test_what_stands_in_the_folder_is_never_overwritten(tmp_path, make):
    fit(make.experiment(), out=tmp_path / "x")
    with pytest.raises(UsageError, match="holds a run already"):
        fit(make.experiment(), out=tmp_path / "x", resume=False)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="no run"):
        fit(make.experiment(), out=tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_run_of_another_experiment_is_not_taken_for_this_one(tmp_path, make):
    fit(make.experiment(), out=tmp_path)
    for changes, words in (
        ({"epochs": 4}, "epochs was 3 and is 4"),
        ({"max_lr": 0.2}, r"max_lr was 0\.1 and is 0\.2"),
        ({"seed": 6}, "seed was 5 and is 6"),
        ({"model": nn.Linear(8, 3)}, "parameters was"),
        ({"loss": nn.CrossEntropyLoss()}, "loss was cross_entropy and is CrossEntropyLoss"),
    ):
        with pytest.raises(UsageError, match=words):
            fit(make.experiment(**changes), out=tmp_path)


def test_the_best_k_epochs_stay_beside_the_last(tmp_path, make):
    model = make.network()
    rates = {0: 0.001, 1: 3.0, 2: 0.05, 3: 0.02}
    made = make.experiment(
        model=model,
        optimizer=make.sgd(model),
        epochs=4,
        keep=2,
        monitor="val_loss",
        schedule=lambda step: rates[step // STEPS],
    )
    record = fit(made, out=tmp_path)
    rows = sorted(runs.read_metrics(tmp_path / "metrics.csv"), key=lambda row: row.val_loss)[:2]
    assert [each["epoch"] for each in record.extra["top"]] == [row.epoch for row in rows]
    assert [each["val_loss"] for each in record.extra["top"]] == [row.val_loss for row in rows]
    names = [f"epoch-{row.epoch:04d}.safetensors" for row in rows]
    assert sorted(path.name for path in (tmp_path / "top").iterdir()) == sorted(names)
    assert (tmp_path / "top" / names[0]).read_bytes() == (tmp_path / "best.safetensors").read_bytes()
    assert record.best.epoch == rows[0].epoch and (tmp_path / "final.safetensors").exists()


def test_the_average_is_what_the_model_holds_afterwards(tmp_path, make):
    made = make.experiment(ema=0.9, epochs=2)
    fit(made, out=tmp_path)
    checkpoint = load_checkpoint(tmp_path / "checkpoints")
    final = load_file(tmp_path / "final.safetensors")
    assert all(torch.equal(final[name], checkpoint.average[name]) for name in final)
    assert holds(made.model, tmp_path / "best.safetensors")


def test_the_callers_random_state_and_modes_are_left_alone(tmp_path, make):
    model = make.network()
    model[1].eval()  # a frozen norm stays frozen in evaluation and after it
    torch.manual_seed(11)
    before = torch.get_rng_state()
    fit(make.experiment(model=model), out=tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_the_program_gave_is_left_as_it_was(tmp_path, make):
    model = make.network()
    optimizer = make.sgd(model)
    scheduler = lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    model.eval()
    groups, state = optimizer.state_dict()["param_groups"], scheduler.state_dict()
    made = make.experiment(model=model, optimizer=optimizer, schedule=scheduler)
    fields = {name: getattr(made, name) for name in made.__slots__}
    fit(made, out=tmp_path)
    assert optimizer.state_dict()["param_groups"] == groups and scheduler.state_dict() == state
    assert not any(part.training for part in model.modules())
    assert all(getattr(made, name) is value for name, value in fields.items())


def test_tied_weights_are_written_and_read(tmp_path, make):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.last = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 3)
            self.two.weight = self.one.weight

        def forward(self, inputs):
            return self.last(self.two(self.one(inputs).relu()))

    made = make.experiment(model=Tied(), ema=0.9)
    fit(made, out=tmp_path)
    assert made.model.two.weight is made.model.one.weight and holds(made.model, tmp_path / "best.safetensors")


def test_the_commands_for_runs_understand_such_a_run(tmp_path, make, drawn):
    from glauke.jobs import training

    folder = tmp_path / "x"
    fit(make.experiment(epochs=2), out=folder)
    text = training.report(folder).read_text(encoding="utf-8")
    assert "Sequential on loaders" in text and "50 examples" in text and "the optimizer" in text
    assert "Learning rate and momentum over 8 steps" in text  # the schedule that was drawn when the run ended
