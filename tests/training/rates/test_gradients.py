"""The size of gradients, dense and sparse."""

import math

import pytest
import torch
from torch import nn

from glauke.training.rates._gradients import largest_entry, parameters_of


def test_the_largest_entry_worked_by_hand():
    one, two, none = (nn.Parameter(torch.zeros(3)) for _ in range(3))
    one.grad, two.grad = torch.tensor([1.0, -7.0, 2.0]), torch.tensor([0.0, 1e30, 3.0])
    optimizer = torch.optim.SGD([{"params": [one]}, {"params": [two, none]}], lr=0.1)
    assert parameters_of(optimizer) == [one, two, none]
    assert largest_entry([one, none]) == 7.0
    assert largest_entry(parameters_of(optimizer)) == pytest.approx(1e30)  # whose square is infinite
    assert largest_entry([none]) == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_shows(value):
    one = nn.Parameter(torch.zeros(3))
    one.grad = torch.tensor([1.0, value, 9.0])
    assert not math.isfinite(largest_entry([one]))


def test_entries_of_a_sparse_gradient_are_added_up_first():
    table = nn.Embedding(4, 1, sparse=True)
    (5 * table(torch.tensor([2, 2]))).sum().backward()
    assert largest_entry(list(table.parameters())) == 10.0
