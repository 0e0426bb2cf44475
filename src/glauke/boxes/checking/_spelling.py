"""Which label a misspelt one was meant to be."""

import re
import unicodedata
from collections.abc import Sequence

_SEPARATORS = re.compile(r"[\s_.-]+")
_DIGITS = re.compile(r"\d+")
_MOST_LETTERS = 60  # of a label whose letters are compared one by one


def plain(label: str) -> str:
    r"""A label without what people do not see as a difference: capitals, blanks, separators, ways to encode accents.

    >>> plain(" Hard_Hat\n"), plain("hard-hat")
    ('hardhat', 'hardhat')
    """
    folded = unicodedata.normalize("NFKC", label).casefold()
    return _SEPARATORS.sub("", folded) or folded  # a dash alone is a label too


def singulars(word: str) -> set[str]:
    """A plain label, and what it may be the plural of.

    >>> sorted(singulars("boxes"))
    ['box', 'boxe', 'boxes']
    """
    found = {word}
    if len(word) > 3 and word.endswith("s"):
        found.add(word[:-1])
        if word.endswith("es"):
            found.add(word[:-2])
        if word.endswith("ies"):
            found.add(word[:-3] + "y")
    return found


def nearest(label: str, among: Sequence[str]) -> str | None:
    """The one of `among` that `label` is a misspelling of, or None; also None if two are equally near.

    Capitals, blanks and separators do not count, then plurals, then a few letters: one of four to six, two of up to
    eleven, three beyond. Labels with different numbers in them are different things.

    >>> nearest("Masks ", ["mask", "vest"]), nearest("harhat", ["hardhat", "vest"]), nearest("class 1", ["class 2"])
    ('mask', 'hardhat', None)
    """
    word = plain(label)
    plains = [plain(other) for other in among]
    for matches in (
        [i for i, other in enumerate(plains) if other == word],
        [i for i, other in enumerate(plains) if word and singulars(word) & singulars(other)],
    ):
        if matches:
            return among[matches[0]]
    distances = [(letters_between(word, other), i) for i, other in enumerate(plains)]
    found = sorted((distance, i) for distance, i in distances if distance is not None)
    if not found or (len(found) > 1 and found[0][0] == found[1][0]):
        return None
    return among[found[0][1]]


def letters_between(word: str, other: str) -> int | None:
    """How many letters are wrong, missing, added or swapped between two plain labels; None if they are too many.

    >>> letters_between("harhat", "hardhat"), letters_between("msak", "mask"), letters_between("car", "cat")
    (1, 1, None)
    """
    length = max(len(word), len(other))
    most = 0 if length < 4 else 1 if length < 7 else 2 if length < 12 else 3
    if length > _MOST_LETTERS or abs(len(word) - len(other)) > most:
        return None
    if _DIGITS.findall(word) != _DIGITS.findall(other):
        return None
    distance = _distance(word, other)
    return distance if distance <= most else None


def _distance(a: str, b: str) -> int:
    """Optimal string alignment: Levenshtein's distance with swaps of neighbours."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i in range(1, len(a) + 1):
        row = [i]
        for j in range(1, len(b) + 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
