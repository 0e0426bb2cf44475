import ast
import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from glauke.boxes._annotations import Annotations
from glauke.boxes.clustering._anchors import RESIZES, Anchors, anchors
from glauke.boxes.clustering._detectors import DETECTORS, meant_for, paste_ready, resize_of
from glauke.errors import UnknownNameError, UsageError


@functools.cache
def found(
    count: int = 9, *, input_size: int | tuple[int, int] = 416, resize: str = "stretch", labels: int = 4
) -> Anchors:
    rng = np.random.default_rng(5)
    n = 60
    boxes = Annotations(
        kind="coco",
        path=Path("boxes.json"),
        names=("1.jpg", "2.jpg"),
        keys=("1", "2"),
        byte_sizes=np.array([-1, -1]),
        widths=np.array([640, 480]),
        heights=np.array([480, 640]),
        image=rng.integers(0, 2, n),
        region=np.arange(n),
        boxes_xywh=np.concatenate([np.zeros((n, 2)), np.exp(rng.normal(4, 0.7, (n, 2))).clip(3, 400)], axis=1),
        shape=np.zeros(n, np.int8),
        label=rng.integers(0, max(labels, 1), n, dtype=np.int32) - (labels == 0),
        labels=tuple(f"label {i}" for i in range(labels)),
        class_attribute=None,
    )
    return anchors(boxes, count=count, input_size=input_size, resize=resize)


def settings(text: str, key: str) -> list[str]:
    """Values of a key of darknet's cfg, in order."""
    return re.findall(rf"^{key} *= *(.*)$", text, re.MULTILINE)


def arguments(text: str) -> dict[str, dict[str, object]]:
    """Keyword arguments of every `name = call(...)` of Python code, which is never run."""
    calls = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            (target,) = node.targets
            calls[ast.unparse(target)] = {k.arg: k.value for k in node.value.keywords}
    return calls


def value(node: ast.expr) -> object:
    """A literal; `tuple * number` is what Python makes of it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return value(node.left) * value(node.right)  # type: ignore[operator]
    return ast.literal_eval(node)


def test_yolov2_counts_in_cells_of_32_pixels():
    some = found(5)

    text = paste_ready(some, detector="yolov2")

    (line,) = settings(text, "anchors")
    pairs = np.array([float(n) for n in line.split(",")]).reshape(-1, 2)
    assert np.allclose(pairs * 32, some.sizes, rtol=1e-4)
    assert (settings(text, "num"), settings(text, "classes"), settings(text, "filters")) == (["5"], ["4"], ["45"])


def test_yolov3_has_a_mask_and_filters_for_every_layer():
    some = found(9)

    text = paste_ready(some, detector="yolov3")

    (line,) = settings(text, "anchors")
    pairs = np.array([float(n) for n in line.split(",")]).reshape(-1, 2)
    assert np.allclose(pairs, some.sizes, atol=0.5)
    assert settings(text, "mask") == ["0,1,2", "3,4,5", "6,7,8"]
    assert settings(text, "filters") == ["27", "27", "27"]
    assert (settings(text, "num"), settings(text, "classes")) == (["9"], ["4"])
    assert "CAUTION" not in text


@pytest.mark.parametrize(
    ("count", "masks", "filters"),
    [
        (3, ["0", "1", "2"], ["9", "9", "9"]),
        (4, ["0", "1", "2,3"], ["9", "9", "18"]),
        (5, ["0", "1,2", "3,4"], ["9", "18", "18"]),
        (10, ["0,1,2", "3,4,5", "6,7,8,9"], ["27", "27", "36"]),
    ],
)
def test_anchors_that_do_not_divide_by_three_are_shared_out_and_it_is_said(count, masks, filters):
    text = paste_ready(found(count), detector="yolov3")

    assert (settings(text, "mask"), settings(text, "filters")) == (masks, filters)
    assert ("do not divide by three" in text) == (count % 3 != 0)


def test_six_anchors_also_suit_the_tiny_ones():
    text = paste_ready(found(6), detector="yolov3")

    assert settings(text, "mask") == ["0,1", "2,3", "4,5", "3,4,5", "0,1,2"]


def test_yolov3_refuses_fewer_anchors_than_layers():
    with pytest.raises(UsageError, match="three layers with anchors, and there are only 2"):
        paste_ready(found(2), detector="yolov3")


def test_yolov5_has_a_row_for_every_stride():
    some = found(9, input_size=640, resize="letterbox")

    text = paste_ready(some, detector="yolov5")

    rows = re.findall(r"^  - (\[.*\])  # P(\d)/(\d+)$", text, re.MULTILINE)
    assert [row[1:] for row in rows] == [("3", "8"), ("4", "16"), ("5", "32")]
    assert np.allclose(np.array([json.loads(row[0]) for row in rows]).reshape(-1, 2), some.sizes, atol=0.5)
    assert "\nnc: 4\nanchors:\n" in text
    assert "YOLOv8 and later have no anchors" in text
    assert "CAUTION" not in text


def test_yolov5_refuses_layers_of_different_length():
    with pytest.raises(UsageError, match="10 anchors do not divide by three"):
        paste_ready(found(10), detector="yolov5")


def test_mmdet_is_code_with_the_coarsest_layer_first():
    some = found(9, input_size=(1333, 800), resize="shortest-edge")

    calls = arguments(paste_ready(some, detector="mmdet"))

    yolo = {name: value(node) for name, node in calls["yolov3_anchor_generator"].items()}
    assert yolo["strides"] == [32, 16, 8]
    assert np.allclose(np.array(yolo["base_sizes"][::-1]).reshape(-1, 2), some.sizes, atol=0.5)
    retina = {name: value(node) for name, node in calls["retinanet_anchor_generator"].items()}
    assert set(retina) == {"type", "octave_base_scale", "scales_per_octave", "ratios", "strides"}
    assert retina["strides"] == [8, 16, 32, 64, 128]
    rpn = {name: value(node) for name, node in calls["rpn_anchor_generator"].items()}
    assert (len(rpn["scales"]), rpn["strides"]) == (1, [4, 8, 16, 32, 64])
    assert all(0.1 < ratio < 10 for ratio in rpn["ratios"])


def test_mmdet_says_why_there_is_no_yolov3():
    text = paste_ready(found(4, resize="shortest-edge"), detector="mmdet")

    assert "YOLOAnchorGenerator" not in text
    assert "none of 4 anchors" in text
    assert set(arguments(text)) == {"retinanet_anchor_generator", "rpn_anchor_generator"}


def test_torchvision_is_code_with_sizes_and_ratios_for_every_level():
    text = paste_ready(found(9, input_size=(1333, 800), resize="shortest-edge"), detector="torchvision")

    calls = arguments(text)
    for name, scales in (("faster_rcnn_anchors", 1), ("retinanet_anchors", 3)):
        sizes, ratios = value(calls[name]["sizes"]), value(calls[name]["aspect_ratios"])
        assert len(sizes) == len(ratios) == 5
        assert {len(level) for level in sizes} == {scales}
        assert [level[0] for level in sizes] == sorted(level[0] for level in sizes)
    assert "num_classes = 5  # and the background" in text
    assert value(calls["input_size"]["min_size"]) == 800


@pytest.mark.parametrize("detector", [name for name in DETECTORS if name != "json"])
def test_the_first_line_says_what_it_is_for_and_how_pictures_are_resized(detector):
    text = paste_ready(found(9, resize=resize_of(detector)), detector=detector)

    assert text.splitlines()[0] == f"# For {meant_for(detector)}."
    assert meant_for(detector).endswith(RESIZES[resize_of(detector)])


def test_anchors_of_ratios_and_scales_are_counted_as_they_are():
    text = paste_ready(found(9, resize="shortest-edge"), detector="torchvision")

    assert "3 anchors on each of 5 levels, 15 in all" in text
    assert "9 anchors on each of 5 levels, 45 in all" in text
    assert "9 anchors for" not in text


def test_json_is_not_rounded():
    some = found(9)

    assert json.loads(paste_ready(some, detector="json"))["sizes"] == some.sizes.tolist()


@pytest.mark.parametrize("name", ["yolov8", "yolov8n", "YOLOv9", "yolo11n", "yolo26", "yolox"])
def test_detectors_without_anchors_are_named_so(name):
    with pytest.raises(UsageError, match=f"{name} has no anchors"):
        paste_ready(found(3), detector=name)


def test_unknown_detector_is_refused_with_the_list():
    with pytest.raises(UnknownNameError, match="did you mean 'yolov3'"):
        paste_ready(found(3), detector="yolo3")
    with pytest.raises(UnknownNameError, match="torchvision"):
        resize_of("yolo3")


@pytest.mark.parametrize(
    ("detector", "resize", "size", "caution"),
    [
        ("yolov3", "letterbox", 416, "find them again"),
        ("yolov5", "stretch", 640, "find them again"),
        ("yolov5", "shortest-edge", (640, 384), "find them again"),
        ("yolov5", "shortest-edge", 640, None),
        ("yolov3", "stretch", 400, "multiples of 32"),
        ("mmdet", "letterbox", 400, None),
    ],
)
def test_anchors_found_for_another_detector_carry_a_caution(detector, resize, size, caution):
    text = paste_ready(found(3, resize=resize, input_size=size), detector=detector)

    assert ("CAUTION" in text) == (caution is not None)
    assert caution is None or caution in text


@pytest.mark.parametrize("detector", DETECTORS)
def test_every_detector_takes_boxes_without_labels_and_tiny_ones(detector):
    text = paste_ready(found(3, labels=0, input_size=32, resize=resize_of(detector)), detector=detector)

    assert text.endswith("\n")
    assert not re.search(r"\b(nan|inf)\b", text)
    assert all(number != "0" for line in settings(text, "anchors") for number in line.split(","))


def test_rounding_costs_next_to_nothing():
    some = found(9)

    (line,) = settings(paste_ready(some, detector="yolov3"), "anchors")

    rounded = np.array([float(n) for n in line.split(",")]).reshape(-1, 2)
    shared = np.minimum(some.points[:, None], rounded).prod(axis=2)
    overlap = shared / (some.points.prod(axis=1)[:, None] + rounded.prod(axis=1) - shared)
    assert overlap.max(axis=1).mean() == pytest.approx(some.mean_iou, abs=0.002)
