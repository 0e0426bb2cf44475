"""glauke beside what else one trains with: a bare PyTorch loop, Lightning and fastai, by turns.

    python benchmarks/peers.py [--rounds 5] [--steps 9] [--python lightning=ENV/bin/python] [--json FILE]

On made JPEGs in class folders (2,000 in 20 classes at 64 pixels), ResNet18 with the max-pool stem, batch 128:

- training: pictures a second from the end of the first step to the end of the last
- making batches: crop, flip and normalise alone
- range test: `--range-steps` steps with everything put back, beside as many bare steps

Every way has a process of its own, which waits while another's turn is; each round gives every way one turn, the order
turned by one, and the tables have the medians. What a peer leaves to its user stays as it comes: Lightning and fastai
train in float32 with two loader processes, but for the row that sets bf16 and channels last by hand. `--python` names
another interpreter for a way (or for all, without a name), for peers that need another PyTorch. A way whose packages
are missing says so. How they learn is not compared: the last table is arithmetic, not a result.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from made_pictures import make_folder

TABLES = {
    "training": ("glauke", "bare", "lightning", "lightning_by_hand", "fastai"),
    "making batches": ("glauke_batches", "torchvision_loader"),
    "range test": ("glauke_range_test", "bare_range"),
}


@dataclass
class Way:
    """A process that does one thing, and what it took."""

    name: str
    process: subprocess.Popen
    note: str = ""
    rates: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        return statistics.median(self.rates) if self.rates else None

    def say(self) -> dict:
        """The next line of the process; what it said last if it has ended."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"missing": f"ended with exit code {self.process.wait()}"}

    def turn(self) -> None:
        """Let it work once."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        answer = self.say()
        if "missing" in answer:
            raise SystemExit(f"{self.name}: {answer['missing']}; see --log")
        self.rates.append(answer["pictures"] / answer["seconds"])


def start(name: str, given: dict, *, pythons: dict[str, str], log) -> Way:
    here = Path(__file__).parent
    python = pythons.get(name, pythons.get("", sys.executable))
    path = os.pathsep.join([str(here), str(here.parent / "src")])
    process = subprocess.Popen(
        [python, str(here / "peer_ways.py"), name, json.dumps(given)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    way = Way(name=name, process=process)
    answer = way.say()
    way.note = answer.get("note") or f"not installed ({answer['missing']})"
    if "missing" in answer:
        process.stdin.close()
        process.wait()
    return way


def show(title: str, ways: list[Way], *, first: str) -> None:
    print(f"\n{title + ', pictures/s':28} {'median':>8} {first + ' is':>11} {'spread':>17}  with")
    ours = next((way for way in ways if way.name == first), None)
    for way in ways:
        if way.rate is None:
            print(f"{way.name.replace('_', ' '):28} {'-':>8} {'-':>11} {'-':>17}  {way.note}")
            continue
        ratio = "-"
        if ours is not None and ours.rates:
            ratio = f"{statistics.median(a / b for a, b in zip(ours.rates, way.rates, strict=True)):.2f}x"
        spread = f"{min(way.rates):,.1f} to {max(way.rates):,.1f}"
        print(f"{way.name.replace('_', ' '):28} {way.rate:8,.1f} {ratio:>11} {spread:>17}  {way.note}")


def show_minutes(ways: list[Way], *, epochs: int, pictures: int) -> None:
    print(
        f"\nextrapolated, not measured: minutes of training for {epochs} epochs of {pictures:,} pictures, "
        "as long as the published run that reached 50.87 %"
    )
    for way in ways:
        minutes = "-" if way.rate is None else f"{epochs * pictures / way.rate / 60:,.1f}"
        print(f"{way.name.replace('_', ' '):28} {minutes:>10}")


def arguments_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=9, help="timed training steps of a turn")
    parser.add_argument("--range-steps", type=int, default=100)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2, help="processes of torchvision's loader")
    parser.add_argument("--ways", default=",".join(name for names in TABLES.values() for name in names))
    parser.add_argument("--python", action="append", default=[], metavar="[WAY=]PATH")
    parser.add_argument("--epochs", type=int, default=50, help="of the extrapolated table")
    parser.add_argument("--train-pictures", type=int, default=70_000, help="of the extrapolated table")
    parser.add_argument("--log", type=Path, help="where the peers' own output goes; nowhere without it")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    batches = int(0.7 * arguments.pictures) // arguments.batch_size
    if arguments.steps >= batches:
        parser.error(f"--steps {arguments.steps} needs more than {batches} batches an epoch; raise --pictures")
    return arguments


def main() -> None:
    arguments = arguments_of()
    pythons = {}
    for each in arguments.python:
        name, _, path = each.rpartition("=")
        pythons[name] = path
    wanted = arguments.ways.split(",")
    with tempfile.TemporaryDirectory() as folder, (arguments.log or Path(os.devnull)).open("w") as log:
        os.environ["GLAUKE_CACHE"] = str(Path(folder) / "cache")
        per_class = arguments.pictures // arguments.classes
        data = make_folder(
            Path(folder) / "data", classes=arguments.classes, per_class=per_class, size=arguments.size, suffix=".jpg"
        )
        names = ("steps", "range_steps", "size", "batch_size", "classes", "workers")
        given = {"data": str(data), **{name: getattr(arguments, name) for name in names}}
        ways = [start(name, given, pythons=pythons, log=log) for name in wanted]
        able = [way for way in ways if way.process.poll() is None]
        for turn in range(arguments.rounds):
            for way in able[turn % len(able) :] + able[: turn % len(able)]:
                way.turn()
        for way in able:
            way.process.stdin.close()
            way.process.wait()
    print(
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"{arguments.size} px, batch {arguments.batch_size}, medians of {arguments.rounds} rounds of {arguments.steps} "
        f"steps ({arguments.range_steps} in the range test)"
    )
    for title, members in TABLES.items():
        if shown := [way for way in ways if way.name in members]:
            show(title, shown, first=members[0])
    show_minutes([way for way in ways if way.name in TABLES["training"]], epochs=arguments.epochs,
                 pictures=arguments.train_pictures)  # fmt: skip
    if arguments.json:
        found = {way.name: {"with": way.note, "median": way.rate, "rounds": way.rates} for way in ways}
        arguments.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
