"""Weights from files: what fits is taken, what does not is told, and a pickle is never opened."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from glauke.errors import DataError, UsageError
from glauke.models import load_weights, mnist_net
from glauke.models._weights_file import PREFIXES


def network(num_classes=3, channels=1, seed=0):
    torch.manual_seed(seed)
    return mnist_net(num_classes, channels)


def saved(path, model, *, prefix="", **more):
    save_file({prefix + name: tensor.clone() for name, tensor in model.state_dict().items()} | more, path)
    return path


def state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_a_layer_worked_by_hand(tmp_path):
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    path = tmp_path / "w.safetensors"
    save_file({"0.weight": torch.ones(3, 2), "0.bias": torch.ones(3), "1.weight": torch.ones(5, 3)}, path)
    before = state(model)
    report = load_weights(model, path)
    assert (report.loaded, report.left_out) == (("0.weight", "0.bias"), ("1.weight (5, 3)",))
    assert report.missing == ("1.weight", "1.bias")
    assert str(report) == (
        "2 of 4 tensors loaded from w.safetensors, not used: 1.weight (5, 3), begun anew: 1.weight, 1.bias"
    )
    assert torch.equal(model[0].weight, torch.ones(3, 2))
    assert torch.equal(model[1].weight, before["1.weight"])


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_all_of_the_same_network_comes_back_under_any_prefix(tmp_path, prefix, dtype):
    theirs, ours = network(seed=1).to(dtype), network(seed=2)
    report = load_weights(ours, saved(tmp_path / "w.safetensors", theirs, prefix=prefix))
    assert (report.left_out, report.missing) == ((), ())
    expected = theirs.state_dict()
    assert all(torch.equal(tensor, expected[name].to(tensor.dtype)) for name, tensor in ours.state_dict().items())
    assert all(p.requires_grad for p in ours.parameters())


def test_a_head_for_other_classes_begins_anew(tmp_path):
    ours = network(num_classes=5, seed=2)
    before = state(ours)
    report = load_weights(ours, saved(tmp_path / "w.safetensors", network(num_classes=3, seed=1)))
    assert report.left_out == ("7.bias (3,)", "7.weight (3, 24)")
    assert report.missing == ("7.weight", "7.bias")
    assert torch.equal(ours[7].weight, before["7.weight"])
    assert not torch.equal(ours[0].conv.weight, before["0.conv.weight"])


def test_many_names_are_told_short(tmp_path):
    extra = {f"other.{i}": torch.zeros(1) for i in range(5)}
    report = load_weights(network(), saved(tmp_path / "w.safetensors", network(), **extra))
    assert str(report).endswith("not used: other.0 (1,), other.1 (1,), other.2 (1,) and 2 more")


def test_a_file_of_which_nothing_fits_changes_nothing(tmp_path):
    path, model = tmp_path / "w.safetensors", network()
    counts_only = {f"{i}.bn.num_batches_tracked": torch.tensor(7) for i in range(5)}
    before = state(model)
    for tensors in ({"a": torch.zeros(2, 2)}, counts_only, {"7.weight": torch.zeros(9, 24)}):
        save_file(tensors, path)
        with pytest.raises(DataError, match=rf"none of its {len(tensors)} tensors, such as .* of the 17 weights"):
            load_weights(model, path)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.bin", "w.safetensors", "w"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_refused_unread_whatever_its_name(tmp_path, name, zipped):
    path = tmp_path / name
    if zipped:
        torch.save({"a": Trap()}, path)
    else:
        path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UsageError, match=r"this is a pickle.*safetensors\.torch\.save_file") as caught:
        load_weights(network(), path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"abc", (2**40).to_bytes(8, "little") + b"{}", b"{}" * 100])
def test_damaged_and_absent_files_say_so(tmp_path, content):
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="the weights cannot be read") as caught:
        load_weights(network(), path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
