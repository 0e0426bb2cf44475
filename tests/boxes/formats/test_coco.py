import math

import numpy as np
import pytest

from glauke.boxes._annotations import SHAPES
from glauke.boxes.formats._coco import annotations_from_coco, recognise_coco

RECT, POLYGON, POINT, UNKNOWN = (SHAPES.index(name) for name in ("rect", "polygon", "point", "unknown"))
VIA_NEW = {"version": "1.0", "description": "VIA project exported to COCO format using VGG Image Annotator (http://x)"}
VIA_OLD = {"version": "1", "description": "Exported using VGG Image Annotator (http://x)"}


def image(identity, name, **more) -> dict:
    return {"id": identity, "width": 200, "height": 100, "file_name": name, **more}


def box(image_id, category_id=1, bbox=(10, 20, 30, 40), **more) -> dict:
    return {"image_id": image_id, "category_id": category_id, "bbox": list(bbox), **more}


def category(identity, name, group="class") -> dict:
    return {"id": identity, "name": name, "supercategory": group}


def document(*annotations, images=None, categories=None, info=VIA_NEW) -> dict:
    return {
        "info": info,
        "images": [image(1, "a.jpg"), image(2, "b.jpg")] if images is None else images,
        "annotations": list(annotations),
        "categories": [category(1, "boots"), category(2, "mask")] if categories is None else categories,
    }


def read(found: object):
    return annotations_from_coco(found, kind=recognise_coco(found) or "coco", path=None)


def rules(annotations, severity=None) -> list[str]:
    return [f.rule for f in annotations.findings if severity in (None, f.severity)]


def test_a_sound_document():
    annotations = read(document(box(2, 2), box(1, 1, (1, 2, 3, 4)), box(2, 1, (5, 6, 7, 8))))

    assert annotations.findings == ()
    assert annotations.kind == "via-coco"
    assert annotations.names == ("a.jpg", "b.jpg")
    assert annotations.keys == ("1", "2")
    assert annotations.widths.tolist() == [200, 200]
    assert annotations.heights.tolist() == [100, 100]
    assert annotations.byte_sizes.tolist() == [-1, -1]
    assert annotations.image.tolist() == [1, 0, 1]
    assert annotations.region.tolist() == [0, 0, 1]
    assert annotations.labels == ("boots", "mask")
    assert annotations.label.tolist() == [1, 0, 0]
    assert annotations.boxes_xywh.tolist() == [[10, 20, 30, 40], [1, 2, 3, 4], [5, 6, 7, 8]]
    assert annotations.class_attribute == "class"
    assert annotations.attributes[0].counts == {"boots": 2, "mask": 1}


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (document(), "via-coco"),
        (document(info=VIA_OLD), "via-coco"),
        (document(info={"description": "COCO 2017 Dataset"}), "coco"),
        ({"images": [], "categories": []}, "coco"),
        ({"images": [], "annotations": []}, "coco"),
        ({"images": []}, None),
        ([], None),
        (None, None),
        ({"a.jpg1": {"filename": "a.jpg", "size": 1, "regions": [], "file_attributes": {}}}, None),
        ({"images": {}, "annotations": {}, "categories": {}}, None),
    ],
)
def test_recognised_by_content(found, kind):
    assert recognise_coco(found) == kind


def test_a_document_without_anything():
    annotations = read(document(images=[], categories=[]))

    assert (len(annotations), annotations.names, annotations.labels) == (0, (), ())
    assert annotations.class_attribute is None
    assert annotations.boxes_xywh.shape == (0, 4)


def test_what_via_2_0_8_writes_is_sound_but_for_its_form():
    flat = [10, 20, 40, 20, 40, 60, 10, 60]
    repeated = [category(1, "boots"), category(2, "mask")] * 3
    annotations = read(document(box("1", 2, segmentation=flat), box("2", 1), categories=repeated, info=VIA_OLD))

    assert annotations.labels == ("boots", "mask")
    assert annotations.label.tolist() == [1, 0]
    assert annotations.image.tolist() == [0, 1]
    assert annotations.shape.tolist() == [RECT, RECT]
    assert rules(annotations, "note") == ["repeated-category", "id-as-text", "flat-segmentation"]
    assert rules(annotations, "note") == rules(annotations)
    assert annotations.findings[0].message == "2 categories are listed in 6 entries, as VIA 2.0.8 does"
    one = read(document(categories=[category(1, "boots")] * 3, info=VIA_OLD))
    assert one.findings[0].message == "1 category is listed in 3 entries, as VIA 2.0.8 does"


def test_null_categories():
    blank = [category(None, "")] * 4
    annotations = read(document(box(1, None), box(2, None), {"image_id": 2, "bbox": [1, 1, 2, 2]}, categories=blank))

    assert annotations.label.tolist() == [-1, -1, -1]
    assert annotations.labels == ()
    [null] = [f for f in annotations.findings if f.rule == "null-category"]
    assert null.severity == "error"
    assert "3 of 3 annotations" in null.message
    assert "4 of 4 categories have no id" in null.message
    assert "blank-category" in rules(annotations, "warning")


def test_pictures_that_share_an_id():
    images = [image(8, "8a.jpg"), image(8, "8b.jpg"), image(8, "8c.jpg"), image(8, "8d.jpg"), image(3, "3.jpg")]
    annotations = read(document(box(8), box(8), box(3), images=images))

    assert annotations.image.tolist() == [0, 0, 4]
    [shared] = annotations.findings
    assert (shared.rule, shared.severity) == ("image-id-collision", "error")
    assert '4 pictures share the id 8 ("8a.jpg", "8b.jpg", "8c.jpg" and 1 more)' in shared.message
    assert "2 annotations" in shared.message


def test_pictures_that_share_an_id_without_annotations_or_with_the_same_name_are_warned_of():
    unused = read(document(images=[image(1, "a.jpg"), image(1, "b.jpg")]))
    twice = read(document(box(1), images=[image(1, "a.jpg"), image(1, "a.jpg")]))

    assert rules(unused, "warning") == ["image-id-collision"] == rules(unused)
    assert rules(twice, "warning") == ["image-id-collision"] == rules(twice)


def test_blank_categories_stay_apart():
    blank = [category(1, ""), category(2, " "), category(3, "mask")]
    annotations = read(document(box(1, 1), box(1, 2), box(1, 3), categories=blank))

    assert annotations.label.tolist() == [0, 1, 2]
    assert annotations.labels == ("(category 1)", "(category 2)", "mask")
    [finding] = annotations.findings
    assert (finding.rule, finding.severity) == ("blank-category", "error")
    assert "2 of 3 categories" in finding.message
    assert "2 of 3 annotations" in finding.message


def test_blank_categories_that_nobody_uses_are_a_warning():
    annotations = read(document(box(1, 1), categories=[category(1, "boots"), category(2, "")]))

    assert rules(annotations, "warning") == ["blank-category"] == rules(annotations)


def test_categories_and_images_that_are_not_listed():
    annotations = read(document(box(1, 7), box(5, 1), box(5, 1), box(None, 1)))

    assert annotations.label.tolist() == [-1, 0, 0, 0]
    assert annotations.names == ("a.jpg", "b.jpg", "", "")
    assert annotations.keys == ("1", "2", "5", "null")
    assert annotations.image.tolist() == [0, 2, 2, 3]
    assert rules(annotations, "error") == ["unknown-category", "bad-entry"]
    assert "3 of 4 annotations lie in an image that is not listed: 5, null" in annotations.findings[1].message


def test_categories_that_share_an_id():
    annotations = read(document(box(1, 1), categories=[category(1, "boots"), category(1, "mask", "weather")]))

    assert rules(annotations, "error") == ["category-id-collision"]
    assert annotations.label_of(0) == "boots"


def test_categories_of_one_name_are_one_label():
    annotations = read(document(box(1, 1), box(1, 2), categories=[category(1, "boots"), category(2, "boots")]))

    assert annotations.labels == ("boots",)
    assert annotations.label.tolist() == [0, 0]


def test_the_groups_of_others_are_no_attribute():
    found = document(box(1), categories=[category(1, "dog", "animal")], info={})

    assert read(found).class_attribute == "category_id"


def test_a_region_written_once_for_each_attribute():
    annotations = read(document(box(1, 2, id=1), box(1, 2, id=1), box(1, 2, (0, 0, 5, 5), id=1)))

    [finding] = annotations.findings
    assert (finding.rule, finding.severity, finding.region) == ("repeated-annotation", "warning", 1)
    assert finding.change is not None
    assert (finding.change.what, finding.change.region) == ("drop-region", 1)
    assert len(annotations) == 3


def outlined(*parts, bbox=(10, 20, 30, 40)) -> dict:
    return box(1, bbox=bbox, segmentation=list(parts))


@pytest.mark.parametrize(
    ("annotation", "shape", "expected"),
    [
        (outlined([10, 20, 40, 20, 40, 60, 10, 60]), RECT, [10, 20, 30, 40]),
        (outlined([40, 60, 10, 60, 10, 20, 40, 20, 40, 60]), RECT, [10, 20, 30, 40]),
        (outlined([10, 20, 40, 20, 25, 60]), POLYGON, [10, 20, 30, 40]),
        (outlined([10, 20, 40, 20, 40, 60, 25, 40]), POLYGON, [10, 20, 30, 40]),
        (outlined([10, 20, 30, 20], [40, 60, 20, 60], bbox=()), POLYGON, [10, 20, 30, 40]),
        ({"image_id": 1, "category_id": 1, "segmentation": [1, 2, 5, 2, 5, 9]}, POLYGON, [1, 2, 4, 7]),
        (outlined([]), RECT, [10, 20, 30, 40]),
        (box(1, bbox=(1.5, 2, 3.25, 0)), RECT, [1.5, 2, 3.25, 0]),
        (box(1, bbox=(), area=[], segmentation=[[]], keypoints=[7, 9, 2]), POINT, [7, 9, 0, 0]),
        (box(1, bbox=(), keypoints=[1, 1, 2, 0, 0, 0, 5, 9, 1]), POINT, [1, 1, 4, 8]),
        (box(1, segmentation={"size": [9, 9], "counts": [81]}), POLYGON, [10, 20, 30, 40]),
    ],
)
def test_boxes_of_annotations(annotation, shape, expected):
    annotations = read(document({"category_id": 1, **annotation}))

    assert set(rules(annotations)) <= {"flat-segmentation"}
    assert annotations.shape.tolist() == [shape]
    assert annotations.boxes_xywh.tolist() == [expected]


def mask_counts(mask: np.ndarray) -> list[int]:
    column_major = mask.T.reshape(-1).astype(int)
    changes = np.flatnonzero(np.diff(column_major)) + 1
    runs = np.diff([0, *changes, column_major.size]).tolist()
    return [0, *runs] if column_major[0] else runs


def coded(counts: list[int]) -> str:
    text = ""
    for i, count in enumerate(counts):
        value = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            bits = value & 31
            value >>= 5
            more = value != -1 if bits & 16 else value != 0
            text += chr((bits | 32 if more else bits) + 48)
    return text


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("where", [(0, 1, 0, 1), (3, 9, 2, 60), (0, 70, 5, 6), (69, 70, 0, 80), (0, 70, 0, 80)])
def test_masks_without_a_bbox(where, as_text):
    top, bottom, left, right = where
    mask = np.zeros((70, 80), bool)
    mask[top:bottom, left] = True
    mask[bottom - 1, left:right] = True
    counts = mask_counts(mask)
    segmentation = {"size": [70, 80], "counts": coded(counts) if as_text else counts}
    annotations = read(document({"image_id": 1, "category_id": 1, "iscrowd": 1, "segmentation": segmentation}))

    assert rules(annotations) == ["crowd"]
    assert annotations.boxes_xywh.tolist() == [[left, top, right - left, bottom - top]]


@pytest.mark.parametrize(
    "annotation",
    [
        {},
        {"bbox": []},
        {"bbox": [1, 2, 3]},
        {"bbox": [1, 2, 3, "4"]},
        {"bbox": [1, 2, 3, True]},
        {"bbox": [1, 2, 3, None]},
        {"bbox": [1, 2, -3, 4]},
        {"bbox": [1, 2, 3, 1e300]},
        {"bbox": [1, 2, 3, math.nan]},
        {"bbox": {"x": 1}},
        {"bbox": "1 2 3 4"},
        {"segmentation": [[1, 2, 3]]},
        {"segmentation": [[1, "2", 3, 4]]},
        {"segmentation": ["x"]},
        {"segmentation": {"size": [4, 4], "counts": [3]}},
        {"segmentation": {"size": [4, 4], "counts": [16]}},
        {"segmentation": {"size": [4], "counts": [16]}},
        {"segmentation": {"size": [4, 4], "counts": "\u00e9"}},
        {"segmentation": {"size": [4, 4], "counts": "o" * 100}},
        {"segmentation": {}},
        {"keypoints": [1, 2]},
        {"keypoints": [0, 0, 0]},
    ],
)
def test_annotations_that_nothing_can_be_made_of(annotation):
    annotations = read(document(box(2), {"image_id": 1, "category_id": 1, **annotation}))

    assert len(annotations) == 2
    assert annotations.shape.tolist() == [RECT, UNKNOWN]
    assert np.isnan(annotations.boxes_xywh[1]).all()
    [finding] = annotations.findings
    assert (finding.rule, finding.severity, finding.image, finding.region) == ("bad-shape", "error", "a.jpg", 0)
    assert "annotations[1]" in finding.message


@pytest.mark.parametrize("thing", [None, 1, "x", [], {}, True, 1.5])
@pytest.mark.parametrize("where", ["images", "annotations", "categories"])
def test_things_of_the_wrong_type_are_findings(where, thing):
    inside = document(box(1))
    inside[where] = [*inside[where], thing]
    instead = document(box(1)) | {where: thing}

    for found in (inside, instead):
        assert annotations_from_coco(found, kind="coco", path=None) is not None
    if (where, thing) != ("categories", {}):
        assert "bad-entry" in rules(read(inside), "error")
    if where == "images":
        assert len(read(inside).names) == 3


@pytest.mark.parametrize(
    ("width", "expected"), [(None, 0), (0, 0), ("640", 640), (640.0, 640), (-3, 0), ("x", 0), (True, 0), (1.5, 0)]
)
def test_widths(width, expected):
    annotations = read(document(images=[image(1, "a.jpg") | {"width": width}]))

    assert annotations.widths.tolist() == [expected]
    assert rules(annotations) == ([] if expected or width in (None, 0) else ["bad-entry"])
