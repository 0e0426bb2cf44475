"""Bytes on disk, safely: durable writing, archives from strangers, downloads. Knows nobody but `errors`."""

from typing import TYPE_CHECKING

from ._archive import is_archive as is_archive
from ._archive import list_members as list_members
from ._archive import stream_members as stream_members
from ._durable import new_folder as new_folder
from ._durable import require_space as require_space
from ._durable import sha256 as sha256
from ._durable import sweep as sweep
from ._durable import write_bytes as write_bytes
from ._durable import write_json as write_json
from ._durable import write_text as write_text
from ._members import Limits as Limits
from ._members import Member as Member
from ._places import cache_folder as cache_folder

if TYPE_CHECKING:
    from ._download import download as download


def __getattr__(name: str) -> object:
    # urllib and ssl take 100 ms to import, nearly half of what `glauke --help` may take.
    if name == "download":
        from ._download import download

        return download
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
