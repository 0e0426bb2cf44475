"""The range test of an experiment sees the model in the modes that the run sees it in."""

import torch
from torch import nn

from glauke.training import fit

TESTED, TRAINED = 10, 4  # steps of the range test and of the epoch


class Seen(nn.Module):
    """A network that notes its mode at every forward pass."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.norm, self.linear, self.modes = nn.BatchNorm1d(8), nn.Linear(8, 3), []

    def forward(self, inputs):
        self.modes.append((self.training, self.norm.training))
        return self.linear(self.norm(inputs))


def test_a_model_in_evaluation_mode_is_tested_in_training_mode(tmp_path, make):
    model = Seen().eval()
    fit(make.experiment(model=model, max_lr="auto", lr_steps=TESTED, epochs=1), out=tmp_path)
    assert model.modes.count((True, True)) == TESTED + TRAINED and not model.training


def test_a_frozen_norm_is_frozen_in_the_range_test_too(tmp_path, make):
    model = Seen()
    model.norm.eval()
    fit(make.experiment(model=model, max_lr="auto", lr_steps=TESTED, epochs=1), out=tmp_path)
    assert model.modes.count((True, False)) == TESTED + TRAINED and (True, True) not in model.modes
    assert model.training and not model.norm.training
