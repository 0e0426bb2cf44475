"""glauke: from raw pictures to a trained, explained classifier, and from VIA annotations to anchors.

Importing this package loads nothing heavy; take what you need from its rooms:

    files     bytes on disk, safely
    images    raw pictures become batches
    models    networks, each a function (num_classes, in_channels) -> nn.Module
    training  a model is trained
    runs      the run folder: record, read, list, compare
    insight   a trained model is explained
    boxes     annotations become anchors
    pages     results become one self-contained HTML page
"""

__version__: str


def __getattr__(name: str) -> str:
    # Looked up when it is asked for: reading the metadata costs more than all else in this file.
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("glauke")
    except PackageNotFoundError:  # a checkout on the path that was never installed
        return "0+unknown"
