"""Reading a large file of annotations: seconds and peak memory, beside `json.loads` and other readers.

    python benchmarks/reading.py [--boxes 1000000] [--rounds 3] [--json FILE]

The boxes are made up and written twice: as VIA 2 exports regions as JSON, and as COCO, which is what globox and
supervision have in common. Each way runs in a process of its own, by turns, and times only itself, not its imports; the
files are in the page cache. Memory is the peak of the whole process. The two are no part of the development
environment: `pip install globox supervision`, or their lines stay empty.
"""

import argparse
import importlib.util
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

LABELS = ("hardhat", "vest", "mask", "boots")
WIDTH, HEIGHT = 1920, 1080
MOST_PER_PICTURE = 19
WAYS = {  # name: (file, package, imports, what is timed)
    "json.loads, VIA": ("via.json", "json", "import json", "json.loads(path.read_bytes())"),
    "glauke.boxes.read, VIA": ("via.json", "glauke", "from glauke import boxes", "boxes.read(path)"),
    "  and check": ("via.json", "glauke", "from glauke import boxes", "boxes.check(boxes.read(path))"),
    "json.loads, COCO": ("coco.json", "json", "import json", "json.loads(path.read_bytes())"),
    "glauke.boxes.read, COCO": ("coco.json", "glauke", "from glauke import boxes", "boxes.read(path)"),
    "globox, COCO": ("coco.json", "globox", "import globox", "globox.AnnotationSet.from_coco(path)"),
    "supervision, COCO": (
        "coco.json",
        "supervision",
        "import supervision",
        "supervision.DetectionDataset.from_coco(str(path.parent), str(path))",
    ),
}
TIMED = """
import sys, time
from pathlib import Path
{imports}
path = Path(sys.argv[1])
path.read_bytes()
start = time.perf_counter()
result = {work}
seconds = time.perf_counter() - start
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
except ImportError:  # Windows
    peak = float("nan")
print(seconds, peak)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    seconds: float
    peak_mib: float


def write_files(folder: Path, *, num_boxes: int) -> None:
    """Line by line: the peak memory of a child begins with that of its parent."""
    draw = random.Random(0)
    with (
        (folder / "via.json").open("w", encoding="utf-8") as via,
        (folder / "coco.json").open("w", encoding="utf-8") as coco,
        tempfile.TemporaryFile("w+", encoding="utf-8") as images,
    ):
        categories = [{"id": i + 1, "name": label, "supercategory": "object"} for i, label in enumerate(LABELS)]
        coco.write(f'{{"categories":{compact(categories)},"annotations":[')
        done = picture = 0
        while done < num_boxes:
            count = min(num_boxes - done, draw.randint(1, MOST_PER_PICTURE))
            boxes = [made_box(draw) for _ in range(count)]
            name, size = f"img{picture:07}.jpg", draw.randint(20_000, 900_000)
            via.write("," if picture else "{")
            via.write(f'"{name}{size}":{compact(via_entry(name, size, boxes))}')
            images.write("," if picture else "")
            images.write(compact({"id": picture + 1, "file_name": name, "width": WIDTH, "height": HEIGHT}))
            for number, box in enumerate(boxes, start=done):
                coco.write("," if number else "")
                coco.write(compact(coco_annotation(number + 1, picture + 1, box)))
            done, picture = done + count, picture + 1
        via.write("}")
        coco.write('],"images":[')
        images.seek(0)
        while piece := images.read(2**20):
            coco.write(piece)
        coco.write("]}")


def made_box(draw: random.Random) -> tuple[int, int, int, int, int]:
    """x, y, width, height and the index of the label."""
    width, height = draw.randint(5, 400), draw.randint(5, 400)
    return draw.randint(0, WIDTH - width), draw.randint(0, HEIGHT - height), width, height, draw.randrange(len(LABELS))


def via_entry(name: str, size: int, boxes: list[tuple[int, int, int, int, int]]) -> dict[str, object]:
    regions = [
        {
            "shape_attributes": {"name": "rect", "x": x, "y": y, "width": width, "height": height},
            "region_attributes": {"class": LABELS[label]},
        }
        for x, y, width, height, label in boxes
    ]
    return {"filename": name, "size": size, "regions": regions, "file_attributes": {}}


def coco_annotation(number: int, picture: int, box: tuple[int, int, int, int, int]) -> dict[str, object]:
    x, y, width, height, label = box
    return {
        "id": number,
        "image_id": picture,
        "category_id": label + 1,
        "bbox": [x, y, width, height],
        "area": width * height,
        "iscrowd": 0,
        "segmentation": [],
    }


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))  # as JSON.stringify writes it


def measured(name: str, folder: Path) -> Measured:
    file, _, imports, work = WAYS[name]
    code = TIMED.format(imports=imports, work=work)
    done = subprocess.run([sys.executable, "-c", code, str(folder / file)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name.strip()} failed:\n{done.stderr}")
    seconds, peak = done.stdout.split()[-2:]
    return Measured(seconds=float(seconds), peak_mib=float(peak))


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    installed = [name for name, (_, package, *_) in WAYS.items() if importlib.util.find_spec(package)]
    found: dict[str, list[Measured]] = {name: [] for name in installed}
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), num_boxes=arguments.boxes)
        mib = {file: (Path(folder) / file).stat().st_size / 2**20 for file in ("via.json", "coco.json")}
        for _ in range(arguments.rounds):
            for name in installed:
                found[name].append(measured(name, Path(folder)))
    python = f"Python {platform.python_version()}"
    print(f"{date.today()}, {processor()}, {os.cpu_count()} cores, {python}, medians of {arguments.rounds}")
    print(f"VIA file {mib['via.json']:.1f} MiB, COCO file {mib['coco.json']:.1f} MiB")
    print(f"{'way':24} {'boxes':>9} {'seconds':>8} {'times json.loads':>17} {'peak MiB':>9} {'times the file':>15}")
    plain = {}
    for name, (file, *_) in WAYS.items():
        if name not in found:
            print(f"{name:24} not installed")
            continue
        seconds = statistics.median(each.seconds for each in found[name])
        peak = statistics.median(each.peak_mib for each in found[name])
        times = seconds / plain.setdefault(file, seconds)
        print(f"{name:24} {arguments.boxes:9,} {seconds:8.2f} {times:17.2f} {peak:9.0f} {peak / mib[file]:15.1f}")
    if arguments.json:
        rows = {name: [[each.seconds, each.peak_mib] for each in rounds] for name, rounds in found.items()}
        arguments.json.write_text(json.dumps({"boxes": arguments.boxes, "mib": mib, "rounds": rows}, indent=2))


if __name__ == "__main__":
    main()
