"""One step of training and one pass of evaluation: the only file with a backward pass of its own run."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from glauke.errors import NotFiniteError
from glauke.images import Batch

from ._device import Precision

Objective = Callable[[Tensor, Tensor], Tensor]
"""From logits (batch, classes) and labels (batch,) to a scalar loss."""


@dataclass(slots=True, eq=False)
class Sums:
    """Metrics as sums over pictures, kept on the device and divided once, when somebody reads them.

    The loss is the plain cross-entropy in nats on both sides, without label smoothing: the two curves then show one
    quantity, and their distance means something.
    """

    totals: Float[Tensor, " 4"]
    """Cross-entropy, top-1 hits, top-5 hits, pictures; float64."""

    @classmethod
    def on(cls, device: torch.device) -> "Sums":
        """Start from nothing."""
        return cls(torch.zeros(4, dtype=torch.float64, device=device))

    def add(self, logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]) -> None:
        """Count one batch."""
        logits = logits.float()
        loss = F.cross_entropy(logits, labels, reduction="sum")
        ranked = logits.topk(min(5, logits.shape[1]), dim=1).indices == labels[:, None]
        count = torch.full((), len(labels), device=labels.device)
        self.totals += torch.stack([loss, ranked[:, 0].sum(), ranked.sum(), count]).double()

    def means(self) -> tuple[float, float, float]:
        """Mean loss, top-1 and top-5 accuracy as fractions; waits for the device."""
        loss, top1, top5, count = self.totals.tolist()
        return loss / count, top1 / count, top5 / count


def make_objective(label_smoothing: float) -> Objective:
    """Cross-entropy with label smoothing (Szegedy et al., arXiv 1512.00567, section 7)."""
    return lambda logits, labels: F.cross_entropy(logits.float(), labels, label_smoothing=label_smoothing)


def train_step(
    model: nn.Module,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    *,
    objective: Objective,
    precision: Precision,
    scaler: torch.amp.GradScaler,
    clip: float | None = None,
) -> tuple[float, Float[Tensor, "batch classes"]]:
    """Take one step; return the objective and the logits from before it.

    Raises `NotFiniteError` before the weights change if the objective is NaN or infinite.
    """
    with precision.autocast():
        logits = model(batch.images)
        loss = objective(logits, batch.labels)
    arrival = _Arrival(loss)
    scaler.scale(loss).backward()
    # The copy was queued before the backward pass, so the host learns the loss while the device is still busy with the
    # backward pass and queues the next kernels in time: the check costs the device nothing.
    value = arrival.value()
    if not math.isfinite(value):
        raise NotFiniteError(f"the loss became {value}", fix="lower the learning rate (--max-lr)")
    if clip is not None:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    return value, logits.detach()


@dataclass(slots=True, eq=False)
class Scores:
    """What the network said to every picture of a pass."""

    logits: list[Tensor] = field(default_factory=list)
    samples: list[Tensor] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)


def evaluate(
    model: nn.Module,
    batches: Iterable[Batch],
    *,
    precision: Precision,
    sums: Sums,
    mirror: bool = False,
    keep: Scores | None = None,
    watch: Callable[[], object] | None = None,
) -> Sums:
    """Add every batch to `sums` with the network in evaluation mode, and put the mode back.

    `mirror` averages the logits with those of the mirrored picture (test-time augmentation). `keep` collects the
    logits. `watch` is called after every batch.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.inference_mode(), precision.autocast():
            for batch in batches:
                logits = model(batch.images).float()
                if mirror:
                    logits = (logits + model(batch.images.flip(-1)).float()) / 2
                sums.add(logits, batch.labels)
                if keep is not None:
                    keep.logits.append(logits.cpu())
                    keep.samples.append(batch.samples.cpu())
                    keep.labels.append(batch.labels.cpu())
                if watch is not None:
                    watch()
    finally:
        for module, training in modes:
            module.training = training
    return sums


class _Arrival:
    """A scalar on its way from the device to the host."""

    def __init__(self, value: Tensor) -> None:
        self.event = None
        self.copy = value.detach()
        if value.is_cuda:
            self.copy = torch.empty((), dtype=value.dtype, pin_memory=True)
            self.copy.copy_(value.detach(), non_blocking=True)
            self.event = torch.cuda.Event()
            self.event.record()

    def value(self) -> float:
        if self.event is not None:
            self.event.synchronize()
        return float(self.copy)
