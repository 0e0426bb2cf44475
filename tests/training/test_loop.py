"""One step and one evaluation, worked by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glauke.errors import NotFiniteError
from glauke.images import Batch
from glauke.training._device import choose_precision
from glauke.training._loop import Scores, Sums, evaluate, make_objective, train_step
from glauke.training._optimizer import make_optimizer
from glauke.training.recipes import quick

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
    objective = make_objective(0.1)
    return train_step(model, data, optimizer, objective=objective, precision=FP32, scaler=FP32.scaler(), **options)


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
    sums = Sums.on(torch.device("cpu"))
    sums.add(logits[:3], labels[:3])
    sums.add(logits[3:], labels[3:])  # a short last batch, which a mean of means would weigh three times
    loss, top1, top5 = sums.means()
    assert top1 == 0.75 and top5 == 1.0
    assert loss == pytest.approx(F.cross_entropy(logits, labels).item(), abs=1e-7)


def test_top_5_counts_the_five_largest():
    logits = torch.arange(10.0)[None].repeat(2, 1)
    sums = Sums.on(torch.device("cpu"))
    sums.add(logits, torch.tensor([5, 4]))
    assert sums.means()[1:] == (0.0, 0.5)


def test_evaluation_leaves_the_model_as_it_was_and_keeps_every_score():
    model = network().train()
    model[1].eval()  # a frozen norm must stay frozen
    state = {k: v.clone() for k, v in model.state_dict().items()}
    scores = Scores()
    sums = Sums.on(torch.device("cpu"))
    evaluate(model, [batch(4), batch(3, start=4)], precision=FP32, sums=sums, keep=scores)
    assert model.training and not model[1].training
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert torch.cat(scores.samples).tolist() == list(range(7)) and torch.cat(scores.logits).shape == (7, 7)


def test_mirrored_evaluation_averages_both_ways():
    model = network().eval()
    data, scores = batch(), Scores()
    evaluate(model, [data], precision=FP32, sums=Sums.on(torch.device("cpu")), mirror=True, keep=scores)
    with torch.inference_mode():
        wanted = (model(data.images) + model(data.images.flip(-1))) / 2
    assert torch.allclose(scores.logits[0], wanted)


def test_norms_and_biases_are_not_decayed():
    groups = make_optimizer(network(), quick(), lr=0.1).param_groups
    assert [g["weight_decay"] for g in groups] == [5e-4, 0.0]
    assert all(p.ndim > 1 for p in groups[0]["params"]) and all(p.ndim == 1 for p in groups[1]["params"])
