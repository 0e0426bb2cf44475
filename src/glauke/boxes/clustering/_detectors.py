"""Anchors as the lines that go into a detector's own configuration."""

import json
import re
from collections.abc import Callable, Mapping, Sequence

from glauke.errors import UnknownNameError, UsageError

from .._wording import counted
from ._anchors import RESIZES, Anchors, Resize, anchors_as_dict
from ._pyramid import USUAL_RATIOS, Pyramid, best_pyramid, pyramid

YOLO_STRIDES = (8, 16, 32)
"""Pixels in a cell of the three grids of YOLOv3 to v7, the finest first; the finest has the smallest anchors."""
YOLOV2_STRIDE = 32
RETINANET_STRIDES = (8, 16, 32, 64, 128)
FASTER_RCNN_STRIDES = (4, 8, 16, 32, 64)

_ANCHOR_FREE = re.compile(r"(yolo[ -]?v?(?:8|9|1\d|26)|yolo[ -]?v?6|yolox|fcos|detr)[a-z]?", re.IGNORECASE)
_WITHOUT_DECIMALS = 32  # below it, half a pixel is too much of a side


def paste_ready(anchors: Anchors, *, detector: str) -> str:
    """The text to paste into the configuration of a detector, with comments that say where.

    - "yolov2": darknet's cfg, in cells of 32 pixels.
    - "yolov3": darknet's cfg of YOLOv3 and v4, with masks and filters of each layer.
    - "yolov5": the model's YAML of YOLOv5 and v7.
    - "mmdet": MMDetection's YOLOV3Head, RetinaNet and Faster R-CNN.
    - "torchvision": AnchorGenerator for its Faster R-CNN and RetinaNet.
    - "json": all numbers, not rounded.

    YOLOv8 and later have no anchors.

    Raises:
        UnknownNameError: the detector is not on the list.
        UsageError: it has no anchors, or not so many.
    """
    return _writer(detector)[1](anchors)


def resize_of(detector: str) -> Resize:
    """How a detector resizes pictures, and so how its anchors are to be found.

    >>> resize_of("yolov3"), resize_of("yolov5"), resize_of("torchvision")
    ('stretch', 'letterbox', 'shortest-edge')

    Raises:
        UnknownNameError: the detector is not on the list.
        UsageError: it has no anchors.
    """
    return _writer(detector)[0]


def _writer(detector: str) -> "tuple[Resize, Callable[[Anchors], str]]":
    if detector in _WRITERS:
        return _WRITERS[detector]
    if _ANCHOR_FREE.fullmatch(detector):
        raise UsageError(
            f"{detector} has no anchors: it finds boxes without them, and would ignore any that it is given",
            place="--for",
            fix="train it as it is",
        )
    raise UnknownNameError(detector, kind="detector", known=_WRITERS)


def _yolov2(anchors: Anchors) -> str:
    cells = ", ".join(f"{width / YOLOV2_STRIDE:.5g},{height / YOLOV2_STRIDE:.5g}" for width, height in _pairs(anchors))
    return _text(
        _head(anchors, "yolov2"),
        f"# In the [region] section, in cells of {YOLOV2_STRIDE} pixels:",
        f"anchors = {cells}",
        f"num={len(anchors)}",
        f"classes={_num_classes(anchors)}",
        "",
        "# In the [convolutional] section right before it, (classes + 5) * num:",
        f"filters={_filters(anchors, len(anchors))}",
    )


def _yolov3(anchors: Anchors) -> str:
    if len(anchors) < len(YOLO_STRIDES):
        raise UsageError(
            f"YOLOv3 and v4 have three layers with anchors, and there are only {len(anchors)} anchors",
            place="--count",
            fix="ask for 9, or for 6 for the tiny ones",
        )
    masks = _masks(anchors, len(YOLO_STRIDES))
    lines = [
        *_head(anchors, "yolov3"),
        "# In each of the three [yolo] sections, the same:",
        "anchors = " + ",  ".join(f"{_pixels(width)},{_pixels(height)}" for width, height in _pairs(anchors)),
        f"num={len(anchors)}",
        f"classes={_num_classes(anchors)}",
        "",
        "# Different in each: mask, and in the [convolutional] section before it filters = (classes + 5) * masks.",
        "# yolov3.cfg has them from stride 32 to stride 8, yolov4.cfg from stride 8 to stride 32.",
    ]
    if len(set(map(len, masks))) > 1:
        shares = ", ".join(str(len(mask)) for mask in masks)
        lines.append(f"# {len(anchors)} anchors do not divide by three: {shares}, more where a grid has fewer cells.")
    for stride, mask in zip(YOLO_STRIDES, masks, strict=True):
        lines += ["", f"# stride {stride}", *_mask_lines(anchors, mask)]
    if len(anchors) == 6:
        lines += ["", "# The tiny ones have two [yolo] sections, in this order:"]
        for stride, mask in reversed(list(zip(YOLO_STRIDES[1:], _masks(anchors, 2), strict=True))):
            lines += [f"# stride {stride}", *_mask_lines(anchors, mask)]
    return _text(lines)


def _mask_lines(anchors: Anchors, mask: Sequence[int]) -> list[str]:
    return [f"mask = {','.join(map(str, mask))}", f"filters={_filters(anchors, len(mask))}"]


def _yolov5(anchors: Anchors) -> str:
    if len(anchors) % len(YOLO_STRIDES):
        raise UsageError(
            f"YOLOv5 and v7 have the same number of anchors on each of three layers, and {len(anchors)} anchors do "
            "not divide by three",
            place="--count",
            fix="ask for 9, or for another multiple of three",
        )
    layers = []
    for level, (stride, mask) in enumerate(zip(YOLO_STRIDES, _masks(anchors, 3), strict=True), 3):
        pairs = [_pairs(anchors)[i] for i in mask]
        sizes = ", ".join(f"{_pixels(width)},{_pixels(height)}" for width, height in pairs)
        layers.append(f"  - [{sizes}]  # P{level}/{stride}")
    return _text(
        _head(anchors, "yolov5"),
        "# In the model's YAML. Train with --noautoanchor: YOLOv5 replaces anchors whose recall it finds below 0.98.",
        "# YOLOv8 and later have no anchors and ignore them.",
        f"nc: {_num_classes(anchors)}",
        "anchors:",
        layers,
    )


def _mmdet(anchors: Anchors) -> str:
    lines = _head(anchors, "mmdet")
    if len(anchors) % len(YOLO_STRIDES):
        lines.append(f"# YOLOV3Head has as many anchors on each of three layers, so none of {len(anchors)} anchors.")
    else:
        layers = [
            "[" + ", ".join(f"({_pixels(w)}, {_pixels(h)})" for w, h in (_pairs(anchors)[i] for i in mask)) + "]"
            for mask in reversed(_masks(anchors, 3))
        ]
        lines += [
            "# YOLOV3Head, model.bbox_head:",
            "yolov3_anchor_generator = dict(",
            '    type="YOLOAnchorGenerator",',
            f"    base_sizes=[{layers[0]},",
            *(f"                {layer}," for layer in layers[1:-1]),
            f"                {layers[-1]}],",
            f"    strides={list(reversed(YOLO_STRIDES))},",
            ")",
        ]
    retina, usual = _retinanet(anchors)
    lines += [
        "",
        f"# RetinaNet, model.bbox_head: {_compared(retina, usual)}; ratios are height over width.",
        "retinanet_anchor_generator = dict(",
        '    type="AnchorGenerator",',
        f"    octave_base_scale={retina.scale:g},",
        f"    scales_per_octave={retina.octaves},",
        f"    ratios={list(retina.ratios)},",
        f"    strides={list(retina.strides)},",
        ")",
    ]
    faster, usual = _faster_rcnn(anchors)
    lines += [
        "",
        f"# Faster R-CNN with FPN, model.rpn_head: {_compared(faster, usual)}.",
        "rpn_anchor_generator = dict(",
        '    type="AnchorGenerator",',
        f"    scales=[{faster.scale:g}],",
        f"    ratios={list(faster.ratios)},",
        f"    strides={list(faster.strides)},",
        ")",
        "",
        f"num_classes = {_num_classes(anchors)}",
    ]
    return _text(lines)


def _torchvision(anchors: Anchors) -> str:
    faster, faster_usual = _faster_rcnn(anchors)
    retina, retina_usual = _retinanet(anchors)
    shorter, longer = sorted(anchors.input_size)
    return _text(
        _head(anchors, "torchvision", sized=False),
        "from torchvision.models.detection.anchor_utils import AnchorGenerator",
        "",
        f"num_classes = {_num_classes(anchors) + 1}  # and the background",
        f"input_size = dict(min_size={shorter}, max_size={longer})",
        "",
        f"# fasterrcnn_resnet50_fpn: {_compared(faster, faster_usual)}; ratios are height over width.",
        "# fasterrcnn_resnet50_fpn(num_classes=num_classes, rpn_anchor_generator=faster_rcnn_anchors, **input_size)",
        _generator("faster_rcnn_anchors", faster),
        "",
        f"# retinanet_resnet50_fpn: {_compared(retina, retina_usual)}.",
        "# retinanet_resnet50_fpn(num_classes=num_classes, anchor_generator=retinanet_anchors, **input_size)",
        _generator("retinanet_anchors", retina),
    )


def _generator(name: str, pyramid: Pyramid) -> list[str]:
    # torchvision rounds the sides of anchors to whole pixels itself.
    sizes = tuple(tuple(max(1, round(side)) for side in level) for level in pyramid.sizes())
    return [
        f"{name} = AnchorGenerator(",
        f"    sizes={sizes},",
        f"    aspect_ratios=({pyramid.ratios},) * {len(sizes)},",
        ")",
    ]


def _retinanet(anchors: Anchors) -> tuple[Pyramid, Pyramid]:
    """The best anchors and the usual ones."""
    usual = pyramid(anchors, strides=RETINANET_STRIDES, octaves=3, scale=4, ratios=USUAL_RATIOS)
    return best_pyramid(anchors, strides=RETINANET_STRIDES, octaves=3), usual


def _faster_rcnn(anchors: Anchors) -> tuple[Pyramid, Pyramid]:
    usual = pyramid(anchors, strides=FASTER_RCNN_STRIDES, octaves=1, scale=8, ratios=USUAL_RATIOS)
    return best_pyramid(anchors, strides=FASTER_RCNN_STRIDES, octaves=1), usual


def _compared(best: Pyramid, usual: Pyramid) -> str:
    levels, each = len(best.strides), best.octaves * len(best.ratios)
    shapes = f"{counted(each, 'anchor')} on each of {levels} levels, {levels * each} in all"
    return f"{shapes}, mean IoU {best.mean_iou:.3f}; with its usual anchors {usual.mean_iou:.3f}"


def _json(anchors: Anchors) -> str:
    return json.dumps(anchors_as_dict(anchors), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


_WRITERS: Mapping[str, tuple[Resize, Callable[[Anchors], str]]] = {
    "yolov2": ("stretch", _yolov2),
    "yolov3": ("stretch", _yolov3),
    "yolov5": ("letterbox", _yolov5),
    "mmdet": ("shortest-edge", _mmdet),
    "torchvision": ("shortest-edge", _torchvision),
    "json": ("stretch", _json),
}

DETECTORS = tuple(_WRITERS)
"""What `paste_ready` writes for."""

_MEANT_FOR: Mapping[str, str] = {
    "yolov2": "YOLOv2 (darknet's cfg)",
    "yolov3": "YOLOv3 and YOLOv4 (darknet's cfg)",
    "yolov5": "YOLOv5 and YOLOv7 (the model's YAML)",
    "mmdet": "MMDetection's YOLOV3Head, RetinaNet and Faster R-CNN",
    "torchvision": "torchvision's Faster R-CNN and RetinaNet",
    "json": "programs: all numbers, not rounded",
}


def meant_for(detector: str) -> str:
    """What a text of `paste_ready` is for, and how pictures are resized there, in a line.

    >>> meant_for("yolov3")
    "YOLOv3 and YOLOv4 (darknet's cfg): pictures are stretched to the input size"

    Raises:
        UnknownNameError: the detector is not on the list.
        UsageError: it has no anchors.
    """
    return f"{_MEANT_FOR.get(detector, detector)}: {RESIZES[resize_of(detector)]}"


def _head(anchors: Anchors, detector: str, *, sized: bool = True) -> list[str]:
    """Comments that say what the numbers are, and whether they are meant for this detector.

    Without `sized` the detector spans its own anchors by ratios and scales, and those found are not among them.
    """
    width, height = anchors.input_size
    boxes = f"{width}x{height} pixels, from {counted(anchors.boxes, 'box', 'boxes')}"
    fit = f"mean IoU {anchors.mean_iou:.3f}, best possible recall {anchors.best_possible_recall:.3f}"
    lines = [
        f"# For {meant_for(detector)}.",
        f"# {counted(len(anchors), 'anchor')} for {boxes}: {fit}." if sized else f"# For {boxes}.",
    ]
    if not sized:
        lines.append(
            f"# Its anchors are ratios times scales, and not {counted(len(anchors), 'free size')} as other detectors'"
            f" (which have {fit.partition(',')[0]})."
        )
    same = anchors.resize == resize_of(detector) or (
        width == height and "stretch" not in (anchors.resize, resize_of(detector))
    )
    if not same:
        lines += [
            f"# CAUTION: they were found as if {RESIZES[anchors.resize]};",
            f"# here {RESIZES[resize_of(detector)]}: find them again for it.",
        ]
    if detector.startswith("yolo") and (width % YOLO_STRIDES[-1] or height % YOLO_STRIDES[-1]):
        lines.append(f"# CAUTION: width and height of its input must be multiples of {YOLO_STRIDES[-1]}.")
    return lines


def _masks(anchors: Anchors, layers: int) -> list[list[int]]:
    """Share the anchors out by size; what does not divide goes to the coarser grids, where it costs least."""
    each, more = divmod(len(anchors), layers)
    masks, first = [], 0
    for layer in range(layers):
        last = first + each + (layer >= layers - more)
        masks.append(list(range(first, last)))
        first = last
    return masks


def _filters(anchors: Anchors, masks: int) -> int:
    return (_num_classes(anchors) + 5) * masks


def _num_classes(anchors: Anchors) -> int:
    return max(1, len(anchors.labels))


def _pairs(anchors: Anchors) -> list[tuple[float, float]]:
    return [(width, height) for width, height in anchors.sizes.tolist()]


def _pixels(side: float) -> str:
    """Whole pixels, as everyone writes them; one decimal for the small."""
    return str(round(side)) if side >= _WITHOUT_DECIMALS else f"{max(side, 0.1):.1f}".removesuffix(".0")


def _text(*parts: str | list[str]) -> str:
    lines = [line for part in parts for line in ([part] if isinstance(part, str) else part)]
    return "".join(f"{line}\n" for line in lines)
