"""What a run's network starts from, if not from random numbers, and whether it suits the pictures at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from glauke.errors import UsageError
from glauke.files import sha256
from glauke.models import MODELS, load_weights, stem_warning


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstWeights:
    """What was done, for a person and for the record."""

    notes: tuple[str, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)
    """For the record; empty if the network starts from random numbers."""


def first_weights(
    model: nn.Module, *, name: str, sizes: Sequence[int], pretrained: bool, weights: Path | None
) -> FirstWeights:
    """Fill a fresh network from a file where one is given, and judge one that is not ours by the sizes of a run.

    Raises:
        UsageError: weights from two places, or a network that cannot take pictures of these sizes.
        DataError: a file of which nothing fits.
    """
    if pretrained and weights is not None:
        raise UsageError(
            "the network can start from one set of weights only", place="--weights", fix="give one of both"
        )
    warning = None if name in MODELS else stem_warning(model, min(sizes))
    notes = [] if warning is None else [f"warning: {warning}"]
    if pretrained:
        notes.append(f"begun from the published weights of {name}, with a new last layer")
        return FirstWeights(notes=tuple(notes), facts={"pretrained": True})
    if weights is None:
        return FirstWeights(notes=tuple(notes))
    loaded = load_weights(model, weights)
    facts = {
        "file": weights.name,
        "sha256": sha256(weights),
        "loaded": len(loaded.loaded),
        "left_out": list(loaded.left_out),
        "missing": list(loaded.missing),
    }
    return FirstWeights(notes=(*notes, str(loaded)), facts={"weights": facts})
