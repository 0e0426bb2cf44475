"""A program's own step, loss and loaders, and what cannot be used of them."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler, IterableDataset

from glauke import runs
from glauke.errors import NotFiniteError, UsageError
from glauke.images import Batches
from glauke.training import Step, fit

TRAIN, VAL, BATCH, STEPS = 50, 30, 16, 4


def test_metrics_are_sums_divided_once(tmp_path, make):
    inputs, labels = make.examples(6, 3).tensors
    uneven = [(inputs[:5], labels[:5]), (inputs[5:], labels[5:])]
    model = make.network()
    record = fit(make.experiment(model=model, optimizer=make.sgd(model, lr=0.0), epochs=1, val=uneven), out=tmp_path)
    logits = model.eval()(inputs)
    assert record.final.val_loss == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)
    assert record.final.val_accuracy == pytest.approx((logits.argmax(dim=1) == labels).double().mean().item())


def regression(model, batch):
    predicted = model(batch["inputs"])[:, 0]
    wrong = (predicted - batch["wanted"]).abs()
    return Step(
        loss=wrong.square().mean(), count=len(wrong), sums={"mean_error": wrong.sum(), "far": (wrong > 1).sum()}
    )


def mappings(make, count, seed):
    inputs, labels = make.examples(count, seed).tensors
    return [
        {"inputs": inputs[i : i + BATCH], "wanted": labels[i : i + BATCH].float(), "name": str(i)}
        for i in range(0, count, BATCH)
    ]


def test_a_step_of_ones_own_sums_its_own_metrics(tmp_path, make):
    made = make.experiment(
        train=mappings(make, TRAIN, 1),
        val=mappings(make, VAL, 2),
        step=regression,
        monitor="val_mean_error",
        mode="min",
    )
    record = fit(made, out=tmp_path)
    rows = runs.read_metrics(tmp_path / "metrics.csv")
    assert set(rows[0].extra) == {"train_mean_error", "val_mean_error", "train_far", "val_far"}
    assert rows[0].train_accuracy is None and rows[0].val_accuracy is None
    errors = [row.extra["val_mean_error"] for row in rows]
    assert record.best.extra["val_mean_error"] == min(errors) and record.final.extra["val_mean_error"] == errors[-1]
    assert record.extra["monitor"] == {"metric": "val_mean_error", "mode": "min"}
    model = made.model.eval()
    wanted = torch.cat([batch["wanted"] for batch in made.val])
    predicted = torch.cat([model(batch["inputs"])[:, 0] for batch in made.val])
    assert (predicted - wanted).abs().mean().item() == pytest.approx(min(errors), rel=1e-5)
    assert runs.final_accuracy(runs.read(tmp_path)) is None


def test_a_loss_of_ones_own_needs_no_classes(tmp_path, make):
    inputs = torch.randn(20, 8, generator=torch.Generator().manual_seed(0))
    pairs = [(inputs[:15], inputs[:15, :1]), (inputs[15:], inputs[15:, :1])]
    made = make.experiment(model=nn.Linear(8, 1), train=pairs, val=pairs, loss=F.mse_loss, monitor="val_loss")
    record = fit(made, out=tmp_path)
    expected = F.mse_loss(made.model(inputs), inputs[:, :1]).item()
    assert record.best.val_loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda model, batch: model(batch[0]).mean(), "it gave a Tensor"),
        (lambda model, batch: Step(loss=model(batch[0])[:, 0], count=4), r"the loss has the shape \(16,\)"),
        (lambda model, batch: Step(loss=model(batch[0]).mean(), count=4, sums={"x": batch[0]}), "'x' has the shape"),
    ],
)
def test_a_step_that_cannot_be_used_is_named(tmp_path, step, words, make):
    with pytest.raises(UsageError, match=words):
        fit(make.experiment(step=step, monitor="val_loss"), out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_metric_that_nobody_measures_is_named_with_those_that_are(tmp_path, make):
    with pytest.raises(UsageError, match=r"no 'val_f1'; choose one of: .*val_accuracy"):
        fit(make.experiment(monitor="val_f1", mode="max"), out=tmp_path)


def test_a_loss_that_is_not_finite_stops_before_the_weights_change(tmp_path, make):
    inputs, labels = make.examples(TRAIN, 1).tensors
    train = [(inputs[:16], labels[:16]), (torch.full((4, 8), torch.inf), labels[:4])]
    made, seen = make.experiment(model=nn.Linear(8, 3), train=train), []

    watch = make.stepped(lambda e: seen.append([p.detach().clone() for p in made.model.parameters()]))
    with pytest.raises(NotFiniteError, match=r"step 2 of 6, at rate .* not changed"):
        fit(made, out=tmp_path, watch=watch)
    assert all(torch.equal(a, b) for a, b in zip(made.model.parameters(), seen[-1], strict=True)) and len(seen) == 1
    assert runs.read(tmp_path).status == "failed"


def test_loaders_of_a_single_batch(tmp_path, make):
    train, val = make.examples(16, 1).tensors, make.examples(8, 2).tensors
    record = fit(make.experiment(train=[train], val=[val], epochs=1), out=tmp_path)
    assert record.steps == 1 and record.final.val_pictures == 8


class Stream(IterableDataset):
    """A data set of which nobody knows how long it is."""

    def __init__(self, examples):
        self.examples = examples

    def __iter__(self):
        return iter(self.examples)


def test_a_loader_that_does_not_tell_its_length_is_counted_in_the_first_epoch(tmp_path, make):
    model, plans = make.network(), []
    stream = DataLoader(Stream(make.examples(TRAIN, 1)), batch_size=BATCH)
    made = make.experiment(model=model, optimizer=make.sgd(model), train=stream, epochs=2)
    watch = make.stepped(lambda e: plans.append((e.step, e.plan.num_steps, e.seconds_left)))
    record = fit(made, out=tmp_path / "counted", watch=watch)
    assert record.steps_per_epoch == STEPS and record.steps == 2 * STEPS and record.split.train == TRAIN
    assert all(step <= planned for step, planned, _ in plans) and plans[0][2] is None
    with pytest.raises(UsageError, match="does not tell its length; give steps_per_epoch"):
        fit(make.experiment(train=stream), out=tmp_path / "cycle")
    assert fit(make.experiment(train=stream, steps_per_epoch=2), out=tmp_path / "some").steps == 6


def test_an_epoch_that_is_shorter_than_planned_is_refused(tmp_path, make):
    class Shrinking:
        left = 4

        def __len__(self):
            return 4

        def __iter__(self):
            self.left -= 1
            return iter(mappings(make, TRAIN, 1)[: self.left + 1])

    made = make.experiment(train=Shrinking(), step=regression, monitor="val_loss", val=mappings(make, VAL, 2))
    with pytest.raises(UsageError, match="epoch 2 has 3 batches instead of 4"):
        fit(made, out=tmp_path)
    with pytest.raises(UsageError, match="has 4 batches, not 5"):
        fit(replace(made, steps_per_epoch=5), out=tmp_path / "more")


def test_samplers_are_told_the_epoch_and_packs_serve_it(tmp_path, pack, split, make):
    sampler = DistributedSampler(make.examples(TRAIN, 1), num_replicas=1, rank=0)
    told = []
    sampler.set_epoch = told.append
    fit(
        make.experiment(train=DataLoader(make.examples(TRAIN, 1), batch_size=BATCH, sampler=sampler)),
        out=tmp_path / "sampler",
    )
    assert told == [0, 1, 2]
    served = []

    def step(model, batch):
        if model.training:
            served.append(batch.samples[:4].tolist())
        return Step(loss=model(batch.images.flatten(1)[:, :8]).square().mean(), count=len(batch.labels))

    batches = Batches(pack, split.train[:20], batch_size=10, shuffle=True)
    made = make.experiment(train=batches, val=batches, step=step, epochs=2, monitor="val_loss")
    assert fit(made, out=tmp_path / "pack").split.train == 20
    assert len({tuple(samples) for samples in served}) == 4  # another order in the second epoch


def test_a_run_without_held_out_batches_is_judged_by_its_training(tmp_path, make):
    record = fit(make.experiment(val=None, monitor="train_loss"), out=tmp_path)
    rows = runs.read_metrics(tmp_path / "metrics.csv")
    assert record.best.extra["train_loss"] == min(row.train_loss for row in rows)
    assert record.final.val_pictures == 0 and rows[0].val_loss is None
