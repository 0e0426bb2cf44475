"""The page of an explained run answers first, shows pictures with words, fetches nothing, and strings stay strings."""

import io
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import numpy as np
import pytest
from PIL import Image

from glauke.errors import DataError
from glauke.insight import Explanation, Predictions, explain
from glauke.pages import Looked, explain_page

PAYLOADS = [
    "<script>alert(1)</script>",
    "</style></title></table></figure><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "\x00<script\x0c>\r\n\u2028\u202e<b>\u2066",
    "a\udce9<i>",
]
FILES = {"mistakes.csv": "every mistake", "confusion.csv": "the matrix"}


def said(shares: object, labels: list[int], *, names: tuple[str, ...] = ()) -> Predictions:
    values = np.asarray(shares, np.float64)
    classes = tuple(f"n{i}" for i in range(values.shape[1]))
    return Predictions(
        logits=np.log(values).astype(np.float32),
        labels=np.asarray(labels, np.int64),
        samples=np.arange(100, 100 + len(labels)),
        names=tuple(f"val/p{i}.png" for i in range(len(labels))),
        classes=classes,
        readable=names or tuple(f"class {i}" for i in range(len(classes))),
    )


#                           0                   1                   2                   3
SHARES = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.05, 0.9, 0.05], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.01, 0.01, 0.98]]
LABELS = [0, 0, 0, 1, 2, 1]


@pytest.fixture(scope="session")
def found() -> Explanation:
    return explain(said(SHARES, LABELS, names=("tabby", "lynx", "car")))


@pytest.fixture(scope="session")
def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, format="PNG")
    return out.getvalue()


@pytest.fixture
def whole(record, found, png, svg) -> dict[str, Any]:
    return {
        "record": record,
        "explanation": found,
        "pictures": dict.fromkeys(range(100, 106), png),
        "looked": Looked(layer="layer3", cells=(4, 4), maps={102: (png, png)}, note="the last layer is too coarse"),
        "figures": dict.fromkeys(("confusion", "per_class", "calibration", "another_one"), svg),
        "files": FILES,
        "notes": ("a note",),
        "command": "glauke explain run",
    }


def built(arguments: dict[str, Any]) -> str:
    rest = {name: value for name, value in arguments.items() if name not in ("record", "explanation")}
    return explain_page(arguments["record"], arguments["explanation"], **rest)


def parsed(text: str) -> Element:
    return html5lib.parse(text, namespaceHTMLElements=False)


def words_of(node: Element) -> str:
    return " ".join(" ".join(node.itertext()).split())


def words(tree: Element) -> str:
    return words_of(tree.find("body"))


def changed(value: Any, change: Callable[[str], str], *, fixed: frozenset[str] = frozenset()) -> Any:
    """The same value with every free text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        return type(value)(changed(item, change, fixed=fixed) for item in value)
    if isinstance(value, dict):
        return {key: changed(item, change, fixed=fixed) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.name not in fixed]
        return replace(value, **{name: changed(getattr(value, name), change, fixed=fixed) for name in names})
    return value


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_changes_no_element_and_no_attribute(whole, payload):
    """The same page with harmless text in the same places has the same tree."""

    def tree(text: str) -> list[tuple[str, list[str]]]:
        hostile = {
            name: changed(value, lambda old: f"{old}{text}", fixed=frozenset({"status"}))
            for name, value in whole.items()
            if name != "figures"
        }
        hostile["figures"] = {**whole["figures"], f"another_one{text}": whole["figures"]["another_one"]}
        return [(str(node.tag), sorted(node.attrib)) for node in parsed(built(hostile)).iter()]

    assert tree(payload) == tree("harmless")


def test_nothing_is_fetched_and_nothing_runs(whole):
    tree = parsed(built(whole))

    assert {str(node.tag) for node in tree.iter()} & {"script", "iframe", "link", "object", "form", "base"} == set()
    for node in tree.iter():
        assert not any(name.startswith("on") or name in ("style", "srcset") for name in node.attrib), node.tag
        assert ":" not in node.attrib.get("href", "") and not node.attrib.get("href", "").startswith("/")
        assert node.attrib.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
    images = list(tree.iter("img"))
    assert images
    assert all(node.attrib["alt"] and node.attrib["class"] == "pixels" for node in images)


def test_the_answer_comes_first(whole, found):
    tree = parsed(built(whole))
    (lead,) = [node for node in tree.iter("p") if node.attrib.get("class") == "lead"]
    answer = " ".join("".join(lead.itertext()).split())
    low, high = found.interval

    assert answer.startswith(
        f"33.33% of 6 held-out pictures are recognised (95% interval {100 * low:.2f}% to {100 * high:.2f}%). "
        "It confuses tabby with lynx most often (3 pictures, both ways together). "
        "Its confidence is 78.0% on average, its accuracy 33.3%: it is too sure of itself (calibration error "
    )
    assert f"where one of {found.calibration.ece_by_chance:.3f} would come by chance alone" in answer
    assert "It errs too often to judge labels, though" in answer
    assert [node.text for node in tree.iter("h2")] == [
        "What it confuses",
        "Class by class",
        "How sure it is, and how right",
        "Another one",
        "Surest mistakes",  # all four, so that the largest losses would be the same pictures again
        "Labels that may be wrong",
        "Confused pairs side by side",
        "Where it looked",
        "Files",
    ]


def test_the_numbers_are_there(whole):
    text = words(parsed(built(whole)))

    for expected in (
        "a note",
        "Run ",
        "tabby , lynx 2 66.7% 1 50.0%",
        "lynx , car 1 50.0% 0 0.0%",
        "lynx 2 0.0% 0.0% 0.0% tabby (1)",
        "car 98.0% label: lynx 1.0% p5.png",
        "lynx 90.0% label: tabby 5.0% p2.png",
        "tabby called lynx (2)",
        "lynx called tabby (1)",
        "tabby recognised",
        "Layer layer3, 4 × 4 cells: the last layer is too coarse.",
        "It is not a proof",
        "mistakes.csv every mistake",
        "Written by glauke with glauke explain run",
    ):
        assert expected in text, expected


def test_every_picture_says_what_it_shows(whole):
    alts = [node.attrib["alt"] for node in parsed(built(whole)).iter("img")]

    assert "tabby taken for lynx" in alts
    assert "tabby taken for lynx: p2.png" in alts
    assert "tabby, recognised: p0.png" in alts
    assert "Where it looked for lynx" in alts and "Where it looked for tabby" in alts
    assert any(alt.startswith("labelled tabby, looks like lynx") for alt in alts)


def test_galleries_are_as_long_as_asked(whole):
    tree = parsed(built({**whole, "shown": 1, "looked": None}))
    grids = [node for node in tree.iter("div") if node.attrib.get("class") == "tiles"]

    assert [len(list(grid.iter("img"))) for grid in grids] == [1, 1]  # surest mistake, label that may be wrong


def test_the_largest_losses_have_a_gallery_where_they_are_other_pictures(record, png):
    """Picture 1 is the surest mistake, picture 0 that with the least likely label."""
    told = explain(said([[0.01, 0.39, 0.6], [0.05, 0.9, 0.05], [0.1, 0.8, 0.1]], [0, 0, 1]))
    tree = parsed(explain_page(record, told, pictures=dict.fromkeys((100, 101, 102), png), shown=1))

    sections = {node.find("h2").text: words_of(node) for node in tree.iter("section")}
    assert "p1.png" in sections["Surest mistakes"] and "p0.png" in sections["Largest losses"]
    assert "p0.png" not in sections["Surest mistakes"] and "p1.png" not in sections["Largest losses"]


def test_links_lead_to_the_files_beside_the_page(whole):
    links = {node.attrib["href"] for node in parsed(built(whole)).iter("a")}

    assert {"mistakes.csv", "confused_pairs.csv", "label_suspects.csv", "./confusion.csv", "./calibration.csv"} <= links
    assert all("/" not in link.removeprefix("./") for link in links)


def test_without_a_mistake_there_is_praise_and_no_gallery(record, svg):
    perfect = explain(said([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]], [0, 1, 0]))
    text = explain_page(record, perfect, figures={"confusion": svg})
    tree = parsed(text)

    assert "100.00% of 3 held-out pictures are recognised" in words(tree)
    assert "It confuses nothing." in words(tree) and "No label looks wrong." in words(tree)
    assert "no further apart than chance can put them for 3 pictures" in words(tree)
    assert "No temperature mends it" in words(tree) and "temperature is 0.010" not in words(tree)
    assert [node.text for node in tree.iter("h2")] == [
        "What it confuses",
        "Class by class",
        "How sure it is, and how right",
    ]


def test_pairs_that_are_confused_as_often_are_not_passed_over(record):
    told = explain(said([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]], [0, 1, 0]))

    text = words(parsed(explain_page(record, told)))
    assert "with class 1 most often (1 picture, both ways together), and 1 other pair as often." in text


def lead_of(page: str) -> str:
    (lead,) = [node for node in parsed(page).iter("p") if node.attrib.get("class") == "lead"]
    return words_of(lead)


@pytest.mark.parametrize("wrong", [2, 3])
def test_a_network_at_chance_does_not_judge_labels(record, wrong):
    """All pictures are called alike, with the same confidence, but no label is praised for it."""
    told = explain(said([[0.6, 0.4]] * 5, [0] * (5 - wrong) + [1] * wrong))
    lead = lead_of(explain_page(record, told))

    assert told.predictions.accuracy() < 0.7
    assert "It errs too often to judge labels" in lead and "No label looks wrong" not in lead


def test_one_suspect_is_spoken_of_as_one(record, png):
    told = explain(said([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.1, 0.9]], [0, 0, 0, 1]))
    assert told.suspects.total == 1
    text = words(parsed(explain_page(record, told, pictures=dict.fromkeys(range(100, 104), png))))

    assert "1 label may be wrong and is worth a look" in text and "1 picture looks at least as much" in text


def test_a_temperature_that_helps_says_how_much_and_what_it_was(record):
    rng = np.random.default_rng(0)
    logits = 3 * rng.normal(size=(600, 4))
    labels = (logits / 2.5 + rng.gumbel(size=logits.shape)).argmax(axis=1)
    told = explain(said(np.exp(logits), labels.tolist()))
    text = words(parsed(explain_page(record, told)))
    found = told.calibration

    assert f"Temperature {found.temperature:.2f} lowers the error to {found.ece_scaled:.3f}." in text
    one, other = found.fold_temperatures
    assert f"Each half scaled by the other's {one:.3f} and {other:.3f} {found.ece_scaled:.4f}" in text
    assert f"Fitted on all pictures the temperature is {found.temperature:.3f}, the one to use" in text


def test_a_temperature_that_does_not_help_says_so(record):
    rng = np.random.default_rng(1)
    logits = 3 * rng.normal(size=(60, 4))
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    told = explain(said(np.exp(logits), labels.tolist()))
    text = words(parsed(explain_page(record, told)))

    assert told.calibration.fits and not told.calibration.helps
    assert "it does not help on the other" in text and "the one to use" not in text


def test_a_single_picture_has_no_calibration(record):
    text = words(parsed(explain_page(record, explain(said([[0.9, 0.1]], [0])))))

    assert "100.00% of 1 held-out picture" in text and "One picture says nothing" in text


def test_of_many_classes_the_ends_are_shown(record):
    labels = list(range(40)) * 2
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(40), size=80) + 0.02 * np.eye(40)[labels] + 1e-6
    text = explain_page(record, explain(said(shares, labels)))
    tree = parsed(text)

    assert [node.text for node in tree.iter("h3")] == [
        "The 15 with the lowest recall",
        "The 15 with the highest recall",
    ]
    assert "have their class among the first five" in words(tree)
    assert "The 15 most confused of" in words(tree)


def test_a_picture_that_is_none_is_refused(record, found):
    with pytest.raises(DataError, match="is not JPEG, nor PNG"):
        explain_page(record, found, pictures={102: b"GIF89a"})
