"""A small network and a small data set, so that whole runs take a second."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from glauke.images import make_split, open_pack
from glauke.models import _registry
from glauke.training import Experiment, Note, Recipe, Stepped
from glauke.training.experiments import _fit


def small(num_classes, in_channels=3, stem="full"):
    """A network with batch norm and dropout: both carry state that a resumed run must get back."""
    return nn.Sequential(
        nn.Conv2d(in_channels, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(128, num_classes),
    )


@pytest.fixture(scope="module", autouse=True)
def small_model():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_registry, "MODELS", {**_registry.MODELS, "small": small})
        yield


@pytest.fixture(scope="session")
def pack():
    return open_pack("digits")


@pytest.fixture(scope="session")
def split(pack):
    return make_split(pack)


@pytest.fixture
def recipe():
    return Recipe(
        name="test",
        why="for tests",
        model="small",
        epochs=3,
        batch_size=128,
        max_lr=0.1,
        momentum=0.95,
        momentum_low=0.85,
        pad=1,
        cutout=2,
        eval_pictures=200,
        sizes=((0.0, 8), (1.0, 10)),
    )


@pytest.fixture(autouse=True)
def undrawn(monkeypatch, request):
    """Figures take longer than the runs of these tests; who wants them asks for `drawn`."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(_fit, "draw_run", lambda *values: None)


def _examples(count, seed):
    """Vectors of eight, each of the class of the largest of its first three numbers."""
    inputs = torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))
    return TensorDataset(inputs, inputs[:, :3].argmax(dim=1))


def _network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))


def _sgd(model, **options):
    return torch.optim.SGD(model.parameters(), **{"lr": 0.1, "momentum": 0.9, **options})


def _experiment(**fields):
    """Everything anew, as a program that is started again makes it: four steps an epoch, the last of two examples."""
    defaults = {
        "name": "small",
        "model": fields.get("model") or _network(),
        "train": DataLoader(_examples(50, 1), batch_size=16, shuffle=True),
        "val": DataLoader(_examples(30, 2), batch_size=16),
        "epochs": 3,
        "max_lr": None if "optimizer" in fields else 0.1,
        "seed": 5,
    }
    return Experiment(**{**defaults, **fields})


def _stepped(told):
    """Watch the steps."""
    return lambda event: told(event) if isinstance(event, Stepped) else None


def _noted(told):
    """Collect the notes."""
    return lambda event: told.append(event.text) if isinstance(event, Note) else None


@pytest.fixture
def make():
    """What the tests of `fit` are made of."""
    return SimpleNamespace(
        examples=_examples, network=_network, sgd=_sgd, experiment=_experiment, stepped=_stepped, noted=_noted
    )
