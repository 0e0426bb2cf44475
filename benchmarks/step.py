"""A training step of glauke beside bare PyTorch loops, in one process, by turns.

    python benchmarks/step.py [--size 64] [--batch-size 128] [--steps 6] [--rounds 5] [--json FILE]

Three loops train ResNet18 (max-pool stem, 200 classes) on the same made pictures:

- plain: float32, PyTorch's default layout, SGD as PyTorch builds it; pictures normalised in memory, nothing else
- bare: the same operations as glauke's recipe (precision, layout, crop, flip, metrics), written out
- glauke: `glauke.training.train` as users call it, timed from step event to step event

Each round runs every loop once, so that a machine that slows down slows all of them; the table has the medians.
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from made_pictures import make_folder

from glauke import images, training
from glauke.models import build_model
from glauke.training import recipes


def glauke_steps(pack, split, recipe, steps):
    times = []

    def note(event):
        if isinstance(event, training.Stepped):
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        training.train(recipe, pack, split, Path(folder), stop_after_steps=steps + 1, watch=note)
    return np.diff(times)  # the first step, which also prepares the kernels, has no start to count from


def bare_steps(pack, split, recipe, steps, device, precision):
    torch.manual_seed(0)
    model = build_model("resnet18", num_classes=len(pack.classes), in_channels=3, stem="maxpool", seed=0)
    model = model.to(device, memory_format=torch.channels_last).train()
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True, fused=True)
    data = torch.from_numpy(pack.images[split.train]).to(device)
    labels = torch.from_numpy(pack.labels[split.train].astype(np.int64)).to(device)
    mean, std = torch.tensor(pack.mean, device=device), torch.tensor(pack.std, device=device)
    size, pad, sums, times = recipe.sizes[0][1], recipe.pad, torch.zeros(4, dtype=torch.float64, device=device), []
    for _ in range(steps + 1):
        times.append(time.perf_counter())
        picked = torch.randperm(len(data), device=device)[: recipe.batch_size]
        rows = torch.arange(size).expand(len(picked), -1) + torch.randint(-pad, pad + 1, (len(picked), 1))
        columns = torch.arange(size).expand(len(picked), -1) + torch.randint(-pad, pad + 1, (len(picked), 1))
        columns = torch.where(torch.rand(len(picked), 1) < 0.5, columns.flip(1), columns)
        rows = size - 1 - (size - 1 - rows.abs()).abs()
        columns = size - 1 - (size - 1 - columns.abs()).abs()
        which = torch.arange(len(picked))
        batch = data[picked][which[:, None, None], rows.to(device)[:, :, None], columns.to(device)[:, None, :]]
        batch = ((batch.float() - 255 * mean) / (255 * std)).permute(0, 3, 1, 2)
        target = labels[picked]
        with precision.autocast():
            logits = model(batch)
            loss = F.cross_entropy(logits.float(), target, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            ranked = logits.float().topk(5, dim=1).indices == target[:, None]
            plain = F.cross_entropy(logits.float(), target, reduction="sum")
            count = torch.tensor(float(len(target)), device=device)
            sums += torch.stack([plain, ranked[:, 0].sum(), ranked.sum(), count]).double()
        float(loss.detach())
    return np.diff([*times, time.perf_counter()])[1:]


def plain_steps(pack, split, recipe, steps, device):
    model = (
        build_model("resnet18", num_classes=len(pack.classes), in_channels=3, stem="maxpool", seed=0).to(device).train()
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    data = torch.from_numpy(pack.images[split.train]).permute(0, 3, 1, 2).contiguous().to(device)
    labels = torch.from_numpy(pack.labels[split.train].astype(np.int64)).to(device)
    times = []
    for _ in range(steps + 1):
        times.append(time.perf_counter())
        picked = torch.randperm(len(data), device=device)[: recipe.batch_size]
        loss = F.cross_entropy(model(data[picked].float() / 255), labels[picked])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    return np.diff([*times, time.perf_counter()])[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=6, help="timed steps of each loop in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    device = training.choose_device("auto")
    precision = training.choose_precision("auto", device)
    with tempfile.TemporaryDirectory() as folder:
        source = make_folder(Path(folder), classes=200, per_class=10, size=arguments.size)
        pack = images.open_pack(str(source))
        split = images.make_split(pack)
        recipe = replace(
            recipes.quick(),
            batch_size=arguments.batch_size,
            sizes=((0.0, arguments.size),),
            epochs=1 + arguments.steps * arguments.batch_size // len(split.train),
            minutes=None,
        )
        loops = {
            "plain": lambda: plain_steps(pack, split, recipe, arguments.steps, device),
            "bare": lambda: bare_steps(pack, split, recipe, arguments.steps, device, precision),
            "glauke": lambda: glauke_steps(pack, split, recipe, arguments.steps),
        }
        rates = {name: [] for name in loops}
        for _ in range(arguments.rounds):
            for name, loop in loops.items():
                rates[name].append(arguments.batch_size / statistics.median(loop()))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    hardware = training.describe_hardware(device)
    print(
        f"{date.today()}, {hardware.gpu or hardware.cpu}, {hardware.cores} cores, {', '.join(hardware.features)}, "
        f"torch {torch.__version__}, Python {platform.python_version()}, {precision.name}; {arguments.size} px, "
        f"batch {arguments.batch_size}, medians of {arguments.rounds} rounds of {arguments.steps} steps"
    )
    print(f"{'loop':8} {'images/s':>9} {'glauke is':>10} {'spread':>16}")
    for name, rate in medians.items():
        ratio = statistics.median(a / b for a, b in zip(rates["glauke"], rates[name], strict=True))
        print(f"{name:8} {rate:9.1f} {ratio:9.2f}x {min(rates[name]):7.1f} to {max(rates[name]):.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"medians": medians, "rounds": rates}, indent=2))


if __name__ == "__main__":
    main()
