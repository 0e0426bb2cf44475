"""Every annotation file below a folder through describe, check and convert: one line of a table each.

Files are named A to Z within their kind, since they are other people's. A file named `_derived_image_sizes.csv` beside
them, or a folder `images` with the pictures, gives the sizes of their pictures.

    python benchmarks/annotations.py FOLDER
"""

import argparse
import datetime
import re
import string
import tempfile
from collections import Counter
from pathlib import Path

from glauke import boxes
from glauke.errors import InputError
from glauke.jobs import boxes as jobs
from glauke.options import BoxOptions

FORMATS = ("via", "coco", "yolo", "voc", "csv")
HEADER = ("file", "pictures", "regions", "shapes", "labels", "findings", "describe", "converts to")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".json", ".csv") and not p.name.startswith("_"))
    rows = sorted((row_of(file) for file in files), key=lambda row: row[0])
    print(f"{datetime.date.today()}, {len(rows)} files\n")
    print(f"| {' | '.join(HEADER)} |\n|{' --- |' * len(HEADER)}")
    letters: Counter[str] = Counter()
    for kind, *cells in rows:
        letter = string.ascii_uppercase[letters[kind] % 26]
        letters[kind] += 1
        print(f"| {' | '.join((f'{kind} {letter}', *cells))} |")


def row_of(file: Path) -> tuple[str, ...]:
    table, images = file.parent / "_derived_image_sizes.csv", file.parent / "images"
    known = BoxOptions(sizes=table if table.exists() else None, images=images if images.is_dir() else None)
    try:
        lines = len(boxes.description_as_text(jobs.describe(file)).splitlines())
        kind = boxes.open_document(file).kind
    except InputError as error:
        return ("refused", "", "", "", "", error.message, "", "")
    try:
        checked = jobs.check(file, known)
    except InputError as error:
        return (kind, "0", "0", "", "", error.message, f"{lines} lines", "")
    a = checked.annotations
    findings = Counter(finding.rule for finding in checked.findings)
    return (
        kind,
        f"{len(a.names):,}",
        f"{a.num_boxes():,}",
        told(a.shape_counts()),
        f"{len(a.label_counts())}, {a.num_unlabelled()} without",
        told(findings) or "none",
        f"{lines} lines",
        converts(file, known),
    )


def told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def converts(file: Path, known: BoxOptions) -> str:
    """The formats that it could be written in; why not, for the others."""
    done, refusals = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for to in FORMATS:
            try:
                jobs.convert([file], known, to=to, out=Path(folder) / to)
                done.append(to)
            except InputError as error:
                # The first clause says why; names of other people's pictures have no place in a table.
                reason = re.sub(r"'[^']*'|\"[^\"]*\"", "one", re.split(r"[;(]|, and", error.message)[0]).strip()
                refusals.setdefault(reason, []).append(to)
    reasons = "; ".join(f"not {', '.join(formats)}: {why}" for why, formats in refusals.items())
    return ", ".join(done) + (f" ({reasons})" if reasons else "")


if __name__ == "__main__":
    main()
