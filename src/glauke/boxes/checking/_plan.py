"""The changes of many findings as one plan, and what it does in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .._annotations import Annotations
from .._findings import Change, Finding, What
from .._wording import counted, number, quoted
from ..formats._shapes import Box
from ..writing._picture_boxes import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One change that a fixed copy has."""

    finding: Finding
    message: str
    """Where, what it was, and what it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes by picture and by row of `Annotations`; what is dropped has no other change."""

    labels: dict[int, str] = field(default_factory=dict)
    boxes: dict[int, Box] = field(default_factory=dict)
    dropped_rows: set[int] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    byte_sizes: dict[int, int] = field(default_factory=dict)
    picture_sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)
    """Pictures whose key is made anew."""

    dropped_pictures: set[int] = field(default_factory=set)
    anew: list[Finding] = field(default_factory=list)
    """Findings for which the whole document is written anew."""

    parts: dict[tuple[str, ...], What] = field(default_factory=dict)
    """Whether what stands under a path of keys is taken out or made empty."""

    def rows(self) -> set[int]:
        """Every row that changes or goes."""
        return self.labels.keys() | self.boxes.keys() | self.dropped_rows


def plan_of(annotations: Annotations, findings: Sequence[Finding]) -> tuple[Plan, list[Applied]]:
    """The plan that carries out the change of every finding; of contradicting ones, what is dropped stays dropped."""
    changes = [(finding, finding.change) for finding in findings if finding.change is not None]
    plan = Plan()
    plan.dropped_pictures.update(change.image for _, change in changes if change.what == "drop-picture")
    rows = (change.region for _, change in changes if change.what == "drop-region")
    plan.dropped_rows.update(row for row in rows if row is not None)
    # What a picture's file says comes after what its entry says, and stands.
    last = {(change.what, change.image): change for _, change in changes if change.what in ("name", "byte-size")}
    told: set[tuple[str, int, int | None]] = set()
    applied = []
    for finding, change in changes:
        if change.what != "drop-picture" and change.image in plan.dropped_pictures:
            continue
        if change.what not in ("drop-region", "drop-picture") and change.region in plan.dropped_rows:
            continue
        place = (change.what, change.image, change.region)
        if change.what == "categories":
            plan.anew.append(finding)
            applied.append(Applied(finding=finding, message=f"written anew: {finding.message}"))
        elif change.what in ("drop-part", "empty-part"):
            assert isinstance(change.value, tuple)
            plan.parts[change.value] = change.what
            done = "taken out" if change.what == "drop-part" else "made an empty object"
            applied.append(Applied(finding=finding, message=f"{done}: {finding.message}"))
        elif place not in told:
            told.add(place)
            what = _enter(plan, annotations, last.get((change.what, change.image), change))
            applied.append(Applied(finding=finding, message=f"{_place(annotations, change)}: {what}"))
    return plan, applied


def _enter(plan: Plan, annotations: Annotations, change: Change) -> str:
    """Put one change into the plan, and say what it does."""
    image, row, value = change.image, change.region, change.value
    match change.what, value:
        case "drop-picture", _:
            regions = int((annotations.image == image).sum())
            return f"left out, with {counted(regions, 'region')}"
        case "drop-region", _:
            assert row is not None
            label = annotations.label_of(row)
            said = "without a label" if label is None else quoted(label)
            return f"left out ({said}, box {_box(annotations.boxes_xywh[row].tolist())})"
        case "label", str():
            assert row is not None
            plan.labels[row] = value
            return f"the label {quoted(annotations.label_of(row) or '')} became {quoted(value)}"
        case "box", (x, y, w, h):
            assert row is not None
            plan.boxes[row] = (x, y, w, h)
            return f"the box {_box(annotations.boxes_xywh[row].tolist())} was cut to {_box((x, y, w, h))}"
        case "name", str():
            plan.names[image] = value
            return f"the name became {quoted(value)}"
        case "byte-size", int():
            plan.byte_sizes[image] = value
            if value < 0:
                return "the size became -1, which stands for unknown"
            return f"the size became {value:,} bytes, after {int(annotations.byte_sizes[image]):,}"
        case "picture-size", (int() as width, int() as height):
            plan.picture_sizes[image] = (width, height)
            return f"width and height became {width} and {height}"
        case "key", _:
            plan.keys.add(image)
            return f"the key {quoted(annotations.keys[image])} was made anew"
    raise AssertionError(f"a finding asks for {change.what} with {value!r}")


def _place(annotations: Annotations, change: Change) -> str:
    name = quoted(annotations.names[change.image])
    return name if change.region is None else f"{name}, region {int(annotations.region[change.region])}"


def _box(values: Sequence[float | int]) -> str:
    return " ".join(number(plain(value) if value == value else value) for value in values)
