"""The script that goes with an export reads pictures as the training did, to the bit where Pillow does the work."""

import struct
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from glauke.images import decode, normalise, resized
from glauke.insight.exporting import _script as script


def noise(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    rng = np.random.default_rng(size[0] * 1000 + size[1])
    coarse = rng.integers(0, 256, (size[1] // 3 + 2, size[0] // 3 + 2, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


def turned(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = turn
    return exif


FILES = {
    "photo": (noise((300, 200)), "JPEG", {}),
    "large photo": (noise((900, 700)), "JPEG", {"quality": 90}),
    "tall": (noise((20, 90)), "PNG", {}),
    "small": (noise((9, 11)), "PNG", {}),
    "right size": (noise((32, 32)), "PNG", {}),
    "right height": (noise((50, 32)), "PNG", {}),
    "grey": (noise((40, 40), "L"), "PNG", {}),
    "palette": (noise((40, 50), "P"), "GIF", {}),
    "clear": (noise((40, 50), "RGBA"), "PNG", {}),
    "grey and clear": (noise((40, 50), "LA"), "PNG", {}),
    "CMYK": (noise((40, 50), "CMYK"), "JPEG", {}),
    "one bit": (noise((40, 50), "1"), "PNG", {}),
    "16 bit": (Image.fromarray(np.arange(0, 65536, 41, dtype=np.uint16)[:1521].reshape(39, 39)), "PNG", {}),
    "webp": (noise((60, 50)), "WEBP", {}),
    **{f"turned {turn}": (noise((60, 50)), "JPEG", {"exif": turned(turn)}) for turn in range(2, 9)},
    "broken exif": (noise((60, 50)), "JPEG", {"exif": b"Exif\0\0II*\0\xff\xff\xff\xff"}),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_pictures_become_the_same_squares(name, channels):
    image, kind, options = FILES[name]
    if name == "clear":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    file = BytesIO()
    image.save(file, kind, **options)
    expected = decode(file.getvalue(), size=32, channels=channels)
    found = np.asarray(script.read_picture(file, channels=channels, size=32)).reshape(32, 32, channels)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("pack_size", "size"), [(64, 32), (64, 48), (32, 32), (8, 12), (50, 33)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_networks_input_is_that_of_training(pack_size, size, channels):
    square = noise((pack_size, pack_size), "RGB" if channels == 3 else "L")
    about = {"size": size, "channels": channels, "mean": [0.48, 0.44, 0.4][:channels], "std": [0.27] * channels}
    pixels = torch.from_numpy(np.array(square).reshape(1, pack_size, pack_size, channels))
    expected = normalise(resized(pixels, size), mean=torch.tensor(about["mean"]), std=torch.tensor(about["std"]))
    found = script.network_input(square, about)
    assert found.dtype == np.float32 and found.flags.c_contiguous
    # Pillow and PyTorch round a weight of their filters in different places: one step of 255 is the most.
    levels = np.abs(found - expected.numpy()) * 255 * 0.27
    assert levels.max() <= 1.01 and (levels > 0.5).mean() < 0.01


def test_probabilities_by_hand():
    assert script.softmax(np.array([0, np.log(3)], np.float32)) == pytest.approx([0.25, 0.75])
    assert script.softmax(np.array([1e4, 0], np.float32)) == pytest.approx([1, 0])


@pytest.mark.parametrize("data", [b"", b"<html>", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13)])
def test_what_is_no_picture_is_told_and_stops_nothing(data, tmp_path, monkeypatch, capsys):
    (tmp_path / "model.json").write_text('{"channels": 1, "pack_size": 8, "size": 8, "mean": [0.5], "std": [1]}')
    (tmp_path / "labels.json").write_text('{"ids": ["a", "b"], "readable": ["ant", "bee"]}')
    (tmp_path / "bad.png").write_bytes(data)
    Image.new("L", (9, 9)).save(tmp_path / "good.png")
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    monkeypatch.setattr(script, "open_network", lambda folder: lambda images: np.array([[0.0, np.log(3)]]))
    assert script.main([str(tmp_path / "bad.png"), str(tmp_path / "good.png")]) == 1
    said = capsys.readouterr()
    assert "bad.png: " in said.err
    assert said.out.splitlines()[1:] == ["   75.00%  bee", "   25.00%  ant"]


def test_without_pictures_it_says_how_to_use_it(capsys):
    assert script.main([]) == 2
    assert "python predict.py picture.jpg" in capsys.readouterr().err
