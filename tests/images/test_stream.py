"""Reading one batch ahead in a thread that ends with its reader."""

import threading

import numpy as np
import pytest

from glauke.images._stream import one_ahead, read_rows


def readers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("glauke-pictures")]


def test_items_come_in_order_and_never_more_than_one_is_ahead():
    loaded = []

    def load(item):
        loaded.append(item)
        return 10 * item

    for used, result in enumerate(one_ahead(load, range(20))):
        assert result == 10 * used and len(loaded) <= used + 2
    assert loaded == list(range(20)) and readers() == []


def test_nothing_to_read_is_nothing_read():
    assert list(one_ahead(str, [])) == [] and readers() == []


def test_an_error_is_raised_where_its_result_is_asked_for():
    def load(item):
        if item == 3:
            raise OSError("the disk has gone")
        return item

    seen = []
    with pytest.raises(OSError, match="the disk has gone"):
        for item in one_ahead(load, range(9)):
            seen.append(item)
    assert seen == [0, 1, 2] and readers() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, GeneratorExit])
def test_the_thread_ends_however_the_reader_does(error):
    ahead = one_ahead(lambda item: item, range(1000))
    assert next(ahead) == 0 and len(readers()) == 1
    with pytest.raises(error):
        ahead.throw(error)
    assert readers() == []


def test_a_closed_iterator_has_read_no_more_than_one_ahead():
    loaded = []
    ahead = one_ahead(loaded.append, range(1000))
    next(ahead)
    ahead.close()
    assert len(loaded) <= 2 and readers() == []


class Asked(np.ndarray):
    """Pictures that note how they were asked for."""

    def __getitem__(self, key):
        Asked.rows = list(key)
        return np.asarray(self)[key]


def test_rows_are_read_in_the_order_of_the_disk_and_given_in_that_of_the_batch():
    pixels = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1).repeat(4, axis=1).repeat(4, axis=2)
    found = read_rows(pixels.view(Asked), np.array([4, 0, 5, 0]), 4)
    assert found[:, 0, 0, 0].tolist() == [4, 0, 5, 0] and Asked.rows == [0, 0, 4, 5]
