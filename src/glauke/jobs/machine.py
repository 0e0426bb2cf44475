"""`glauke doctor`: what is installed, what a run would use, and how fast the machine is."""

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from glauke import training
from glauke.files import cache_folder
from glauke.training import Limits, Watch

PICTURES = 77_000
"""Training pictures of Tiny ImageNet in its pooled split, by which the meanings are told."""
FORMATS = {"bf16": "bfloat16", "fp16": "float16"}


def doctor() -> dict[str, Any]:
    """Say what is installed, which device and precision a run would use, and which optional part is missing."""
    device = training.choose_device("auto")
    precision = training.choose_precision("auto", device)
    optional = {
        "torchvision": "zoo",
        "timm": "zoo",
        "numba": "fast",
        "tensorboard": "tensorboard",
        "onnx": "export",
        "onnxscript": "export",
        "onnxruntime": "export",
    }
    cache = cache_folder()
    return {
        "glauke": version("glauke"),
        "python": platform.python_version(),
        "torch": version("torch"),
        "device": device.type,
        "precision": precision.name,
        "precision_reason": precision.reason,
        "hardware": asdict(training.describe_hardware(device)),
        "cache": str(cache),
        "cache_problem": _problem_with(cache),
        "optional": {
            name: _installed(name) or f"missing: pip install 'glauke[{extra}]'" for name, extra in optional.items()
        },
    }


def _problem_with(folder: Path) -> str | None:
    """Why nothing could be written there; nothing is tried."""
    existing = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not existing.is_dir():
        return f"{existing} is no folder"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{existing} may not be written to"
    return None


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One measurement, with what it says about a run."""

    what: str
    value: str
    means: str


def measure(*, watch: Watch = training.unwatched) -> Limits:
    """Measure what the machine reaches; about half a minute on two slow cores."""
    return training.measure_limits(watch=watch)


def meanings(limits: Limits) -> list[Meaning]:
    """Every measurement in words, and what it means for a run, in a clause."""
    rows = []
    for rate in limits.rates:
        most = rate.matrix_gflops / limits.gflop_per_picture
        rows += [
            Meaning(
                what=f"matrix product, {rate.precision}",
                value=_flops(rate.matrix_gflops),
                means=f"at {limits.gflop_per_picture:.2f} GFLOP a picture no more than {most:,.0f} pictures/s",
            ),
            Meaning(
                what=f"3x3 convolution, {rate.precision}",
                value=_flops(rate.convolution_gflops),
                means=f"what layers reach, {rate.convolution_gflops / rate.matrix_gflops:.0%} of the product",
            ),
        ]
    for name, written in FORMATS.items():
        if limits.rate(name) is None:
            means = f"no hardware for {written}: a run in it would be far slower than in fp32"
            rows.append(Meaning(what=f"matrix product, {name}", value="not here", means=means))
    used = limits.rate(limits.precision)
    reached = limits.images_per_second * limits.gflop_per_picture / used.matrix_gflops if used else 0.0
    alone, all_ = limits.jpegs_per_second, limits.jpegs_per_second_all
    return [
        *rows,
        Meaning(
            what="memory, copying",
            value=f"{limits.copy_gb_per_second:,.1f} GB/s",
            means="norms, activations and augmentation, which compute little, wait for it",
        ),
        Meaning(
            what="JPEGs of 64 px, one core",
            value=f"{alone:,.0f} pictures/s",
            means=f"decoding anew in every epoch would keep {limits.images_per_second / alone:.2g} cores busy",
        ),
        Meaning(
            what=f"JPEGs of 64 px, {limits.cores} cores",
            value=f"{all_:,.0f} pictures/s",
            means=f"{PICTURES:,} pictures are packed in no less than {PICTURES / all_:,.0f} s, once",
        ),
        Meaning(
            what=f"training step, {limits.precision}",
            value=f"{limits.images_per_second:,.0f} pictures/s",
            means=f"ResNet18 (maxpool) at {limits.size} px, batch {limits.batch_size}: {reached:.0%} of the product; "
            f"an epoch of {PICTURES:,} takes {PICTURES / limits.images_per_second / 60:,.1f} min",
        ),
    ]


def _flops(gflops: float) -> str:
    return f"{gflops:,.0f} GFLOP/s" if gflops < 10_000 else f"{gflops / 1000:,.0f} TFLOP/s"
