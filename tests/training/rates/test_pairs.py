"""Batches of any origin."""

import pytest
import torch

from glauke.errors import UsageError
from glauke.training.rates._pairs import endless, hits, pair

CPU = torch.device("cpu")


def take(batches, count: int) -> list[object]:
    return [batch for batch, _ in zip(endless(batches), range(count), strict=False)]


def test_batches_begin_again_unless_they_cannot():
    assert take([1, 2, 3], 7) == [1, 2, 3, 1, 2, 3, 1]
    assert take(iter([1, 2, 3]), 7) == [1, 2, 3]
    assert take((n for n in range(2)), 7) == [0, 1]
    assert take([], 7) == []


class Both:
    """A batch that takes itself apart."""

    def __iter__(self):
        return iter((torch.zeros(2), torch.ones(2)))


def test_a_pair_of_any_kind():
    for batch in ((torch.zeros(2), torch.ones(2)), [torch.zeros(2), torch.ones(2)], Both()):
        inputs, labels = pair(batch, CPU)
        assert inputs.tolist() == [0, 0] and labels.tolist() == [1, 1]
    assert pair(({"a": 1}, "b"), CPU) == ({"a": 1}, "b")


@pytest.mark.parametrize(
    ("batch", "told"),
    [
        ((1, 2, 3), "not a tuple of 3"),
        ({"inputs": 1, "labels": 2}, "not a dict of 2"),
        (torch.zeros(2, 3), "not a Tensor of 2"),
        ("ab", "not a str of 2"),
        (7, "not a int$"),
    ],
)
def test_what_is_no_pair_is_refused(batch, told):
    with pytest.raises(UsageError, match=told):
        pair(batch, CPU)


class Own(torch.Tensor):
    """A kind of tensor that refuses every function, as fastai's pictures refuse a loss that is not fastai's."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("as_subclass", "__get__"):
            return super().__torch_function__(func, types, args, kwargs)
        raise TypeError(f"no {func.__name__} for these")


def test_tensors_of_an_own_kind_become_plain_ones_without_a_copy():
    pictures = torch.ones(2)
    inputs, labels = pair((pictures.as_subclass(Own), pictures.as_subclass(Own)), CPU)
    assert type(inputs) is type(labels) is torch.Tensor and inputs.data_ptr() == pictures.data_ptr()


def test_a_tensor_that_is_made_of_others_stays_what_it_is():
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged)
    inputs, _ = pair((nested, torch.zeros(2)), CPU)
    assert inputs.is_nested and [len(part) for part in inputs.unbind()] == [2, 3]


def test_hits():
    outputs = torch.tensor([[0.0, 1.0], [2.0, 1.0], [0.0, 3.0]])
    assert hits(outputs, torch.tensor([1, 0, 0])).item() == 2
    mixed = torch.tensor([[0.4, 0.6], [0.4, 0.6], [0.1, 0.9]])
    assert hits(outputs, mixed).item() == 2


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (torch.zeros(4, 1), torch.zeros(4, 1)),  # regression would be right by definition
        (torch.zeros(4), torch.zeros(4)),
        (torch.zeros(4, 3, 8), torch.zeros(4, 8, dtype=torch.long)),
        (torch.zeros(4, 3), torch.zeros(5, dtype=torch.long)),
        ({"logits": torch.zeros(4, 3)}, torch.zeros(4, dtype=torch.long)),
    ],
)
def test_where_accuracy_means_nothing_it_is_refused(outputs, labels):
    with pytest.raises(UsageError, match="pass accuracy=False"):
        hits(outputs, labels)
