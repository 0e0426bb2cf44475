"""One change to a recipe at a time, at a size that takes minutes: what to try in full, and what to leave.

    python benchmarks/screen.py tiny-imagenet-200.tar.xz [--changes ema,wd-1e-3] [--seeds 2] [--out screen.jsonl]

Five epochs at 32 pixels on 20,000 pictures, judged on 10,000 held-out ones, on split seed 1: the published split is
never looked at. Every row is appended to a file as it comes, and rows that are there are not run again, so the script
may be stopped and started. `--px 16 --pictures 10000` is quicker and says less.
"""

import argparse
import datetime
import json
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from glauke import images, training
from glauke.training import Recipe

CHANGES: dict[str, Callable[[Recipe], Recipe]] = {
    "none": lambda r: r,
    "full-stem": lambda r: replace(r, stem="full"),
    "smoothing-0": lambda r: replace(r, label_smoothing=0.0),
    "smoothing-0.2": lambda r: replace(r, label_smoothing=0.2),
    "wd-1e-4": lambda r: replace(r, weight_decay=1e-4),
    "wd-1e-3": lambda r: replace(r, weight_decay=1e-3),
    "batch-64": lambda r: replace(r, batch_size=64, max_lr=0.1),
    "batch-256": lambda r: replace(r, batch_size=256, max_lr=0.4),
    "peak-0.1": lambda r: replace(r, max_lr=0.1),
    "peak-0.4": lambda r: replace(r, max_lr=0.4),
    "cosine": lambda r: replace(r, anneal="cosine"),
    "momentum-cycled": lambda r: replace(r, momentum=0.95, momentum_low=0.85),
    "ema-0.99": lambda r: replace(r, ema=0.99),
    "ema-0.998": lambda r: replace(r, ema=0.998),
    "mixup-0.2": lambda r: replace(r, mixup=0.2),
    "cutmix-1": lambda r: replace(r, cutmix=1.0),
    "cutout": lambda r: replace(r, cutout=r.sizes[0][1] // 4),
    "resized-crop": lambda r: replace(r, area=0.35),
    "trivial": lambda r: replace(r, trivial=True),
    "alternate-flip": lambda r: replace(r, alternate=True),
    "grow": lambda r: replace(r, grow=1.0),
    "zero-gamma": lambda r: replace(r, zero_gamma=True),
    "judged-larger": lambda r: replace(r, eval_size=r.sizes[0][1] * 5 // 4),
}
"""Each a change to the `laptop` recipe at one size; names are those of docs/experiments.md."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--changes", default=",".join(CHANGES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--held-out", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--px", type=int, default=32)
    parser.add_argument("--out", type=Path, default=Path("screen.jsonl"))
    args = parser.parse_args()
    pack = images.open_pack("tiny-imagenet", args.source)
    whole = images.make_split(pack, kind="pooled", seed=1)
    split = replace(
        whole,
        train=evenly(whole.train, args.pictures),
        val=evenly(whole.val, args.held_out),
    )
    plain = replace(
        training.recipes.laptop(), epochs=args.epochs, sizes=((0.0, args.px),), eval_pictures=1000, minutes=None
    )
    done = read(args.out)
    for seed in range(args.seeds):
        for name in args.changes.split(","):
            key = {
                "change": name,
                "seed": seed,
                "px": args.px,
                "pictures": args.pictures,
                "epochs": args.epochs,
            }
            if any(key.items() <= row.items() for row in done):
                continue
            with tempfile.TemporaryDirectory() as folder:
                record = training.train(CHANGES[name](plain), pack, split, Path(folder) / "run", seed=seed)
            assert record.final is not None
            row = {
                **key,
                "accuracy": record.final.val_accuracy,
                "loss": record.final.val_loss,
                "seconds": round(record.seconds, 1),
                "torch": torch.__version__,
                "date": str(datetime.date.today()),
            }
            done.append(row)
            with args.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            told(done, px=args.px, pictures=args.pictures, epochs=args.epochs)


def evenly(indices, count: int):
    """Every so many-th of the pictures, which stand in the order of their classes."""
    return indices[:: max(len(indices) // count, 1)][:count]


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def told(rows: list[dict], **conditions: int) -> None:
    """The table so far, the best first; differences are to the same seeds without a change."""
    rows = [row for row in rows if conditions.items() <= row.items()]
    plain = {row["seed"]: row["accuracy"] for row in rows if row["change"] == "none"}
    print(f"\n{'change':<16} {'accuracy':>9} {'against none':>13} {'seeds':>6} {'seconds':>8}")
    by_change = {name: [row for row in rows if row["change"] == name] for name in {row["change"] for row in rows}}
    for name, found in sorted(by_change.items(), key=lambda item: -statistics.mean(r["accuracy"] for r in item[1])):
        gains = [row["accuracy"] - plain[row["seed"]] for row in found if row["seed"] in plain]
        gain = f"{100 * statistics.mean(gains):+13.2f}" if gains else f"{'-':>13}"
        accuracy = 100 * statistics.mean(row["accuracy"] for row in found)
        seconds = statistics.mean(row["seconds"] for row in found)
        print(f"{name:<16} {accuracy:>9.2f} {gain} {len(found):>6} {seconds:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
