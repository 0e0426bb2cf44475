"""A small network and a small data set, so that whole runs take a second."""

import pytest
from torch import nn

from glauke.images import make_split, open_pack
from glauke.models import _registry
from glauke.training import Recipe


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


@pytest.fixture(autouse=True)
def small_model(monkeypatch):
    monkeypatch.setattr(_registry, "MODELS", {**_registry.MODELS, "small": small})


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
