"""Where the time goes: marks on the host's clock, and in a device's queue that is read later."""

import pytest
import torch

from glauke.training.loop import _clock
from glauke.training.loop._clock import PARTS, READ_AT, Clock, EventQueue


@pytest.fixture
def ticking(monkeypatch):
    """A host's clock that moves only when it is told to."""
    now = [100.0]
    monkeypatch.setattr(_clock.time, "perf_counter", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


def test_marks_part_the_time_and_what_lies_before_a_beginning_counts_to_none(ticking):
    clock = Clock(torch.device("cpu"))
    ticking(50.0)
    clock.begin()
    for part, seconds in (("data", 1.0), ("train", 4.0), ("optimizer", 0.5)):
        ticking(seconds)
        clock.mark(part)
    ticking(7.0)  # somebody redraws a bar
    clock.begin()
    ticking(2.0)
    clock.mark("data")
    with clock.counting("eval"):
        ticking(3.0)
    assert clock.epoch == {"data": 3.0, "train": 4.0, "optimizer": 0.5, "eval": 3.0, "write": 0.0}


def test_a_new_epoch_begins_at_nothing_and_the_run_goes_on(ticking):
    clock = Clock()
    with pytest.raises(RuntimeError), clock.counting("write"):
        ticking(2.0)
        raise RuntimeError
    clock.next_epoch()
    with clock.counting("write"):
        ticking(1.0)
    assert clock.epoch["write"] == 1.0 and clock.run["write"] == 3.0 and tuple(clock.epoch) == PARTS


class Device:
    """A queue of work: an event gets its time when the device passes it."""

    def __init__(self):
        self.now = 0.0
        self.passed = []
        self.made = self.waits = 0

    def event(self, *, enable_timing):
        assert enable_timing
        self.made += 1
        return Event(self)


class Event:
    def __init__(self, device):
        self.device, self.time = device, None

    def record(self):
        self.time = None
        self.device.passed.append(self)

    def query(self):
        return self.time is not None

    def synchronize(self):
        self.device.waits += 1
        self.device.work(0.0)

    def elapsed_time(self, other):
        return 1000 * (other.time - self.time)


def work(self, seconds):
    """Let time pass on the device, and everything queued with it."""
    for event in self.passed:
        event.time = self.now if event.time is None else event.time
    self.passed.clear()
    self.now += seconds


Device.work = work


def test_a_queue_is_read_only_as_far_as_the_device_has_come():
    device = Device()
    queue = EventQueue(device.event)
    queue.put(None)
    device.work(0.25)
    queue.put("data")
    assert list(queue.read(wait=False)) == []  # the device has not passed the second mark
    device.work(0.5)
    queue.put("train")
    assert list(queue.read(wait=False)) == [("data", 0.25)] and device.waits == 0
    assert list(queue.read(wait=True)) == [("train", 0.5)] and device.waits == 1


def test_time_before_a_beginning_counts_to_no_part():
    device = Device()
    queue = EventQueue(device.event)
    for part, seconds in ((None, 1.0), ("data", 20.0), (None, 3.0), ("train", 0.0)):
        queue.put(part)
        device.work(seconds)
    assert list(queue.read(wait=True)) == [("data", 1.0), ("train", 3.0)]


def test_a_long_epoch_never_waits_and_uses_its_events_again():
    device, clock = Device(), Clock()
    clock.queue = EventQueue(device.event)
    for _ in range(10 * READ_AT):
        clock.begin()
        device.work(0.5)
        clock.mark("data")
        device.work(0.25)
        clock.mark("train")
    assert device.waits == 0 and device.made <= READ_AT + 3
    clock.settle()
    assert clock.epoch["data"] == 0.5 * 10 * READ_AT and clock.epoch["train"] == 0.25 * 10 * READ_AT
