"""A network is asked about pictures of a pack."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from glauke.errors import DataError, UsageError
from glauke.insight import batches_for, predict


def by_hand(trained, pack, indices):
    pictures = torch.from_numpy(pack.images[indices])
    images = (pictures.permute(0, 3, 1, 2).float() / 255 - trained.mean[0]) / trained.std[0]
    with torch.no_grad():
        return trained.model(images).numpy()


def test_as_by_hand_with_the_networks_own_mean(trained, digits):
    indices, trained = np.array([5, 3, 1000, 77, 3]), replace(trained, size=8)
    found = predict(trained, digits, indices, precision="fp32")

    assert found.logits == pytest.approx(by_hand(trained, digits, indices), abs=1e-5)
    assert found.labels.tolist() == digits.labels[indices].tolist()
    assert found.samples.tolist() == indices.tolist()
    assert list(found.names) == [digits.names[i] for i in indices.tolist()]
    assert (found.classes, found.readable) == (digits.classes, digits.readable)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_the_batch_size_changes_nothing(trained, digits, batch_size):
    indices = np.arange(0, 1797, 31)
    whole = predict(trained, digits, indices, precision="fp32")
    parts = predict(trained, digits, indices, precision="fp32", batch_size=batch_size)

    assert parts.logits == pytest.approx(whole.logits, abs=1e-5)


def test_what_is_done_is_told(trained, digits):
    told = []
    predict(trained, digits, np.arange(10), batch_size=4, watch=lambda done, total: told.append((done, total)))

    assert told == [(4, 10), (8, 10), (10, 10)]


def test_no_gradients_are_kept(trained, digits):
    predict(trained, digits, np.arange(4))

    assert all(parameter.grad is None for parameter in trained.model.parameters())


def test_the_batches_are_the_networks_input(trained, digits):
    batches = batches_for(trained, digits, np.array([7, 8]))
    (batch,) = list(batches)

    assert batch.images.shape == (2, 1, 12, 12) and batch.samples.tolist() == [7, 8]
    assert float(batch.images.min()) == pytest.approx(-0.5)  # black, by a mean of 0.25 and a deviation of 0.5


def test_other_classes_are_refused(trained, digits):
    with pytest.raises(DataError, match="10 classes are not the network's 2"):
        predict(replace(trained, classes=("a", "b")), digits, np.arange(4))


def test_other_channels_are_refused(trained, digits):
    with pytest.raises(DataError, match="have 1 channels, but the network takes 3"):
        predict(replace(trained, channels=3), digits, np.arange(4))


def test_no_pictures_are_refused(trained, digits):
    with pytest.raises(UsageError, match="no pictures"):
        predict(trained, digits, np.arange(0))


def test_a_broken_network_is_named(trained, digits):
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = trained.model

        def forward(self, images):
            return self.inner(images) * float("nan")

    with pytest.raises(DataError, match="not finite to 4 of 4"):
        predict(replace(trained, model=Broken()), digits, np.arange(4))
