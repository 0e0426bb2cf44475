"""Everything that `preserved` promises to put back, one thing at a time."""

import random

import jaxtyping
import numpy as np
import pytest
import torch
from torch import nn

from glauke.errors import UsageError
from glauke.training import preserved


class BrokenError(Exception):
    """Ends a trial."""


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))


def sgd(model: nn.Module, **options) -> torch.optim.SGD:
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, **options)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 1) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(8, 3)).square().mean().backward()
        optimizer.step()


def test_weights_and_statistics(model):
    optimizer = sgd(model)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tensors = list(model.state_dict(keep_vars=True).values())
    with preserved(model, optimizer):
        train(model, optimizer)
        assert all(not torch.equal(before[name], now) for name, now in model.state_dict().items())
        model[1].running_mean = torch.full((4,), 7.0)  # replaced instead of changed
        model[1].register_buffer("scratch", torch.ones(2))
    after = model.state_dict(keep_vars=True)
    assert list(after) == list(before)
    assert all(torch.equal(before[name], now) for name, now in after.items())
    assert all(now is then for now, then in zip(after.values(), tensors, strict=True))


def test_bits_that_are_not_numbers(model):
    model[0].weight.data[0] = torch.tensor([float("nan"), -0.0, float("inf")])
    bits = model[0].weight.data.view(torch.int32).clone()
    with preserved(model, sgd(model)):
        model[0].weight.data.zero_()
    assert torch.equal(model[0].weight.data.view(torch.int32), bits)


def test_gradients(model):
    optimizer = sgd(model)
    held = model[0].weight.grad = torch.ones(4, 3)
    with preserved(model, optimizer):
        train(model, optimizer)
        held.fill_(7)
    assert model[0].weight.grad is held and torch.equal(held, torch.ones(4, 3))
    assert model[3].weight.grad is None and model[0].bias.grad is None


def test_modes_and_what_is_frozen(model):
    model[1].eval()
    model[3].weight.requires_grad_(False)
    modes = [module.training for module in model.modules()]
    with preserved(model, sgd(model)):
        model.eval()
        model.requires_grad_(True)
        model[0].requires_grad_(False)
    assert [module.training for module in model.modules()] == modes
    assert not model[3].weight.requires_grad and model[0].weight.requires_grad


def test_a_fresh_optimizer_stays_empty(model):
    optimizer = sgd(model)
    with preserved(model, optimizer):
        train(model, optimizer)
        assert optimizer.state
    assert optimizer.state_dict()["state"] == {} and len(optimizer.state) == 0
    train(model, optimizer)  # and still makes its state when it needs it
    assert len(optimizer.state) == 6


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.Adam(p, lr=torch.tensor(0.1), capturable=False, foreach=False),
        lambda p: torch.optim.AdamW(p, lr=0.1, amsgrad=True),
        lambda p: torch.optim.LBFGS(p, lr=0.1, history_size=3),
    ],
    ids=["adam with a tensor rate", "amsgrad", "lbfgs with lists in its state"],
)
def test_an_optimizer_in_the_middle_of_its_work(model, make):
    optimizer = make(list(model.parameters()))

    def steps(count: int) -> None:
        for _ in range(count):
            x = torch.randn(8, 3)

            def closure(x=x):
                optimizer.zero_grad()
                loss = model(x).square().mean()
                loss.backward()
                return loss

            optimizer.step(closure)

    def weights() -> list[torch.Tensor]:
        torch.manual_seed(1)
        steps(3)
        return [p.detach().clone() for p in model.parameters()]

    steps(3)
    groups, rates = list(optimizer.param_groups), [group["lr"] for group in optimizer.param_groups]
    with preserved(model, optimizer):
        wanted = weights()
    with preserved(model, optimizer):
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * 3
            group["invented"] = 1
        if not isinstance(optimizer, torch.optim.LBFGS):  # which knows one group only
            optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)]})
        steps(2)
    assert all(now is then for now, then in zip(optimizer.param_groups, groups, strict=True))
    assert [group["lr"] for group in optimizer.param_groups] == rates
    assert "invented" not in optimizer.param_groups[0]
    assert all(torch.equal(a, b) for a, b in zip(weights(), wanted, strict=True))


def test_what_a_scheduler_knows_of_its_optimizer(model):
    optimizer = sgd(model)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    with preserved(model, optimizer, scheduler):
        train(model, optimizer)
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.1 and scheduler.last_epoch == 0
    with pytest.warns(UserWarning, match="before `optimizer.step"):  # as if no step had been taken
        scheduler.step()


def test_parameters_that_only_the_optimizer_knows(model):
    temperature = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([*model.parameters(), temperature], lr=0.1)
    with preserved(model, optimizer):
        temperature.data.fill_(7)
    assert temperature.item() == 1


@pytest.fixture
def unchecked():
    """No type checks: the checker chooses the items that it looks at by Python's own random numbers."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
def test_random_states(model):
    def draw() -> tuple[object, ...]:
        return (
            random.random(),
            np.random.rand(),
            torch.rand(1).item(),
            own.random(),
            tuple(torch.rand(2, generator=gen)),
        )

    own, gen = np.random.default_rng(0), torch.Generator().manual_seed(0)
    other = random.Random(0)
    with preserved(model, sgd(model), own, gen, other):
        first = draw(), other.random()
    assert (draw(), other.random()) == first
    assert draw() != first[0]


@pytest.mark.parametrize("error", [BrokenError, KeyboardInterrupt, SystemExit])
def test_however_it_ends(model, error):
    optimizer = sgd(model)
    before = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(error), preserved(model, optimizer):
        train(model, optimizer)
        raise error
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_the_order_of_a_loader(model):
    def orders(loader) -> list[list[float]]:
        return [[float(x) for (batch,) in loader for x in batch] for _ in range(2)]

    data = torch.utils.data.TensorDataset(torch.arange(10.0))
    drawn = torch.utils.data.RandomSampler(data, generator=torch.Generator().manual_seed(1))
    loaders = [
        torch.utils.data.DataLoader(data, 4, shuffle=True),
        torch.utils.data.DataLoader(data, 4, shuffle=True, generator=torch.Generator().manual_seed(0)),
        torch.utils.data.DataLoader(data, 4, sampler=drawn),
        torch.utils.data.DataLoader(data, batch_sampler=torch.utils.data.BatchSampler(drawn, 4, False)),
    ]
    for loader in loaders:
        with preserved(model, sgd(model), loader):
            first = orders(loader)
        assert orders(loader) == first and first[0] != first[1]


class Redrawing:
    """A loader that takes a new generator for every epoch, as fastai's does."""

    def __init__(self) -> None:
        self.rng = random.Random(0)

    def __iter__(self):
        self.rng = random.Random(self.rng.random())
        return iter(self.rng.sample(range(10), 4))


def test_a_loader_with_a_new_generator_for_every_epoch(model):
    loader = Redrawing()
    with preserved(model, sgd(model), loader):
        first = [list(loader) for _ in range(2)]
    assert [list(loader) for _ in range(2)] == first and first[0] != first[1]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # that it forks with threads
def test_workers_that_persist_begin_again(model):
    data = [torch.zeros(2)] * 3
    loader = torch.utils.data.DataLoader(
        data, batch_size=None, num_workers=1, persistent_workers=True, collate_fn=torch.rand_like
    )
    with preserved(model, sgd(model), loader):
        first = [drawn.tolist() for drawn in loader]
        assert [drawn.tolist() for drawn in loader] != first
    assert [drawn.tolist() for drawn in loader] == first
    loader._iterator = None


def test_loss_scaling_in_the_middle_of_a_step(model):
    optimizer, scaler = sgd(model), torch.amp.GradScaler("cpu", init_scale=8.0)
    with pytest.raises(BrokenError), preserved(model, optimizer, scaler):
        scaler.scale(model(torch.randn(8, 3)).square().mean()).backward()
        scaler.unscale_(optimizer)
        raise BrokenError
    scaler.scale(model(torch.randn(8, 3)).square().mean()).backward()
    scaler.unscale_(optimizer)  # refused if it still believed that this step's gradients are unscaled
    scaler.step(optimizer)
    scaler.update(2.0)
    with preserved(model, optimizer, scaler):
        scaler.update(4.0)
    assert scaler.get_scale() == 2.0


def test_buffers_that_cannot_be_written_to(model):
    model.register_buffer("wide", torch.ones(1).expand(3))
    model.register_buffer("nothing", None)
    with preserved(model, sgd(model)):
        model.wide = torch.zeros(3)
        model.nothing = torch.zeros(3)
    assert model.wide.tolist() == [1, 1, 1] and model.nothing is None


def test_one_copy_of_every_tensor(model, monkeypatch):
    """The promised memory: weights, buffers, gradients and optimizer state once more, weights not twice."""
    optimizer = sgd(model)
    train(model, optimizer)
    cloned = []
    clone = torch.Tensor.clone
    monkeypatch.setattr(torch.Tensor, "clone", lambda self: cloned.append(self.numel()) or clone(self))
    with preserved(model, optimizer):
        pass
    weights = sum(p.numel() for p in model.parameters())
    assert sum(cloned) == 3 * weights + sum(b.numel() for b in model.buffers())


def test_what_it_cannot_put_back_is_refused(model):
    with pytest.raises(UsageError, match="a float cannot"), preserved(model, sgd(model), 1.5):
        pytest.fail("it began")
    lazy = nn.Sequential(nn.LazyLinear(2))
    with pytest.raises(UsageError, match="show the model one batch"), preserved(lazy, sgd(model)):
        pytest.fail("it began")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_a_gpu(model):
    model = model.cuda()
    optimizer = sgd(model)
    before = [tensor.clone() for tensor in model.state_dict().values()]
    with preserved(model, optimizer):
        drawn = torch.rand(3, device="cuda")
        model(torch.randn(8, 3, device="cuda")).square().mean().backward()
        optimizer.step()
    assert torch.equal(torch.rand(3, device="cuda"), drawn)
    assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))
