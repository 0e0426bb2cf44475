"""Data sets that somebody published: looked for where people keep them, else fetched from where they came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from glauke import files
from glauke.errors import CannotGoOnError

from ._picture import PackProgress

Watch = Callable[[PackProgress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """One file as it was published, and where."""

    url: str
    num_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """What the file is called.

        >>> PublishedFile(url="https://example.org/a/b.tar.gz", num_bytes=1, sha256="00").name
        'b.tar.gz'
        """
        return self.url.rsplit("/", 1)[-1]


def find_published(
    name: str,
    *,
    places: Sequence[str],
    published: Sequence[PublishedFile],
    folder: str = "",
    complete: Callable[[Path], bool] = Path.exists,
    watch: Watch | None = None,
) -> Path:
    """The first of `places` that is `complete` in `./data` or among the downloads of the cache; fetched if none is.

    A data set of several files is fetched into `folder` there, and that folder is returned; `watch` is told the
    bytes of all of them together.

    Raises:
        CannotGoOnError: it is nowhere and cannot be fetched; says where it was looked for and what to put there.
    """
    downloads = files.cache_folder() / "downloads"
    for parent in (Path("data"), downloads):
        for place in places:
            if complete(parent / place):
                return parent / place
    total, before = sum(each.num_bytes for each in published), 0

    def told(done: int, _: int | None) -> None:
        if watch is not None:
            watch(PackProgress(stage="download", done=before + done, total=total))

    target = downloads / folder
    for each in published:
        try:
            files.download(each.url, target / each.name, num_bytes=each.num_bytes, sha256=each.sha256, watch=told)
        except CannotGoOnError as error:
            needed = published[0].name if len(published) == 1 else f"its {len(published)} files"
            raise CannotGoOnError(
                f"{name} is neither in ./data nor in {downloads} and cannot be downloaded ({error.message})",
                place=each.url,
                fix=f"put {needed} into ./{(Path('data') / folder).as_posix()}, or say where it lies with --source",
            ) from error
        before += each.num_bytes
    return target if folder else target / published[0].name
