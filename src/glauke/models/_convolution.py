"""A 3x3 convolution that learns faster on CPUs where the maps are a few pixels wide."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_input

TINY = 4
"""Side of the output up to which one matrix product beats oneDNN's kernel for the gradient of the weights.

Measured by benchmarks/step.py: that kernel works along rows, and rows of two to four pixels leave it idle.
"""


class Conv3x3(nn.Conv2d):
    """`nn.Conv2d(..., 3, padding=1, bias=False)`, with the same weights, names and results to rounding.

    In float32 on a CPU, the gradient of the weights for tiny maps is one matrix product over the unfolded input.
    Everywhere else (other devices, autocast, larger maps, no gradient) it is PyTorch's own convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Map (batch, in_channels, h, w) to (batch, out_channels, ceil(h / stride), ceil(w / stride))."""
        tiny = (max(input.shape[-2:]) - 1) // self.stride[0] + 1 <= TINY
        plain = input.device.type == "cpu" and input.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
        if tiny and plain and torch.is_grad_enabled() and self.weight.requires_grad:
            return _TinyMaps.apply(input, self.weight, self.stride[0])
        return super().forward(input)


class _TinyMaps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(input, weight)
        ctx.stride = stride
        return F.conv2d(input, weight, stride=stride, padding=1)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]  the decorator hides its names
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor, None]:
        (gradient,) = grad_outputs
        input, weight = ctx.saved_tensors
        stride, (out_channels, in_channels) = ctx.stride, weight.shape[:2]
        to_input = None
        if ctx.needs_input_grad[0]:
            to_input = conv2d_input(input.shape, weight, gradient, stride=stride, padding=1)
        padded = F.pad(input.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))  # (n, h + 2, w + 2, c)
        windows = padded.unfold(1, 3, stride).unfold(2, 3, stride)  # (n, h', w', c, 3, 3), a view
        rows = windows.permute(0, 1, 2, 4, 5, 3).reshape(-1, 9 * in_channels)  # (n h' w', 9 c)
        product = gradient.permute(0, 2, 3, 1).reshape(-1, out_channels).T @ rows  # (o, 9 c)
        return to_input, product.view(out_channels, 3, 3, in_channels).permute(0, 3, 1, 2), None
