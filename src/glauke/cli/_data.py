"""`glauke data check`, `show` and `pack`."""

from collections import Counter
from pathlib import Path

from ._output import say, show, show_json, table
from ._screen import Screen
from ._train import Switch


def check(data: str, /, *, source: Path | None = None, size: int | None = None, json: Switch = False) -> int:
    """List what is wrong with the pictures: damaged, empty, the same content twice. Nothing is changed.

    Parameters
    ----------
    data
        A name or a path, as for train.
    source
        Archive or folder that holds the named data set.
    size
        Side in pixels, as for train.
    json
        Print the findings as one JSON object.
    """
    pack = _packed(data, source, size)
    worth = [finding for finding in pack.findings if finding.severity != "note"]
    if json:
        findings = [
            {"rule": f.rule, "severity": f.severity, "files": list(f.files), "message": f.message}
            for f in pack.findings
        ]
        show_json(
            {
                "data": pack.data,
                "pictures": len(pack.labels),
                "classes": len(pack.classes),
                "findings": findings,
            }
        )
        return 1 if worth else 0
    for finding in pack.findings:
        show(f"{finding.severity}: {finding.rule}: {finding.message}")
    counts = Counter(finding.rule for finding in pack.findings)
    summary = ", ".join(f"{count} {rule}" for rule, count in sorted(counts.items())) or "nothing to report"
    say(f"{len(pack.labels):,} pictures in {len(pack.classes)} classes: {summary}")
    return 1 if worth else 0


def show_(data: str, /, *, source: Path | None = None, size: int | None = None, json: Switch = False) -> int:
    """Say what the data set holds.

    Parameters
    ----------
    data
        A name or a path, as for train.
    source
        Archive or folder that holds the named data set.
    size
        Side in pixels, as for train.
    json
        Print the counts as one JSON object.
    """
    pack = _packed(data, source, size)
    counts = [[0] * len(pack.part_names) for _ in pack.classes]
    for label, part in zip(pack.labels.tolist(), pack.parts.tolist(), strict=True):
        counts[label][part] += 1
    if json:
        show_json(
            {
                "data": pack.data,
                "pictures": len(pack.labels),
                "size": pack.size,
                "channels": pack.channels,
                "mean": pack.mean,
                "std": pack.std,
                "fingerprint": pack.fingerprint,
                "classes": [
                    {"id": c, "name": r, "pictures": dict(zip(pack.part_names, row, strict=True))}
                    for c, r, row in zip(pack.classes, pack.readable, counts, strict=True)
                ],
            }
        )
        return 0
    rows = [(c, r, *row) for c, r, row in zip(pack.classes, pack.readable, counts, strict=True)]
    show(table(("class", "name", *pack.part_names), rows))
    say(
        f"{len(pack.labels):,} pictures of {pack.size}x{pack.size} px, {pack.channels} channels; mean "
        f"{', '.join(f'{m:.4f}' for m in pack.mean)}, deviation {', '.join(f'{s:.4f}' for s in pack.std)}"
    )
    return 0


def pack(data: str, /, *, source: Path | None = None, size: int | None = None, json: Switch = False) -> int:
    """Decode the pictures into the cache, where every later command finds them.

    Parameters
    ----------
    data
        A name or a path, as for train.
    source
        Archive or folder that holds the named data set.
    size
        Side in pixels, as for train.
    json
        Print the pack's folder as one JSON object.
    """
    packed = _packed(data, source, size)
    if json:
        show_json({"folder": str(packed.folder), "pictures": len(packed.labels), "fingerprint": packed.fingerprint})
    else:
        show(str(packed.folder))
    return 0


def _packed(data: str, source: Path | None, size: int | None):
    from glauke.images import open_pack

    with Screen() as screen:
        return open_pack(data, source, size=size, watch=lambda p: screen.show_stage(p.stage, p.done, p.total))
