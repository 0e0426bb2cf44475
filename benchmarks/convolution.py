"""The convolutions of ResNet18 for tiny maps, beside PyTorch's own, and matrix products by precision.

    python benchmarks/convolution.py [--batch-size 128]

Forward and backward pass of each 3x3 layer that pictures of 24, 32 and 64 pixels meet behind the max-pool stem, in
float32 on a CPU: `nn.Conv2d`, and `glauke.models`' own, which takes another way to the gradient of the weights for maps
of up to four pixels. Medians of nine, by turns.
"""

import argparse
import platform
import statistics
import time
from datetime import date
from functools import partial

import torch
from torch import nn

from glauke.models._convolution import Conv3x3

LAYERS = [  # channels in, channels out, side of the input, stride
    (128, 256, 8, 2),
    (256, 256, 4, 1),
    (256, 512, 4, 2),
    (512, 512, 2, 1),
    (512, 512, 3, 1),
    (512, 512, 4, 1),
    (256, 256, 8, 1),
]


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def both_ways(layer: nn.Module, images: torch.Tensor, gradient: torch.Tensor) -> None:
    torch.autograd.grad(layer(images), [images, layer.weight], gradient)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=128)
    batch = parser.parse_args().batch_size
    threads = torch.get_num_threads()
    print(f"{date.today()}, {platform.machine()}, {threads} threads, torch {torch.__version__}, batch {batch}")
    print(f"{'layer':>22} {'nn.Conv2d ms':>13} {'glauke ms':>10} {'ratio':>6}")
    for channels, width, side, stride in LAYERS:
        theirs = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
        layers = {"theirs": theirs, "ours": Conv3x3(channels, width, stride)}
        times: dict[str, list[float]] = {name: [] for name in layers}
        images = torch.randn(batch, channels, side, side).to(memory_format=torch.channels_last).requires_grad_()
        for layer in layers.values():
            layer.to(memory_format=torch.channels_last)
        gradient = torch.randn_like(theirs(images))
        for _ in range(10):
            for name, layer in layers.items():
                times[name].append(seconds(partial(both_ways, layer, images, gradient)))
        plain, own = (1000 * statistics.median(times[name][1:]) for name in ("theirs", "ours"))
        print(f"{f'{channels} to {width} at {side}x{side}/{stride}':>22} {plain:13.1f} {own:10.1f} {plain / own:5.2f}x")
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.randn(512, 512).to(dtype)
        rate = 2 * 512**3 / statistics.median(seconds(partial(torch.matmul, a, a)) for _ in range(5)) / 1e9
        print(f"512 x 512 matrix product in {str(dtype).removeprefix('torch.')}: {rate:.2f} GFLOP/s")


if __name__ == "__main__":
    main()
