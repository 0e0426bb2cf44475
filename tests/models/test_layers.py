"""Ghost batch norm by hand and against batch norm; the depthwise separable convolution against its two halves."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from glauke.errors import UsageError
from glauke.models import DepthwiseSeparable, GhostBatchNorm


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_each_part_is_normalised_by_its_own_statistics():
    # Two parts, (1, 3) and (10, 30): each has mean 0 and standard deviation 1 afterwards.
    x = torch.tensor([1.0, 3.0, 10.0, 30.0]).reshape(4, 1, 1, 1)
    norm = GhostBatchNorm(1, num_splits=2)
    assert norm(x).flatten().tolist() == pytest.approx([-1, 1, -1, 1], rel=1e-4)


def test_running_statistics_take_the_parts_one_after_the_other():
    # Algorithm 1 of the paper: (1 - 0.1)^2 * 0 + 0.9 * 0.1 * 2 + 0.1 * 20 for the means 2 and 20.
    norm = GhostBatchNorm(1, num_splits=2)
    norm(torch.tensor([1.0, 3.0, 10.0, 30.0]).reshape(4, 1, 1, 1))
    assert norm.running_mean.item() == pytest.approx(0.9 * 0.1 * 2 + 0.1 * 20)
    assert norm.num_batches_tracked.item() == 2


@given(batch=st.integers(1, 9), splits=st.integers(1, 6), last=st.booleans())
def test_it_is_batch_norm_on_every_part(batch, splits, last):
    x = noise(batch, 3, 2, 2)
    x = x.to(memory_format=torch.channels_last) if last else x
    ghost, plain = GhostBatchNorm(3, splits), nn.BatchNorm2d(3)
    parts = x.tensor_split(max(1, min(splits, batch // 2)))
    assert all(len(part) >= 2 for part in parts) or len(parts) == 1
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    expected = torch.cat([plain(part) for part in parts])
    assert torch.equal(ghost(x), expected)
    assert all(torch.equal(ghost.state_dict()[key], value) for key, value in plain.state_dict().items())


def test_in_evaluation_it_is_batch_norm():
    ghost, plain = GhostBatchNorm(3, num_splits=4), nn.BatchNorm2d(3)
    ghost(noise(8, 3, 4, 4))
    plain.load_state_dict(ghost.state_dict())
    x = noise(5, 3, 4, 4, seed=1)
    assert torch.equal(ghost.eval()(x), plain.eval()(x))


def test_the_layout_of_the_memory_stays():
    x = noise(8, 4, 6, 6).to(memory_format=torch.channels_last)
    assert GhostBatchNorm(4, 2)(x).is_contiguous(memory_format=torch.channels_last)


def test_no_parts_are_refused_and_the_number_is_shown():
    with pytest.raises(UsageError, match="num_splits=0"):
        GhostBatchNorm(3, 0)
    assert "num_splits=4" in repr(GhostBatchNorm(3, 4))


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_then_pointwise(stride):
    torch.manual_seed(0)
    layer = DepthwiseSeparable(4, 6, stride=stride).eval()
    x = noise(2, 4, 5, 5)
    by_channel = torch.cat(
        [
            nn.functional.conv2d(x[:, i : i + 1], layer.depthwise.weight[i : i + 1], stride=stride, padding=1)
            for i in range(4)
        ],
        dim=1,
    )
    scale = 1 / (1 + layer.bn1.eps) ** 0.5  # fresh norms in evaluation
    mixed = torch.einsum("oc,bchw->bohw", layer.pointwise.weight[:, :, 0, 0], (by_channel * scale).relu())
    assert torch.allclose(layer(x), (mixed * scale).relu(), atol=1e-6)
    assert sum(p.numel() for p in layer.parameters() if p.ndim == 4) == 9 * 4 + 4 * 6
