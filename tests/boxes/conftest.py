"""Small made files of every kind that VIA writes, with two pictures and three regions each."""

import json
from pathlib import Path

import pytest

RECT = {"name": "rect", "x": 10, "y": 20, "width": 30, "height": 40}
POLYGON = {"name": "polygon", "all_points_x": [5, 15, 9], "all_points_y": [5, 7, 25]}
ELLIPSE = {"name": "ellipse", "cx": 40, "cy": 30, "rx": 12.5, "ry": 6, "theta": 0.5}


def region(shape: dict, label: str) -> dict:
    return {"shape_attributes": dict(shape), "region_attributes": {"class": label}}


def via2_region() -> dict:
    first = [region(RECT, "boots"), region(POLYGON, "mask")]
    second = [region(ELLIPSE, "boots")]
    return {
        f"{name}{size}": {"filename": name, "size": size, "regions": regions, "file_attributes": {"caption": "made"}}
        for name, size, regions in (("a.jpg", 1234, first), ("b.jpg", 99, second))
    }


def via1_region() -> dict:
    return {
        key: {
            "fileref": "",
            "size": entry["size"],
            "filename": entry["filename"],
            "base64_img_data": "",
            "file_attributes": {},
            "regions": {str(i): r for i, r in enumerate(entry["regions"])},
        }
        for key, entry in via2_region().items()
    }


def via2_project() -> dict:
    options = {"boots": "", "mask": "face mask"}
    declared = {"class": {"type": "dropdown", "description": "", "options": options, "default_options": {}}}
    return {
        "_via_settings": {"ui": {}, "core": {"default_filepath": ""}, "project": {"name": "made"}},
        "_via_img_metadata": via2_region(),
        "_via_attributes": {"region": declared, "file": {}},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(via2_region()),
    }


def via3_project() -> dict:
    return {
        "project": {"pid": "__VIA_PROJECT_ID__", "rev": "__REV__", "pname": "made", "data_format_version": "3.1.1"},
        "config": {"file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}}},
        "attribute": {
            "1": {
                "aname": "class",
                "anchor_id": "FILE1_Z0_XY1",
                "type": 4,
                "desc": "",
                "options": {"0": "boots", "1": "mask"},
                "default_option_id": "",
            }
        },
        "file": {
            "1": {"fid": "1", "fname": "a.jpg", "type": 2, "loc": 1, "src": ""},
            "2": {"fid": "2", "fname": "b.jpg", "type": 2, "loc": 1, "src": ""},
        },
        "metadata": {
            "1_x": {"vid": "1", "flg": 0, "z": [], "xy": [2, 10, 20, 30, 40], "av": {"1": "0"}},
            "1_y": {"vid": "1", "flg": 0, "z": [], "xy": [7, 5, 5, 15, 7, 9, 25], "av": {"1": "1"}},
            "2_x": {"vid": "2", "flg": 0, "z": [], "xy": [4, 40, 30, 12.5, 6], "av": {"1": "0"}},
        },
        "view": {"1": {"fid_list": ["1"]}, "2": {"fid_list": ["2"]}},
    }


def via_coco() -> dict:
    def annotation(number: int, image: int, category: int | None, box: list[int]) -> dict:
        x, y, w, h = box
        outline = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        return {
            "id": number,
            "image_id": image,
            "category_id": category,
            "segmentation": outline,
            "area": w * h,
            "bbox": box,
            "iscrowd": 0,
        }

    return {
        "info": {
            "year": 2020,
            "version": "1.0",
            "description": "VIA project exported to COCO format using VGG Image Annotator",
        },
        "images": [
            {"id": 1, "width": 200, "height": 100, "file_name": "a.jpg", "license": 0, "date_captured": ""},
            {"id": 2, "width": 90, "height": 80, "file_name": "b.jpg", "license": 0, "date_captured": ""},
        ],
        "annotations": [
            annotation(1, 1, 1, [10, 20, 30, 40]),
            annotation(2, 1, 2, [5, 5, 10, 20]),
            annotation(3, 2, 1, [27, 22, 25, 16]),
        ],
        "licenses": [{"id": 0, "name": "Unknown License", "url": ""}],
        "categories": [
            {"supercategory": "class", "id": 1, "name": "boots"},
            {"supercategory": "class", "id": 2, "name": "mask"},
        ],
    }


def csv_cell(value: object) -> str:
    return '"' + json.dumps(value, separators=(",", ":")).replace('"', '""') + '"'


def via_csv(*, version: int = 2) -> str:
    header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    lines = [f"#{header}" if version == 1 else header]
    for entry in via2_region().values():
        regions = entry["regions"]
        for i, r in enumerate(regions):
            cells = [csv_cell(r["shape_attributes"]), csv_cell(r["region_attributes"])]
            head = [entry["filename"], str(entry["size"]), csv_cell({}), str(len(regions)), str(i)]
            lines.append(",".join([*head, *cells]))
    return "\n".join(lines)


MADE = {
    "via1-region": lambda: json.dumps(via1_region()),
    "via2-region": lambda: json.dumps(via2_region()),
    "via2-project": lambda: json.dumps(via2_project()),
    "via3-project": lambda: json.dumps(via3_project()),
    "via-coco": lambda: json.dumps(via_coco()),
    "via1-csv": lambda: via_csv(version=1),
    "via2-csv": lambda: via_csv(version=2),
}
"""The text of a sound file of each kind."""


@pytest.fixture
def made_texts() -> dict[str, str]:
    """The text of a sound file of each kind."""
    return {kind: text() for kind, text in MADE.items()}


@pytest.fixture
def made(tmp_path):
    """Write the file of one kind and return its path."""

    def write(kind: str) -> Path:
        path = tmp_path / f"{kind}.{'csv' if kind.endswith('csv') else 'json'}"
        path.write_text(MADE[kind](), encoding="utf-8")
        return path

    return write
