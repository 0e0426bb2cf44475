"""A trained network with all that is needed to use it, read from a weights file alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from glauke.errors import DataError
from glauke.models import build_model


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A network in evaluation mode, and what its input and output mean."""

    model: nn.Module
    """On its device, in channels-last memory; takes (batch, channels, size, size), gives logits (batch, classes)."""
    name: str
    """Its name in `glauke.models`."""
    stem: str
    classes: tuple[str, ...]
    """Ids, in the order of the logits."""
    readable: tuple[str, ...]
    """Names for people, in the same order."""
    size: int
    """Side in pixels at which it was judged."""
    pack_size: int | None = None
    """Side of the pictures in the pack: a picture becomes a square of this side first and then of `size`, as in
    training; None is the same side."""
    channels: int
    mean: tuple[float, ...]
    """Of each channel, on the scale 0 to 1: the input is (pixel / 255 - mean) / std."""
    std: tuple[float, ...]
    file: Path
    """The weights file."""

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.model.parameters()).device


def load_trained(
    path: Path, *, weights: Literal["final", "best"] = "final", device: torch.device | str = "cpu"
) -> Trained:
    """Read the network of a run folder, of an exported folder, or of a weights file that glauke wrote.

    The weights file says all by itself: neither the run's record nor its pictures are needed.

    Raises:
        DataError: there are no such weights, the file is damaged, or something else wrote it.
    """
    exported = path / "model.safetensors"
    file = exported if exported.is_file() else path / f"{weights}.safetensors" if path.is_dir() else path
    if not file.is_file() or file == path:
        _refuse_others(path)
    about, tensors = _read(file)
    if "experiment" in about and "classes" not in about:
        raise DataError(
            f"the weights are of a program's own {about['model']}, which only that program can build",
            place=str(file),
            fix="load them there, by safetensors.torch.load_file",
        )
    try:
        model = build_model(
            about["model"],
            num_classes=len(about["classes"]),
            in_channels=about["channels"],
            stem=about["stem"],
            seed=0,
        )
        model.load_state_dict(tensors)
        model = model.eval().to(device=device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        return Trained(
            model=model,
            name=about["model"],
            stem=about["stem"],
            classes=tuple(about["classes"]),
            readable=tuple(about.get("readable", about["classes"])),
            size=about["size"],
            pack_size=about.get("pack_size"),
            channels=about["channels"],
            mean=tuple(about["mean"]),
            std=tuple(about["std"]),
            file=file,
        )
    except (KeyError, TypeError, RuntimeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise DataError(f"the weights do not fit the network that they name: {reason}", place=str(file)) from error


def _refuse_others(path: Path) -> None:
    """Say what to do with the networks that are told by their names alone: exports to other formats, and repeats."""
    for ending in (".onnx", ".pt2"):
        file = path / f"model{ending}" if path.is_dir() else path
        if file.suffix.lower() == ending and file.is_file():
            raise DataError(
                f"this network was exported to {ending}, and only .safetensors can be read here",
                place=str(file),
                fix="use the predict.py beside it, or export the run with --to safetensors",
            )
    if repeat := next(iter(sorted(path.glob("*/run.json"))), None):
        raise DataError(
            "there are several runs here, and one is asked for",
            place=str(path),
            fix=f"name one of them, such as {repeat.parent}",
        )


def _read(file: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    if not file.is_file():
        raise DataError(
            "there are no trained weights here", place=str(file), fix="name the folder of a run that has ended"
        )
    try:
        with safe_open(file, framework="pt") as opened:
            about = json.loads((opened.metadata() or {}).get("glauke", "null"))
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  it is not a mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"the weights cannot be read ({error})", place=str(file)) from error
    if not isinstance(about, dict):
        raise DataError(
            "the weights do not say which network they are for", place=str(file), fix="name a file that glauke wrote"
        )
    return about, tensors
