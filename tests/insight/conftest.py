"""Predictions from a few numbers, and a network that needs no training."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from glauke.images import Pack, open_pack
from glauke.insight import Predictions, Trained


@pytest.fixture(scope="session")
def said() -> Callable[..., Predictions]:
    """`said(probabilities, labels)` or `said(logits=..., labels=...)`: pictures 10, 11, ... called "p0", "p1", ..."""

    def made(
        probabilities: object = None,
        labels: Sequence[int] = (),
        *,
        logits: object = None,
        names: Sequence[str] | None = None,
    ) -> Predictions:
        values = np.log(np.asarray(probabilities, np.float64)) if logits is None else np.asarray(logits)
        classes = tuple(f"n{i}" for i in range(values.shape[1]))
        return Predictions(
            logits=values.astype(np.float32),
            labels=np.asarray(labels, np.int64),
            samples=np.arange(10, 10 + len(labels)),
            names=names or tuple(f"p{i}" for i in range(len(labels))),
            classes=classes,
            readable=tuple(f"class {i}" for i in range(len(classes))),
        )

    return made


@pytest.fixture(scope="session")
def noise(said) -> Predictions:
    """300 pictures of 6 classes: logits are noise that leans towards the label."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, 300)
    return said(logits=3 * rng.normal(size=(300, 6)) + 2 * np.eye(6)[labels], labels=labels.tolist())


@pytest.fixture(scope="session")
def digits() -> Pack:
    return open_pack("digits")


@pytest.fixture(scope="session")
def trained(digits) -> Trained:
    """A network for the digits with its first weights, and a mean and deviation that are not the pictures'."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 10)
    )
    return Trained(
        model=model.eval(),
        name="small",
        stem="full",
        classes=digits.classes,
        readable=digits.readable,
        size=12,
        channels=1,
        mean=(0.25,),
        std=(0.5,),
        file=Path("final.safetensors"),
    )
