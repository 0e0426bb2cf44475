"""What an experiment refuses, before anything is trained."""

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from glauke.errors import UnknownNameError, UsageError
from glauke.runs import EpochRow
from glauke.training import Experiment
from glauke.training.loop._monitor import Monitor, mode_of

DATA = [(torch.zeros(4, 8), torch.zeros(4, dtype=torch.int64))]


def experiment(**fields):
    fields.setdefault("model", None)
    model = nn.Linear(8, 3) if fields["model"] is None else fields["model"]
    return Experiment(**{"name": "x", "train": DATA, "val": DATA, "epochs": 2, **fields, "model": model})


def test_defaults_make_a_cycle_with_a_rate_that_is_found():
    made = experiment()
    assert made.cycles and made.peak == "auto" and made.monitored == Monitor(metric="val_accuracy", mode="max")


def test_an_optimizer_keeps_its_rates_unless_a_schedule_is_asked_for():
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    plain = experiment(model=model, optimizer=optimizer)
    cycled = experiment(model=model, optimizer=optimizer, schedule="one-cycle")
    assert (plain.cycles, plain.peak, cycled.cycles, cycled.peak) == (False, None, True, None)


@pytest.mark.parametrize(
    ("metric", "mode"),
    [
        ("val_loss", "min"),
        ("train_error", "min"),
        ("val_mean_error", "min"),
        ("val_accuracy", "max"),
        ("val_top5", "max"),
    ],
)
def test_a_name_that_says_which_way_is_better_is_believed(metric, mode):
    assert mode_of(metric) == mode


@pytest.mark.parametrize("metric", ["val_f1", "val_acc", "val_lossless", "val_accuracy_loss", "val_miou", "val_errors"])
def test_a_name_that_does_not_say_it_is_asked_about(metric):
    with pytest.raises(UsageError, match='mode="max" or "min"'):
        experiment(monitor=metric)
    assert experiment(monitor=metric, mode="min").monitored.mode == "min"


def row(epoch, **fields):
    numbers = dict.fromkeys(["seconds", *(f"seconds_{part}" for part in ("data", "train", "eval", "write"))], 0.0)
    return EpochRow(
        **{
            "epoch": epoch, "step": epoch, "size": 8, "lr": 0.1, "momentum": 0.9, "train_loss": 1.0,
            "train_accuracy": 0.5, "train_top5": 0.5, "val_loss": 1.0, "val_accuracy": 0.5, "val_top5": 0.5,
            "val_pictures": 4, "images_per_second": 1.0, **numbers, **fields,
        }
    )  # fmt: skip


def test_epochs_are_ranked_both_ways_the_earlier_of_equals_first_and_never_by_nan():
    rows = [row(i + 1, val_loss=value) for i, value in enumerate([2.0, float("nan"), 1.0, None, 2.0, 1.0])]
    for mode, wanted in (("min", [3, 6, 1, 5]), ("max", [1, 5, 3, 6])):
        assert [each.epoch for each in Monitor(metric="val_loss", mode=mode).ranked(rows)] == wanted
    own = [row(i + 1, extra={"val_f1": value}) for i, value in enumerate([0.2, 0.9])]
    assert Monitor(metric="val_f1", mode="max").ranked(own)[0].epoch == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "a/b"}, "cannot be the name of a folder"),
        ({"name": " "}, "cannot be the name of a folder"),
        ({"epochs": 0}, "epochs: it must be at least 1"),
        ({"keep": 0}, "keep: it must be at least 1"),
        ({"seed": -1}, "seed: it must be at least 0"),
        ({"steps_per_epoch": 0}, "steps_per_epoch"),
        ({"ema": 1.0}, "ema: it must lie between 0 and 1"),
        ({"max_lr": -0.1}, "max_lr: it must be a number above 0"),
        ({"max_lr": "best"}, "max_lr: it must be a number above 0, not 'best'"),
        ({"clip": 0}, "clip: it must be a number above 0"),
        ({"train": iter(DATA)}, "train: it is an iterator, which is used up after one pass"),
        ({"val": (batch for batch in DATA)}, "val: it is an iterator"),
        ({"val": None}, 'give val, or monitor="train_loss"'),
        ({"loss": nn.MSELoss(), "step": lambda model, batch: None}, "a loss has no use beside a step"),
        ({"peak_epoch": 3}, "must lie in the 2 epochs, not at 3"),
        ({"schedule": lambda step: 0.1, "max_lr": 0.1}, "the schedule has rates of its own"),
        ({"schedule": lambda step: 0.1, "peak_epoch": 1}, "there is no cycle"),
        ({"every": "step"}, "only PyTorch's schedulers are stepped"),
        ({"lr_range": (1.0, 1e-5)}, "lr_range: it must climb"),
        ({"momenta": (0.85, 0.95)}, "momenta: they must be below 1, the greater one first"),
        ({"model": nn.LazyLinear(3)}, "model: it has parameters without a shape"),
        ({"model": nn.Linear(8, 3).requires_grad_(False)}, "model: none of its parameters requires a gradient"),
    ],
)
def test_what_no_run_can_use_is_refused_with_its_field(fields, words):
    with pytest.raises(UsageError, match=words):
        experiment(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule": "one_cycle"},
        {"anneal": "cos"},
        {"mode": "auto"},
        {"lr_rule": "steep"},
        {"precision": "fp8"},
        {"device": "gpu"},
    ],
)
def test_names_come_with_the_nearest_known_one(fields):
    with pytest.raises(UnknownNameError, match="choose one of"):
        experiment(**fields)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("epochs", 2.5, "epochs: it must be a whole number, not 2.5"),
        ("train", object(), "train: it is a object, which cannot be iterated"),
        ("val", lambda: iter(DATA), "val: it is a function, which cannot be iterated"),
    ],
)
def test_what_has_another_type_is_refused_with_its_field(field, value, words):
    made = experiment()
    object.__setattr__(made, field, value)  # the checker of types that runs with these tests would say it first
    with pytest.raises(UsageError, match=words):
        made.__post_init__()


def test_an_optimizer_of_another_model_is_refused():
    other = torch.optim.SGD(nn.Linear(8, 3).parameters(), lr=0.1)
    with pytest.raises(UsageError, match="trains none of the model's parameters"):
        experiment(optimizer=other)
    model = nn.Linear(8, 3)
    with pytest.raises(UsageError, match="LBFGS"):
        experiment(model=model, optimizer=torch.optim.LBFGS(model.parameters()))


def test_schedulers_that_cannot_be_followed_are_refused():
    model = nn.Linear(8, 3)
    optimizer, other = (torch.optim.SGD(model.parameters(), lr=0.1) for _ in range(2))
    made = {"model": model, "optimizer": optimizer}
    with pytest.raises(UsageError, match="another optimizer"):
        experiment(**made, schedule=lr_scheduler.ExponentialLR(other, 0.9))
    with pytest.raises(UsageError, match="by the epoch"):
        experiment(**made, schedule=lr_scheduler.ReduceLROnPlateau(optimizer), every="step")
    with pytest.raises(UnknownNameError, match="every"):
        experiment(**made, schedule=lr_scheduler.ExponentialLR(optimizer, 0.9), every="batch")
    for monitor, scheduled in (("val_accuracy", "min"), ("val_loss", "max")):
        with pytest.raises(UsageError, match=f"looks for a {scheduled}imum of {monitor}"):
            experiment(**made, schedule=lr_scheduler.ReduceLROnPlateau(optimizer, mode=scheduled), monitor=monitor)
    used = lr_scheduler.ExponentialLR(optimizer, 0.9)
    optimizer.step()
    used.step()
    with pytest.raises(UsageError, match="has taken 1 steps already"):
        experiment(**made, schedule=used)


def test_a_scheduler_is_stepped_as_pytorch_says():
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for schedule, every_step in (
        (lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=9), True),
        (lr_scheduler.CyclicLR(optimizer, 0.1, 0.2), True),
        (lr_scheduler.StepLR(optimizer, 3), False),
    ):
        assert experiment(model=model, optimizer=optimizer, schedule=schedule).every_step is every_step


def test_making_one_touches_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = nn.Linear(8, 3)
    before = [p.clone() for p in model.parameters()]
    state = torch.get_rng_state()
    experiment(model=model)
    assert list(tmp_path.iterdir()) == [] and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), before, strict=True))
