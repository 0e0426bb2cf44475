"""What is computed of one batch, as a loss and sums; one value for a recipe's step and for a program's own."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from glauke.errors import UsageError

from ..rates._pairs import classes_of, parted

LOSS = "loss"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """What was computed of one batch."""

    loss: Tensor
    """The mean over the batch, one number; in training it is what the gradient is taken of."""
    count: int
    """Examples in the batch."""
    sums: Mapping[str, Tensor | float | int] = field(default_factory=dict)
    """Metrics by name, each summed over the batch: they are added up over the epoch and divided by the examples once.
    "loss" replaces what is shown as the loss, else it is `loss`; "accuracy" and "top5" are hits."""


Model = Callable[..., Any]
"""A network, as a function."""
Compute = Callable[[Model, Any], Step]
"""From a model and a batch on its device to a step; also in evaluation, where no gradient is taken."""


@dataclass(slots=True, eq=False)
class Totals:
    """Metrics as sums over examples, kept on the device and divided once, when somebody reads them."""

    device: torch.device
    names: tuple[str, ...] = ()
    sums: Float[Tensor, " metrics_and_count"] | None = None
    """A sum for each name, then the number of examples; float64. None while there are none."""

    def add(self, step: Step) -> None:
        """Count one batch, without waiting for the device."""
        sums = {LOSS: step.loss.detach() * step.count, **step.sums}
        if self.sums is None:
            self.names = tuple(sums)
            self.sums = torch.zeros(len(sums) + 1, dtype=torch.float64, device=self.device)
        if set(sums) != set(self.names):
            raise UsageError(
                f"a step gave the metrics {', '.join(sums)}, an earlier one {', '.join(self.names)}",
                fix="let every step of a run sum the same metrics",
            )
        values = [self._scalar(name, sums[name]) for name in self.names]
        self.sums += torch.stack([*values, self._scalar("count", step.count)])

    def means(self) -> dict[str, float]:
        """Each metric's mean over the examples, by name; waits for the device. NaN before the first example."""
        if self.sums is None:
            return {LOSS: math.nan}
        *sums, count = self.sums.tolist()
        return {name: value / count if count else math.nan for name, value in zip(self.names, sums, strict=True)}

    @property
    def count(self) -> int:
        """Examples so far; waits for the device."""
        return 0 if self.sums is None else round(self.sums[-1].item())

    def state(self) -> dict[str, Any]:
        """The names and the sums as plain values; what is not finite as text, which JSON has no number for."""
        sums = [] if self.sums is None else self.sums.tolist()
        return {"names": self.names, "sums": [value if math.isfinite(value) else repr(value) for value in sums]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        sums = [float(value) for value in state["sums"]]
        self.names = tuple(state["names"])
        self.sums = torch.tensor(sums, dtype=torch.float64, device=self.device) if sums else None

    def _scalar(self, name: str, value: Tensor | float | int) -> Tensor:
        if not isinstance(value, Tensor):
            return torch.full((), float(value), dtype=torch.float64, device=self.device)
        if value.numel() != 1:
            raise UsageError(
                f"the metric {name!r} has the shape {tuple(value.shape)}", fix="sum it over the batch to one number"
            )
        return value.detach().reshape(()).to(self.device, torch.float64)


def classification(objective: Callable[[Any, Any], Tensor], *, plain: bool = True) -> Compute:
    """The step of a classifier on batches of (images, labels): an objective to learn by, loss and hits to look at.

    With `plain` the loss that is shown is the cross-entropy in nats, without the label smoothing and the like of the
    objective: the curves of both sides then show one quantity, and their distance means something. Otherwise it is the
    objective itself, and hits are counted only where labels are classes. Where pictures are mixed and the objective is
    a cross-entropy, labels are shares, and a hit is the class with the largest share, so the accuracy of training is
    then no measure of how well the pictures are known. Under any other objective such labels have no hits: they may
    name several classes at once.
    """
    shares = plain or objective is F.cross_entropy or isinstance(objective, nn.CrossEntropyLoss)

    def compute(model: Model, batch: Any) -> Step:
        inputs, labels = parted(batch)
        outputs = model(inputs)
        classes = classes_of(outputs, labels, shares=shares)
        if plain and classes is None:
            shapes = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (outputs, labels)]
            raise UsageError(
                f"cross-entropy needs outputs (batch, 2 or more classes) and labels (batch,), not {shapes[0]} and "
                f"{shapes[1]}",
                fix="give a loss or a step of your own",
            )
        loss = objective(outputs, labels)
        sums: dict[str, Tensor | float | int] = {}
        if classes is not None:
            outputs = outputs.detach().float()
            ranked = outputs.topk(min(5, outputs.shape[1]), dim=1).indices == classes[:, None]
            sums = {"accuracy": ranked[:, 0].sum(), "top5": ranked.sum()}
        if plain:
            sums[LOSS] = F.cross_entropy(outputs, labels, reduction="sum")
        return Step(loss=loss, count=len(labels), sums=sums)

    return compute
