"""Nothing is left of a range test, however it ended: to the bit."""

import hashlib
import math
import random
from contextlib import nullcontext
from functools import partial

import jaxtyping
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from toys import BrokenError, Ending, batches, make_model

from glauke.training import range_test
from glauke.training.rates import _range_run

BF16 = partial(torch.autocast, "cpu", torch.bfloat16)


class Pictures(torch.utils.data.Dataset):
    """Three classes of nine numbers each, augmented from every source of random numbers there is."""

    def __len__(self) -> int:
        return 30

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        drawn = random.random() + np.random.rand() + torch.rand(1).item()
        return torch.eye(3)[index % 3].repeat(3) + 0.1 * drawn, index % 3


OPTIMIZERS = {
    "sgd": partial(torch.optim.SGD, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adamw": partial(torch.optim.AdamW, lr=0.01, amsgrad=True),
    "rmsprop": partial(torch.optim.RMSprop, lr=0.01, centered=True),
    "lbfgs": partial(torch.optim.LBFGS, lr=0.1, max_iter=2, history_size=2),
}


class Run:
    """A training that can be looked at in every bit."""

    def __init__(self, name: str, *, amp: bool, warm: bool) -> None:
        random.seed(0)
        np.random.seed(0)
        self.model = make_model()
        self.optimizer = OPTIMIZERS[name](self.model.parameters())
        self.loader = DataLoader(Pictures(), 6, shuffle=True, generator=torch.Generator().manual_seed(3))
        self.autocast = BF16 if amp else nullcontext
        # LBFGS takes no loss scaling.
        self.scaler = torch.amp.GradScaler("cpu", init_scale=64.0, enabled=amp and name != "lbfgs")
        if warm:
            self.train(3)
            self.model[1].eval()  # as in fine-tuning, and gradients are left lying about
            self.model[0].bias.requires_grad_(False)

    def train(self, steps: int) -> None:
        for (inputs, labels), _ in zip(self.loader, range(steps), strict=False):

            def closure(inputs=inputs, labels=labels) -> torch.Tensor:
                self.optimizer.zero_grad()
                with self.autocast():
                    loss = F.cross_entropy(self.model(inputs), labels)
                self.scaler.scale(loss).backward()
                return loss

            if isinstance(self.optimizer, torch.optim.LBFGS):
                self.optimizer.step(closure)
                continue
            closure()
            self.scaler.step(self.optimizer)
            self.scaler.update()

    def test(self, how: str) -> str:
        loss = Ending(how)
        try:
            made = range_test(
                self.model,
                self.loader,
                self.optimizer,
                loss,
                num_steps=9,
                end=0.5,
                autocast=self.autocast,
                scaler=self.scaler,
                val_batches=batches(),
                stop_factor=100 if how == "diverged" else math.inf,
            )
        except BrokenError:
            return "exception"
        except KeyboardInterrupt:
            return "interrupt"
        assert loss.calls >= 5
        return made.ended

    def digest(self) -> str:
        found = hashlib.sha256()

        def add(thing: object) -> None:
            match thing:
                case torch.Tensor():
                    found.update(f"{thing.dtype}{tuple(thing.shape)}".encode())
                    found.update(thing.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
                case dict():
                    for key, value in thing.items():
                        found.update(repr(key).encode())
                        add(value)
                case list() | tuple():
                    found.update(f"{type(thing).__name__}{len(thing)}".encode())
                    for value in thing:
                        add(value)
                case np.ndarray():
                    found.update(thing.tobytes())
                case _:
                    found.update(repr(thing).encode())

        add(self.model.state_dict())
        add([(p.grad, p.requires_grad) for p in self.model.parameters()])
        add([module.training for module in self.model.modules()])
        add(self.optimizer.state_dict())
        add(self.scaler.state_dict())
        add([random.getstate(), np.random.get_state(), torch.get_rng_state()])
        add(self.loader.generator.get_state())
        return found.hexdigest()


@pytest.fixture
def unchecked():
    """No type checks: the checker chooses the items that it looks at by Python's own random numbers."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module")
def plain() -> dict[tuple[str, bool, bool], tuple[str, str]]:
    """Digests of trainings without a range test: before its place, and five steps after it."""
    made = {}
    for name in OPTIMIZERS:
        for amp in (False, True):
            for warm in (False, True):
                run = Run(name, amp=amp, warm=warm)
                before = run.digest()
                run.train(5)
                made[name, amp, warm] = before, run.digest()
    return made


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("warm", [False, True], ids=["fresh", "warm"])
@pytest.mark.parametrize("amp", [False, True], ids=["fp32", "amp"])
@pytest.mark.parametrize("how", ["complete", "diverged", "not finite", "exception", "interrupt"])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_a_range_test_and_a_training_are_that_training(name, how, amp, warm, plain):
    before, after = plain[name, amp, warm]
    run = Run(name, amp=amp, warm=warm)
    assert run.test(how) == how
    assert run.digest() == before
    run.train(5)
    assert run.digest() == after


@pytest.mark.usefixtures("unchecked")
def test_the_digest_sees_one_more_step_and_a_test_without_protection(plain, monkeypatch):
    before, after = plain["sgd", False, False]
    run = Run("sgd", amp=False, warm=False)
    run.train(5)
    assert run.digest() == after != before
    run.train(1)
    assert run.digest() != after
    monkeypatch.setattr(_range_run, "preserved", lambda *things: nullcontext())
    unprotected = Run("sgd", amp=False, warm=False)
    unprotected.test("complete")
    assert unprotected.digest() != before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("how", ["complete", "diverged", "not finite", "exception", "interrupt"])
def test_on_a_gpu_nothing_is_left_of_it(how):
    model = make_model().cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    before = [tensor.clone() for tensor in model.state_dict().values()]
    state = torch.cuda.get_rng_state()
    try:
        made = range_test(model, batches(), optimizer, Ending(how), num_steps=20, stop_factor=50)
        assert made.ended == how
    except (BrokenError, KeyboardInterrupt):
        assert how in ("exception", "interrupt")
    assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))
    assert len(optimizer.state) == 0 and torch.equal(state, torch.cuda.get_rng_state())
