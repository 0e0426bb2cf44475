"""One step and one evaluation, worked by hand."""

import json
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glauke.errors import NotFiniteError, UsageError
from glauke.images import Batch
from glauke.training._device import choose_precision
from glauke.training.loop._loop import evaluate, make_objective, train_step
from glauke.training.loop._optimizer import make_optimizer
from glauke.training.loop._pack_task import scored
from glauke.training.loop._step import Step, Totals, classification
from glauke.training.recipes import quick
from glauke.training.saving._held_out import Scores

FP32 = choose_precision("fp32", torch.device("cpu"))


def batch(count=6, classes=7, seed=0, start=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 3, 4, 4, generator=generator)
    labels = torch.randint(0, classes, (count,), generator=generator)
    return Batch(images=images, labels=labels, samples=torch.arange(start, start + count))


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 7))


def step(model, optimizer, data, **options):
    compute = classification(make_objective(0.1))
    return train_step(model, data, optimizer, compute=compute, precision=FP32, scaler=FP32.scaler(), **options)


def totals():
    return Totals(torch.device("cpu"))


def test_a_step_is_that_of_a_bare_loop():
    ours, bare = network(), network()
    optimizer = make_optimizer(ours, quick(), lr=0.1)
    decayed = [p for p in bare.parameters() if p.ndim > 1]
    plain = [p for p in bare.parameters() if p.ndim <= 1]
    reference = torch.optim.SGD(
        [{"params": decayed, "weight_decay": 5e-4}, {"params": plain, "weight_decay": 0.0}],
        lr=0.1,
        momentum=0.9,
        nesterov=True,
    )
    for i in range(3):
        data = batch(seed=i)
        loss, _ = step(ours, optimizer, data)
        expected = F.cross_entropy(bare(data.images), data.labels, label_smoothing=0.1)
        expected.backward()
        reference.step()
        reference.zero_grad()
        assert loss == pytest.approx(expected.item(), abs=1e-6)
    for a, b in zip(ours.parameters(), bare.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_clipping_bounds_the_step():
    model = network()
    before = [p.clone() for p in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    step(model, optimizer, batch(), clip=1e-3)
    moved = math.sqrt(sum(((a - b) ** 2).sum().item() for a, b in zip(model.parameters(), before, strict=True)))
    assert moved == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_before_the_weights_change(poison):
    model = network()
    optimizer = make_optimizer(model, quick(), lr=0.1)
    before = [p.clone() for p in model.parameters()]
    data = batch()
    data.images[2, 0, 0, 0] = poison
    with pytest.raises(NotFiniteError, match="the loss became"):
        step(model, optimizer, data)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), before, strict=True))


def test_metrics_are_sums_over_pictures_not_means_of_batches():
    logits = torch.tensor([[9.0, 0, 0], [0, 9.0, 0], [0, 0, 9.0], [9.0, 0, 0]])
    labels = torch.tensor([0, 0, 2, 0])
    compute, sums = classification(make_objective(0.1)), totals()
    for part in (slice(0, 3), slice(3, 4)):  # a short last batch, which a mean of means would weigh three times
        sums.add(compute(lambda x: x, (logits[part], labels[part])))
    means = sums.means()
    assert means["accuracy"] == 0.75 and means["top5"] == 1.0 and sums.count == 4
    assert means["loss"] == pytest.approx(F.cross_entropy(logits, labels).item(), abs=1e-7)


def test_top_5_counts_the_five_largest():
    logits = torch.arange(10.0)[None].repeat(2, 1)
    found = classification(make_objective(0.0))(lambda x: x, (logits, torch.tensor([5, 4])))
    assert {name: float(value) for name, value in found.sums.items() if name != "loss"} == {"accuracy": 0, "top5": 1}


def test_mixed_labels_count_by_their_larger_share():
    logits = torch.tensor([[0.0, 9.0, 0.0], [9.0, 0.0, 0.0]])
    shares = torch.tensor([[0.3, 0.7, 0.0], [0.4, 0.0, 0.6]])
    found = classification(make_objective(0.0))(lambda x: x, (logits, shares))
    assert found.sums["accuracy"] == 1
    assert found.sums["loss"] == pytest.approx(F.cross_entropy(logits, shares, reduction="sum").item())


def test_labels_that_are_no_classes_are_refused_before_the_loss_or_shown_without_hits():
    outputs, targets = torch.zeros(4, 1), torch.ones(4, 1)
    with pytest.raises(UsageError, match=r"not \(4, 1\) and \(4, 1\)"):
        classification(make_objective(0.0))(lambda x: x, (outputs, targets))
    found = classification(F.mse_loss, plain=False)(lambda x: x, (outputs, targets))
    assert found.loss == 1.0 and found.sums == {} and found.count == 4


def test_totals_divide_a_programs_own_sums_once_and_go_on_from_their_state():
    sums = totals()
    sums.add(Step(loss=torch.tensor(2.0), count=3, sums={"mae": torch.tensor(6.0)}))
    again = totals()
    again.load(json.loads(json.dumps(sums.state())))
    for each in (sums, again):
        each.add(Step(loss=torch.tensor(6.0), count=1, sums={"mae": 2}))
        assert each.means() == {"loss": 3.0, "mae": 2.0} and each.count == 4


def test_totals_refuse_metrics_that_come_and_go_and_metrics_that_are_not_summed():
    sums = totals()
    sums.add(Step(loss=torch.tensor(2.0), count=3, sums={"mae": 1.0}))
    with pytest.raises(UsageError, match="loss, mse, an earlier one loss, mae"):
        sums.add(Step(loss=torch.tensor(2.0), count=3, sums={"mse": 1.0}))
    with pytest.raises(UsageError, match=r"'mae' has the shape \(3,\)"):
        sums.add(Step(loss=torch.tensor(2.0), count=3, sums={"mae": torch.ones(3)}))


def test_totals_of_nothing_are_no_number_and_what_is_not_finite_survives_json():
    assert math.isnan(totals().means()["loss"]) and totals().count == 0
    sums, again = totals(), totals()
    sums.add(Step(loss=torch.tensor(math.inf), count=1, sums={"x": math.nan}))
    again.load(json.loads(json.dumps(sums.state(), allow_nan=False)))
    assert again.means()["loss"] == math.inf and math.isnan(again.means()["x"])


def judged(model, batches, *, mirror=False):
    scores, sums = Scores(), totals()
    compute = scored(classification(make_objective(0.0)), scores, mirror=mirror)
    evaluate(model, batches, compute=compute, precision=FP32, totals=sums)
    return scores, sums


def test_evaluation_leaves_the_model_as_it_was_and_keeps_every_score():
    model = network().train()
    model[1].eval()  # a frozen norm must stay frozen
    state = {k: v.clone() for k, v in model.state_dict().items()}
    scores, sums = judged(model, [batch(4), batch(3, start=4)])
    assert model.training and not model[1].training and sums.count == 7
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert torch.cat(scores.samples).tolist() == list(range(7)) and torch.cat(scores.logits).shape == (7, 7)


def test_mirrored_evaluation_averages_both_ways():
    model, data = network().eval(), batch()
    scores, _ = judged(model, [data], mirror=True)
    with torch.inference_mode():
        wanted = (model(data.images) + model(data.images.flip(-1))) / 2
    assert torch.allclose(scores.logits[0], wanted)


def test_norms_and_biases_are_not_decayed():
    groups = make_optimizer(network(), quick(), lr=0.1).param_groups
    assert [g["weight_decay"] for g in groups] == [5e-4, 0.0]
    assert all(p.ndim > 1 for p in groups[0]["params"]) and all(p.ndim == 1 for p in groups[1]["params"])


def test_no_gradient_from_before_a_step_counts_and_none_is_left():
    clean, used = network(), network()
    used(batch(seed=9).images).sum().backward()  # somebody looked at gradients, or a step was broken off
    for model in (clean, used):
        step(model, make_optimizer(model, quick(), lr=0.1), batch())
        assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(clean.parameters(), used.parameters(), strict=True))


@pytest.mark.parametrize("how", ["loss", "interrupt"])
def test_a_step_that_is_broken_off_leaves_no_gradients(how):
    def interrupt():
        raise KeyboardInterrupt

    model, data = network(), batch()
    if how == "loss":
        data.images[0] = math.nan
    with pytest.raises(NotFiniteError if how == "loss" else KeyboardInterrupt):
        step(model, make_optimizer(model, quick(), lr=0.1), data, before_apply=interrupt)
    assert all(p.grad is None for p in model.parameters())


def test_clipping_measures_what_the_optimizer_changes_and_nothing_else():
    whole, head = network(), network()
    head[0].weight.requires_grad_(False)
    for model in (whole, head):
        optimizer = torch.optim.SGD(model[3].parameters(), lr=1.0)
        before = [p.detach().clone() for p in model[3].parameters()]
        for i in range(3):  # gradients of the body, which nobody steps along, would pile up
            step(model, optimizer, batch(seed=i), clip=1e-3)
        assert not torch.equal(model[3].weight, before[0])
    assert torch.equal(whole[3].weight, head[3].weight) and torch.equal(whole[3].bias, head[3].bias)


def test_a_learnt_loss_is_clipped_with_the_model():
    model, scale = network(), nn.Parameter(torch.tensor(1.0))
    optimizer = torch.optim.SGD([*model.parameters(), scale], lr=1.0)
    before = [p.detach().clone() for p in (*model.parameters(), scale)]

    def compute(model, data):
        return Step(loss=100 * scale * F.cross_entropy(model(data.images), data.labels), count=6)

    train_step(model, batch(), optimizer, compute=compute, precision=FP32, scaler=FP32.scaler(), clip=1e-3)
    after = [*model.parameters(), scale]
    moved = math.sqrt(sum(((a - b) ** 2).sum().item() for a, b in zip(after, before, strict=True)))
    assert moved == pytest.approx(1e-3, rel=1e-3)


def test_a_finite_loss_with_a_gradient_that_is_not_stops_before_the_weights_change():
    model = nn.Linear(8, 1, bias=False)
    nn.init.zeros_(model.weight)

    def compute(model, data):
        return Step(loss=(model(data) ** 2).sum().sqrt(), count=4)  # 0, where its slope is 0 / 0

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(NotFiniteError, match="the gradient became nan"):
        train_step(model, torch.ones(4, 8), optimizer, compute=compute, precision=FP32, scaler=FP32.scaler())
    assert torch.equal(model.weight, torch.zeros(1, 8))
