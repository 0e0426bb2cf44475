"""Batches of any origin."""

from collections import UserDict
from dataclasses import dataclass

import pytest
import torch

from glauke.errors import UsageError
from glauke.images import Batch
from glauke.training.rates._pairs import endless, hits, on_device, pair, parted

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
        (7, "not a int;"),
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


@dataclass(frozen=True)
class Held:
    """A batch as a frozen value, one part of which is no tensor."""

    pictures: torch.Tensor
    names: tuple[str, ...]

    def __iter__(self):
        return iter((self.pictures, self.names))


class Mover(UserDict):
    """A batch that knows how it is moved, as tokenizers' are."""

    def to(self, device):
        return Mover({key: value.to(device) for key, value in self.items()})


def test_batches_of_any_kind_are_moved_and_stay_what_they_are():
    meta, tensor = torch.device("meta"), torch.zeros(2)
    held = on_device(Held(tensor, ("a", "b")), meta)
    assert type(held) is Held and held.pictures.device == meta and held.names == ("a", "b")
    given = UserDict({"x": tensor, "deep": [tensor]})
    moved = on_device(given, meta)
    assert type(moved) is UserDict and moved["x"].device == meta == moved["deep"][0].device
    assert given["x"] is tensor  # the caller's own batch is as it was
    assert on_device(Mover({"x": tensor}), meta)["x"].device == meta
    batch = Batch(images=torch.zeros(1, 3, 2, 2), labels=torch.zeros(1).long(), samples=torch.zeros(1).long())
    assert {each.device for each in on_device(batch, meta)} == {meta}


def test_narrow_labels_are_widened_and_truths_are_not():
    for kind, wide in ((torch.uint8, torch.int64), (torch.int32, torch.int64), (torch.bool, torch.bool)):
        assert parted((torch.zeros(2), torch.ones(2, dtype=kind)))[1].dtype == wide


def test_hits():
    outputs = torch.tensor([[0.0, 1.0], [2.0, 1.0], [0.0, 3.0]])
    assert hits(outputs, torch.tensor([1, 0, 0])).item() == 2
    mixed = torch.tensor([[0.4, 0.6], [0.4, 0.6], [0.1, 0.9]])
    assert hits(outputs, mixed).item() == 2


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (torch.zeros(4, 1), torch.zeros(4, 1)),  # regression would be right by definition
        (torch.zeros(4, 1), torch.zeros(4, dtype=torch.long)),  # so would yes or no
        (torch.zeros(2, 3), torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])),  # several classes at once
        (torch.zeros(4), torch.zeros(4)),
        (torch.zeros(4, 3, 8), torch.zeros(4, 8, dtype=torch.long)),
        (torch.zeros(4, 3), torch.zeros(5, dtype=torch.long)),
        ({"logits": torch.zeros(4, 3)}, torch.zeros(4, dtype=torch.long)),
    ],
)
def test_where_accuracy_means_nothing_it_is_refused(outputs, labels):
    with pytest.raises(UsageError, match="pass accuracy=False"):
        hits(outputs, labels)
