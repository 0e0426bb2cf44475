"""Randomness as an argument: numbers that depend on (seed, epoch, sample, purpose) and on nothing else.

A counter goes through a mixing function instead of a generator being stepped, so it does not matter how many workers or
devices draw, in which order, or where a run was taken up again. The mixer is the 64-bit finalizer of SplitMix64
(Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014) in PyTorch's wrapping integer
arithmetic, which gives the same bits on every device.
"""

import torch
from jaxtyping import Float64, Int
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)  # as a signed number, since PyTorch multiplies int64 with wrap-around
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)


def uniform(samples: Int[Tensor, " n"], *, seed: int, epoch: int, purpose: str) -> Float64[Tensor, " n"]:
    """One float64 in [0, 1) for every sample; `purpose` names the stream, so that two uses never share numbers.

    >>> first = uniform(torch.arange(4), seed=0, epoch=1, purpose="flip")
    >>> bool((first[2:] == uniform(torch.arange(2, 4), seed=0, epoch=1, purpose="flip")).all())
    True
    """
    # The upper 53 bits fill a float64 exactly; the shift is masked because >> on a signed number keeps the sign.
    # Whole numbers divided by a float would be float32, which rounds the largest of them up to 1.
    bits = _bits(samples, seed, epoch, purpose).bitwise_right_shift(11).bitwise_and((1 << 53) - 1)
    return bits.double() / float(1 << 53)


def integers(samples: Int[Tensor, " n"], *, high: int, seed: int, epoch: int, purpose: str) -> Int[Tensor, " n"]:
    """One integer in [0, high) for every sample."""
    return (uniform(samples, seed=seed, epoch=epoch, purpose=purpose) * high).long()


def permutation(count: int, *, seed: int, epoch: int, purpose: str) -> Int[Tensor, " count"]:
    """The numbers 0 to count - 1 in an order that depends on the key alone."""
    keys = _bits(torch.arange(count), seed, epoch, purpose)
    return torch.argsort(keys, stable=True)


def _bits(samples: Tensor, seed: int, epoch: int, purpose: str) -> Tensor:
    key, name = 0, purpose.encode()
    for start in range(0, max(len(name), 1), 8):  # every letter counts: "mixup radius" is not "mixup angle"
        key = _mix_int(key ^ int.from_bytes(name[start : start + 8], "little"))
    key = _mix_int(key ^ (seed % (1 << 64)))
    key = _mix_int(key ^ (epoch % (1 << 64)))
    return _mix(samples.long() * _GOLDEN + (key - (1 << 64) if key >= 1 << 63 else key))


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift(x, 30)) * _MIX_1
    x = (x ^ _shift(x, 27)) * _MIX_2
    return x ^ _shift(x, 31)


def _shift(x: Tensor, by: int) -> Tensor:
    return (x >> by) & ((1 << (64 - by)) - 1)


def _mix_int(x: int) -> int:
    mask = (1 << 64) - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)
