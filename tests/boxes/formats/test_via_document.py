import copy
import json

import pytest

from glauke.boxes.formats._via_document import recognise_via, via_document

ENTRY = {"filename": "a.jpg", "size": 12, "regions": [], "file_attributes": {}}
REGION = {"shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}, "region_attributes": {}}


def test_sound_files_of_every_kind_are_recognised(made_texts):
    kinds = {kind: recognise_via(json.loads(text)) for kind, text in made_texts.items() if not kind.endswith("csv")}

    assert kinds == {
        "via1-region": "via1-region",
        "via2-region": "via2-region",
        "via2-project": "via2-project",
        "via3-project": None,
        "via-coco": None,
    }


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"a": ENTRY | {"regions": {}}}, "via1-region"),
        ({"a": ENTRY | {"fileref": "", "base64_img_data": ""}}, "via1-region"),
        ({"a": ENTRY | {"regions": {}}, "b": ENTRY | {"regions": [REGION]}}, "via2-region"),
        ({"a": None, "b": 3, "c": ENTRY}, "via2-region"),
        ({"a": {"filename": "a.jpg", "regions": None}}, "via2-region"),
        ({"_via_img_metadata": {}}, "via2-project"),
        ({"_via_img_metadata": None, "_via_attributes": None}, "via2-project"),
        ({"region": {"class": {"type": "text"}}, "file": {}}, "via2-attributes"),
        ({"region": {}, "file": []}, None),
        ({"region": {}}, None),
        ({}, None),
        ([], None),
        ("via", None),
        ({"a": {"size": 3}}, None),
        ({"images": [], "annotations": [], "a": ENTRY}, None),
    ],
)
def test_content_decides_what_a_file_is(document, kind):
    assert recognise_via(document) == kind


def test_a_sound_document_is_handed_on_as_it_is():
    raw = {"a.jpg12": copy.deepcopy(ENTRY)}

    document = via_document(raw, kind="via2-region", path=None)

    assert document.entries is raw
    assert document.raw is raw
    assert (document.attributes, document.findings, document.lines) == ({}, (), None)


def test_a_project_brings_its_declarations():
    declared = {"class": {"type": "text"}, "odd": 3}
    raw = {"_via_img_metadata": {"a": ENTRY}, "_via_attributes": {"region": declared, "file": {}}}

    document = via_document(raw, kind="via2-project", path=None)

    assert document.entries == {"a": ENTRY}
    assert document.attributes == {"class": {"type": "text"}}
    assert [(f.rule, f.severity) for f in document.findings] == [("bad-entry", "warning")]
    assert "'odd' is the number 3" in document.findings[0].message


def test_an_attributes_file_declares_and_holds_no_pictures():
    raw = {"region": {"class": {"type": "text"}}, "file": {}}

    document = via_document(raw, kind="via2-attributes", path=None)

    assert (document.entries, document.attributes) == ({}, raw["region"])


def test_damaged_entries_become_pictures_without_regions_and_the_original_stays():
    raw = {
        "a": ENTRY,
        "b.jpg7": None,
        "c": {"filename": "c.jpg", "size": 7},
        "d": ENTRY | {"filename": "d.jpg", "regions": "none", "more": 1},
    }
    before = copy.deepcopy(raw)

    document = via_document(raw, kind="via2-region", path=None)

    assert raw == before
    assert document.raw is raw
    assert list(document.entries) == ["a", "b.jpg7", "c", "d"]
    assert [entry["regions"] for entry in document.entries.values()] == [[], [], [], []]
    assert document.entries["d"]["more"] == 1
    assert [(f.rule, f.image) for f in document.findings] == [
        ("bad-entry", "b.jpg7"),
        ("bad-entry", "c.jpg"),
        ("bad-entry", "d.jpg"),
    ]
    assert [f.change.image for f in document.findings] == [1, 2, 3]
    assert "null" in document.findings[0].message
    assert "missing" in document.findings[1].message
    assert "'none'" in document.findings[2].message


@pytest.mark.parametrize("metadata", [None, [], "x", 3])
def test_a_project_without_pictures_says_so(metadata):
    document = via_document({"_via_img_metadata": metadata}, kind="via2-project", path=None)

    assert document.entries == {}
    assert "_via_img_metadata" in document.findings[0].message
