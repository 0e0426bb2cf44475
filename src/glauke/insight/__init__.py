"""A trained model is explained: what it says to pictures, where it errs, where it looks, and how it leaves as a file.

The values and all that is computed from `Predictions` work without torch, which is loaded when a name that needs it is
first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._predictions import Predictions as Predictions

if TYPE_CHECKING:
    from ._scoring import batches_for as batches_for
    from ._scoring import predict as predict
    from ._trained import Trained as Trained
    from ._trained import load_trained as load_trained

_NEEDS_TORCH = {
    "Trained": "_trained",
    "batches_for": "_scoring",
    "load_trained": "_trained",
    "predict": "_scoring",
}


def __getattr__(name: str) -> object:
    """Load what needs torch when it is asked for (PEP 562)."""
    if name in _NEEDS_TORCH:
        return getattr(import_module(f".{_NEEDS_TORCH[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """All names, those that need torch too."""
    return sorted({*globals(), *_NEEDS_TORCH})
