"""Pictures, folders and archives made on the spot, and a cache of its own for every test that asks."""

import hashlib
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, and a current folder without data."""
    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "cache"))
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """`picture(seed, size=(8, 8), kind="PNG")`: a file of noise, the same for the same seed."""

    def made(seed: object, *, size: tuple[int, int] = (8, 8), kind: str = "PNG", **options: object) -> bytes:
        number = int.from_bytes(hashlib.blake2b(str(seed).encode(), digest_size=8).digest(), "big")
        pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        file = BytesIO()
        Image.fromarray(pixels).save(file, kind, **options)
        return file.getvalue()

    return made


@pytest.fixture(scope="session")
def lay() -> Callable[[Path, dict[str, bytes]], Path]:
    """`lay(folder, {name: bytes})`: write a tree of files."""

    def laid(folder: Path, tree: dict[str, bytes]) -> Path:
        for name, data in tree.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder

    return laid


@pytest.fixture(scope="session")
def archive() -> Callable[[Path, dict[str, bytes]], Path]:
    """`archive(path, {name: bytes})`: a zip or tar by the ending of `path`, in the order of the dict."""

    def packed(path: Path, tree: dict[str, bytes]) -> Path:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
                for name, data in tree.items():
                    file.writestr(name, data)
            return path
        mode = {".xz": "w:xz", ".gz": "w:gz"}.get(path.suffix, "w")
        with tarfile.open(path, mode) as file:
            for name, data in tree.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                file.addfile(info, BytesIO(data))
        return path

    return packed


@pytest.fixture(scope="session")
def classes_of(picture) -> Callable[..., dict[str, bytes]]:
    """`classes_of(["cat", "dog"], 3, prefix="train/")`: a tree of class folders with different pictures."""

    def tree(labels: Iterable[str], count: int, *, prefix: str = "") -> dict[str, bytes]:
        names = [f"{prefix}{label}/{i}.png" for label in labels for i in range(count)]
        return {name: picture(name) for name in names}

    return tree


@pytest.fixture(scope="session")
def tiny_tree(picture) -> dict[str, bytes]:
    """Tiny ImageNet in small: 2 classes with 4 training and 2 validation pictures each, and 1 test picture."""
    ids = ("n02000001", "n01000001")
    tree = {}
    for label in ids:
        for i in range(4):
            name = f"train/{label}/images/{label}_{i}.JPEG"
            tree[name] = picture(name, size=(64, 64), kind="JPEG")
        tree[f"train/{label}/{label}_boxes.txt"] = b"x_0.JPEG\t0\t0\t63\t63\n"
    rows = []
    for i in range(4):
        tree[f"val/images/val_{i}.JPEG"] = picture(f"val {i}", size=(64, 64), kind="JPEG")
        rows.append(f"val_{i}.JPEG\t{ids[i % 2]}\t0\t0\t63\t63\n")
    tree["test/images/test_0.JPEG"] = picture("test", size=(64, 64), kind="JPEG")
    tree["val/val_annotations.txt"] = "".join(rows).encode()
    tree["wnids.txt"] = "".join(f"{label}\n" for label in ids).encode()
    tree["words.txt"] = b"n00000001\tentity\nn01000001\tcrane, bird\nn02000001\tcrane, machine\n"
    return {f"tiny-imagenet-200/{name}": data for name, data in tree.items()}
