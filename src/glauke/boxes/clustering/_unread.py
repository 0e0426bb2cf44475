"""What of a file of annotations could not be read, for those who only see the numbers made from it."""

from collections import Counter
from collections.abc import Iterator

from .._annotations import Annotations
from .._wording import counted
from ..repairing._repair import unsound


def unread(annotations: Annotations) -> Iterator[str]:
    """What of a file has no say in clusters and anchors, since it is lost or could not be read, in sentences."""
    errors = Counter(finding.rule for finding in annotations.findings if finding.severity == "error")
    lost = unsound(annotations)
    if lost is not None:
        yield f"the file has lost labels or pictures ({lost.message}): here all boxes count, whatever their label"
    if rows := errors["bad-row"]:
        them = "it" if rows == 1 else "them"
        yield f"{counted(rows, 'row')} of the file could not be read; `glauke boxes check` lists {them}"
    if places := errors["bad-entry"]:
        them = "it" if places == 1 else "them"
        yield (
            f"{counted(places, 'place')} of the file could be read only in part or not at all; "
            f"`glauke boxes check` lists {them}"
        )
