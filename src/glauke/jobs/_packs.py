"""The pictures that a run was trained on: from the cache, or packed again from what is given."""

from collections.abc import Callable
from pathlib import Path

from glauke import images
from glauke.errors import DataError
from glauke.files import cache_folder
from glauke.images import Pack, PackProgress
from glauke.training import Stage, Watch


def packing(watch: Watch) -> Callable[[PackProgress], None]:
    """What packing tells, told to the watch of a run."""

    def told(progress: PackProgress) -> None:
        watch(Stage(name=progress.stage, done=progress.done, total=progress.total))

    return told


def cached_pack(key: object) -> Pack | None:
    """The pack of this key; None if the cache does not have it any more. A run names no path of its machine."""
    try:
        return images.read_pack(cache_folder() / "packs" / str(key))
    except DataError:
        return None


def pack_of_run(
    key: object, size: object, *, run: Path, data: str | None, source: Path | None, again: str, watch: Watch
) -> Pack:
    """The pictures of the run in `run`: those of `key` in the cache, or `data` packed at the run's `size`.

    `again` is the command that gives the data, for the message of the `DataError` where they are needed.
    """
    if data is not None:
        return images.open_pack(data, source, size=size if isinstance(size, int) else None, watch=packing(watch))
    pack = cached_pack(key)
    if pack is None:
        raise DataError(
            "the pictures of this run are not in the cache any more",
            place=str(run),
            fix=f"give the data again: {again}",
        )
    return pack
