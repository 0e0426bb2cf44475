"""One batch looked at before a run begins, so that what it cannot use is said while nothing has been written."""

from contextlib import closing

import torch
from torch import nn

from glauke.errors import UsageError

from .._device import Precision
from ..loop._step import Totals
from ..rates._pairs import endless, on_device
from ..rates._preserved import preserved
from ._experiment import Experiment
from ._loader_task import compute_of


def check_monitor(
    experiment: Experiment, optimizer: torch.optim.Optimizer, *, device: torch.device, precision: Precision
) -> None:
    """See on a batch of the side that is monitored whether the step measures the metric; all is put back.

    Raises `UsageError` with the metrics that are measured, and whatever the step itself raises on its first batch.
    """
    monitor, model = experiment.monitored, experiment.model
    side = monitor.metric.partition("_")[0]
    loader = experiment.val if side == "val" else experiment.train
    if loader is None:
        return
    held = [loader, *([experiment.loss] if isinstance(experiment.loss, nn.Module) else [])]
    with preserved(model, optimizer, *held), closing(endless(loader)) as batches:
        batch = next(batches, None)
        if batch is None:
            return  # the loop says so, with the epoch
        model.train(side != "val")
        with torch.set_grad_enabled(side != "val"), precision.autocast():
            totals = Totals(device)
            try:
                totals.add(compute_of(experiment)(model, on_device(batch, device)))
            except IndexError as error:
                if experiment.step is not None:
                    raise
                # PyTorch's losses say so on a CPU; a GPU says no more than that something was asserted.
                raise UsageError(
                    f"a label names a class that the model has no output for ({error})",
                    place=side,
                    fix="give the model as many outputs as there are classes, and count those from 0",
                ) from error
    measured = [f"{side}_{name}" for name in totals.names]
    if monitor.metric not in measured:
        raise UsageError(
            f"the run measures no {monitor.metric!r}", place="monitor", fix=f"choose one of: {', '.join(measured)}"
        )
