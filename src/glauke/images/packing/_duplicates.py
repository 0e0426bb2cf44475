"""Which pictures are the same, or belong together: they may never be on two sides of a split."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int64

from ..sources._picture import Finding


def components(content: Sequence[bytes], groups: Sequence[str | None]) -> Int64[np.ndarray, " n"]:
    """Equal numbers for pictures that are linked by equal content or an equal group, however many steps apart.

    A number is the index of the first picture of its component.

    >>> components([b"7", b"8", b"7", b"9", b"9"], [None, "a", "a", None, None]).tolist()
    [0, 0, 0, 3, 3]
    """
    parent = list(range(len(content)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[object, int] = {}
    for i, (same, group) in enumerate(zip(content, groups, strict=True)):
        for key in (("content", same), ("group", group))[: 1 if group is None else 2]:
            a, b = root(first.setdefault(key, i)), root(i)
            parent[max(a, b)] = min(a, b)
    return np.array([root(i) for i in range(len(parent))], np.int64)


def same_content(content: Sequence[bytes], names: Sequence[str], classes: Sequence[str]) -> Iterator[Finding]:
    """One finding for every set of pictures whose pixels are the same; a warning where their classes differ."""
    members: dict[object, list[int]] = {}
    for i, key in enumerate(content):
        members.setdefault(key, []).append(i)
    for same in members.values():
        if len(same) < 2:
            continue
        named = tuple(names[i] for i in same)
        if len({classes[i] for i in same}) == 1:
            message = f"{len(same)} pictures of {classes[same[0]]!r} are the same: {_listed(named)}"
            yield Finding(rule="same-content", severity="note", files=named, message=message)
        else:
            each = [f"{names[i]} ({classes[i]})" for i in same]
            message = f"the same picture under different labels: {_listed(each)}"
            yield Finding(rule="same-content-other-label", severity="warning", files=named, message=message)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
