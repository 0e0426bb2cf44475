r"""Annotations as VIA 2's CSV, which VIA reads and a spreadsheet may open.

Every cell that holds text is JSON and begins with "{", so a label like "=1+1" is no formula; only the file name stands
bare. One that a spreadsheet would run gets "./" in front, which is the same file for VIA and for every program.
A size that is not known is VIA's -1: a number, and no formula either.
"""

import json
from collections.abc import Mapping

from glauke.files import neutral

from ..formats._via_pictures import byte_size

HEADER = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"


def via_csv(entries: Mapping[str, dict]) -> str:
    """The CSV of entries in VIA 2's form, their regions in lists; one line for each region."""
    lines = [HEADER]
    for entry in entries.values():
        start = f"{_name(entry['filename'])},{byte_size(entry['size'])},{_json(entry['file_attributes'])}"
        regions = entry["regions"]
        lines += [
            f"{start},{len(regions)},{number},{_json(region['shape_attributes'])},{_json(region['region_attributes'])}"
            for number, region in enumerate(regions)
        ] or [f'{start},0,0,"{{}}","{{}}"']
    return "\n".join(lines) + "\n"


def safe_name(name: str) -> str:
    """`name`, or the same file as "./name" where a spreadsheet would take it for a formula.

    >>> safe_name("1.jpg"), safe_name("=1.jpg")
    ('1.jpg', './=1.jpg')
    """
    return name if neutral(name) == name else f"./{name}"


def _name(name: str) -> str:
    name = safe_name(name)
    doubled = name.replace('"', '""')
    return f'"{doubled}"' if any(mark in name for mark in ',"\r\n') else name


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return '"' + text.replace('"', '""') + '"'
