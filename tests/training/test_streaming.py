"""Training on a pack that is larger than the memory it may take."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAIN = """
import dataclasses, json, sys
from pathlib import Path
import numpy as np
from glauke import images, training
from glauke.images import _memory

def anonymous_mib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1024

folder, count = Path(sys.argv[1]), 1_300_000  # 16 GB of pictures at 64 pixels
file = folder / "images.bin"
with file.open("wb") as sparse:
    sparse.truncate(count * 64 * 64 * 3)
pixels = np.memmap(file, np.uint8, "r", shape=(count, 64, 64, 3))
labels = np.arange(count) % 10
digits = images.open_pack("digits")
pack = dataclasses.replace(
    digits, images=pixels, labels=labels, names=range(count), size=64, channels=3, mean=(0.1,) * 3, std=(0.2,) * 3
)
split = dataclasses.replace(images.make_split(digits), train=np.arange(count - 500), val=np.arange(count - 500, count))
_memory.free_memory = lambda device: 20.0 * 2**30  # as on a machine with 24 GiB, whatever this one has
recipe = training.Recipe(
    name="test", why="for tests", model="cifar_net", epochs=1, batch_size=32, max_lr=0.01, area=0.5, cutmix=1.0
)
seen = []
watch = lambda event: seen.append(anonymous_mib()) if isinstance(event, training.Stepped) else None
record = training.train(recipe, pack, split, folder / "run", stop_after_steps=6, watch=watch)
print(json.dumps({"bytes": pixels.nbytes, "steps": len(seen), "status": record.status, "mib": max(seen)}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux counts anonymous memory apart")
def test_16_gb_of_pictures_train_within_3_gib_of_memory(tmp_path):
    (tmp_path / "run").mkdir()
    environment = {**os.environ, "GLAUKE_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path)], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["bytes"] > 15.9e9 and (found["steps"], found["status"]) == (6, "stopped")
    assert found["mib"] < 3 * 1024
