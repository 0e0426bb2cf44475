"""The command line in this process: words in, exit code and both streams out."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from glauke.cli._main import run
from glauke.models import _registry

if TYPE_CHECKING:
    from torch import nn

BOX_LABELS = ("hardhat", "vest", "boots")


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The last line on standard error."""
        return self.err.strip().splitlines()[-1]


@pytest.fixture
def glauke(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Said:
        capsys.readouterr()
        code = run([str(word) for word in words])
        streams = capsys.readouterr()
        return Said(code, streams.out, streams.err)

    return call


def small(num_classes: int, in_channels: int = 3, stem: str = "full") -> "nn.Module":
    """A network that trains in a blink."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(in_channels, 8, 3, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, num_classes),
    )


@pytest.fixture
def small_model(monkeypatch):
    """The small network under the name that recipes use."""
    monkeypatch.setattr(_registry, "MODELS", {"resnet18": small})


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory) -> Path:
    """A run of one epoch on the digits with the small network, for all tests that only look at a run."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_registry, "MODELS", {"resnet18": small})
        assert run(["train", "digits", "--epochs", "1", "--max-lr", "0.1", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def digits_run(glauke, small_model, trained_once) -> Path:
    """A copy of that run, `run` in the current folder."""
    shutil.copytree(trained_once, "run")
    return Path("run")


def picture(shade: int, size: tuple[int, int], seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 60, (size[1], size[0], 3))
    return Image.fromarray((noise + shade).astype(np.uint8))


@pytest.fixture
def mixed_folder(tmp_path) -> Path:
    """Two classes of pictures in mixed sizes and formats, with three damaged files among them."""
    folder = tmp_path / "pets"
    for label, shade in (("cat", 20), ("dog", 180)):
        (folder / label).mkdir(parents=True)
        for i in range(20):
            suffix = (".jpg", ".png", ".webp", ".bmp", ".gif")[i % 5]
            picture(shade, (40 + 3 * i, 60 - i), seed=i + shade).save(folder / label / f"{i:02}{suffix}")
    whole = (folder / "cat" / "00.jpg").read_bytes()
    (folder / "cat" / "cut short.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "dog" / "empty.png").write_bytes(b"")
    (folder / "dog" / "page.jpg").write_text("<html>not found</html>")
    return folder


@pytest.fixture
def photos(tmp_path) -> Path:
    """Four pictures of noise."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(4):
        noise = np.random.default_rng(i).integers(0, 255, (120, 200 + i, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"p{i}.png")
    return folder


@pytest.fixture
def annotated(photos, tmp_path) -> Path:
    """A sound VIA file of the photos: twelve boxes of three labels and shapes."""
    entries = {}
    for i, path in enumerate(sorted(photos.iterdir())):
        size = path.stat().st_size
        regions = [
            {
                "shape_attributes": {"name": "rect", "x": 10 + 60 * j, "y": 8 + i, "width": w, "height": h + i},
                "region_attributes": {"class": label},
            }
            for j, (label, w, h) in enumerate(zip(BOX_LABELS, (40, 30, 18), (24, 40, 44), strict=True))
        ]
        entries[f"{path.name}{size}"] = {
            "filename": path.name, "size": size, "regions": regions, "file_attributes": {}
        }  # fmt: skip
    file = tmp_path / "via.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return file
