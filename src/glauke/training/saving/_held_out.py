"""The held-out side: the fixed part of it that the curve uses, and what was said about every picture of it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from glauke.files import write_csv
from glauke.images import Batch, Pack, permutation

PREDICTIONS = "predictions.csv"
HEADER = ("file", "label", "predicted", "correct", "confidence", "label_probability", "loss", "rank")


@dataclass(slots=True, eq=False)
class Scores:
    """What the network said to every picture of a pass."""

    logits: list[Tensor] = field(default_factory=list)
    samples: list[Tensor] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch, logits: Float[Tensor, "batch classes"]) -> None:
        """Keep a batch's logits, in the host's memory."""
        self.logits.append(logits.detach().cpu())
        self.samples.append(batch.samples.cpu())
        self.labels.append(batch.labels.cpu())


def curve_part(pack: Pack, val: Int[np.ndarray, " m"], count: int | None) -> Int[np.ndarray, " part"]:
    """Choose `count` held-out pictures, evenly over the classes, always the same ones; None is all of them."""
    if count is None or count >= len(val):
        return val
    shuffled = val[permutation(len(val), seed=0, epoch=0, purpose="curve part").numpy()]
    labels = pack.labels[shuffled]
    by_class = np.argsort(labels, kind="stable")
    first = np.searchsorted(labels[by_class], labels[by_class])
    turn = np.empty(len(val), dtype=np.int64)  # how many pictures of the same class come before
    turn[by_class] = np.arange(len(val)) - first
    return np.sort(shuffled[np.lexsort((labels, turn))[:count]])


def write_predictions(folder: Path, scores: Scores, pack: Pack) -> None:
    """Write a row for each held-out picture: class ids, probabilities, loss in nats, the label's rank (1 is a hit)."""
    logits, labels = torch.cat(scores.logits).double(), torch.cat(scores.labels)
    samples = torch.cat(scores.samples)
    logs = logits.log_softmax(dim=1)
    picked = logs.gather(1, labels[:, None])[:, 0]
    best, predicted = logs.max(dim=1)
    rank = (logs > picked[:, None]).sum(dim=1) + 1
    columns = (samples, labels, predicted, best.exp(), picked.exp(), -picked, rank)
    rows = (
        (pack.names[int(s)], pack.classes[t], pack.classes[p], p == t, round(b, 6), round(q, 6), round(loss, 6), r)
        for s, t, p, b, q, loss, r in zip(*(column.tolist() for column in columns), strict=True)
    )
    write_csv(folder / PREDICTIONS, HEADER, rows)
