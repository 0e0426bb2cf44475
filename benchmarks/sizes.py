"""Training steps of ResNet18 by the side of the pictures: what progressive resizing buys on this machine.

python benchmarks/sizes.py [--steps 7] [--batch-size 128]
"""

import argparse
import datetime
import os
import platform
import statistics
import time

import torch
from torch.nn.functional import cross_entropy

from glauke.models import resnet18

SIDES = (16, 20, 24, 28, 32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--batch-size", type=int, default=128)
    args = parser.parse_args()
    print(
        f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, fp32, "
        f"batch {args.batch_size}, medians of {args.steps} steps"
    )
    print(f"{'px':>4}  {'images/s':>8}")
    for side in SIDES:
        print(f"{side:>4}  {args.batch_size / step(side, args.batch_size, args.steps):>8.0f}", flush=True)


def step(side: int, batch_size: int, steps: int) -> float:
    """Seconds of a forward and backward pass and an update, after two that warm up."""
    model = resnet18(200, stem="maxpool").to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    pictures = torch.randn(batch_size, 3, side, side).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 200, (batch_size,))
    seconds = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        cross_entropy(model(pictures), labels).backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[2:])


if __name__ == "__main__":
    main()
