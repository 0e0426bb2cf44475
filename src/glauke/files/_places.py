"""Where glauke keeps what it can make again: packs and downloads."""

import os
from pathlib import Path

from glauke.errors import UsageError


def cache_folder() -> Path:
    """`$GLAUKE_CACHE`, else `$XDG_CACHE_HOME/glauke`, else `~/.cache/glauke`.

    Only a name: nothing is created, and the folder need not exist. A relative `XDG_CACHE_HOME` is ignored,
    as the XDG Base Directory Specification demands; a relative `GLAUKE_CACHE` counts from the current folder.

    >>> cache_folder().is_absolute()
    True
    """
    if own := os.environ.get("GLAUKE_CACHE"):
        return _home_filled_in(Path(own)).absolute()
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (xdg if xdg.is_absolute() else _home_filled_in(Path("~/.cache"))) / "glauke"


def _home_filled_in(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:  # a container with a user id that no password file knows
        raise UsageError(
            f"{path} needs a home folder and this user has none", fix="set GLAUKE_CACHE to a folder"
        ) from error
