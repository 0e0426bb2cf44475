"""The range test on models that know their own loss, as Lightning's modules do."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from toys import batches, make_model

from glauke.errors import UsageError
from glauke.training import range_test


class Whole(nn.Module):
    """A model that takes a batch whole and returns its loss, as a Lightning module's training step does."""

    def __init__(self) -> None:
        super().__init__()
        self.model = make_model()

    def forward(self, batch):
        inputs, labels = batch["inputs"], batch["labels"]
        return F.cross_entropy(self.model(inputs), labels)


def sgd(model: nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(model.parameters(), lr=0.3)


def test_a_model_that_knows_its_own_loss_needs_none():
    model, data = make_model(), batches(3)
    wanted = range_test(model, data, sgd(model), F.cross_entropy, num_steps=8, val_batches=data[:1])
    whole, named = Whole(), [{"inputs": inputs, "labels": labels} for inputs, labels in data]
    made = range_test(whole, named, sgd(whole), None, num_steps=8, val_batches=named[:1])
    assert made.losses == wanted.losses and made.val_losses == wanted.val_losses
    assert made.accuracies == () and len(wanted.accuracies) == 8


def test_a_model_without_a_loss_is_told_so():
    model = nn.Linear(9, 3)
    with pytest.raises(UsageError, match=r"the loss has the shape \(6, 3\)"):
        range_test(model, [batches(1)[0][0]], sgd(model), None)
    with pytest.raises(UsageError, match="the loss is a dict"):
        range_test(model, batches(1), sgd(model), lambda outputs, _: {"loss": outputs.mean()})
