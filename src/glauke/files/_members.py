"""What every kind of archive has in common: members, limits, and the register that admits them one by one."""

from dataclasses import dataclass
from pathlib import Path

from glauke.errors import DataError

from ._member_names import problem_with_length, problem_with_name, problem_with_part, same_file_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A regular file in an archive."""

    name: str
    """Relative, "/" separated, checked: safe to join to a folder on any system, and unique in its archive."""

    size: int
    """Bytes, unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much an archive may hold. Bytes are counted as they are produced, whatever the headers promise."""

    entries: int = 2_000_000
    """Files and folders; ImageNet-1k, the largest set of pictures in common use, has 1.4 million."""

    member_bytes: int = 512 * 1024**2
    """For one file, wanted or not; a picture of 50 megapixels has 150 MB before it is compressed at all."""

    total_bytes: int = 100 * 10**9
    """For the content of all files; 1.1 times the size of a data set where that is known."""

    ratio: int = 200
    """Unpacked over packed bytes of one file above 1 MiB, and of the whole archive above 256 MiB.

    Files in a compressed tar have no packed size of their own: there, all packed bytes up to the file count.
    Pictures hardly compress. Deflate cannot exceed 1032, which is what bombs are made of (CVE-2019-9674).
    """


RATIO_FROM_MEMBER_BYTES = 1024**2  # below, a blank drawing may well reach 200 and does no harm
RATIO_FROM_TOTAL_BYTES = 256 * 1024**2  # tar pads tiny files to 1 KiB of near-zeros: be patient with those

_OVERHEAD_BYTES = 4096  # tar's headers and padding for one file; 2 KiB with a pax header
_PADDING_BYTES = 64 * 1024**2  # what may stand at the end


class Register:
    """Admits the entries of one archive in turn; remembers what it must to see duplicates and sums."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self._num_entries = 0
        self._num_bytes = 0
        self._files: set[str] = set()
        self._folders: set[str] = set()  # keys of all folders, named or implied
        self._vetted: set[str] = set()  # folders as written, known to be well named

    def admit_file(self, name: str, size: int) -> Member:
        """The member, or `DataError` if its name or size, or the archive with it, breaks a rule."""
        name = self._vet(name)
        if size > self.limits.member_bytes:
            raise self.refusal(f"is said to hold {size:,} bytes, more than {self.limits.member_bytes:,}", name=name)
        self._num_bytes += size
        if self._num_bytes > self.limits.total_bytes:
            raise self._too_large()
        key = same_file_key(name)
        if key in self._files:
            raise self.refusal("occurs twice (capital letters and accents apart)", name=name)
        if key in self._folders:
            raise self.refusal("is a file and a folder at once", name=name)
        self._files.add(key)
        self._add_folders(key.rpartition("/")[0], name)
        return Member(name=name, size=size)

    def admit_folder(self, name: str) -> None:
        """As `admit_file`; a folder may occur again."""
        name = name.removesuffix("/")
        if name == ".":  # `tar -C folder .` begins with it
            self._count()
            return
        name = self._vet(name)
        self._add_folders(same_file_key(name), name)

    def allow_raw_bytes(self, num_bytes: int) -> None:
        """Raise `DataError` if so much, headers and padding included, cannot come from files that are allowed."""
        if num_bytes > self.limits.total_bytes + self._num_entries * _OVERHEAD_BYTES + _PADDING_BYTES:
            raise self._too_large()

    def refusal(self, reason: str, *, name: str) -> DataError:
        """The error that names the archive and the member; `reason` continues "member NAME ..."."""
        return DataError(
            f"member {_shown(name)} {reason}", place=str(self.path), fix="make the archive again without it"
        )

    def damage(self, reason: str, *, fix: str = "fetch or make it again") -> DataError:
        """The error for the archive as a whole."""
        return DataError(reason, place=str(self.path), fix=fix)

    def _too_large(self) -> DataError:
        return self.damage(f"it unpacks to more than {self.limits.total_bytes:,} bytes", fix="split it")

    def _count(self) -> None:
        self._num_entries += 1
        if self._num_entries > self.limits.entries:
            raise self.damage(f"it holds more than {self.limits.entries:,} entries")

    def _vet(self, name: str) -> str:
        self._count()
        name = name.removeprefix("./")  # the only repair: every `tar -C folder .` writes it
        folder, _, base = name.rpartition("/")
        if folder and folder in self._vetted:
            problem = problem_with_part(base) or problem_with_length(name)
        else:
            problem = problem_with_name(name)
        if problem:
            raise self.refusal(f"has a name that is not allowed: {problem}", name=name)
        self._vetted.add(folder)
        return name

    def _add_folders(self, key: str, name: str) -> None:
        while key and key not in self._folders:
            if key in self._files:
                raise self.refusal(f"makes {_shown(key)} a file and a folder at once", name=name)
            self._folders.add(key)
            key = key.rpartition("/")[0]


def _shown(name: str) -> str:
    return repr(name if len(name) <= 100 else f"{name[:60]}...{name[-30:]}")
