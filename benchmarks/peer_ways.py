"""One way of doing a piece of work, in a process of its own; benchmarks/peers.py starts it and reads what it says.

    python benchmarks/peer_ways.py WAY '{"data": FOLDER, "size": 64, ...}'

It says what it is in a line of JSON, then does the work once for every line on its standard input and says how many
pictures took how many seconds. Only what its own way needs is imported, so it runs with any interpreter that has that.
"""

import json
import os
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

SGD = {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def glauke_work(given):
    """The pack, the split and the recipe that glauke's ways train."""
    from glauke import images
    from glauke.training import Recipe

    pack = images.open_pack(given["data"])
    split = images.make_split(pack, seed=0)
    epochs = 2 + max(given["steps"], given["range_steps"]) * given["batch_size"] // len(split.train)
    recipe = Recipe(name="peers", why="a benchmark", epochs=epochs, batch_size=given["batch_size"], max_lr=0.01)
    return pack, split, recipe


def glauke(given):
    """glauke.training.train as users call it, from the end of the first step to the end of the last."""
    from glauke import training

    pack, split, recipe = glauke_work(given)

    def once():
        ends = []

        def note(event):
            if isinstance(event, training.Stepped):
                ends.append(time.perf_counter())

        with tempfile.TemporaryDirectory() as folder:
            training.train(recipe, pack, split, Path(folder), stop_after_steps=given["steps"] + 1, watch=note)
        return given["steps"] * given["batch_size"], ends[-1] - ends[0]

    device = training.choose_device("auto")
    return once, f"glauke {version('glauke')}, {training.choose_precision('auto', device).name}, channels last"


def bare(given):
    """The same operations as glauke's, written out: pictures in memory, glauke's network."""
    from dataclasses import replace

    from step import bare_steps

    from glauke import training

    pack, split, recipe = glauke_work(given)
    recipe = replace(recipe, sizes=((0.0, given["size"]),))
    device = training.choose_device("auto")
    precision = training.choose_precision("auto", device)

    def once():
        seconds = float(bare_steps(pack, split, recipe, given["steps"], device, precision).sum())
        return given["steps"] * given["batch_size"], seconds

    return once, f"PyTorch alone, {precision.name}, channels last"


def network(given):
    """torchvision's ResNet18 with the stem that glauke calls maxpool."""
    import torchvision
    from torch import nn

    made = torchvision.models.resnet18(num_classes=given["classes"])
    made.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    return made


def loader(given):
    """torchvision's ImageFolder in PyTorch's DataLoader: crop, flip and normalise in its processes."""
    import torchvision
    from torch.utils.data import DataLoader

    transform = torchvision.transforms.Compose(
        [
            torchvision.transforms.RandomCrop(given["size"], padding=4, padding_mode="reflect"),
            torchvision.transforms.RandomHorizontalFlip(),
            torchvision.transforms.ToTensor(),
            torchvision.transforms.Normalize(MEAN, STD),
        ]
    )
    data = torchvision.datasets.ImageFolder(given["data"], transform)
    return DataLoader(data, given["batch_size"], shuffle=True, num_workers=given["workers"], drop_last=True)


def synchronised(torch):
    """The time when the device has done all that it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def lightning(given, *, by_hand=False):
    """Lightning's Trainer as it comes; `by_hand` sets what glauke sets by itself."""
    import lightning as pl
    import torch

    native = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    cpu = getattr(torch.cpu, "get_capabilities", dict)()
    native = native or bool(cpu.get("amx_bf16") or cpu.get("avx512_bf16"))

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = network(given)
            if by_hand:
                self.network.to(memory_format=torch.channels_last)

        def training_step(self, batch, index):
            images, labels = batch
            if by_hand:
                images = images.contiguous(memory_format=torch.channels_last)
            loss = torch.nn.functional.cross_entropy(self.network(images), labels)
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), **SGD)

    class Ends(pl.Callback):
        def __init__(self):
            self.first = self.last = 0.0

        def on_train_batch_end(self, trainer, module, outputs, batch, index):
            if index in (0, given["steps"]):
                self.first, self.last = self.last, synchronised(torch)

    precision = {"precision": "bf16-mixed"} if by_hand and native else {}

    def once():
        ends, limit = Ends(), given["steps"] + 1
        with tempfile.TemporaryDirectory() as folder:
            trainer = pl.Trainer(
                max_epochs=1, limit_train_batches=limit, default_root_dir=folder, callbacks=[ends], **precision
            )
            trainer.fit(Module(), loader(given))
        return given["steps"] * given["batch_size"], ends.last - ends.first

    set_by_hand = "bf16, channels last" if native else "channels last; no bf16 in this hardware"
    return once, f"Lightning {version('lightning')}, " + (f"by hand: {set_by_hand}" if by_hand else "its defaults")


def lightning_by_hand(given):
    return lightning(given, by_hand=True)


def fastai(given):
    """fastai's Learner as it comes."""
    import torch
    from fastai.vision import all as fastai

    torchvision_network = network(given)
    dls = fastai.ImageDataLoaders.from_folder(
        given["data"], valid_pct=0.3, seed=0, bs=given["batch_size"],
        item_tfms=[fastai.CropPad(given["size"] + 8, pad_mode="reflection"), fastai.RandomCrop(given["size"])],
        batch_tfms=[fastai.Flip(), fastai.Normalize.from_stats(MEAN, STD)],
    )  # fmt: skip
    ends = []

    class Ends(fastai.Callback):
        def after_batch(self):
            if self.training:
                ends.append(synchronised(torch))
                if len(ends) > given["steps"]:
                    raise fastai.CancelFitException

    def once():
        ends.clear()
        learn = fastai.Learner(dls, torchvision_network, fastai.CrossEntropyLossFlat(), metrics=fastai.accuracy)
        learn.fit_one_cycle(1, 0.01, cbs=Ends())
        return given["steps"] * given["batch_size"], ends[-1] - ends[0]

    return once, f"fastai {version('fastai')}, its defaults"


def glauke_batches(given):
    """Pictures a second out of glauke's Batches, crop, flip and normalise on the device."""
    import numpy as np
    import torch

    from glauke import images, training

    pack, _, _ = glauke_work(given)
    indices, plan = np.arange(len(pack.labels)), images.Augmentation(pad=4, flip=True)
    made = images.Batches(
        pack, indices, batch_size=given["batch_size"], shuffle=True, augmentation=plan,
        device=training.choose_device("auto"),
    )  # fmt: skip
    epochs = iter(range(10**9))
    return lambda: counted(made.epoch(next(epochs)), torch), f"glauke {version('glauke')}, in memory, decoded once"


def torchvision_loader(given):
    """Pictures a second out of PyTorch's DataLoader over torchvision's ImageFolder."""
    import torch

    made = loader(given)
    return lambda: counted(made, torch), f"torchvision {version('torchvision')}, {given['workers']} processes"


def counted(batches, torch, *, skipped=5):
    """From the batch at which a loader's queue is empty: what lay ready at the beginning was made before."""
    pictures, start = 0, None
    for index, (images, _) in enumerate(batches):
        if index >= skipped:
            pictures += len(images)
        if index == skipped - 1:
            start = synchronised(torch)
    return pictures, synchronised(torch) - start


def glauke_range_test(given):
    """A range test on a model and batches that are there, from its first step to everything being as it was."""
    import torch

    from glauke import training
    from glauke.images import Augmentation, Batches
    from glauke.models import build_model

    pack, split, _ = glauke_work(given)
    device = training.choose_device("auto")
    precision = training.choose_precision("auto", device)
    batches = Batches(
        pack, split.train, batch_size=given["batch_size"], shuffle=True, augmentation=Augmentation(pad=4, flip=True),
        device=device,
    )  # fmt: skip
    model = build_model("resnet18", num_classes=given["classes"], in_channels=3, stem="maxpool", seed=0)
    model = model.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), fused=True, **SGD)
    ramp = {"start": 1e-5, "end": 1e-3, "num_steps": given["range_steps"], "autocast": precision.autocast}

    def once():
        start = time.perf_counter()
        test = training.range_test(model, batches, optimizer, torch.nn.functional.cross_entropy, **ramp)
        return len(test.rates) * given["batch_size"], synchronised(torch) - start

    return once, f"glauke {version('glauke')}, with everything put back"


def bare_range(given):
    """As many steps of the loop that `bare` is, and nothing else."""
    return bare({**given, "steps": given["range_steps"]})


WAYS = {
    way.__name__: way
    for way in (
        glauke, bare, lightning, lightning_by_hand, fastai, glauke_batches, torchvision_loader, glauke_range_test,
        bare_range,
    )
}  # fmt: skip


def main():
    # Whatever a library prints goes to standard error; the pipe is for what we say.
    said = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        once, note = WAYS[sys.argv[1]](json.loads(sys.argv[2]))
    except (ImportError, RuntimeError) as error:  # torchvision beside another torch than its own is a RuntimeError
        print(json.dumps({"missing": " ".join(str(error).split())[:100]}), file=said)
        return
    import torch

    print(json.dumps({"note": f"{note}; torch {torch.__version__}"}), file=said)
    for _ in sys.stdin:
        pictures, seconds = once()
        print(json.dumps({"pictures": pictures, "seconds": seconds}), file=said)


if __name__ == "__main__":
    main()
