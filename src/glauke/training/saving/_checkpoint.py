"""The full state of a run on disk, and back: safetensors, JSON and a manifest of hashes; nothing is pickled.

A checkpoint is a folder `step-NNNNNNNN`. It is written beside its place, synced, read back, and renamed, so that a
crash at any moment leaves either the folder whole or no folder. Loading takes the newest that its manifest vouches for,
because neither PyTorch's nor safetensors' own format notices a flipped bit.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from glauke.errors import CannotGoOnError, NoCheckpointError, UsageError
from glauke.files import disk_errors, new_folder, require_space, sha256

from ._weights import on_cpu, weights_of

FORMAT = 2  # 1 had no names for its sums
AVERAGE, LOSS = "average.safetensors", "loss.safetensors"
KEPT = 2  # the newest and one to fall back on


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """What was read back."""

    step: int
    model: dict[str, Tensor]
    optimizer: dict[str, Any]
    random: dict[str, Tensor]
    state: dict[str, Any]
    """Whatever plain values the run put there: rows, sums, best, seconds."""
    average: dict[str, Tensor] | None
    """Averages of the weights, where the run has them."""
    loss: dict[str, Tensor] | None
    """Parameters and buffers of the loss, where it is a module."""
    passed_over: tuple[str, ...]
    """Newer checkpoints that were damaged, each with the reason."""


def save_checkpoint(
    folder: Path,
    *,
    step: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    state: dict[str, Any],
    average: dict[str, Tensor] | None = None,
    loss: nn.Module | None = None,
    generators: Sequence[torch.Generator] = (),
    sound: Collection[Path] = (),
) -> Path:
    """Write `folder/step-NNNNNNNN`, keep the two newest valid ones, and return its path.

    Of `sound`, which this process wrote and read back, only the sizes are looked at again, not the hashes.

    Raises `CannotGoOnError` for weights that are not finite (they must never replace good ones), `DiskFullError`, and
    `UsageError` for an optimizer that keeps what is neither a tensor nor a plain value.
    """
    weights, averages = weights_of(model), on_cpu(average or {})
    if not all(bool(torch.isfinite(t).all()) for t in weights.values() if t.is_floating_point()):
        raise CannotGoOnError("the weights are not finite; they were not saved", place=f"step {step}")
    buffers, settings = _split_optimizer(optimizer)
    folder.mkdir(parents=True, exist_ok=True)
    require_space(folder, 2 * sum(t.nbytes for part in (weights, averages, buffers) for t in part.values()))
    target = folder / f"step-{step:08d}"
    if target.exists() and not _fault(target, hashes=target not in sound):
        return target
    if target.exists():
        shutil.rmtree(target)
    with new_folder(target) as fresh:
        files = {
            "model.safetensors": _written(fresh / "model.safetensors", save(weights)),
            "optimizer.safetensors": _written(fresh / "optimizer.safetensors", save(buffers)),
            "random.safetensors": _written(fresh / "random.safetensors", save(_random_state(generators))),
        }
        if average is not None:
            files[AVERAGE] = _written(fresh / AVERAGE, save(averages))
        if loss is not None:
            files[LOSS] = _written(fresh / LOSS, save(weights_of(loss)))
        whole = {"step": step, "optimizer": settings, "scaler": scaler.state_dict(), "run": state}
        files["state.json"] = _written(fresh / "state.json", _json(whole))
        _written(fresh / "MANIFEST.json", _json({"format": FORMAT, "step": step, "files": files}))
        if fault := _fault(fresh):
            raise CannotGoOnError(f"the checkpoint could not be read back: {fault}", place=str(target))
    known = {target, *sound}
    valid = [path for path in _newest_first(folder) if not _fault(path, hashes=path not in known)][:KEPT]
    for old in _newest_first(folder):
        if old not in valid:
            shutil.rmtree(old)
    return target


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint that its manifest vouches for, to the host's memory; None where there never was one.

    What takes the tensors puts each where it belongs: an optimizer keeps some of its own with the host.

    Raises `NoCheckpointError` where there are checkpoints and all are damaged: starting afresh would hide a loss.
    """
    passed_over = []
    for path in _newest_first(folder):
        if fault := _fault(path):
            passed_over.append(f"{path.name}: {fault}")
            continue
        document = json.loads((path / "state.json").read_text(encoding="utf-8"))
        buffers = load_file(path / "optimizer.safetensors")
        return Checkpoint(
            step=document["step"],
            model=load_file(path / "model.safetensors"),
            optimizer=_join_optimizer(buffers, document["optimizer"]),
            random=load_file(path / "random.safetensors"),
            state={**document["run"], "scaler": document["scaler"]},
            average=load_file(path / AVERAGE) if (path / AVERAGE).exists() else None,
            loss=load_file(path / LOSS) if (path / LOSS).exists() else None,
            passed_over=tuple(passed_over),
        )
    if passed_over:
        raise NoCheckpointError(
            f"every checkpoint is damaged ({'; '.join(passed_over)})",
            place=str(folder),
            fix="begin a new run, or delete the folder to start this one afresh",
        )
    return None


def restore_random(state: dict[str, Tensor], *, generators: Sequence[torch.Generator] = ()) -> None:
    """Put the random state of PyTorch and of a program's loaders back; dropout and shuffling loaders draw from it."""
    for index, generator in enumerate(generators):
        if f"generator{index}" in state:
            generator.set_state(state[f"generator{index}"])
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])


def _random_state(generators: Sequence[torch.Generator]) -> dict[str, Tensor]:
    state = {"cpu": torch.get_rng_state()}
    state |= {f"generator{index}": generator.get_state() for index, generator in enumerate(generators)}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def _split_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Part an optimizer's state into tensors and plain values."""
    whole = optimizer.state_dict()
    tensors, plain = {}, {}
    for index, values in whole["state"].items():
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{index}.{key}"] = value
            else:
                plain[f"{index}.{key}"] = value
    # A rate may be a tensor, for a compiled step.
    groups = [
        {key: value.item() if isinstance(value, Tensor) else value for key, value in group.items()}
        for group in whole["param_groups"]
    ]
    for where, values in (("state", plain), *(("groups", group) for group in groups)):
        for key, value in values.items():
            if not _is_plain(value):
                raise UsageError(
                    f"its {where} hold a {type(value).__name__} as {key.rpartition('.')[2]!r}, which no checkpoint can",
                    place="optimizer",
                    fix="use one that keeps tensors and plain values",
                )
    return on_cpu(tensors), {"param_groups": groups, "plain": plain}


def _is_plain(value: object) -> bool:
    """Whether a value comes back from JSON as it was, but for tuples, which come back as lists."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, bool | int | float | str)


def _join_optimizer(tensors: dict[str, Tensor], settings: dict[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {}
    for name, value in (*tensors.items(), *settings["plain"].items()):
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    return {"state": state, "param_groups": settings["param_groups"]}


def _newest_first(folder: Path) -> Iterator[Path]:
    # By the step in the name: no clock, no modification times, no pointer file that could point nowhere.
    steps = [p for p in folder.glob("step-*") if p.is_dir() and p.name.removeprefix("step-").isdigit()]
    yield from sorted(steps, key=lambda path: int(path.name.removeprefix("step-")), reverse=True)


def _written(path: Path, data: bytes) -> dict[str, int | str]:
    """Write a file of a fresh folder, which is made durable as a whole, and give what its manifest says of it."""
    with disk_errors(path):
        path.write_bytes(data)
    # Of what was meant, not of what the disk made of it.
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _fault(path: Path, *, hashes: bool = True) -> str | None:
    """Say what is wrong with a checkpoint's files, or None; without `hashes` only by their sizes."""
    try:
        manifest = json.loads((path / "MANIFEST.json").read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            return f"its format is {manifest['format']}, this glauke reads {FORMAT}"
        for name, expected in manifest["files"].items():
            file = path / name
            if file.stat().st_size != expected["bytes"]:
                return f"{name} has {file.stat().st_size} bytes instead of {expected['bytes']}"
            if hashes and sha256(file) != expected["sha256"]:
                return f"{name} does not match its hash"
    except OSError as error:
        return f"{Path(error.filename or path).name} cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "its manifest is not readable"
    return None
