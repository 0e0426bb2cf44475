"""What this machine can do at most, and how near a run came to it."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from glauke.images import Batch, decode_rate
from glauke.models import build_model, in_form

from .. import recipes
from .._device import Precision, choose_device, choose_precision
from .._events import Stage, Watch, unwatched
from ..rates._preserved import evaluating
from ..rates._schedules import Number
from ..saving._facts import describe_hardware
from ._loop import make_objective, train_step
from ._optimizer import make_optimizer
from ._step import classification

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
MATRIX_SIDES = {"cpu": 1024, "cuda": 8192}
"""Side of the square matrices that are multiplied: large enough that nothing but arithmetic counts."""
COPIED = 64 * 2**20
"""Numbers of 4 bytes in the array that is copied, 256 MiB: more than a cache holds."""
MOST_TIMES = 4.0
"""A first call that takes this many times the time at hand is the only one."""
MOST_SECONDS, SMALL_PART = 1.0, 0.01
"""A run spends at most this time, and at most this part of its training, on measuring its machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What the device computes in one number format; a multiply-add counts as two operations."""

    precision: str
    """"fp32", "bf16" or "fp16"."""
    matrix_gflops: float
    """Product of two large square matrices, in 10^9 operations a second."""
    convolution_gflops: float
    """The 3x3 convolution of ResNet18's first stage at 64 pixels, forward, in 10^9 operations a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a machine reaches: the best of repeated measurements, or the mean for what is named a second."""

    device: str
    precision: str
    """The one that a run would choose."""
    rates: tuple[Rate, ...]
    """In each number format that the hardware computes; fp32 first."""
    copy_gb_per_second: float
    """10^9 bytes read and written a second while a large array is copied on the device."""
    cores: int
    jpegs_per_second: float
    """Pictures of 64 x 64 pixels decoded on one core."""
    jpegs_per_second_all: float
    """The same with a process for each core, as in packing."""
    size: int
    """Side of the pictures of the training step, in pixels."""
    batch_size: int
    images_per_second: float
    """Forward, backward and step of ResNet18 with the max-pool stem, on pictures that lie ready."""
    gflop_per_picture: float
    """10^9 operations of that step for one picture."""

    def rate(self, precision: str) -> Rate | None:
        """The rate in one number format; None if the hardware does not compute it."""
        return next((rate for rate in self.rates if rate.precision == precision), None)


def measure_limits(
    *,
    seconds: Number = 2.0,
    device: str = "auto",
    size: int = 64,
    batch_size: int = 128,
    matrix_side: int | None = None,
    copied: int = COPIED,
    watch: Watch = unwatched,
) -> Limits:
    """Measure the machine, about `seconds` for each measurement: half a minute in all on two slow cores.

    Other work takes its part of every number, so let the machine be idle. Nothing global is changed, the random state
    included. Raises `UsageError` for a device that is not there.
    """
    place = choose_device(device)
    precision = choose_precision("auto", place)
    cores = describe_hardware(place).cores
    model = build_model("resnet18", num_classes=200, in_channels=3, stem="maxpool", seed=0)
    model = model.to(device=place, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    batch = _made_batch(place, size=size, batch_size=batch_size)
    formats = [name for name in DTYPES if name in ("fp32", precision.name) or (name, place.type) == ("fp16", "cuda")]
    measurements: dict[str, Callable[[], float]] = {
        "copy": partial(_copy_rate, place, seconds=seconds, numbers=copied),
        "one core": partial(decode_rate, seconds=seconds),
        "all cores": partial(decode_rate, seconds=seconds, num_workers=cores),
        "step": partial(_step_rate, model, batch, precision, place, seconds=seconds),
    }
    for name in formats:
        measurements[f"{name} product"] = partial(matrix_rate, name, place, seconds=seconds, side=matrix_side)
        measurements[f"{name} convolution"] = partial(_convolution_rate, name, place, seconds=seconds, batch=batch)
    found = {}
    for done, (name, measured) in enumerate(measurements.items()):
        watch(Stage(name="measuring", done=done, total=len(measurements)))
        found[name] = measured()
    watch(Stage(name="measuring", done=len(measurements), total=len(measurements)))
    return Limits(
        device=place.type,
        precision=precision.name,
        rates=tuple(
            Rate(
                precision=name,
                matrix_gflops=found[f"{name} product"],
                convolution_gflops=found[f"{name} convolution"],
            )
            for name in formats
        ),
        copy_gb_per_second=found["copy"],
        cores=cores,
        jpegs_per_second=found["one core"],
        jpegs_per_second_all=found["all cores"],
        size=size,
        batch_size=batch_size,
        images_per_second=found["step"],
        gflop_per_picture=gflop_per_picture(model, channels=3, size=size),
    )


def speed_facts(
    model: nn.Module,
    *,
    sizes: Sequence[int],
    shallow_epochs: int = 0,
    channels: int,
    images_per_second: Number | None,
    seconds: Number,
    device: torch.device,
    precision: Precision,
) -> dict[str, float]:
    """How fast a run computed, beside what a matrix product reaches on its device in its precision.

    `sizes` are the sides of the pictures in each epoch, in the first `shallow_epochs` of which the network was shallow,
    and `seconds` what their training took, of which a small part may be spent again here. The model is left as it was.
    Empty where nothing can be compared: no epoch, pictures of a size that nobody knows, a network without products.
    """
    if not sizes or min(sizes) < 1 or not images_per_second:
        return {}
    forms = [(size, epoch < shallow_epochs) for epoch, size in enumerate(sizes)]
    cost = {}
    for size, shallow in set(forms):
        with in_form(model, shallow=shallow):
            cost[size, shallow] = gflop_per_picture(model, channels=channels, size=size)
    mean = sum(cost[form] for form in forms) / len(forms)
    if not mean:
        return {}
    return {
        "gflop_per_picture": mean,
        "gflops": mean * images_per_second,
        "matrix_gflops": matrix_rate(precision.name, device, seconds=min(MOST_SECONDS, SMALL_PART * seconds)),
    }


def gflop_per_picture(model: nn.Module, *, channels: int, size: int) -> float:
    """10^9 operations that training takes for one picture of `size` pixels: three times those of the forward pass.

    A multiply-add is two operations, and only convolutions, products and attention count. The backward pass has the
    same products twice, for the gradient of the weights and for that of the maps (Kaplan et al., arXiv 2001.08361,
    section 2.1); the maps of the first layer need none, which makes this a little too much.

    >>> gflop_per_picture(nn.Conv2d(3, 10, 3, padding=1), channels=3, size=10) * 1e9
    162000.0
    """
    weight = next((parameter for parameter in model.parameters() if parameter.is_floating_point()), torch.zeros(0))
    picture = torch.zeros(1, channels, size, size, device=weight.device, dtype=weight.dtype)
    counter = FlopCounterMode(display=False)
    with evaluating(model), torch.no_grad(), counter:
        model(picture)
    return 3 * counter.get_total_flops() / 1e9


def matrix_rate(precision: str, device: torch.device, *, seconds: Number, side: int | None = None) -> float:
    """10^9 operations a second of the product of two square matrices, the best of those that fit into `seconds`."""
    side = side or MATRIX_SIDES.get(device.type, MATRIX_SIDES["cpu"])
    left, right = (torch.ones(side, side, dtype=DTYPES[precision], device=device) for _ in range(2))
    result = torch.empty_like(left)
    taken = _fastest(lambda: torch.mm(left, right, out=result), device, seconds=seconds)
    return 2 * side**3 / taken / 1e9


def _convolution_rate(precision: str, device: torch.device, *, seconds: Number, batch: Batch) -> float:
    count, _, height, width = batch.images.shape
    shape, dtype = (count, 64, height // 2, width // 2), DTYPES[precision]
    maps = torch.ones(shape, dtype=dtype, device=device).contiguous(memory_format=torch.channels_last)
    weight = torch.ones(64, 64, 3, 3, dtype=dtype, device=device).contiguous(memory_format=torch.channels_last)
    taken = _fastest(lambda: F.conv2d(maps, weight, padding=1), device, seconds=seconds)
    return 2 * math.prod(shape) * 64 * 9 / taken / 1e9


def _copy_rate(device: torch.device, *, seconds: Number, numbers: int) -> float:
    source, target = (torch.zeros(numbers, device=device) for _ in range(2))
    return 8 * numbers / _fastest(lambda: target.copy_(source), device, seconds=seconds) / 1e9


def _step_rate(model: nn.Module, batch: Batch, precision: Precision, device: torch.device, *, seconds: Number) -> float:
    optimizer = make_optimizer(model, recipes.quick(), lr=1e-3)
    compute, scaler = classification(make_objective(0.1)), precision.scaler()

    def step() -> None:
        train_step(model, batch, optimizer, compute=compute, precision=precision, scaler=scaler)

    model.train()
    return len(batch.labels) / _fastest(step, device, seconds=seconds)


def _made_batch(device: torch.device, *, size: int, batch_size: int) -> Batch:
    random = torch.Generator().manual_seed(0)
    images = torch.randn(batch_size, 3, size, size, generator=random).contiguous(memory_format=torch.channels_last)
    numbers = torch.arange(batch_size)
    return Batch(images=images.to(device), labels=(numbers % 200).to(device), samples=numbers.to(device))


def _fastest(act: Callable[[], object], device: torch.device, *, seconds: Number) -> float:
    """Seconds of the fastest of the calls that fit into `seconds`, after a first one, which prepares the kernels."""

    def taken() -> float:
        start = time.perf_counter()
        act()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    best = taken()
    if best > MOST_TIMES * seconds:  # it has shown enough
        return best
    end, best = time.perf_counter() + seconds, taken()
    while time.perf_counter() < end:
        best = min(best, taken())
    return best
