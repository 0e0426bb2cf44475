"""Pictures and regions gathered one by one, for formats that are many small files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .._annotations import SHAPES, Annotations
from .._findings import Change, Finding
from ._shapes import NO_BOX, Box

RECT = SHAPES.index("rect")
POLYGON = SHAPES.index("polygon")
UNKNOWN = SHAPES.index("unknown")


@dataclass(slots=True, kw_only=True, eq=False)
class Gathered:
    """What has been read so far; regions belong to the picture that was added last."""

    names: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    """How many regions each picture has."""

    boxes: list[Box] = field(default_factory=list)
    shapes: list[int] = field(default_factory=list)
    label: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def picture(self, name: str, *, key: str, size: tuple[int, int] = (0, 0)) -> None:
        """Add a picture without regions; a size of 0 is not known."""
        self.names.append(name)
        self.keys.append(key)
        self.sizes.append(size)
        self.counts.append(0)

    def region(self, box: Box, *, label: int, shape: int = RECT, line: int = 0) -> None:
        """Add a region of the last picture; a label of -1 is none."""
        self.boxes.append(box)
        self.shapes.append(shape)
        self.label.append(label)
        self.lines.append(line)
        self.counts[-1] += 1

    def broken_region(self, problem: str, *, label: int, line: int = 0) -> None:
        """Add a region that no box can be made of, and the finding that says so: "region 0 " and `problem`."""
        image, region = len(self.names) - 1, self.counts[-1]
        self.findings.append(
            Finding(
                rule="bad-shape",
                severity="error",
                message=f"region {region} {problem}",
                image=self.names[image],
                region=region,
                fix="draw the region again",
                change=Change(what="drop-region", image=image, region=len(self.boxes)),
            )
        )
        self.region(NO_BOX, label=label, shape=UNKNOWN, line=line)

    def annotations(self, *, kind: str, path: Path, labels: Sequence[str], with_lines: bool = True) -> Annotations:
        """All that was gathered, as columns."""
        counts = np.array(self.counts, dtype=np.int64)
        image = np.repeat(np.arange(len(counts)), counts)
        sizes = np.array(self.sizes, dtype=np.int64).reshape(-1, 2)
        return Annotations(
            kind=kind,
            path=path,
            names=tuple(self.names),
            keys=tuple(self.keys),
            byte_sizes=np.full(len(counts), -1, dtype=np.int64),
            widths=sizes[:, 0].copy(),
            heights=sizes[:, 1].copy(),
            image=image,
            region=np.arange(len(image)) - np.repeat(np.cumsum(counts) - counts, counts),
            boxes_xywh=np.array(self.boxes, dtype=np.float64).reshape(-1, 4),
            shape=np.array(self.shapes, dtype=np.int8),
            label=np.array(self.label, dtype=np.int32),
            labels=tuple(labels),
            class_attribute=None,
            lines=np.array(self.lines, dtype=np.int64) if with_lines else None,
            findings=tuple(self.findings),
        )


class LabelIndex(dict[str, int]):
    """The number of each label, in order of appearance; a blank one is -1."""

    def __missing__(self, label: str) -> int:
        """A label that was not met before gets the next number."""
        if not label or label.isspace():
            return -1
        number = self[label] = len(self)
        return number
