"""A trained model is explained: what it says to pictures, where it errs, where it looks, and how it leaves as a file.

The values and all that is computed from `Predictions` work without torch, which is loaded when a name that needs it is
first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .looking._gallery import image_files as image_files
from .numbers._calibration import Calibration as Calibration
from .numbers._calibration import Reliability as Reliability
from .numbers._calibration import calibration as calibration
from .numbers._confusion import ClassScore as ClassScore
from .numbers._confusion import ConfusedPair as ConfusedPair
from .numbers._confusion import Confusion as Confusion
from .numbers._confusion import confusion as confusion
from .numbers._confusion import per_class as per_class
from .numbers._confusion import worst_classes as worst_classes
from .numbers._explanation import Explanation as Explanation
from .numbers._explanation import PairExamples as PairExamples
from .numbers._explanation import explain as explain
from .numbers._mistakes import Mistake as Mistake
from .numbers._mistakes import mistakes as mistakes
from .numbers._predictions import Predictions as Predictions
from .numbers._suspects import LabelSuspects as LabelSuspects
from .numbers._suspects import Suspect as Suspect
from .numbers._suspects import label_suspects as label_suspects

if TYPE_CHECKING:
    from ._predict_files import FilePrediction as FilePrediction
    from ._predict_files import Guess as Guess
    from ._predict_files import predict_files as predict_files
    from ._predict_files import require_prediction_table as require_prediction_table
    from ._predict_files import write_file_predictions as write_file_predictions
    from ._scoring import batches_for as batches_for
    from ._scoring import predict as predict
    from ._trained import Trained as Trained
    from ._trained import load_trained as load_trained
    from .exporting._card import weakest_classes as weakest_classes
    from .exporting._export import EXPORT as EXPORT
    from .exporting._export import ExportKind as ExportKind
    from .exporting._export import Shown as Shown
    from .exporting._export import agreement_as_dict as agreement_as_dict
    from .exporting._export import export as export
    from .exporting._export import held_out_pictures as held_out_pictures
    from .exporting._export import noise_pictures as noise_pictures
    from .exporting._export import require_export as require_export
    from .exporting._export_check import Agreement as Agreement
    from .looking._grad_cam import CamMaps as CamMaps
    from .looking._grad_cam import grad_cam as grad_cam
    from .looking._layers import Layer as Layer
    from .looking._layers import layers as layers

_NEEDS_TORCH = {
    "CamMaps": "looking._grad_cam",
    "Layer": "looking._layers",
    "Agreement": "exporting._export_check",
    "EXPORT": "exporting._export",
    "ExportKind": "exporting._export",
    "FilePrediction": "_predict_files",
    "Guess": "_predict_files",
    "Shown": "exporting._export",
    "Trained": "_trained",
    "agreement_as_dict": "exporting._export",
    "batches_for": "_scoring",
    "export": "exporting._export",
    "held_out_pictures": "exporting._export",
    "grad_cam": "looking._grad_cam",
    "layers": "looking._layers",
    "load_trained": "_trained",
    "noise_pictures": "exporting._export",
    "predict": "_scoring",
    "predict_files": "_predict_files",
    "require_export": "exporting._export",
    "require_prediction_table": "_predict_files",
    "weakest_classes": "exporting._card",
    "write_file_predictions": "_predict_files",
}


def __getattr__(name: str) -> object:
    """Load what needs torch when it is asked for (PEP 562)."""
    if name in _NEEDS_TORCH:
        return getattr(import_module(f".{_NEEDS_TORCH[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """All names, those that need torch too."""
    return sorted({*globals(), *_NEEDS_TORCH})
