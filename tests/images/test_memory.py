"""How much memory is free, from files as systems write them."""

import math

import pytest

from glauke.images import _memory

GIB = 2**30


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine with 8 GiB available, without a container's limit."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\n")
    monkeypatch.setattr(_memory, "MEMINFO", meminfo)
    monkeypatch.setattr(_memory, "CONTAINER", tmp_path / "cgroup")
    (tmp_path / "cgroup" / "memory").mkdir(parents=True)
    return tmp_path


def limit(folder, *, names, most, used, cached):
    for name, text in zip(names, (most, used), strict=True):
        (folder / name).write_text(f"{text}\n")
    stat = "total_inactive_file" if "limit" in names[0] else "inactive_file"
    (folder / "memory.stat").write_text(f"cache 1\n{stat} {cached}\n")


def test_what_is_available_counts_and_half_of_it_may_be_taken(system):
    assert _memory.free_memory("cpu") == 8 * GIB
    assert _memory.fits(4 * GIB, "cpu") and not _memory.fits(4 * GIB + 1, "cpu")


def test_a_container_may_have_less_than_its_machine(system):
    group = system / "cgroup"
    limit(group, names=("memory.max", "memory.current"), most=4 * GIB, used=3 * GIB, cached=GIB)
    assert _memory.free_memory("cpu") == 2 * GIB  # what was read from files is given up when it is needed
    limit(group, names=("memory.max", "memory.current"), most="max", used=3 * GIB, cached=GIB)
    assert _memory.free_memory("cpu") == 8 * GIB


def test_control_groups_of_version_1_count_too(system):
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    limit(system / "cgroup" / "memory", names=names, most=2 * GIB, used=GIB, cached=0)
    assert _memory.free_memory("cpu") == GIB
    limit(system / "cgroup" / "memory", names=names, most=2**63 - 4096, used=GIB, cached=0)  # its word for no limit
    assert _memory.free_memory("cpu") == 8 * GIB


@pytest.mark.parametrize("text", ["", "MemTotal: 1 kB\n", "MemAvailable: much kB\n"])
def test_where_nothing_tells_there_is_a_cautious_guess(system, monkeypatch, text):
    (system / "meminfo").write_text(text)
    assert 0 < _memory.free_memory("cpu") < math.inf
    monkeypatch.delattr(_memory.os, "sysconf", raising=False)
    assert _memory.free_memory("cpu") == _memory.UNKNOWN


def test_what_pytorch_has_reserved_and_does_not_use_is_free_on_a_gpu(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2 * GIB, 8 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 5 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 1 * GIB)
    assert _memory.free_memory("cuda:0") == 6 * GIB
