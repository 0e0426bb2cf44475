"""Where pictures come from: named data sets, and any folder or archive of class folders.

To add a named data set, write a `Source` in a file of its own and give it a line in `SOURCES`.
"""

from collections.abc import Callable
from pathlib import Path

from glauke.errors import UnknownNameError, UsageError

from ._digits import Digits
from ._folder import ClassFolders
from ._picture import PackProgress, Source
from ._tiny_imagenet import TinyImageNet, find_tiny_imagenet, looks_like_tiny_imagenet

Watch = Callable[[PackProgress], None]


def find_source(data: str, source: Path | None = None, *, watch: Watch | None = None) -> Source:
    """The source that `data` names, a name of `SOURCES` or a path; `source` says where a named one lies.

    Without `source` a named data set is looked for in `./data`, then in the cache, and then downloaded;
    `watch` is told how far. A name wins over a folder of the same name, which `./name` reaches.
    """
    if data in SOURCES:
        return SOURCES[data](source, watch)
    path = Path(data).expanduser()
    if not path.exists() and path.name == data and not path.suffix:
        raise UnknownNameError(data, kind="data set or folder", known=SOURCES)
    if source is not None:
        raise UsageError(f"{data} is a path already", place="--source", fix="leave --source out")
    if looks_like_tiny_imagenet(path):
        return TinyImageNet(path)
    return ClassFolders(path)


def _tiny_imagenet(source: Path | None, watch: Watch | None) -> Source:
    return TinyImageNet(source.expanduser() if source else find_tiny_imagenet(watch))


def _digits(source: Path | None, watch: Watch | None) -> Source:
    if source is not None:
        raise UsageError("digits come with scikit-learn", place="--source", fix="leave --source out")
    return Digits()


SOURCES: dict[str, Callable[[Path | None, Watch | None], Source]] = {
    "digits": _digits,
    "tiny-imagenet": _tiny_imagenet,
}
