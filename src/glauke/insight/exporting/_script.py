"""Say what pictures show: python predict.py picture.jpg ...

It needs Pillow and NumPy, and what runs the model file beside it: onnxruntime for model.onnx, torch for model.pt2.
For model.safetensors, which holds weights alone, it needs torch, safetensors and glauke, which knows their network.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FOLDER = Path(__file__).parent
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
TOP = 5


def main(paths):
    """Print the most probable classes of each picture; 1 if a file gave none."""
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    about = json.loads((FOLDER / "model.json").read_text(encoding="utf-8"))
    labels = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
    network, failed = open_network(FOLDER), 0
    for path in paths:
        try:
            picture = read_picture(path, channels=about["channels"], size=about["pack_size"])
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            failed = 1
            continue
        probabilities = softmax(network(network_input(picture, about))[0])
        print(path)
        for i in np.argsort(-probabilities, kind="stable")[:TOP]:
            print(f"  {probabilities[i]:7.2%}  {labels['readable'][i]}")
    return failed


def read_picture(path, *, channels, size):
    """Make a square picture of a file: upright, over white, the middle of the longer side."""
    image = Image.open(path, formats=FORMATS)
    if min(image.size) >= 4 * size:
        image.draft(None, (2 * size, 2 * size))  # a large JPEG is decoded at a part of its size
    image.load()
    image = in_mode(upright(image), "RGB" if channels == 3 else "L")
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    return image.crop(box) if side == size else image.resize((size, size), Image.Resampling.BICUBIC, box=box)


def upright(image):
    """Turn a picture as its EXIF says."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError):
        return image  # broken EXIF says nothing about the pixels


def in_mode(image, mode):
    """Bring a picture to "RGB" or "L"; what is transparent becomes white, 16-bit grey keeps its upper 8 bits."""
    if image.mode in ("RGBA", "LA", "PA") or ("transparency" in image.info and not image.mode.startswith("I")):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    elif image.mode.startswith("I"):
        grey = np.clip(np.asarray(image).astype(np.int64), 0, 65535) >> 8
        image = Image.fromarray(grey.astype(np.uint8))
    return image.convert(mode)


def network_input(picture, about):
    """Scale a square picture to the network's size and normalise it: float32 (1, channels, size, size)."""
    scaled = picture.resize((about["size"], about["size"]), Image.Resampling.BILINEAR)
    pixels = np.asarray(scaled, np.float32).reshape(about["size"], about["size"], about["channels"])
    mean, std = (np.asarray(about[name], np.float32) for name in ("mean", "std"))
    return np.ascontiguousarray(((pixels - 255 * mean) / (255 * std)).transpose(2, 0, 1)[None], np.float32)


def open_network(folder):
    """Make a function from the network's input to its logits, by the model file that is there."""
    if (folder / "model.onnx").exists():
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        return lambda images: np.asarray(session.run(["logits"], {"images": images})[0])
    import torch

    if (folder / "model.pt2").exists():
        model = torch.export.load(folder / "model.pt2").module()
    else:
        from glauke.insight import load_trained

        model = load_trained(folder / "model.safetensors").model

    def logits(images):
        with torch.no_grad():
            return model(torch.from_numpy(images)).numpy()

    return logits


def softmax(logits):
    """Turn logits into probabilities."""
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return powers / powers.sum()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
