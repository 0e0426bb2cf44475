"""Findings on disk, so that a run can still tell them when its pack is gone."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from glauke.errors import DataError
from glauke.files import write_json

from .sources._picture import Finding


def write_findings(findings: Iterable[Finding], path: Path) -> None:
    """Write findings as a JSON list."""
    write_json(path, [asdict(finding) for finding in findings])


def read_findings(path: Path) -> tuple[Finding, ...]:
    """Read what `write_findings` wrote; nothing where there is no such file. Raises `DataError` for a damaged one."""
    if not path.exists():
        return ()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return tuple(Finding(**{**entry, "files": tuple(entry["files"])}) for entry in entries)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"the list of findings cannot be read ({error})", place=str(path)) from error
