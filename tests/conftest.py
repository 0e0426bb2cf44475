"""What every test stands on: a cache of its own, no window, and the way to the real data."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

FIRST = ("test_readme.py", "test_notebook.py", "test_pack.py", "test_tiny_boxes.py", "test_train.py")
"""Files of few and long tests. Begun last, one of several processes would work on alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones; within a file the order stays."""
    items.sort(key=lambda item: item.path.name not in FIRST)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep packs and downloads of the tests out of the user's cache, and the user's out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLAUKE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The folder of real data sets that GLAUKE_DATASETS names; without it the test is skipped."""
    folder = os.environ.get("GLAUKE_DATASETS")
    if not folder:
        pytest.skip("GLAUKE_DATASETS does not name the folder of real data sets")
    if not Path(folder).is_dir():
        pytest.fail(f"GLAUKE_DATASETS names {folder}, which is not a folder")
    return Path(folder)
