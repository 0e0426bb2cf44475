from pathlib import Path

import pytest

from glauke.errors import UsageError
from glauke.files import cache_folder


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    monkeypatch.delenv("GLAUKE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


def test_the_first_that_is_set_wins(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "expanduser", lambda self: tmp_path / "home" / self.relative_to("~"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "glauke"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "glauke"

    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    assert list(tmp_path.iterdir()) == []


def test_what_is_empty_or_relative_does_not_count(monkeypatch):
    plain = cache_folder()

    monkeypatch.setenv("GLAUKE_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/cache")

    assert cache_folder() == plain


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    def homeless(self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)

    with pytest.raises(UsageError, match="set GLAUKE_CACHE"):
        cache_folder()
