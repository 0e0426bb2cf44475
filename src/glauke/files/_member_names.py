"""Which names a member of an archive may carry.

A name that means different things on different systems, or leads out of the folder it is joined to, is
refused and never repaired: repairing makes two members land on one name. The rules follow what `tarfile` and
`zipfile` had to learn (CVE-2007-4559, PEP 706, CVE-2024-12718, CVE-2025-4517), and what Windows cannot store.
"""

import re
import unicodedata

LONGEST_PART = 255  # bytes: what ext4, XFS and APFS allow; NTFS counts 255 UTF-16 units, never more than bytes
LONGEST_NAME = 1024  # bytes: macOS stops at 1024 for a whole path, Linux at 4096

# Windows reads these as devices, with any ending (`nul.jpg`); learn.microsoft.com, "Naming Files, Paths".
_DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789¹²³"
}
_DRIVE = re.compile(r"[A-Za-z]:")
# Nearly every part of nearly every archive: then only the device names are left to look at.
_ORDINARY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}(?<!\.)")


def problem_with_name(name: str) -> str | None:
    """Why `name` ("/" separated, without a final "/") is refused, as "it ..."; None if it may stay.

    >>> problem_with_name("train/n01443537/n01443537_0.JPEG")
    >>> problem_with_name("train/../../evil.txt")
    'it has a part ".."'
    """
    if not name:
        return "it is empty"
    if "\0" in name:
        return "it holds a NUL character"
    if "\\" in name:
        return "it holds a backslash"
    if name.startswith("/"):
        return "it is absolute"
    return problem_with_length(name) or next(filter(None, map(problem_with_part, name.split("/"))), None)


def problem_with_length(name: str) -> str | None:
    """As `problem_with_name`, for the length of the whole name alone."""
    num_bytes = len(name) if name.isascii() else len(name.encode(errors="surrogatepass"))
    return f"it has {num_bytes:,} bytes, more than {LONGEST_NAME:,}" if num_bytes > LONGEST_NAME else None


def problem_with_part(part: str) -> str | None:
    """As `problem_with_name`, for what stands between two "/"."""
    if not _ORDINARY.fullmatch(part) and (problem := _problem_with_unusual_part(part)):
        return problem
    stem = part.split(".", 1)[0].rstrip(" ").upper()
    return f"Windows reserves {stem!r} for a device" if stem in _DEVICES else None


def _problem_with_unusual_part(part: str) -> str | None:
    if not part:
        return "it has an empty part"
    if part in (".", ".."):
        return f'it has a part "{part}"'
    if "\\" in part:
        return "it holds a backslash"
    if _DRIVE.match(part):
        return "it names a drive"
    if part[-1] in ". ":
        return "it has a part that ends in a dot or a space"
    num_bytes = len(part.encode(errors="surrogatepass"))
    if num_bytes > LONGEST_PART:
        return f"it has a part of {num_bytes:,} bytes, more than {LONGEST_PART}"
    # Cc: control characters; Cs: half a character; Zl, Zp: line ends that break tables and scripts.
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in part):
        return "it holds a control character"
    return None


def same_file_key(name: str) -> str:
    """Equal for names that a file system which ignores case or Unicode composition takes for the same file.

    >>> same_file_key("Caf\u00e9.JPG") == same_file_key("cafe\u0301.jpg")
    True
    """
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
