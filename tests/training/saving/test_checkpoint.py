"""What writing a checkpoint costs the disk, and that nothing is trusted that was not looked at."""

import os
import shutil
from functools import partial

import pytest
import torch
from torch import nn

from glauke.errors import NoCheckpointError
from glauke.training._device import choose_precision
from glauke.training.saving import _checkpoint
from glauke.training.saving._checkpoint import load_checkpoint, save_checkpoint


@pytest.fixture
def save():
    model = nn.Linear(2, 1)
    return partial(
        save_checkpoint,
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        scaler=choose_precision("fp32", torch.device("cpu")).scaler(),
        state={},
    )


@pytest.fixture
def hashed(monkeypatch):
    names, sha256 = [], _checkpoint.sha256
    monkeypatch.setattr(_checkpoint, "sha256", lambda path: names.append(path.parent.name) or sha256(path))
    return names


def damage(folder):
    file = folder / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def test_what_was_written_and_read_back_here_is_not_hashed_again(save, tmp_path, hashed):
    first = save(tmp_path, step=1)
    hashed.clear()
    second = save(tmp_path, step=2, sound=[first])
    assert "step-00000001" not in hashed and len(hashed) == 4  # the new one is read back, each file once
    hashed.clear()
    save(tmp_path, step=3)  # what another process left is
    assert {"step-00000001", "step-00000002"} <= set(hashed)
    assert second.exists() and not first.exists()


def test_a_file_is_made_durable_once(save, tmp_path, monkeypatch):
    synced, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(handle) or fsync(handle))
    path = save(tmp_path, step=1)
    assert len(synced) <= len(list(path.iterdir())) + 2  # each file, its folder and the folder that names it


def test_a_damaged_or_missing_one_does_not_count_to_those_that_are_kept(save, tmp_path):
    paths = [save(tmp_path, step=step) for step in (1, 2)]
    damage(paths[1])
    third = save(tmp_path, step=3)
    assert sorted(tmp_path.iterdir()) == [paths[0], third]
    (third / "state.json").unlink()
    save(tmp_path, step=4, sound=[third])  # sizes are looked at all the same
    assert load_checkpoint(tmp_path).step == 4 and not third.exists()


def test_all_damaged_is_an_error_and_none_is_none(save, tmp_path):
    assert load_checkpoint(tmp_path) is None
    damage(save(tmp_path, step=1))
    with pytest.raises(NoCheckpointError, match="does not match its hash"):
        load_checkpoint(tmp_path)


def test_tensors_come_to_the_host(save, tmp_path):
    save(tmp_path, step=1)
    loaded = load_checkpoint(tmp_path)
    assert all(value.device.type == "cpu" for value in loaded.model.values())
    shutil.rmtree(tmp_path / "step-00000001")
    assert load_checkpoint(tmp_path) is None
