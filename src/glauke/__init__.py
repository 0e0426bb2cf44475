"""glauke: from raw pictures to a trained classifier, with every number on the way explained.

Importing this package loads nothing heavy; take what you need from its rooms:

    files     bytes on disk, safely
    images    raw pictures become batches
    models    networks, each a function (num_classes, in_channels, stem) -> nn.Module
    training  a model is trained
    runs      the run folder: record, read, list
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
