"""Clusters and anchors of every annotation file below a folder, and of Tiny ImageNet's boxes: one line each.

Files are named A to Z within their kind, as in benchmarks/annotations.py.

    python benchmarks/suggestions.py FOLDER [tiny-imagenet-200.tar.xz]
"""

import argparse
import datetime
import string
from collections import Counter
from pathlib import Path

from glauke import boxes
from glauke.errors import InputError

HEADER = (
    "file", "boxes", "width/height: k", "read as", "centres", "log: k", "read as",
    "4 anchors, mean IoU", "9 anchors, mean IoU", "recall",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("archive", type=Path, nargs="?")
    args = parser.parse_args()
    files = sorted(p for p in args.folder.rglob("*") if p.suffix in (".json", ".csv") and not p.name.startswith("_"))
    if args.archive:
        files.append(args.archive)
    rows = sorted(map(row_of, files), key=lambda row: row[0])
    with_boxes = sum(len(row) > 1 for row in rows)
    print(f"{datetime.date.today()}, {with_boxes} of {len(files)} files have boxes\n")
    print(f"| {' | '.join(HEADER)} |\n|{' --- |' * len(HEADER)}")
    letters: Counter[str] = Counter()
    for kind, *cells in rows:
        letter = string.ascii_uppercase[letters[kind] % 26]
        letters[kind] += 1
        if cells:
            print(f"| {' | '.join((f'{kind} {letter}', *cells))} |")


def row_of(file: Path) -> tuple[str, ...]:
    """The cells of a file; its kind alone where it has no boxes."""
    table, images = file.parent / "_derived_image_sizes.csv", file.parent / "images"
    try:
        kind = boxes.open_document(file).kind
    except InputError:
        return ("refused",)
    try:
        prepared = boxes.prepare(
            file, sizes=table if table.exists() else None, images=images if images.is_dir() else None
        )
    except InputError:
        return (kind,)
    annotations = prepared.annotations
    if not annotations.encloses.any():
        return (kind,)
    try:
        annotations = boxes.sound(prepared)
        ratio = boxes.cluster(annotations)
        log = boxes.cluster(annotations, feature="log-aspect-ratio")
    except InputError as error:
        return (annotations.kind, f"{annotations.num_boxes():,}", f"refused: {error.message}", *[""] * 7)
    return (
        annotations.kind,
        f"{ratio.boxes:,}",
        *suggested(ratio),
        ", ".join(f"{center:.3g}" for center in ratio.centers.tolist()),
        *suggested(log),
        *anchored(annotations),
    )


def suggested(clusters: boxes.Clusters) -> tuple[str, str]:
    low, high = clusters.elbow.suggested_range
    return str(clusters.elbow.suggested_k), str(low) if low == high else f"{low} to {high}"


def anchored(annotations: boxes.Annotations) -> tuple[str, str, str]:
    try:
        few, many = (boxes.anchors(annotations, count=count) for count in (4, 9))
    except InputError:
        return "", "", ""  # no picture sizes, or fewer sizes than anchors
    return f"{few.mean_iou:.4f}", f"{many.mean_iou:.4f}", f"{many.best_possible_recall:.1%}"


if __name__ == "__main__":
    main()
