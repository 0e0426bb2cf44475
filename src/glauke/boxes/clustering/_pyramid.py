"""Anchors of detectors that want ratios and scales instead of single boxes: RetinaNet, Faster R-CNN.

They have every ratio at every scale, and a scale per level of their feature pyramid, twice that of the level below.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._anchors import Anchors
from ._distinct import distinct
from ._exact import exact_curve
from ._plane import mean_overlap

USUAL_RATIOS = (0.5, 1.0, 2.0)
"""Height over width, in MMDetection and in torchvision."""

_SAMPLE = 1_000  # boxes that scales are tried on
_SCALES = 2.0 ** np.linspace(-1, 6, 57)  # 1/2 to 64 strides, eight in an octave


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyramid:
    """Anchors of `strides[i] * scale * 2 ** (j / octaves)` pixels by `ratios`, for every level i and every j."""

    strides: tuple[int, ...]
    octaves: int
    """Scales on each level."""
    scale: float
    ratios: tuple[float, ...]
    """Height over width, ascending."""
    mean_iou: float
    """Of all boxes with the anchor that each overlaps most."""

    def sizes(self) -> tuple[tuple[float, ...], ...]:
        """Sides of the square anchors of each level, in pixels."""
        steps = [self.scale * 2 ** (j / self.octaves) for j in range(self.octaves)]
        return tuple(tuple(stride * step for step in steps) for stride in self.strides)


def best_pyramid(anchors: Anchors, *, strides: tuple[int, ...], octaves: int) -> Pyramid:
    """The scale and the three ratios with which the boxes overlap best; never worse than with the usual ratios.

    Ratios are those of the boxes in three clusters, of their logarithm. Scales are tried, eight in an octave, on at
    most 1,000 boxes that stand for all.
    """
    values, weight = distinct(anchors.points, None)
    drawn = np.unique(np.linspace(0, len(values) - 1, _SAMPLE).round().astype(np.int64))
    sample, weight = values[drawn], weight[drawn]
    ratios = np.exp(exact_curve(np.log(sample[:, 1] / sample[:, 0]), weights=weight, max_k=3)[-1].centers)
    own = tuple(dict.fromkeys(float(f"{ratio:.3g}") for ratio in ratios))
    tried = [
        (float(_overlap(sample, _boxes(strides, octaves, scale, shape)) @ weight), -i, scale, shape)
        for shape in (own, USUAL_RATIOS)
        for i, scale in enumerate(_SCALES.tolist())
    ]
    _, _, scale, shape = max(tried)
    return pyramid(anchors, strides=strides, octaves=octaves, scale=float(f"{scale:.3g}"), ratios=shape)


def pyramid(
    anchors: Anchors, *, strides: tuple[int, ...], octaves: int, scale: float | int, ratios: tuple[float, ...]
) -> Pyramid:
    """A given pyramid, and how well the boxes overlap it."""
    overlap = mean_overlap(anchors.points, centers=_boxes(strides, octaves, scale, ratios))
    return Pyramid(strides=strides, octaves=octaves, scale=float(scale), ratios=ratios, mean_iou=overlap)


def _overlap(points: Float[np.ndarray, "n 2"], boxes: Float[np.ndarray, "k 2"]) -> Float[np.ndarray, " n"]:
    shared = np.minimum(points[:, None], boxes).prod(axis=2)
    return (shared / (points.prod(axis=1)[:, None] + boxes.prod(axis=1) - shared)).max(axis=1)


def _boxes(
    strides: tuple[int, ...], octaves: int, scale: float | int, ratios: tuple[float, ...]
) -> Float[np.ndarray, "k 2"]:
    def each() -> Iterator[tuple[float, float]]:
        for stride in strides:
            for j in range(octaves):
                side = stride * scale * 2 ** (j / octaves)
                for ratio in ratios:
                    yield side / ratio**0.5, side * ratio**0.5

    return np.array(list(each()))
