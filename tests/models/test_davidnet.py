"""Page's network: its published size, any size of picture, and what stands at its end."""

import torch

from glauke.models import davidnet


def test_it_has_the_size_of_the_entry():
    assert sum(p.numel() for p in davidnet(10).parameters()) == 6_573_120
    assert sum(p.numel() for p in davidnet(200, 1).parameters()) == 6_573_120 + 190 * 512 - 2 * 64 * 9


def test_the_last_pool_takes_the_whole_map():
    with torch.device("meta"):
        model = davidnet(10)
    seen = []
    model.pool.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0].shape, output.shape)))
    for size in (16, 32, 50):
        model(torch.zeros(2, 3, size, size, device="meta"))
    assert seen == [((2, 512, last, last), (2, 512, 1, 1)) for last in (2, 4, 6)]


def test_scores_are_an_eighth_of_the_last_layers():
    torch.manual_seed(0)
    model = davidnet(3).eval()
    seen = []
    model.linear.register_forward_hook(lambda module, inputs, output: seen.append(output))
    logits = model(torch.randn(2, 3, 16, 16))
    assert torch.equal(logits, seen[0] / 8)
