"""Annotations as COCO's JSON: every category once, ids from 1."""

from .._annotations import Annotations
from ._picture_boxes import picture_boxes, plain


def coco(annotations: Annotations) -> dict[str, object]:
    """The COCO document; every row has a label and encloses something.

    `width` and `height` are left out for pictures whose size is not known: a wrong one does more harm.
    """
    images, found = [], []
    for i, boxes in picture_boxes(annotations):
        image: dict[str, object] = {"id": i + 1, "file_name": annotations.names[i]}
        if annotations.widths[i] > 0 and annotations.heights[i] > 0:
            image |= {"width": int(annotations.widths[i]), "height": int(annotations.heights[i])}
        images.append(image)
        for x, y, w, h, label in boxes:
            found.append(
                {
                    "id": len(found) + 1,
                    "image_id": i + 1,
                    "category_id": label + 1,
                    "bbox": [x, y, w, h],
                    "area": plain(float(w) * float(h)),
                    "iscrowd": 0,
                    "segmentation": [],
                }
            )
    return {
        "info": {"description": "Boxes, written by glauke"},
        "licenses": [],
        "images": images,
        "annotations": found,
        "categories": [
            {"id": number, "name": label, "supercategory": ""} for number, label in enumerate(annotations.labels, 1)
        ],
    }
