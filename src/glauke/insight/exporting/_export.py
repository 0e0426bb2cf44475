"""A trained network leaves as a file that others can open, and is shown to say the same there."""

import copy
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor
from torch.export import Dim, ExportedProgram

from glauke.errors import CannotGoOnError, DataError, UsageError
from glauke.files import files_in, sha256, write_json, write_text
from glauke.images import Pack, normalise
from glauke.runs import RunRecord
from glauke.training import save_weights

from .._scoring import batches_for
from .._trained import Trained, load_trained
from ..numbers._confusion import ClassScore
from ._card import Card, model_card
from ._export_check import Agreement, agreement, not_as_recorded
from ._onnx import PACKAGES, open_onnx, require_onnx, write_onnx

ExportKind = Literal["safetensors", "onnx", "pt2"]
Network = Callable[[np.ndarray], np.ndarray]
"""From float32 images (batch, channels, size, size) to logits (batch, classes)."""

EXPORT = "export.json"
"""What an export says of itself, with the hashes of its other files."""

BATCH = 128
RESIZE = (
    "upright by EXIF; transparency over white; the shorter side to pack_size (bicubic, antialias), the middle of the "
    "longer one; then to size (bilinear, antialias); input = (pixel / 255 - mean) / std"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """Pictures that both networks are shown."""

    kind: str
    """As `Agreement.kind`."""
    names: Sequence[str]
    batches: Iterator[Float[Tensor, "batch channels height width"]]
    """Normalised, on the CPU."""
    labels: Int64[np.ndarray, " n"] | None = None
    """Index of each picture's class; None for pictures of nothing."""


def held_out_pictures(trained: Trained, pack: Pack, val: Int[np.ndarray, " n"], *, count: int) -> Shown:
    """Take `count` pictures of the held-out ones, evenly over their order and with it over the classes."""
    if count < len(val):
        val = val[np.linspace(0, len(val) - 1, count).round().astype(np.int64)]
    batches = batches_for(trained, pack, val, batch_size=BATCH)
    return Shown(
        kind="held-out pictures",
        names=[str(pack.names[i]) for i in val.tolist()],
        batches=(batch.images for batch in batches),
        labels=pack.labels[val].astype(np.int64),
    )


def noise_pictures(trained: Trained, *, count: int, seed: int = 0) -> Shown:
    """Make pictures of noise, for a run whose own are not at hand; they say less, since no class is near to any."""
    generator = torch.Generator().manual_seed(seed)
    mean, std = torch.tensor(trained.mean), torch.tensor(trained.std)

    def made(pictures: int) -> Tensor:
        shape = (pictures, trained.size, trained.size, trained.channels)
        return normalise(torch.randint(256, shape, dtype=torch.uint8, generator=generator), mean=mean, std=std)

    sizes = [min(BATCH, count - start) for start in range(0, count, BATCH)]
    return Shown(
        kind="made pictures of noise", names=[f"noise {i}" for i in range(count)], batches=(made(n) for n in sizes)
    )


def require_export(kind: ExportKind, *, opset: int | None = None) -> None:
    """Raise `UsageError` before any work if that kind of file cannot be written here."""
    if kind == "onnx":
        require_onnx(opset=opset)
    elif opset is not None:
        raise UsageError(f"operator sets belong to ONNX files, not to {kind}", place="--opset", fix="leave it out")


def export(
    trained: Trained,
    record: RunRecord,
    folder: Path,
    *,
    kind: ExportKind,
    shown: Shown,
    opset: int | None = None,
    weakest: tuple[ClassScore, ...] = (),
) -> Agreement:
    """Fill `folder` with the network as a file, what its input and output mean, a script that uses it and a card.

    The file is opened again, by the program that its users have, and compared with the original on `shown`.

    Raises:
        CannotGoOnError: the file cannot be written, or the network in it does not agree (see `Agreement.fault`).
        DataError: the weights are not those that the record's accuracy was measured on.
    """
    file = folder / f"model.{kind}"
    written = write_model(trained, file, kind=kind, opset=opset)
    found = compare(trained, open_model(file, kind=kind), shown)
    if found.fault is not None:
        raise CannotGoOnError(found.fault, fix="use another --to, and report this with the network's name")
    card = Card(record=record, trained=trained, kind=kind, agreement=found, weakest=weakest)
    others = card.score and not_as_recorded(found, card.score, held_out=record.split.val)
    if others:
        raise DataError(others, place=str(trained.file), fix="put the weights of this very run there")
    write_json(folder / "model.json", {"kind": kind, **about(trained), "input": RESIZE, "output": "logits"})
    write_json(folder / "labels.json", {"ids": list(trained.classes), "readable": list(trained.readable)})
    write_text(folder / "MODEL_CARD.md", model_card(card))
    shutil.copyfile(Path(__file__).with_name("_script.py"), folder / "predict.py")
    write_json(
        folder / EXPORT,
        {
            "kind": kind,
            "run": record.name,
            "weights_file": trained.file.name,
            "weights_sha256": sha256(trained.file),
            "opset": written,
            "versions": _versions(kind),
            "check": agreement_as_dict(found),
            "files": files_in(folder, record=EXPORT),
        },
    )
    return found


def write_model(trained: Trained, file: Path, *, kind: ExportKind, opset: int | None = None) -> int | None:
    """Write the network as one file; return the operator set of an ONNX file, None for the others."""
    if kind == "safetensors":
        save_weights(file, trained.model, about=about(trained))
        return None
    program = _traced(trained)
    if kind == "onnx":
        return write_onnx(program, file, about=about(trained), opset=opset)
    torch.export.save(program, file)
    return None


def open_model(file: Path, *, kind: ExportKind) -> Network:
    """Make a function from images to logits of a file that `write_model` has just written, on the CPU."""
    if kind == "onnx":
        return open_onnx(file)
    model = load_trained(file).model if kind == "safetensors" else torch.export.load(file).module()

    def logits(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.from_numpy(images)).numpy()

    return logits


def compare(trained: Trained, network: Network, shown: Shown) -> Agreement:
    """Show the same pictures to the original network and to another."""
    ours, theirs = [], []
    for images in shown.batches:
        with torch.inference_mode():
            ours.append(trained.model(images).float().numpy())
        theirs.append(network(np.ascontiguousarray(images.numpy())))
    return agreement(
        np.concatenate(ours),
        np.concatenate(theirs),
        names=shown.names,
        classes=trained.classes,
        kind=shown.kind,
        labels=shown.labels,
    )


def about(trained: Trained) -> dict[str, object]:
    """All that is needed to use the network, in the types that JSON knows; `load_trained` reads it from the weights."""
    return {
        "model": trained.name,
        "stem": trained.stem,
        "classes": list(trained.classes),
        "readable": list(trained.readable),
        "channels": trained.channels,
        "size": trained.size,
        "pack_size": trained.pack_size or trained.size,
        "mean": list(trained.mean),
        "std": list(trained.std),
    }


def agreement_as_dict(found: Agreement) -> dict[str, object]:
    """The comparison in the types that JSON knows."""
    disagreements = [{**asdict(each), "tie": each.tie} for each in found.disagreements]
    return {**asdict(found), "agreeing": found.agreeing, "disagreements": disagreements}


def _traced(trained: Trained) -> ExportedProgram:
    # A copy with plain strides that wants no gradient: the 3x3 convolution then is PyTorch's own, with one operator in
    # every format, and not the one that learns faster on CPUs.
    model = copy.deepcopy(trained.model).cpu().to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
    model.eval().requires_grad_(False)
    example = torch.zeros(2, trained.channels, trained.size, trained.size)  # a batch of one would be taken for constant
    try:
        with torch.no_grad():
            program = torch.export.export(model, (example,), dynamic_shapes=({0: Dim("batch")},))
    except (RuntimeError, ValueError) as error:
        raise CannotGoOnError(f"the network {trained.name} cannot be traced: {str(error).splitlines()[0]}") from error
    program.example_inputs = None  # they would be the one thing in the file that is pickled
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it quotes source files by their path on this machine
    return program


def _versions(kind: ExportKind) -> dict[str, str]:
    names = ("glauke", "torch", "safetensors") if kind == "safetensors" else ("glauke", "torch")
    more = PACKAGES if kind == "onnx" else ()
    return {"python": platform.python_version()} | {name: version(name) for name in (*names, *more)}
