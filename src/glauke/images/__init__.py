"""Raw pictures become batches: sources, a pack, a split, and batches on the device.

Everything up to the split works without torch, which is loaded when a name that needs it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._findings import read_findings as read_findings
from ._findings import write_findings as write_findings
from ._split import Split as Split
from ._split import load_split as load_split
from ._split import make_split as make_split
from ._split import save_split as save_split
from ._split import split_kinds as split_kinds
from .packing._decode import UndecodableError as UndecodableError
from .packing._decode import decode as decode
from .packing._decode_rate import decode_rate as decode_rate
from .packing._pack import Pack as Pack
from .packing._pack import open_pack as open_pack
from .packing._pack import read_pack as read_pack
from .packing._pack import verify as verify
from .sources._picture import Finding as Finding
from .sources._picture import PackProgress as PackProgress
from .sources._picture import Picture as Picture
from .sources._picture import Source as Source
from .sources._sources import SOURCES as SOURCES
from .sources._sources import find_source as find_source
from .sources._tree import open_tree as open_tree

if TYPE_CHECKING:
    from ._batches import Batch as Batch
    from ._batches import Batches as Batches
    from ._batches import steps_in_epoch as steps_in_epoch
    from .augmenting._augment import Augmentation as Augmentation
    from .augmenting._keyed import permutation as permutation
    from .augmenting._pixels import normalise as normalise
    from .augmenting._pixels import resized as resized
    from .augmenting._pixels import unnormalised as unnormalised

_NEEDS_TORCH = {
    "Augmentation": "augmenting._augment",
    "Batch": "_batches",
    "Batches": "_batches",
    "normalise": "augmenting._pixels",
    "permutation": "augmenting._keyed",
    "resized": "augmenting._pixels",
    "steps_in_epoch": "_batches",
    "unnormalised": "augmenting._pixels",
}


def __getattr__(name: str) -> object:
    """Load what needs torch when it is asked for (PEP 562)."""
    if name in _NEEDS_TORCH:
        return getattr(import_module(f".{_NEEDS_TORCH[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """All names, those that need torch too."""
    return sorted({*globals(), *_NEEDS_TORCH})
