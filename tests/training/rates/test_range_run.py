"""The range test on models: what it measures and how it ends."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from toys import Ending, batches, make_model

from glauke.errors import UnknownNameError, UsageError
from glauke.training import exponential_ramp, linear_ramp, range_test
from glauke.training.rates import _range_run

BF16 = partial(torch.autocast, "cpu", torch.bfloat16)


def test_it_measures_what_a_loop_written_by_hand_measures():
    model, data = make_model(), batches(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    made = range_test(
        model,
        data,
        optimizer,
        F.cross_entropy,
        num_steps=8,
        end=0.2,
        ramp="exponential",
        val_batches=data[:2],
    )
    model = make_model()  # seeds again
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    rates, losses, accuracies, val_losses = [], [], [], []
    for step in range(8):
        (inputs, labels), (val_inputs, val_labels) = data[step % 3], data[step % 2]
        rates.append(exponential_ramp(step, num_steps=8, start=1e-4, end=0.2))
        optimizer.param_groups[0]["lr"] = rates[-1]
        outputs = model(inputs)
        loss = F.cross_entropy(outputs, labels)
        losses.append(loss.item())
        accuracies.append((outputs.argmax(1) == labels).double().mean().item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.eval()
        val_losses.append(F.cross_entropy(model(val_inputs), val_labels).item())
        model.train()
    assert made.rates == tuple(rates) and made.losses == tuple(losses)
    assert made.accuracies == tuple(accuracies) and made.val_losses == tuple(val_losses)
    assert (made.ended, made.num_steps, made.ramp) == ("complete", 8, "exponential")


def test_by_default_a_hundred_steps_up_to_one():
    model = make_model()
    made = range_test(model, batches(), torch.optim.SGD(model.parameters(), lr=0.1), F.cross_entropy)
    assert made.rates == tuple(linear_ramp(s, num_steps=100, start=1e-4, end=1.0) for s in range(100))
    assert made.ramp == "linear" and made.val_losses == () and len(made.accuracies) == 100
    assert made.losses[-1] < made.losses[0] / 2 and made.accuracies[-1] > 0.9
    assert made.suggest("valley").rate is not None


def test_groups_keep_their_ratio_momentum_and_decay():
    model = make_model()
    optimizer = torch.optim.SGD(
        [
            {"params": model[0].parameters(), "lr": 0.02, "weight_decay": 1e-3},
            {"params": model[1].parameters(), "lr": torch.tensor(0.1), "momentum": 0.5},
            {"params": model[4].parameters(), "lr": 0.0},
        ],
        lr=0.1,
        momentum=0.9,
    )
    seen = []

    def loss(outputs, labels):
        seen.append([tuple(float(g[k]) for k in ("lr", "momentum", "weight_decay")) for g in optimizer.param_groups])
        return F.cross_entropy(outputs, labels)

    made = range_test(model, batches(), optimizer, loss, num_steps=5, end=0.4)
    for rate, groups in zip(made.rates, seen, strict=True):
        expected = [(rate / 5, 0.9, 1e-3), (rate, 0.5, 0.0), (0.0, 0.9, 0.0)]
        assert groups == [pytest.approx(group, rel=1e-6) for group in expected]
    assert [float(g["lr"]) for g in optimizer.param_groups] == pytest.approx([0.02, 0.1, 0.0])


def test_clipping_bounds_the_gradient():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    moved = []
    take = optimizer.step

    def step():
        before = torch.cat([p.detach().flatten().clone() for p in model.parameters()])
        take()
        after = torch.cat([p.detach().flatten() for p in model.parameters()])
        moved.append(((after - before).norm() / optimizer.param_groups[0]["lr"]).item())

    optimizer.step = step
    range_test(model, batches(), optimizer, F.cross_entropy, start=0.1, num_steps=4, clip=0.01)
    assert moved == pytest.approx([0.01] * 4, rel=1e-2)


def weights_at_each_loss(model: nn.Module, spoil) -> tuple[list[torch.Tensor], "object"]:
    """Weights whenever the loss is asked for, and a loss that `spoil` may change."""
    seen: list[torch.Tensor] = []

    def loss(outputs, labels):
        seen.append(model[0].weight.detach().clone())
        return spoil(F.cross_entropy(outputs, labels), len(seen))

    return seen, loss


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_never_reaches_the_weights(bad, monkeypatch):
    model = make_model()
    _, loss = weights_at_each_loss(model, lambda value, call: value * (bad if call == 4 else 1))
    taken = []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    monkeypatch.setattr(optimizer, "step", lambda: taken.append(1))
    made = range_test(model, batches(), optimizer, loss, num_steps=10)
    assert made.ended == "not finite" and len(taken) == len(made.losses) == 3


def test_a_gradient_that_is_not_finite_never_reaches_the_weights(monkeypatch):
    class Spoiled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            return value.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * math.nan

    for clip in (None, 1.0):
        model = make_model()
        _, loss = weights_at_each_loss(model, lambda value, call: Spoiled.apply(value) if call == 4 else value)
        taken = []
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        monkeypatch.setattr(optimizer, "step", lambda taken=taken: taken.append(1))
        made = range_test(model, batches(), optimizer, loss, num_steps=10, clip=clip)
        assert made.ended == "not finite" and len(taken) == len(made.losses) == 3


def test_it_diverges_where_the_rate_is_far_too_large():
    torch.manual_seed(0)
    model = nn.Linear(9, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    made = range_test(model, batches(), optimizer, squares, start=1, end=1e3, num_steps=50)
    assert made.ended == "diverged" and len(made.losses) < 10
    assert made.suggest().rate is None and "start below 1" in made.suggest().reason


def squares(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return (outputs - F.one_hot(labels, 3)).square().sum()


@pytest.mark.parametrize("count", [0, 1, 2, 5, 9])
def test_few_batches(count):
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    once = range_test(model, iter(batches(count)), optimizer, F.cross_entropy, num_steps=10)
    assert (len(once.losses), once.ended) == (count, "out of data")
    again = range_test(model, batches(count), optimizer, F.cross_entropy, num_steps=10)
    assert (len(again.losses), again.ended) == ((10, "complete") if count else (0, "out of data"))
    if count < 6:
        assert once.suggest().rate is None and f"after {count} of 10 points" in once.suggest().reason


def test_held_out_batches_begin_again_and_may_run_out():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    test = partial(range_test, model, batches(), optimizer, F.cross_entropy, num_steps=10)
    assert len(test(val_batches=batches(3)).val_losses) == 10
    once = test(val_batches=iter(batches(3)))
    assert len(once.losses) == len(once.val_losses) == 3 and once.ended == "out of data"


def test_a_one_shot_iterator_can_be_read_on():
    model = make_model()
    stream = iter(batches(9))
    range_test(model, stream, torch.optim.SGD(model.parameters(), lr=0.1), F.cross_entropy, num_steps=4)
    assert len(list(stream)) == 5


def test_somebody_may_ask_it_to_stop():
    model = make_model()
    asked = iter([False, False, True])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    made = range_test(model, batches(), optimizer, F.cross_entropy, stop=lambda: next(asked))
    assert (len(made.losses), made.ended) == (2, "interrupted")


def test_modes_during_the_test():
    model = make_model()
    model[1].eval()
    seen = []
    model[1].register_forward_hook(lambda module, *_: seen.append((model.training, module.training)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    range_test(model, batches(), optimizer, F.cross_entropy, num_steps=2, val_batches=batches())
    assert seen == [(True, False), (False, False)] * 2
    seen.clear()
    model.eval()
    range_test(model, batches(), optimizer, F.cross_entropy, num_steps=2)
    assert seen == [(True, True)] * 2 and not model.training


def test_steps_that_loss_scaling_skips_are_taken_again_at_the_same_rate():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**126)  # overflows until it has been halved a few times
    rates = []

    def loss(outputs, labels):
        rates.append(optimizer.param_groups[0]["lr"])
        return 100 * F.cross_entropy(outputs, labels)

    made = range_test(model, batches(), optimizer, loss, num_steps=5, scaler=scaler, clip=1.0)
    assert made.ended == "complete" and len(made.losses) == 5
    assert len(rates) > 5 and set(rates) == set(made.rates) and rates.count(rates[0]) == len(rates) - 4
    assert scaler.get_scale() == 2.0**126


def test_skipping_without_end_is_an_end():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    calls = []
    made = range_test(model, batches(), optimizer, F.cross_entropy, step=lambda loss: bool(calls.append(1)))
    assert (made.losses, made.ended, len(calls)) == ((), "not finite", _range_run.MAX_SKIPS)


def test_a_step_of_ones_own():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step(loss: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    own = range_test(model, batches(), optimizer, F.cross_entropy, num_steps=5, step=step)
    usual = range_test(model, batches(), optimizer, F.cross_entropy, num_steps=5)
    assert own == usual


def test_a_step_of_ones_own_never_sees_a_loss_that_is_not_finite():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    made = range_test(
        model, batches(), optimizer, Ending("not finite"), num_steps=9, step=lambda loss: seen.append(loss.item())
    )
    assert made.ended == "not finite" and tuple(seen) == made.losses and len(seen) == 4


def test_other_models_losses_and_labels():
    class Two(nn.Module):
        """Takes a dictionary, returns a pair."""

        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(5, 2, sparse=True)

        def forward(self, inputs):
            return self.table(inputs["ids"]), None

    class Learnt(nn.Module):
        """A loss with a weight and a statistic of its own."""

        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, outputs, labels):
            self.seen += 1
            return (outputs[0].sum(1) * self.scale - labels).square().mean().reshape(1)

    model, loss = Two(), Learnt()
    optimizer = torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=0.1)
    data = [({"ids": torch.tensor([0, 1, 4])}, torch.tensor([1.0, 2.0, 3.0]))]
    made = range_test(model, data, optimizer, loss, num_steps=5, end=0.1, accuracy=False)
    assert (len(made.losses), made.accuracies) == (5, ()) and made.losses[-1] < made.losses[0]
    assert loss.seen.item() == 0 and loss.scale.item() == 1
    with pytest.raises(UsageError, match="pass accuracy=False"):
        range_test(model, data, optimizer, loss, num_steps=5)


@pytest.mark.parametrize("how", ["complete", "diverged", "not finite"])
@pytest.mark.parametrize("every", [2, 4, 50])
def test_reading_late_changes_nothing(how, every, monkeypatch):
    """As on an accelerator: the losses are looked at some steps later, and the same points come out."""

    def run():
        model = make_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        before = [tensor.clone() for tensor in model.state_dict().values()]
        made = range_test(
            model,
            batches(),
            optimizer,
            Ending(how),
            num_steps=11,
            stop_factor=50,
            val_batches=batches(seed=1),
        )
        assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))
        return made

    now = run()
    monkeypatch.setattr(_range_run, "_waits_anyway", lambda device, scaler: False)
    monkeypatch.setattr(_range_run, "_CHECK_EVERY", every)
    assert run() == now and now.ended == how


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"start": -0.1}, "start -0.1"),
        ({"start": math.nan}, "start nan"),
        ({"start": 1.0}, "start 1.0 and end 1.0"),
        ({"end": math.inf}, "end inf"),
        ({"num_steps": 1}, "not 1"),
        ({"num_steps": 0}, "not 0"),
        ({"num_steps": -3}, "not -3"),
        ({"stop_factor": 1.0}, "not 1.0"),
        ({"stop_factor": math.nan}, "not nan"),
        ({"clip": 0.0}, "norm of 0.0"),
        ({"start": 0.0, "ramp": "exponential"}, "0 < start"),
    ],
)
def test_numbers_that_make_no_test_are_refused_before_anything_runs(options, told):
    model = make_model()
    with pytest.raises(UsageError, match=told):
        range_test(model, [], torch.optim.SGD(model.parameters(), lr=0.1), F.cross_entropy, **options)


def test_other_mistakes_are_refused():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(UnknownNameError, match="did you mean 'linear'"):
        range_test(model, batches(), optimizer, F.cross_entropy, ramp="liner")
    with pytest.raises(UsageError, match=r"the loss has the shape \(6,\)"):
        range_test(model, batches(), optimizer, partial(F.cross_entropy, reduction="none"))
    with pytest.raises(UsageError, match="pair of inputs and labels, not a Tensor of 6"):
        range_test(model, [inputs for inputs, _ in batches()], optimizer, F.cross_entropy)
