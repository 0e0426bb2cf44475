"""A mended copy of a file of annotations, with a list of all that was changed in it.

What can be mended is mended: labels, boxes that reach over an edge, names, sizes, keys. What cannot is set aside, so
that a check of the copy finds neither errors nor warnings but those that only a person can decide. The original stays
as it is, so nothing is lost.
"""

from collections.abc import Sequence
from pathlib import Path

from glauke.errors import DataError, UsageError
from glauke.files import collector_paused, parse_json, read_text, write_bytes

from .._annotations import Annotations
from .._findings import Finding
from ..repairing._repair import unsound
from ._fix_coco import change_coco
from ._fix_csv import change_csv
from ._fix_via import change_via
from ._fix_via3 import change_via3
from ._json_style import json_bytes, json_style
from ._plan import Applied, Plan, plan_of

_JSON = {
    "via1-region": change_via,
    "via2-region": change_via,
    "via2-project": change_via,
    "via3-project": change_via3,
    "via-coco": change_coco,
    "coco": change_coco,
}
_CSV = ("via1-csv", "via2-csv")


def fix(path: Path, annotations: Annotations, findings: Sequence[Finding], *, out: Path) -> tuple[Applied, ...]:
    """Write a copy of the file at `path` to `out` in which the change of every finding is carried out.

    `annotations` are those that `findings` are about: what was read from `path`, repaired or not. Unknown keys, the
    order of keys and the layout of the file are kept; without any change the copy has the same bytes. JSON with changes
    is written as `json.dumps` spells it, which a second time gives the same bytes.

    Raises:
        UsageError: `out` is the file itself, or its kind cannot be changed in place.
        DataError: labels or pictures are lost that only a repair could give back, or no picture would be left.
        CannotGoOnError: `out` cannot be written.
    """
    if out.resolve() == path.resolve() or (out.exists() and out.samefile(path)):
        raise UsageError("the fixed copy cannot replace the file itself", place=str(out), fix="give another --fix")
    if annotations.kind not in _JSON and annotations.kind not in _CSV:
        raise UsageError(
            f"a file of the kind {annotations.kind} cannot be changed in place",
            place=str(path),
            fix=f"convert it first: glauke boxes convert {path} --to via --out project.json",
        )
    if (lost := unsound(annotations)) is not None:
        raise DataError(
            lost.message, place=str(path), fix=lost.fix or "give the VIA JSON that it was made from with --repair-from"
        )
    plan, applied = plan_of(annotations, findings)
    _require_pictures(path, annotations, plan, applied)
    if annotations.kind in _CSV:
        return (*applied, *_fix_csv(path, annotations, plan, findings, out))
    data = path.read_bytes()
    if applied:
        style = json_style(data)
        json = data.removeprefix(style.before)
        with collector_paused():
            document = parse_json(json[: len(json) - len(style.after)], place=str(path))
            assert isinstance(document, dict)  # the reader has recognised it
            _change_parts(document, plan)
            _JSON[annotations.kind](document, annotations, plan)
        data = json_bytes(document, style)
    write_bytes(out, data)
    return tuple(applied)


def _require_pictures(path: Path, annotations: Annotations, plan: Plan, applied: Sequence[Applied]) -> None:
    """Refuse a copy that would hold no picture any more: some of its kind would not even be recognised."""
    nameless = {i for i, name in enumerate(annotations.names) if not name} if plan.anew else set()
    if annotations.names and len(plan.dropped_pictures | nameless) == len(annotations.names):
        first = next(each.finding for each in applied if each.finding.change and each.finding.change.region is None)
        raise DataError(f"no picture would be left in the copy: {first.message}", place=str(path), fix=first.fix)


def _change_parts(document: dict, plan: Plan) -> None:
    for path, what in plan.parts.items():
        part = document
        for key in path[:-1]:
            part = part[key]
        if what == "drop-part":
            del part[path[-1]]
        else:
            part[path[-1]] = {}


def _fix_csv(path: Path, annotations: Annotations, plan: Plan, findings: Sequence[Finding], out: Path) -> list[Applied]:
    text, applied = change_csv(read_text(path), annotations, plan, findings)
    changed = applied or plan != Plan()
    write_bytes(out, text.encode() if changed else path.read_bytes())
    return applied
