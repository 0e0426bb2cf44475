"""A running average of the weights, which is judged and kept in place of the weights that train."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from glauke.errors import UsageError


class Average:
    """Exponential moving average of a model's parameters and buffers, beside the model.

    After step t, counted from 0, average = d * average + (1 - d) * weights with d = min(decay, (1 + t) / (10 + t)), as
    in TensorFlow's `tf.train.ExponentialMovingAverage(decay, num_updates)`. The second term is what makes it right from
    the first step on without a warm-up to choose: the untrained weights fade as t^-9, and while `decay` would look back
    further than the run is long, the average reaches over its last ninth or so. (Dividing by 1 - decay^t, as Adam does,
    would remove the same bias, but average a short run from its very beginning.)

    Floating buffers, such as the statistics of batch norm, are averaged with the weights: those of the training weights
    describe another network (timm's `ModelEmaV3` and PyTorch's `AveragedModel(use_buffers=True)` do the same). Whole
    numbers are copied. Averages are float32 at least: in bfloat16 a step of 1 / 1000 would be rounded away.
    """

    def __init__(self, model: nn.Module, *, decay: float) -> None:
        if not 0 < decay < 1:
            raise UsageError(f"the decay of an average must lie between 0 and 1, not {decay}", place="--ema")
        self.model = model
        self.decay = decay
        self.updates = 0
        """Steps that have been counted in."""
        # A clone lies in memory as its weight does, so that no kernel has to reorder.
        self.shadow = {name: tensor.to(_kept_as(tensor.dtype)).clone() for name, tensor in self._live().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Count the weights of now in; two passes over them on their device, for which the host does not wait."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        live = self._live()
        averaged = [name for name, tensor in self.shadow.items() if tensor.is_floating_point()]
        copied = [name for name, tensor in self.shadow.items() if not tensor.is_floating_point()]
        if averaged:
            shadow = [self.shadow[name] for name in averaged]
            new = [live[name].to(self.shadow[name].dtype) for name in averaged]
            torch._foreach_lerp_(shadow, new, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]
        if copied:
            shadow = [self.shadow[name] for name in copied]
            torch._foreach_copy_(shadow, [live[n] for n in copied])  # pyright: ignore[reportPrivateImportUsage]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model hold the averages inside; afterwards it holds its own weights again, to the bit."""
        own = {name: tensor.clone() for name, tensor in self._live().items()}
        self._put(self.shadow)
        try:
            yield
        finally:
            self._put(own)

    def load(self, tensors: dict[str, Tensor], *, updates: int) -> None:
        """Take the averages of a checkpoint, by name."""
        for name, tensor in tensors.items():
            self.shadow[name].copy_(tensor)
        self.updates = updates

    def _live(self) -> dict[str, Tensor]:
        # Asked anew each time: a module may replace a buffer instead of writing into it.
        named = (*self.model.named_parameters(), *self.model.named_buffers())
        return {name: tensor.detach() for name, tensor in named}

    def _put(self, tensors: dict[str, Tensor]) -> None:
        live = self._live()
        for name, tensor in tensors.items():
            live[name].copy_(tensor)


def _kept_as(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype.is_floating_point and dtype.itemsize < 4 else dtype
