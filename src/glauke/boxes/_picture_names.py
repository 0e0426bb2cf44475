"""Which file a picture's name means, whatever folders, machine or capitals it was written with."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from urllib.parse import unquote

_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)", re.IGNORECASE)
_SLASHES = re.compile(r"[\\/]+")


def last_part(name: str) -> str:
    r"""The file name alone, of a path of any system or of a URL.

    >>> last_part("C:\\photos\\1.jpg"), last_part("https://example.org/a/my%20dog.jpg?size=9")
    ('1.jpg', 'my dog.jpg')
    """
    return _parts(name)[-1]


def name_finder(names: Sequence[str]) -> Callable[[str], list[int]]:
    """A function that finds a name among `names` and returns the positions of those it may mean, best kind only.

    The very same name comes first, then the same file name in another folder, then one that differs in capitals or in
    the way that accents are encoded. Where several are left, those with the longest common end of the path.
    """
    parts = [_parts(name) for name in names]
    by_name: dict[str, list[int]] = {}
    by_last: dict[str, list[int]] = {}
    by_folded: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        if name:
            by_name.setdefault(_plain(name), []).append(i)
            by_last.setdefault(parts[i][-1], []).append(i)
            by_folded.setdefault(_folded(parts[i][-1]), []).append(i)

    def find(name: str) -> list[int]:
        if not name:
            return []
        wanted = _parts(name)
        last = wanted[-1]
        found = by_name.get(_plain(name)) or by_last.get(last) or by_folded.get(_folded(last)) or []
        return found if len(found) < 2 else _closest(wanted, found, parts)

    return find


def _closest(wanted: list[str], found: list[int], parts: list[list[str]]) -> list[int]:
    common = [_common_end(wanted, parts[i]) for i in found]
    return [i for i, length in zip(found, common, strict=True) if length == max(common)]


def _common_end(one: list[str], other: list[str]) -> int:
    length = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if _folded(a) != _folded(b):
            break
        length += 1
    return length


def _plain(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./")


def _parts(name: str) -> list[str]:
    if _URL.match(name):
        name = unquote(re.split(r"[?#]", name, maxsplit=1)[0])
    return _SLASHES.split(name.rstrip("/\\"))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
