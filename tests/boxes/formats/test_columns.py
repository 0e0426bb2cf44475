import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glauke.boxes._annotations import SHAPES
from glauke.boxes.formats._columns import annotations_from_via
from glauke.boxes.formats._via_document import ViaDocument, recognise_via, via_document
from glauke.errors import DataError, UnknownNameError

RECT = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}
POINT = {"name": "point", "cx": 10, "cy": 20}


def region(shape=RECT, **attributes):
    return {"shape_attributes": dict(shape) if isinstance(shape, dict) else shape, "region_attributes": attributes}


def entry(name, *regions, size=12):
    return {"filename": name, "size": size, "regions": list(regions), "file_attributes": {}}


def read(*entries, declared=None, attribute=None, path=None):
    raw = {f"{e['filename']}{e['size']}": e for e in entries}
    document = ViaDocument(kind="via2-region", path=path, entries=raw, attributes=declared or {}, raw=raw)
    return annotations_from_via(document, attribute=attribute)


def labels(annotations):
    return [annotations.label_of(row) for row in range(len(annotations))]


def test_two_pictures_worked_by_hand():
    annotations = read(
        entry("a.jpg", region(kind="boots"), region(POINT, kind="mask")),
        entry("none.jpg"),
        entry("b.jpg", region(RECT | {"x": -2, "width": 3.5}, kind="boots"), region(kind=" "), region()),
    )

    assert annotations.names == ("a.jpg", "none.jpg", "b.jpg")
    assert annotations.keys == ("a.jpg12", "none.jpg12", "b.jpg12")
    assert annotations.image.tolist() == [0, 0, 2, 2, 2]
    assert annotations.region.tolist() == [0, 1, 0, 1, 2]
    assert annotations.boxes_xywh.tolist() == [
        [1, 2, 3, 4], [10, 20, 0, 0], [-2, 2, 3.5, 4], [1, 2, 3, 4], [1, 2, 3, 4],
    ]  # fmt: skip
    assert [SHAPES[code] for code in annotations.shape] == ["rect", "point", "rect", "rect", "rect"]
    assert labels(annotations) == ["boots", "mask", "boots", None, None]
    assert annotations.labels == ("boots", "mask")
    assert annotations.class_attribute == "kind"
    assert [(a.name, a.counts, a.regions) for a in annotations.attributes] == [("kind", {"boots": 2, "mask": 1}, 3)]
    assert annotations.findings == ()
    dtypes = {annotations.image.dtype, annotations.region.dtype, annotations.byte_sizes.dtype, annotations.widths.dtype}
    assert dtypes == {np.dtype(np.int64)}
    assert (annotations.shape.dtype, annotations.label.dtype) == (np.int8, np.int32)


@pytest.mark.parametrize("kind", ["via1-region", "via2-region", "via2-project"])
def test_made_files_of_every_kind(kind, made_texts):
    raw = json.loads(made_texts[kind])
    before = json.dumps(raw)

    annotations = annotations_from_via(via_document(raw, kind=kind, path=Path("made.json")))

    assert json.dumps(raw) == before
    assert (annotations.kind, annotations.path) == (kind, Path("made.json"))
    assert annotations.names == ("a.jpg", "b.jpg")
    assert annotations.byte_sizes.tolist() == [1234, 99]
    assert annotations.shape_counts() == {"rect": 1, "ellipse": 1, "polygon": 1}
    assert annotations.boxes_xywh[:2].tolist() == [[10, 20, 30, 40], [5, 5, 10, 20]]
    assert labels(annotations) == ["boots", "face mask" if kind == "via2-project" else "mask", "boots"]


def test_a_file_without_pictures_and_pictures_without_regions():
    for annotations in (read(), read(entry("a.jpg"))):
        assert len(annotations) == 0
        assert annotations.boxes_xywh.shape == (0, 4)
        assert annotations.class_attribute is None
        assert annotations.labels == ()


def test_declared_labels_come_first_even_if_nobody_uses_them():
    declared = {"class": {"type": "dropdown", "options": {"1": "vest", "2": "boots", "3": ""}}}

    annotations = read(entry("a.jpg", region(**{"class": "own"}), region(**{"class": "2"})), declared=declared)

    assert annotations.labels == ("vest", "boots", "3", "own")
    assert labels(annotations) == ["own", "boots"]
    assert annotations.label_counts() == {"boots": 1, "own": 1, "vest": 0, "3": 0}


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (region(RECT | {"x": "1"}), "the text '1' for its x"),
        (region(RECT | {"y": None}), "null for its y"),
        (region(RECT | {"y": True}), "true for its y"),
        (region(RECT | {"width": -3}), "the number -3 for its width"),
        (region(RECT | {"height": math.nan}), "the number nan for its height"),
        (region(RECT | {"height": 10**400}), "for its height"),
        (region(RECT | {"x": 10**17}), "the number 100000000000000000 for its x"),
        (region({"name": "rect", "x": 1}), "a rect without 'y'"),
        (region({"name": "star"}), "'star'"),
        (region({"name": ["rect"]}), "a list as its shape"),
        (region({}), "no name"),
        (region(None), "no shape_attributes"),
        (region([1]), "a list for its shape_attributes"),
        ({"region_attributes": {}}, "no shape_attributes"),
        ({}, "no shape_attributes"),
        (None, "is null"),
        ("rect", "is the text 'rect'"),
        ([RECT], "is a list"),
        (3, "is the number 3"),
    ],
)
def test_a_region_of_which_no_box_can_be_made_keeps_its_row(broken, problem):
    annotations = read(entry("a.jpg", region(c="x")), entry("b.jpg", region(c="y"), broken, region(c="x")))

    (finding,) = annotations.findings
    assert np.isnan(annotations.boxes_xywh).all(axis=1).tolist() == [False, False, True, False]
    assert [SHAPES[code] for code in annotations.shape] == ["rect", "rect", "unknown", "rect"]
    assert labels(annotations) == ["x", "y", None, "x"]
    assert (finding.rule, finding.severity, finding.image, finding.region) == ("bad-shape", "error", "b.jpg", 1)
    assert problem in finding.message
    assert (finding.change.what, finding.change.image, finding.change.region) == ("drop-region", 1, 2)


def test_a_bad_shape_keeps_its_label():
    annotations = read(entry("a.jpg", region(RECT | {"x": "1"}, c="x"), region({"name": "star"}, c="x"), region(c="y")))

    assert labels(annotations) == ["x", "x", "y"]


def test_missing_attributes_are_no_label_and_wrong_ones_are_found():
    without = {"shape_attributes": RECT}
    annotations = read(entry("a.jpg", without, without | {"region_attributes": ["boots"]}, region(c="x")))

    assert labels(annotations) == [None, None, "x"]
    assert annotations.boxes_xywh.tolist() == [[1, 2, 3, 4]] * 3
    assert [(f.rule, f.region) for f in annotations.findings] == [("bad-entry", 1)]


def test_one_tick_is_a_label():
    annotations = read(entry("a.jpg", region(c={"boots": True}), region(c={"mask": True, "vest": False}), region(c={})))

    assert annotations.class_attribute == "c"
    assert labels(annotations) == ["boots", "mask", None]
    assert annotations.findings == ()


def test_several_ticks_are_passed_over_and_named_on_request():
    regions = [region(c={"boots": True}), region(c={"mask": True, "boots": True}), region(c="vest")]

    annotations = read(entry("a.jpg", *regions[:2]))
    assert annotations.class_attribute is None
    assert [(f.rule, f.severity) for f in annotations.findings] == [("several-labels", "warning")]
    assert "--attribute 'c'" in annotations.findings[0].fix

    annotations = read(entry("a.jpg", *regions), attribute="c")
    assert annotations.class_attribute == "c"
    assert labels(annotations) == ["boots", None, "vest"]
    assert [(f.rule, f.severity, f.region) for f in annotations.findings] == [("several-labels", "error", 1)]
    assert "mask, boots" in annotations.findings[0].message


def test_one_region_with_two_ticks_does_not_cost_the_others_their_class():
    regions = [region(c={"boots": True}), region(c={"mask": True, "boots": True}), region(c="vest")]

    annotations = read(entry("a.jpg", *regions))

    assert labels(annotations) == ["boots", None, "vest"]
    assert [(f.rule, f.severity, f.region) for f in annotations.findings] == [("several-labels", "error", 1)]


def test_what_is_said_of_a_region_names_its_row_also_where_two_pictures_have_one_name():
    sound = [region(c="boots"), region(c="mask")]
    several = region(c={"boots": True, "mask": True})
    damaged = {"shape_attributes": RECT, "region_attributes": 7}

    annotations = read(entry("a.jpg", *sound), entry("a.jpg", several, damaged, size=13), attribute="c")

    changes = [f.change for f in annotations.findings if f.change]
    assert [f.rule for f in annotations.findings] == ["several-labels", "bad-entry"]
    assert [(c.what, c.image, c.region) for c in changes] == [("drop-region", 1, 2), ("drop-region", 1, 3)]


def test_an_attribute_can_be_named():
    entries = entry("a.jpg", region(kind="boots", note="far"), region(kind="mask"))

    assert labels(read(entries)) == ["boots", "mask"]
    assert labels(read(entries, attribute="note")) == ["far", None]


def test_an_attribute_that_does_not_exist_is_refused():
    with pytest.raises(UnknownNameError, match="region attribute 'klass'") as refused:
        read(entry("a.jpg", region(**{"class": "boots"})), attribute="klass", path=Path("made.json"))
    assert "did you mean 'class'" in str(refused.value)
    assert refused.value.place == "made.json"

    with pytest.raises(DataError, match="no region has any"):
        read(entry("a.jpg", region()), attribute="class")


def test_lines_of_a_csv_go_with_their_regions():
    entries = {"a": entry("a.jpg", region(), region()), "b": entry("b.jpg"), "c": entry("c.jpg", region())}
    lines = {"a": [2, 5], "b": [], "c": [4]}

    annotations = annotations_from_via(
        ViaDocument(kind="via2-csv", path=None, entries=entries, attributes={}, lines=lines)
    )

    assert annotations.lines.tolist() == [2, 5, 4]


def test_entries_that_nobody_has_mended_are_no_trap():
    entries = {"a": entry("a.jpg", region()), "bad": "text"}

    annotations = annotations_from_via(ViaDocument(kind="via2-region", path=None, entries=entries, attributes={}))

    assert (annotations.names, annotations.image.tolist()) == (("a.jpg", "bad"), [0])
    assert [f.rule for f in annotations.findings] == ["bad-entry"]


def test_an_attributes_file_has_labels_and_no_regions():
    raw = {"region": {"class": {"type": "radio", "options": {"1": "boots"}}}, "file": {}}

    annotations = annotations_from_via(via_document(raw, kind="via2-attributes", path=None))

    assert (annotations.class_attribute, annotations.labels, len(annotations)) == ("class", ("boots",), 0)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**18) | st.floats() | st.sampled_from(["", "rect", "3", "name"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "x", "c"]), inner, max_size=2),
    max_leaves=4,
)
SHAPE = st.fixed_dictionaries(
    {"name": st.sampled_from([*SHAPES, "rect", "rect"]) | VALUES},
    optional={
        **dict.fromkeys(
            ("x", "y", "width", "height", "cx", "cy", "r", "rx", "ry", "theta"), VALUES | st.integers(0, 9)
        ),
        **dict.fromkeys(("all_points_x", "all_points_y"), VALUES | st.lists(st.integers(0, 9), max_size=3)),
    },
)
ATTRIBUTES = st.dictionaries(st.sampled_from(["class", "c", ""]), VALUES, max_size=2)
REGION = st.fixed_dictionaries(
    {}, optional={"shape_attributes": SHAPE | VALUES, "region_attributes": ATTRIBUTES | VALUES}
)
REGIONS = st.lists(REGION | VALUES, max_size=4) | st.dictionaries(st.sampled_from("012"), REGION, max_size=3) | VALUES
ENTRY = st.fixed_dictionaries(
    {"filename": st.just("a.jpg") | VALUES, "regions": REGIONS},
    optional={"size": VALUES, "file_attributes": VALUES},
)
DECLARED = st.fixed_dictionaries({"region": st.dictionaries(st.sampled_from(["class", "c"]), VALUES)}) | VALUES


@settings(max_examples=100, deadline=None)
@given(entries=st.dictionaries(st.sampled_from("abc"), ENTRY | VALUES, max_size=3) | VALUES, declared=DECLARED)
def test_whatever_can_be_parsed_is_read_and_every_region_has_its_row(entries, declared):
    raw = {"_via_img_metadata": entries, "_via_attributes": declared}
    document = via_document(raw, kind=recognise_via(raw), path=None)

    annotations = annotations_from_via(document)

    regions = [r for e in document.entries.values() for r in (e["regions"] if e["regions"] else ())]
    unknown = annotations.shape == SHAPES.index("unknown")
    assert len(annotations) == len(regions) == len(annotations.boxes_xywh) == len(annotations.label)
    assert (unknown == np.isnan(annotations.boxes_xywh).any(axis=1)).all()
    assert sum(f.rule == "bad-shape" for f in annotations.findings) == unknown.sum()
    assert annotations.label.max(initial=-1) < len(annotations.labels)
    assert (annotations.boxes_xywh[~unknown][:, 2:] >= 0).all()
    assert all(name for name in annotations.names)
