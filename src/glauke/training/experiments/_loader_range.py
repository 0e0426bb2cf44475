"""The range test of an experiment: under its own step, loss, optimizer, groups, clipping and precision."""

from typing import Any

import torch
from torch import Tensor, nn

from .._device import Precision
from .._events import Stage, Watch
from ..loop._prepare import FALLBACK_LR, Peak, peak_of
from ..loop._step import Compute
from ..rates._range_run import range_test
from ._experiment import Experiment
from ._loader_task import compute_of


def find_rate(experiment: Experiment, optimizer: torch.optim.Optimizer, *, precision: Precision, watch: Watch) -> Peak:
    """Take the rate from a range test that leaves everything as it was; where it finds none, a cautious one."""
    own = max(float(group["lr"]) for group in optimizer.param_groups)
    done = iter(range(1, experiment.lr_steps + 1))

    def told() -> bool:  # asked before every step, so counting it counts the steps
        watch(Stage(name="range test", done=next(done, experiment.lr_steps), total=experiment.lr_steps))
        return False

    test = range_test(
        _Stepping(experiment.model, compute_of(experiment)),
        experiment.train,
        optimizer,
        None,
        start=experiment.lr_range[0],
        end=experiment.lr_range[1],
        num_steps=experiment.lr_steps,
        ramp="exponential",
        autocast=precision.autocast,
        clip=experiment.clip,
        scaler=precision.scaler(),
        stop=told,
    )
    return peak_of(test, rule=experiment.lr_rule, fallback=FALLBACK_LR if experiment.optimizer is None else own)


class _Stepping(nn.Module):
    """An experiment's step as a network that knows its loss: a batch goes in, the loss comes out."""

    def __init__(self, model: nn.Module, compute: Compute) -> None:
        super().__init__()
        self.model, self.compute = model, compute
        self.training = model.training  # as a whole it is in the mode of the model, whose parts may have other ones

    def forward(self, batch: Any) -> Tensor:
        return self.compute(self.model, batch).loss
