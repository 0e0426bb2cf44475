"""The two small networks are as small as they say, and learn."""

import torch

from glauke.models import cifar_net, mnist_net


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_they_are_as_small_as_they_say():
    assert parameters(mnist_net(10)) == 9_698 < 10_000
    assert parameters(mnist_net(10, 3)) < 10_000
    assert parameters(cifar_net(10)) == 104_010
    assert abs(parameters(cifar_net(10)) / 100_000 - 1) < 0.05


def test_they_learn_which_of_four_corners_is_bright():
    generator = torch.Generator().manual_seed(0)
    corners = torch.arange(16) % 4
    pictures = torch.rand(16, 1, 16, 16, generator=generator) * 0.5
    for picture, corner in zip(pictures, corners.tolist(), strict=True):
        row, column = divmod(corner, 2)
        picture[0, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] += 1.0
    for make in (mnist_net, cifar_net):
        torch.manual_seed(0)
        model = make(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        losses = []
        for _ in range(8):
            loss = torch.nn.functional.cross_entropy(model(pictures), corners)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < 0.5 * losses[0]
