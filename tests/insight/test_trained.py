"""A weights file says all by itself what it needs to be used."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from glauke.errors import DataError
from glauke.insight import load_trained
from glauke.models import _registry
from glauke.training.saving._weights import save_weights

ABOUT = {
    "model": "tiny",
    "stem": "full",
    "classes": ["n1", "n2", "n3"],
    "readable": ["cat", "dog", "owl"],
    "size": 6,
    "channels": 1,
    "mean": [0.4],
    "std": [0.2],
}


def tiny(num_classes, in_channels=3, stem="full"):
    return nn.Sequential(nn.Conv2d(in_channels, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(32, num_classes))


@pytest.fixture(autouse=True)
def tiny_model(monkeypatch):
    monkeypatch.setattr(_registry, "MODELS", {**_registry.MODELS, "tiny": tiny})


@pytest.fixture
def model():
    torch.manual_seed(3)
    return tiny(3, 1)


def test_a_network_comes_back_ready_to_use(tmp_path, model):
    save_weights(tmp_path / "final.safetensors", model, about=ABOUT)
    save_weights(tmp_path / "best.safetensors", tiny(3, 1), about=ABOUT)
    trained = load_trained(tmp_path)

    images = torch.randn(2, 1, 6, 6)
    assert torch.allclose(trained.model(images), model.eval()(images), atol=1e-6) and not trained.model.training
    assert (trained.classes, trained.readable) == (("n1", "n2", "n3"), ("cat", "dog", "owl"))
    assert (trained.name, trained.size, trained.channels, trained.mean, trained.std) == ("tiny", 6, 1, (0.4,), (0.2,))
    assert trained.file == tmp_path / "final.safetensors" and trained.device == torch.device("cpu")
    assert load_trained(tmp_path, weights="best").file == load_trained(tmp_path / "best.safetensors").file


def test_without_readable_names_the_ids_are_used(tmp_path, model):
    about = {key: value for key, value in ABOUT.items() if key != "readable"}
    save_weights(tmp_path / "final.safetensors", model, about=about)

    assert load_trained(tmp_path).readable == ("n1", "n2", "n3")


def test_no_weights(tmp_path):
    with pytest.raises(DataError, match="no trained weights here; name the folder of a run that has ended"):
        load_trained(tmp_path)


def test_a_damaged_file(tmp_path):
    (tmp_path / "final.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(DataError, match="cannot be read"):
        load_trained(tmp_path)


def test_a_file_of_something_else(tmp_path, model):
    save_file(model.state_dict(), tmp_path / "final.safetensors")
    with pytest.raises(DataError, match="do not say which network"):
        load_trained(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"classes": ["n1"]}, "do not fit the network"), ({"size": None, "mean": None}, "do not fit the network")],
)
def test_a_file_that_contradicts_itself(tmp_path, model, change, words):
    save_weights(tmp_path / "final.safetensors", model, about=ABOUT | change)
    with pytest.raises(DataError, match=words):
        load_trained(tmp_path)


def test_a_programs_own_model_is_not_taken_for_one_of_glauke(tmp_path, model):
    save_weights(tmp_path / "final.safetensors", model, about={"model": "Sequential", "experiment": "mine"})
    with pytest.raises(DataError, match="a program's own Sequential, which only that program can build; load them"):
        load_trained(tmp_path)


def test_a_file_that_lacks_something(tmp_path, model):
    save_weights(tmp_path / "final.safetensors", model, about={k: v for k, v in ABOUT.items() if k != "stem"})
    with pytest.raises(DataError, match="it lacks 'stem'"):
        load_trained(tmp_path)
