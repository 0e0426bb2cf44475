"""Findings of one rule with their places, as arrays: a million of them are put in order at little cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from jaxtyping import Int

from .._annotations import Annotations
from .._findings import Change, Finding, Severity, What


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """Findings, and where in the document each belongs."""

    images: Int[np.ndarray, " findings"]
    """Index of the picture, -1 for what is about the whole file."""

    regions: Int[np.ndarray, " findings"]
    """Number of the region within its picture, -1 for what is about the picture."""

    findings: Sequence[Finding]


def of_file(findings: Sequence[Finding]) -> Placed:
    """Findings about the whole file."""
    nowhere = np.full(len(findings), -1, np.int64)
    return Placed(images=nowhere, regions=nowhere, findings=findings)


def of_pictures(findings: Sequence[tuple[int, Finding]]) -> Placed:
    """Findings about pictures, each with the index of its picture."""
    images = np.array([image for image, _ in findings], np.int64)
    return Placed(images=images, regions=np.full(len(images), -1, np.int64), findings=[f for _, f in findings])


def of_rows(
    annotations: Annotations,
    rows: Int[np.ndarray, " n"],
    *,
    rule: str,
    severity: Severity,
    messages: Iterable[str],
    fixes: Iterable[str | None] = repeat(None),
    whats: Iterable[What | None] = repeat(None),
    values: Iterable[object] = repeat(None),
) -> Placed:
    """One finding for each of `rows`; with a change of the region where `whats` names one."""
    images, regions, names = annotations.image[rows], annotations.region[rows], annotations.names
    columns = zip(rows.tolist(), images.tolist(), regions.tolist(), messages, fixes, whats, values, strict=False)
    findings = [
        Finding(
            rule=rule,
            severity=severity,
            message=message,
            image=names[image] or None,
            region=region,
            fix=fix,
            change=Change(what=what, image=image, region=row, value=value) if what else None,
        )
        for row, image, region, message, fix, what, value in columns
    ]
    return Placed(images=images, regions=regions, findings=findings)


def in_order(parts: Sequence[Placed]) -> tuple[Finding, ...]:
    """All findings by picture and region; what is about the whole file, or a whole picture, comes first."""
    findings = [finding for part in parts for finding in part.findings]
    if not findings:
        return ()
    images = np.concatenate([part.images for part in parts])
    regions = np.concatenate([part.regions for part in parts])
    return tuple(findings[i] for i in np.lexsort((regions, images)).tolist())
