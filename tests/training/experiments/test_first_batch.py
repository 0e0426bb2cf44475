"""What a run cannot use is said before anything is written, by its first batch."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glauke import runs
from glauke.errors import UsageError
from glauke.training import Step, fit

INPUTS = torch.randn(12, 8, generator=torch.Generator().manual_seed(0))
ANSWERS = (INPUTS[:, :1] > 0).float()


def binary(make, **fields):
    data = [(INPUTS, ANSWERS)]
    fields = {"train": data, "val": data, "loss": F.binary_cross_entropy_with_logits, **fields}
    return make.experiment(model=nn.Linear(8, 1), **fields)


def test_a_monitor_that_is_not_measured_is_refused_and_the_corrected_call_runs(tmp_path, make):
    with pytest.raises(UsageError, match=r"measures no 'val_accuracy'; choose one of: val_loss$"):
        fit(binary(make), out=tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert fit(binary(make, monitor="val_loss"), out=tmp_path / "x").best.val_loss < 1


@pytest.mark.parametrize("labels", [ANSWERS[:, 0].long(), ANSWERS])
def test_one_output_has_no_accuracy(tmp_path, make, labels):
    data = [(INPUTS, labels)]
    loss = lambda outputs, labels: F.binary_cross_entropy_with_logits(outputs[:, 0], labels.reshape(-1).float())  # noqa: E731
    fit(binary(make, train=data, val=data, loss=loss, monitor="val_loss", epochs=1), out=tmp_path)
    row = runs.read_metrics(tmp_path / "metrics.csv")[0]
    assert row.val_accuracy is None and row.train_accuracy is None


def test_labels_that_name_several_classes_have_no_accuracy(tmp_path, make):
    many = (INPUTS[:, :3] > 0).float()
    made = make.experiment(
        model=nn.Linear(8, 3),
        train=[(INPUTS, many)],
        val=[(INPUTS, many)],
        loss=F.binary_cross_entropy_with_logits,
        monitor="val_loss",
        epochs=1,
    )
    fit(made, out=tmp_path)
    assert runs.read_metrics(tmp_path / "metrics.csv")[0].val_accuracy is None


def test_looking_leaves_no_trace(tmp_path, make):
    model, states = make.network(), []

    def step(model, batch):
        states.append(torch.get_rng_state())
        return Step(loss=F.cross_entropy(model(batch[0]), batch[1]), count=len(batch[1]))

    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(UsageError, match=r"choose one of: train_loss$"):
        fit(make.experiment(model=model, step=step, monitor="train_accuracy"), out=tmp_path / "x")
    assert len(states) == 1 and all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ({"x": INPUTS, "y": ANSWERS}, "not a dict of 2; .*a step of your own"),
        ((INPUTS, ANSWERS, 1), "not a tuple of 3"),
    ],
)
def test_batches_that_are_no_pairs_are_refused(tmp_path, make, batch, words):
    with pytest.raises(UsageError, match=words):
        fit(make.experiment(train=[batch], val=[batch]), out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("kind", [torch.uint8, torch.int32])
def test_labels_of_a_narrow_type_train_as_wide_ones_do(tmp_path, make, kind):
    inputs, labels = make.examples(16, 1).tensors
    for name, given in (("wide", labels), ("narrow", labels.to(kind))):
        fit(make.experiment(train=[(inputs, given)], val=[(inputs, given)], epochs=1), out=tmp_path / name)
    wide, narrow = ((tmp_path / name / "final.safetensors").read_bytes() for name in ("wide", "narrow"))
    assert wide == narrow


def test_a_step_that_counts_nothing_is_named(tmp_path, make):
    step = lambda model, batch: Step(loss=model(batch[0]).mean(), count=0)  # noqa: E731
    with pytest.raises(UsageError, match="step: it counted 0 examples"):
        fit(make.experiment(step=step, monitor="val_loss"), out=tmp_path / "x")


def test_held_out_streams_need_no_length(tmp_path, make):
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(make.examples(30, 2))

    val = torch.utils.data.DataLoader(Stream(), batch_size=16)
    assert fit(make.experiment(val=val, epochs=1), out=tmp_path).final.val_pictures == 30


def test_a_scheduler_that_ends_too_early_is_refused_at_the_start(tmp_path, make):
    model = make.network()
    optimizer = make.sgd(model)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=8)
    made = make.experiment(model=model, optimizer=optimizer, schedule=schedule)
    with pytest.raises(UsageError, match="has 8 steps, and the run takes 12 of them; make it with total_steps=12"):
        fit(made, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_chained_schedulers_are_followed(tmp_path, make):
    model = make.network()
    optimizer, rates = make.sgd(model), []
    parts = [torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma) for gamma in (0.5, 0.2)]
    schedule = torch.optim.lr_scheduler.ChainedScheduler(parts, optimizer)
    made = make.experiment(model=model, optimizer=optimizer, schedule=schedule, epochs=2)
    fit(made, out=tmp_path, watch=make.stepped(lambda event: rates.append(event.lr)))
    assert rates == pytest.approx([0.1] * 4 + [0.01] * 4)


def test_a_label_without_an_output_is_named(tmp_path, make):
    data = [(INPUTS, torch.full((12,), 7))]
    with pytest.raises(UsageError, match=r"a label names a class that the model has no output for .*7"):
        fit(make.experiment(train=data, val=data), out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_loss_that_trains_nothing_is_named(tmp_path, make):
    def detached(outputs, labels):
        return F.cross_entropy(outputs, labels).detach()

    with pytest.raises(UsageError, match="the loss depends on no weight that trains"):
        fit(make.experiment(loss=detached), out=tmp_path)
