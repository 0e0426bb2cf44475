"""`glauke doctor`: what is installed and what a run would use."""

import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from glauke import training
from glauke.files import cache_folder


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
    }
    return {
        "glauke": version("glauke"),
        "python": platform.python_version(),
        "torch": version("torch"),
        "device": device.type,
        "precision": precision.name,
        "precision_reason": precision.reason,
        "hardware": asdict(training.describe_hardware(device)),
        "cache": str(cache_folder()),
        "optional": {
            name: _installed(name) or f"missing: pip install 'glauke[{extra}]'" for name, extra in optional.items()
        },
    }


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
