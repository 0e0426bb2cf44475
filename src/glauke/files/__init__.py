"""Bytes on disk, safely: durable writing, strict JSON and text, picture headers, archives, downloads."""

from importlib import import_module
from typing import TYPE_CHECKING

from ._archive import is_archive as is_archive
from ._archive import list_members as list_members
from ._archive import stream_members as stream_members
from ._csv import is_formula as is_formula
from ._csv import neutral as neutral
from ._durable import disk_errors as disk_errors
from ._durable import new_folder as new_folder
from ._durable import require_space as require_space
from ._durable import sha256 as sha256
from ._durable import sweep as sweep
from ._durable import write_bytes as write_bytes
from ._durable import write_json as write_json
from ._durable import write_text as write_text
from ._member_names import problem_with_name as problem_with_name
from ._member_names import same_file_key as same_file_key
from ._members import Limits as Limits
from ._members import Member as Member
from ._own_folder import files_in as files_in
from ._own_folder import own_folder as own_folder
from ._picture_header import PICTURE_ENDINGS as PICTURE_ENDINGS
from ._picture_header import PictureHeader as PictureHeader
from ._picture_header import picture_header as picture_header
from ._places import cache_folder as cache_folder
from ._strict_json import collector_paused as collector_paused
from ._strict_json import parse_json as parse_json
from ._strict_json import read_json as read_json
from ._tables import read_csv as read_csv
from ._tables import write_csv as write_csv
from ._text import read_text as read_text

if TYPE_CHECKING:
    from ._download import download as download
    from ._pillow import PILLOW_FAILURES as PILLOW_FAILURES
    from ._pillow import in_eight_bits as in_eight_bits
    from ._pillow import quiet_pillow as quiet_pillow
    from ._pillow import upright as upright

_WHEN_USED = {
    "download": "_download",
    "PILLOW_FAILURES": "_pillow",
    "in_eight_bits": "_pillow",
    "quiet_pillow": "_pillow",
    "upright": "_pillow",
}


def __getattr__(name: str) -> object:
    # urllib with ssl, and Pillow with NumPy, take longer to import than all of `glauke --help` may.
    if name in _WHEN_USED:
        return getattr(import_module(f".{_WHEN_USED[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
