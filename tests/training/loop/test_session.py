"""What a session leaves as it was, and what it takes back from a checkpoint."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glauke.errors import NotFiniteError
from glauke.training import Step, fit


class Scaled(nn.Module):
    """A network with a weight of no dimensions, in double precision."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(8, 3)
        self.scale = nn.Parameter(torch.tensor(1.0, dtype=torch.float64))

    def forward(self, inputs):
        return self.linear(inputs) * self.scale.float()


def test_a_frozen_norm_stays_frozen_and_every_mode_is_given_back(tmp_path, make):
    model = make.network()
    model[1].eval()
    mean = model[1].running_mean.clone()
    modes = []
    fit(make.experiment(model=model), out=tmp_path, watch=make.stepped(lambda e: modes.append(model[3].training)))
    assert all(modes) and torch.equal(model[1].running_mean, mean)
    assert model.training and not model[1].training


def test_a_model_in_evaluation_mode_trains_as_a_whole_and_is_given_back_so(tmp_path, make):
    model = make.network().eval()
    mean = model[1].running_mean.clone()
    fit(make.experiment(model=model), out=tmp_path)
    assert not any(module.training for module in model.modules())
    assert not torch.equal(model[1].running_mean, mean)


def test_an_optimizers_count_of_steps_is_no_buffer_of_a_weight_without_dimensions(tmp_path, make):
    class StoppedError(Exception):
        pass

    def stop(event):
        if event.step == 6:
            raise StoppedError

    def made():
        model = Scaled()
        return make.experiment(model=model, optimizer=torch.optim.Adam(model.parameters(), lr=0.01))

    whole = made()
    fit(whole, out=tmp_path / "whole")
    with pytest.raises(StoppedError):
        fit(made(), out=tmp_path / "stopped", watch=make.stepped(stop))
    again = made()
    record = fit(again, out=tmp_path / "stopped")
    assert record.resumed_from_steps == (4,)
    state, wanted = (each.optimizer.state[each.model.scale] for each in (again, whole))
    assert state["step"].dtype == wanted["step"].dtype == torch.float32 and state["step"] == wanted["step"]
    assert state["exp_avg"].dtype == torch.float64
    files = [tmp_path / name / "final.safetensors" for name in ("whole", "stopped")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_an_error_does_not_call_spoilt_weights_unchanged(tmp_path, make):
    made = make.experiment(monitor="val_loss", step=lambda model, batch: step(model, batch))

    def step(model, batch):
        return Step(loss=F.cross_entropy(model(batch[0]), batch[1]), count=len(batch[1]))

    def spoil(event):
        with torch.no_grad():
            made.model[0].weight.fill_(float("nan"))

    with pytest.raises(NotFiniteError, match=r"at step 2 of 12.*no longer finite before it"):
        fit(made, out=tmp_path, watch=make.stepped(spoil))
