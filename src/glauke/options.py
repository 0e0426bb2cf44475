"""What a person can choose for a command, as one value; reading it loads nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """The choices of `glauke train` and `glauke lr`; whatever is None is the recipe's, the data's or the machine's."""

    source: Path | None = None
    """Archive or folder that holds the named data set."""
    recipe: str | None = None
    """assignment, quick, laptop, folder, digits, mnist or cifar; by default the one that suits data and hardware."""
    config: Path | None = None
    """config.toml of an earlier run, to train the same again; options given beside it win."""
    model: str | None = None
    """resnet18, 34, 50, 101, 152, davidnet, cifar_net, mnist_net; timm/NAME, torchvision/NAME with the extra zoo."""
    stem: Literal["full", "maxpool"] | None = None
    """full resolution into the first stage, or half of it at a quarter of the cost."""
    size: int | None = None
    """Side in pixels to which the pictures are brought when they are packed."""
    epochs: int | None = None
    """Passes over the training pictures; the cycle is scaled with them."""
    batch_size: int | None = None
    """Pictures per step."""
    max_lr: float | Literal["auto"] | None = None
    """Rate at the peak of the cycle; auto runs the LR range test and takes its suggestion."""
    peak_epoch: int | None = None
    """Epoch at whose end the rate is highest."""
    anneal: Literal["linear", "cosine"] | None = None
    """How the rate rises and falls."""
    sizes: str | None = None
    """Sides of the training pictures with their epochs, such as 32x8,40x2,48x2,64x2; sets the epochs too."""
    weight_decay: float | None = None
    """Decay of the weights of convolutions and the last layer, such as 5e-4."""
    label_smoothing: float | None = None
    """Share of each label spread over all classes, such as 0.1; 0 is none."""
    ema: float | None = None
    """Judge and keep a running average of the weights with this decay per step, such as 0.999."""
    mixup: float | None = None
    """Blend pictures in pairs, with shares from Beta(a, a), such as 0.2; for long runs; 0 is none."""
    cutmix: float | None = None
    """Paste a part of another picture over each, with an area from Beta(a, a), such as 1; for long runs; 0 is none."""
    pretrained: bool | None = None
    """Start from the published weights of a model of torchvision or timm, with a new last layer; needs a network."""
    weights: Path | None = None
    """Start from what fits of this .safetensors file, such as an earlier run's final.safetensors."""
    split: Literal["official", "pooled", "train-only"] | None = None
    """official: the data's own held-out part; pooled: all parts split anew; train-only: the training part split."""
    val_fraction: float | None = None
    """Part of the pictures that is held out, where the split is ours; 0.3."""
    split_seed: int | None = None
    """Which split, 0; apart from --seed, so that repeats share their held-out pictures."""
    seed: int | None = None
    """0 by default; first weights, order and augmentation."""
    seeds: int | None = None
    """Repeat the run with this many seeds, one after the other from --seed on, and give mean and deviation."""
    target: float | None = None
    """Stop after the first epoch with this held-out accuracy (a fraction, such as 0.5087)."""
    minutes: float | None = None
    """Shorten the cycle so that the run, packing included, fits into this time on this machine."""
    device: str | None = None
    """auto, cpu or cuda."""
    precision: Literal["auto", "bf16", "fp16", "fp32"] | None = None
    """auto is the fastest that the hardware computes natively."""
    deterministic: bool | None = None
    """Refuse operations whose result may differ from run to run on a GPU."""
    tta: bool | None = None
    """Also report the accuracy with each picture's mirror image averaged in, apart from the plain one."""
    tensorboard: bool | None = None
    """Also write event files for TensorBoard, into the run's folder tensorboard; needs the extra tensorboard."""
    out: Path | None = None
    """The run's own folder; by default a new dated one under ./runs."""
    stop_after_steps: int | None = None
    """Save and stop after this many steps of the whole run; --resume goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxOptions:
    """What stands beside a file of annotations: its pictures, their sizes, and what repairs it."""

    images: Path | None = None
    """Folder with the pictures."""
    sizes: Path | None = None
    """CSV with filename, width and height of the pictures, where they are not here."""
    attribute: str | None = None
    """Region attribute that holds the class; found by itself otherwise."""
    repair_from: Path | None = None
    """VIA JSON of the same pictures that gives back what an export has lost."""
