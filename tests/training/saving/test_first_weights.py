"""Runs that start from somebody's weights, and the sentence about networks made for larger pictures."""

import hashlib
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from glauke import runs
from glauke.errors import UsageError
from glauke.models import _registry, build_model
from glauke.training import Note, _train, resume, train
from glauke.training.saving._first_weights import first_weights


def made_for_large(num_classes, in_channels=3, stem="full"):
    """A quarter of the side is left after its first convolution."""
    return nn.Sequential(
        nn.Conv2d(in_channels, 4, 3, stride=4, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, num_classes),
    )


@pytest.fixture
def short(recipe):
    return replace(recipe, epochs=1, sizes=())


@pytest.fixture
def folder(tmp_path):
    def made(name):
        (tmp_path / name).mkdir()
        return tmp_path / name

    return made


@pytest.fixture
def file(tmp_path):
    """The weights of another seed, with a head for other classes beside them."""
    other = build_model("small", num_classes=10, in_channels=1, stem="full", seed=9)
    save_file({**other.state_dict(), "head": torch.zeros(4, 4)}, tmp_path / "other.safetensors")
    return tmp_path / "other.safetensors"


def weights_of(run):
    return load_file(run / "final.safetensors")


def test_a_run_that_hardly_moves_ends_where_it_was_told_to_start(short, pack, split, folder, file):
    said, run = [], folder("run")
    record = train(
        replace(short, max_lr=1e-9),
        pack,
        split,
        run,
        seed=2,
        weights=file,
        watch=lambda event: said.append(event.text) if isinstance(event, Note) else None,
    )
    begun, ended = load_file(file), weights_of(run)
    assert all(torch.allclose(ended[name], begun[name], atol=1e-6) for name in ended if name.endswith(".weight"))
    sentence = "16 of 16 tensors loaded from other.safetensors, not used: head (4, 4)"
    assert sentence in said and record.notes[-1] == sentence
    facts = runs.read(run).extra["weights"]
    assert (facts["file"], facts["loaded"], facts["missing"]) == ("other.safetensors", len(ended), [])
    assert facts["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert str(file.parent) not in (run / "run.json").read_text()


def test_a_run_killed_before_its_first_step_still_begins_from_the_weights(
    short, pack, split, folder, file, monkeypatch
):
    whole, cut = folder("whole"), folder("cut")
    train(short, pack, split, whole, seed=2, weights=file)

    def killed(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(_train, "run_on", killed)
        train(short, pack, split, cut, seed=2, weights=file)
    file.unlink()
    resume(cut, pack)
    first, second = weights_of(whole), weights_of(cut)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_without_weights_nothing_is_noted(short, pack, split, folder):
    record = train(short, pack, split, folder("plain"), seed=2)
    assert record.extra.keys().isdisjoint({"weights", "pretrained"})
    assert not any("loaded" in note or "larger pictures" in note for note in record.notes)


def test_a_stem_for_large_pictures_is_told_before_training(short, pack, split, folder, monkeypatch):
    monkeypatch.setattr(_registry, "MODELS", {**_registry.MODELS, "large": made_for_large})
    record = train(replace(short, model="large"), pack, split, folder("large"))
    assert any("warning: this network was made for larger pictures than 8 x 8" in note for note in record.notes)


def test_ours_are_not_judged():
    start = first_weights(made_for_large(2), name="resnet18", sizes=(8,), pretrained=False, weights=None)
    assert (start.notes, start.facts) == ((), {})


def test_published_weights_are_noted():
    start = first_weights(made_for_large(2), name="resnet18", sizes=(8,), pretrained=True, weights=None)
    assert start.facts == {"pretrained": True}
    assert start.notes == ("begun from the published weights of resnet18, with a new last layer",)


def test_two_sets_of_weights_are_refused(tmp_path):
    save_file({"0.weight": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(UsageError, match="one set of weights only"):
        first_weights(nn.Linear(1, 1), name="x", sizes=(8,), pretrained=True, weights=tmp_path / "w.safetensors")
