"""Where pictures come from: named data sets, and any folder or archive of class folders.

To add a named data set, write a `Source` in a file of its own and give it a line in `SOURCES`.
"""

from collections.abc import Callable
from pathlib import Path

from glauke.errors import UnknownNameError, UsageError

from ._cifar import CIFAR10, CIFAR100, Cifar, cifar_at, find_cifar
from ._digits import Digits
from ._folder import ClassFolders
from ._mnist import Mnist, find_mnist, mnist_at
from ._picture import Source
from ._published import Watch
from ._tiny_imagenet import TinyImageNet, find_tiny_imagenet, looks_like_tiny_imagenet


def find_source(data: str, source: Path | None = None, *, watch: Watch | None = None) -> Source:
    """The source that `data` names, a name of `SOURCES` or a path; `source` says where a named one lies.

    Without `source` a named data set is looked for in `./data`, then in the cache, and then downloaded;
    `watch` is told how far. A name wins over a folder of the same name, which `./name` reaches. A path to the files
    of a named data set is that data set.
    """
    if data in SOURCES:
        return SOURCES[data](source.expanduser() if source else None, watch)
    path = Path(data).expanduser()
    if not path.exists() and path.name == data and not path.suffix:
        raise UnknownNameError(data, kind="data set or folder", known=SOURCES)
    if source is not None:
        raise UsageError(f"{data} is a path already", place="--source", fix="leave --source out")
    if looks_like_tiny_imagenet(path):
        return TinyImageNet(path)
    return mnist_at(path) or cifar_at(path) or ClassFolders(path)


def _tiny_imagenet(source: Path | None, watch: Watch | None) -> Source:
    return TinyImageNet(source or find_tiny_imagenet(watch))


def _digits(source: Path | None, watch: Watch | None) -> Source:
    if source is not None:
        raise UsageError("digits come with scikit-learn", place="--source", fix="leave --source out")
    return Digits()


SOURCES: dict[str, Callable[[Path | None, Watch | None], Source]] = {
    "digits": _digits,
    "mnist": lambda source, watch: Mnist(source or find_mnist("mnist", watch)),
    "fashion-mnist": lambda source, watch: Mnist(source or find_mnist("fashion-mnist", watch), name="fashion-mnist"),
    "cifar10": lambda source, watch: Cifar(source or find_cifar(CIFAR10, watch), CIFAR10),
    "cifar100": lambda source, watch: Cifar(source or find_cifar(CIFAR100, watch), CIFAR100),
    "tiny-imagenet": _tiny_imagenet,
}
