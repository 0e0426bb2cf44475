"""The page of boxes answers first, fetches nothing, and strangers' strings stay strings."""

import io
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import numpy as np
import pytest
from PIL import Image

from glauke.boxes import Annotations, Finding, anchors, cluster, describe, paste_ready
from glauke.errors import DataError
from glauke.pages import boxes_page

PAYLOADS = [
    "<script>alert(1)</script>",
    "</style></title></pre></code></table><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "&lt;script&gt;&#60;img src=x onerror=alert(1)&#62;",
    "<!--<script>--><![CDATA[<iframe src=https://example.org>]]>",
    "\x00<script\x0c>\r\n\u2028\u202e<b>\u2066",
    "a\udce9<i>",
]


def made(*, count: int = 60, **changes) -> Annotations:
    """Upright and lying boxes in turn, of two labels, in two pictures."""
    rng = np.random.default_rng(0)
    sides = np.where(np.arange(count)[:, None] % 2, [[20.0, 60.0]], [[60.0, 20.0]]) * rng.uniform(0.9, 1.1, (count, 2))
    value = Annotations(
        kind="via2-region",
        path=Path("boxes.json"),
        names=("a.jpg", "b.jpg"),
        keys=("a.jpg1", "b.jpg1"),
        byte_sizes=np.array([1, 1]),
        widths=np.array([640, 640]),
        heights=np.array([480, 480]),
        image=np.arange(count) % 2,
        region=np.arange(count) // 2,
        boxes_xywh=np.concatenate([np.ones((count, 2)), sides], axis=1),
        shape=np.zeros(count, np.int8),
        label=np.where(np.arange(count) < 9, 1, np.where(np.arange(count) < count - 1, 0, -1)).astype(np.int32),
        labels=("boots", "mask"),
        class_attribute="class",
    )
    return replace(value, **changes)


FINDINGS = (
    Finding(rule="unlabelled", severity="warning", message="it has no label", image="b.jpg", region=29, fix="name it"),
    Finding(rule="tiny-box", severity="warning", message="it is 2 pixels wide", image="a.jpg", region=0),
    Finding(rule="tiny-box", severity="warning", message="it is 3 pixels wide", image="b.jpg", region=2),
    Finding(rule="null-category", severity="error", message="4 annotations have no category"),
)


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, format="JPEG")
    return out.getvalue()


@pytest.fixture(scope="session")
def computed() -> dict[str, Any]:
    annotations = made()
    found = anchors(annotations, count=3)
    return {
        "annotations": annotations,
        "findings": FINDINGS,
        "clusters": cluster(annotations, by_label=True),
        "anchors": found,
        "snippets": {"yolov3": paste_ready(found, detector="yolov3")},
        "description": describe(annotations, document={}, text=None, findings=FINDINGS),
        "command": "glauke boxes report boxes.json",
    }


@pytest.fixture
def whole(computed, jpeg, svg) -> dict[str, Any]:
    """Every argument, with something in every field that holds text."""
    names = ["labels", "elbow", "ratios", "clusters", "anchors", "positions", "by_label"]
    return {
        **computed,
        "figures": dict.fromkeys(names, svg),
        "photographs": [("a.jpg: 30 regions.", jpeg)],
        "contact_sheets": [("boots: 50 boxes.", jpeg)],
        "notes": ["a note"],
    }


def built(arguments: dict[str, Any]) -> str:
    return boxes_page(arguments["annotations"], **{n: v for n, v in arguments.items() if n != "annotations"})


def parsed(text: str) -> Element:
    return html5lib.parse(text, namespaceHTMLElements=False)


def words(tree: Element) -> str:
    return " ".join(" ".join(tree.find("body").itertext()).split())


def changed(value: Any, change: Callable[[str], str]) -> Any:
    """The same value with every free text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Path):
        return None if "\x00" in change("") else Path(change(value.name).replace("/", "|"))
    if isinstance(value, tuple | list):
        return type(value)(changed(item, change) for item in value)
    if isinstance(value, dict):
        return {change(key): changed(item, change) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        fixed = {"severity", "kind", "feature", "distance", "resize", "by_label"}  # not free text
        names = [field.name for field in fields(value) if field.init and field.name not in fixed]
        return replace(value, **{name: changed(getattr(value, name), change) for name in names})
    return value


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_changes_no_element_and_no_attribute(whole, payload):
    """The same page with harmless text in the same places has the same tree."""

    def tree(text: str) -> list[tuple[str, list[str]]]:
        def change(old: str) -> str:
            return f"{old}{text}"

        hostile = {name: changed(value, change) for name, value in whole.items() if name != "figures"}
        hostile["figures"] = {**whole["figures"], f"by_label{text}": whole["figures"]["by_label"]}
        return [(str(node.tag), sorted(node.attrib)) for node in parsed(built(hostile)).iter()]

    assert tree(payload) == tree("harmless")


def test_nothing_is_fetched_and_nothing_runs(whole):
    tree = parsed(built(whole))

    assert {str(node.tag) for node in tree.iter()} & {"script", "iframe", "link", "object", "form", "base"} == set()
    images = list(tree.iter("img"))
    assert len(images) == 2
    for node in tree.iter():
        assert not any(name.startswith("on") or name in ("style", "srcset") for name in node.attrib), node.tag
        assert ":" not in node.attrib.get("href", "") and not node.attrib.get("href", "").startswith("/")
        assert node.attrib.get("src", "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
    assert all(node.attrib["alt"] for node in images)


def test_the_answer_comes_first(whole):
    tree = parsed(built(whole))
    (lead,) = [node for node in tree.iter("div") if node.attrib.get("class") == "lead"]
    boxes, shapes, sizes, both, check = [" ".join("".join(part.itertext()).split()) for part in lead]
    clusters, found = whole["clusters"], whole["anchors"]
    answer, _, why = clusters.elbow.reason.partition(": ")

    assert boxes == "60 boxes of 2 labels in 2 pictures."
    assert shapes.startswith(f"Clusters of width / height: {answer}. {why[0].upper()}{why[1:]}. Their centres are 0.3")
    told = [f"{w:.0f} × {h:.0f}" for w, h in found.sizes.tolist()]
    assert sizes.startswith(
        f"Anchors for 416 × 416 px, as darknet stretches pictures: {told[0]}, {told[1]} and {told[2]}"
    )
    assert f"mean IoU is {found.mean_iou:.3f}; there are too few pictures to hold some out" in sizes
    assert sizes.endswith("No box fits badly, with an IoU below 0.5 with every anchor.")
    assert both.startswith("The clusters tell shapes apart whatever their size; an anchor is a shape of one size")
    assert check == "Check: it has 1 error and 3 warnings."
    headings = [node.text for node in tree.iter("h2")]
    assert headings == [
        "Problems in the file",
        "Labels",
        "How many clusters",
        "Shapes",
        "Widths and heights",
        "Anchors",
        "Where in the picture",
        "By label",
        "Pictures with their boxes",
        "Every label side by side",
        "The file in words",
    ]


def test_what_speaks_against_the_answer_stands_right_below_it(whole):
    whole["clusters"] = replace(whole["clusters"], doubts=("a handful of boxes",))
    whole["anchors"] = replace(whole["anchors"], notes=("one anchor has 3 boxes.",))
    main = parsed(built(whole)).find("body/main")
    below = list(main)[2:4]

    assert [node.attrib.get("class") for node in main][1] == "lead"
    assert "".join(below[0].itertext()) == "What to keep in mind:"
    assert ["".join(item.itertext()) for item in below[1]] == ["A handful of boxes.", "One anchor has 3 boxes."]


def test_held_out_and_badly_covered_boxes_are_told(whole):
    whole["anchors"] = replace(whole["anchors"], mean_iou_held_out=0.71, below_half=0.05)

    text = words(parsed(built(whole)))
    assert (
        "on pictures that had no part in the search 0.710. 5.0% of the boxes fit badly, with an IoU below 0.5" in text
    )


def test_fewer_and_more_anchors_are_compared(whole):
    whole["anchors"] = replace(whole["anchors"], iou_by_count=((1, 0.4), (3, 0.6), (6, 0.75)))

    text = words(parsed(built(whole)))
    assert "Anchors Mean IoU Gain 1 0.400 – 3 (these) 0.600 +0.200 6 0.750 +0.150" in text
    assert "How many is yours to choose: a table below has what fewer and more would give." in text


def test_a_single_anchor_and_clusters_in_the_plane_are_related_in_other_words(whole):
    whole["clusters"] = cluster(made(), feature="relative-size", k=2, max_k=6)
    whole["anchors"] = anchors(made(), count=1)

    text = words(parsed(built(whole)))
    assert "Anchor for 416 × 416 px" in text
    assert "anchors are sizes in pixels of the input, as many as were asked for: 1." in text


def test_boxes_that_have_no_say_are_counted_in_the_answer(whole):
    annotations = made(names=("a.jpg", "b.jpg", "c.jpg"), keys=("a", "b", "c"), byte_sizes=np.ones(3, np.int64),
                       widths=np.full(3, 640), heights=np.full(3, 480))  # fmt: skip
    annotations.boxes_xywh[:5, 2:] = 0
    unlabelled = replace(annotations, label=np.full(60, -1, np.int32))

    text = words(parsed(built({**whole, "annotations": annotations})))
    assert "60 boxes of 2 labels in 2 of 3 pictures; 5 of them enclose nothing and have no say below." in text
    assert "60 boxes without labels in 2 of 3" in words(parsed(built({**whole, "annotations": unlabelled})))


def test_the_elbow_comes_with_its_caveat_and_the_silhouette_with_its_meaning(whole):
    text = words(parsed(built(whole)))

    assert "“severely lacks theoretic support”" in text
    assert "how much farther a box lies from the next cluster than from its own" in text


def test_a_snippet_says_what_it_is_for_before_it_is_opened(whole):
    tree = parsed(built(whole))
    told = ["".join(node.itertext()) for node in tree.iter("summary")]

    assert "yolov3 – YOLOv3 and YOLOv4 (darknet's cfg): pictures are stretched to the input size" in told
    assert "In those above pictures are stretched to the input size." in words(tree)


def test_notes_are_told_without_clusters_of_labels_too(whole):
    whole["clusters"] = replace(cluster(made()), notes=("no label has clusters",))

    assert "no label has clusters" in words(parsed(built(whole)))


@pytest.mark.parametrize(
    ("photographs", "said"),
    [
        (5, "The 3 pictures with the most boxes and the first others of the file"),
        (1, "The 1 picture with the most boxes,"),
    ],
)
def test_how_photographs_were_chosen_is_told(whole, jpeg, photographs, said):
    whole["photographs"] = [("a.jpg", jpeg)] * photographs

    assert said in words(parsed(built(whole)))


def test_one_value_and_no_elbow_are_said_so(whole):
    for count, said in ((1, "All boxes have the same value"), (2, "It has no elbow; the ring is 2, which is used.")):
        annotations = made(count=count)
        text = words(parsed(built({**whole, "annotations": annotations, "clusters": cluster(annotations)})))
        assert said in text
        assert "severely lacks" not in text


def test_the_numbers_are_there(whole):
    text = words(parsed(built(whole)))

    for expected in (
        "a note",
        "A file of kind via2-region; labels are its attribute class",
        "boots 50 83.3%",
        "mask 9 15.0%",
        "(no label) 1 1.7%",
        "1 box without a label belongs to no label's clusters",
        "anchors =",
        "What is not in this file",
        "Written by glauke with glauke boxes report boxes.json",
        "Without a sheet here: 1 label.",
        *(f"{width:.1f} {height:.1f}" for width, height in whole["anchors"].sizes.tolist()),
    ):
        assert expected in text, expected


def test_the_worst_findings_come_first(whole):
    tree = parsed(built(whole))
    (section,) = [node for node in tree.iter("section") if node.findtext("h2") == "Problems in the file"]
    rows = [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in section.find(".//tbody")]

    assert [(row[0], row[1].partition(":")[0], row[2]) for row in rows] == [
        ("error", "null-category", "1"),
        ("warning", "unlabelled", "1"),
        ("warning", "tiny-box", "2"),
    ]
    assert rows[1][3] == "b.jpg, region 29: it has no label. Fix: name it"
    assert [node.text for node in section.iter("summary")] == ["warning: tiny-box, 2 times"]


def test_a_long_list_says_how_many_it_leaves_out(whole):
    whole["findings"] = [FINDINGS[1]] * 1200

    assert "and 1,100 more" in built(whole)


def test_another_number_of_clusters_was_asked_for(whole):
    whole["clusters"] = cluster(made(), feature="log-aspect-ratio", k=5)

    text = words(parsed(built(whole)))
    assert "Clusters of the logarithm of width / height" in text
    assert "5 were asked for and are shown here. Their centres are 0." in text
    assert "No other division into 5 has a smaller inertia" in text


def test_clusters_in_the_plane(whole):
    whole["clusters"] = cluster(made(), feature="relative-size", distance="iou", k=2, max_k=6)
    text = words(parsed(built(whole)))

    assert "Their centres are 9." in text or "Their centres are 3." in text
    assert "% × " in text
    assert "These are the best that several starts have found" in text


def test_a_file_without_boxes_has_its_page_too(computed):
    nothing = made(count=0, labels=(), class_attribute=None, path=None)
    text = boxes_page(
        nothing,
        findings=(),
        clusters=None,
        description=describe(nothing, document={}, text=None, findings=()),
        command="glauke boxes report x",
        notes=["there is nothing to cluster"],
    )

    said = words(parsed(text))
    assert "0 boxes in 2 pictures. Check: nothing is wrong with the file as far as it can see." in said
    assert "there is nothing to cluster" in said
    headings = [node.text for node in parsed(text).iter("h2")]
    assert headings == ["Problems in the file", "The file in words"]


def test_a_count_table_does_not_speak_of_pictures(whole):
    text = words(parsed(built({**whole, "annotations": made(kind="table")})))

    assert "60 boxes of 2 labels. Clusters" in text


@pytest.mark.parametrize(("plots", "links"), [("boxes plots", ["boxes%20plots/elbow.csv"]), (None, [])])
def test_links_lead_to_the_folder_beside_the_page(whole, svg, plots, links):
    tree = parsed(built({**whole, "figures": {"elbow": svg}, "plots": plots}))

    assert [node.attrib["href"] for node in tree.iter("a")] == links


def test_a_screen_reader_finds_its_way(whole):
    tree = parsed(built(whole))

    assert len(list(tree.iter("h1"))) == 1
    assert all(made.find("caption") is not None for made in tree.iter("table"))
    identities = [node.attrib["id"] for node in tree.iter() if "id" in node.attrib]
    assert len(identities) == len(set(identities))


def test_equal_boxes_give_equal_pages(whole):
    assert built(whole) == built(whole)


def test_what_is_no_picture_is_refused(whole, jpeg):
    with pytest.raises(DataError, match="the photograph 'x' is not JPEG"):
        built({**whole, "photographs": [("x", b"<svg>")]})
    with pytest.raises(DataError, match="the figure 'elbow' is not SVG"):
        built({**whole, "figures": {"elbow": "<svg"}})
