"""The convolution for tiny maps against PyTorch's own."""

import pytest
import torch
from torch import nn

from glauke.models import _convolution
from glauke.models._convolution import Conv3x3


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (3, 3), (4, 4), (2, 4), (7, 8), (16, 16)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_results_and_gradients_are_pytorchs(stride, height, width, layout):
    torch.manual_seed(0)
    ours = Conv3x3(5, 6, stride).to(memory_format=layout)
    theirs = nn.Conv2d(5, 6, 3, stride=stride, padding=1, bias=False)
    theirs.load_state_dict(ours.state_dict())
    inputs = [torch.randn(3, 5, height, width).to(memory_format=layout).requires_grad_() for _ in range(2)]
    with torch.no_grad():
        inputs[1].copy_(inputs[0])
    outputs = [layer(x) for layer, x in zip((ours, theirs), inputs, strict=True)]
    assert torch.equal(*outputs) or torch.allclose(*outputs, atol=1e-6)
    gradient = torch.randn_like(outputs[0])
    for output in outputs:
        output.backward(gradient)
    assert torch.allclose(inputs[0].grad, inputs[1].grad, atol=1e-5)
    assert torch.allclose(ours.weight.grad, theirs.weight.grad, atol=1e-5)


def test_the_short_way_is_taken_for_tiny_maps_alone(monkeypatch):
    taken = []
    monkeypatch.setattr(_convolution._TinyMaps, "apply", lambda x, *rest: taken.append(x.shape) or x)
    layer = Conv3x3(4, 4)
    for side in (4, 5):
        layer(torch.zeros(1, 4, side, side))
    with torch.no_grad():
        layer(torch.zeros(1, 4, 2, 2))
    with torch.autocast("cpu", torch.bfloat16):
        layer(torch.zeros(1, 4, 2, 2))
    assert taken == [(1, 4, 4, 4)]


def test_an_input_that_needs_no_gradient_gets_none():
    layer, images = Conv3x3(3, 4), torch.randn(2, 3, 2, 2)
    layer(images).sum().backward()
    assert images.grad is None and layer.weight.grad is not None
