"""The page of a run says everything, fetches nothing, and strangers' strings stay strings."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element

import html5lib
import pytest

from glauke.errors import DataError
from glauke.pages import run_page

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</pre></code></table><img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "<!--<script>-->",
    "<![CDATA[<script>]]>",
    "{{7*7}}${7*7}<%= 7 %>",
    "<iframe src=https://example.org>",
    "<base href=https://example.org>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "\x00<script\x0c>\r\n\u2028",
    "\u202e<b>\u2066",
    "＜script＞",  # noqa: RUF001  full-width
    "a\udce9<i>",
]


@dataclass(frozen=True)
class Finding:
    rule: str
    severity: str
    files: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Suggestion:
    rule: str
    rate: float | None
    reason: str
    estimates: str


@dataclass(frozen=True)
class Curve:
    found: tuple[Suggestion, ...]
    rates: tuple[float, ...] = (0.01, 0.02, 0.04)
    losses: tuple[float, ...] = (2.3, 2.2, 2.1)
    smoothed: tuple[float, ...] = (2.3, 2.2, 2.1)
    accuracies: tuple[float, ...] = ()
    val_losses: tuple[float, ...] = ()
    ramp: str = "linear"
    num_steps: int = 5
    ended: str = "diverged"

    def suggestions(self) -> dict[str, Suggestion]:
        return {suggestion.rule: suggestion for suggestion in self.found}


@pytest.fixture
def whole(record, rows, svg) -> dict[str, Any]:
    """Every argument, with something in every field that holds text."""
    curve = Curve(
        found=(
            Suggestion("steepest", 0.31, "it falls fastest there", "constant rate"),
            Suggestion("valley", None, "the loss is flat", "one-cycle peak"),
        )
    )
    findings = [
        Finding("damaged", "warning", ("a.jpg", "b.jpg"), "2 pictures cannot be decoded"),
        Finding("few-pictures", "note", (), "class a has 3 pictures"),
        Finding("same-content-other-label", "error", ("c.jpg",), "1 picture has two labels"),
    ]
    return {
        "record": replace(record, status="failed", stopped_reason="the loss is not finite"),
        "rows": rows,
        "range_test": curve,
        "figures": dict.fromkeys(["curves", "range_test", "schedule", "time", "confusion"], svg),
        "findings": findings,
        "notes": ["a note"],
    }


def built(arguments: dict[str, Any]) -> str:
    record, *_ = arguments.values()
    return run_page(record, **{name: value for name, value in arguments.items() if name != "record"})


def parsed(text: str) -> Element:
    return html5lib.parse(text, namespaceHTMLElements=False)


def words(tree: Element) -> str:
    return " ".join(" ".join(tree.find("body").itertext()).split())


def changed(value: Any, change: Callable[[str], str], *, fixed: frozenset[str] = frozenset()) -> Any:
    """`value` with every text in it changed, but for the fields named `fixed`."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        return type(value)(changed(item, change) for item in value)
    if isinstance(value, dict):
        return {change(key): changed(item, change) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.name not in fixed]
        return replace(value, **{name: changed(getattr(value, name), change, fixed=fixed) for name in names})
    return value


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_changes_no_element_and_no_attribute(whole, payload):
    """The same page with harmless text in the same places has the same tree."""

    def tree(text: str) -> list[tuple[str, list[str]]]:
        hostile = dict(whole)
        fixed = frozenset({"status", "severity"})  # not free text
        for name in ("record", "rows", "range_test", "findings", "notes"):
            hostile[name] = changed(hostile[name], lambda old: f"{old}{text}", fixed=fixed)
        figures = hostile["figures"]
        hostile["figures"] = {**figures, f"confusion{text}": figures["confusion"]}
        return [(str(node.tag), sorted(node.attrib)) for node in parsed(built(hostile)).iter()]

    assert tree(payload) == tree("harmless")


def test_the_payloads_would_be_seen_if_they_got_through(whole):
    """The comparison above can fail."""
    text = built(whole)
    broken = text.replace("a note", PAYLOADS[0])

    assert [node.tag for node in parsed(broken).iter()] != [node.tag for node in parsed(text).iter()]


def test_links_lead_to_the_files_beside_the_page(whole, svg):
    whole["figures"] = {**whole["figures"], "../../x?y#z": svg, "javascript:alert(1)": svg}
    links = [node.attrib["href"] for node in parsed(built(whole)).iter("a")]

    assert {"run.json", "metrics.csv", "plots/curves.csv", "plots/confusion.csv"} <= set(links)
    assert all(link in ("run.json", "metrics.csv") or link.startswith("plots/") for link in links)
    assert "plots/..%2F..%2Fx%3Fy%23z.csv" in links
    assert unquote(links[-2]) == "plots/javascript:alert(1).csv"


def test_nothing_is_fetched_and_nothing_runs(whole):
    tree = parsed(built(whole))

    assert {str(node.tag) for node in tree.iter()} & {
        "script",
        "iframe",
        "link",
        "img",
        "object",
        "form",
        "base",
    } == set()
    for node in tree.iter():
        assert not any(name.startswith("on") or name in ("style", "src", "srcset") for name in node.attrib), node.tag
        href = node.attrib.get("href", "")
        assert ":" not in href and not href.startswith("/")


def test_the_numbers_are_there(whole):
    text = words(parsed(built({**whole, "record": replace(whole["record"], status="done", stopped_reason=None)})))

    for expected in (
        "resnet18 on tiny-imagenet",
        "59.87% of 33,000 held-out pictures right after epoch 50 (pooled split, split seed 0), "
        "in 29 min 44 s on NVIDIA H100 80GB.",
        "60.12% of 3,000 pictures (pooled split) after epoch 49",
        "82.13%",
        "11,271,432",
        "2,463 pictures per second",
        "6.7 GiB",
        "3,020",
        "Used: 0.31 by the rule “steepest”: the smoothed loss falls fastest at a rate of 0.31, from 4.62 to 4.41",
        "steepest 0.31 constant rate it falls fastest there",
        "valley no suggestion one-cycle peak the loss is flat",
        "The rate grew in 3 of 5 steps (linear ramp), from 0.01 to 0.04, until it ended (diverged).",
        "held-out accuracy 57.00%, loss 2.1, on 33,000 pictures. "
        "Some epochs looked at only 3,000 of the 33,000 held-out pictures.",
        "train 1,502.3 84.2%",
        "glauke train tiny-imagenet --source tiny-imagenet-200.tar.xz --recipe assignment --max-lr auto",
        "momentum 0.85, 0.95",
        "end_div inf",
        "augment.crop 8",
        "b7d0a1f29c6f0b1f6a3be1d52e4f7f0a3c9f2f7b6f8c4a41d2e95d1c0a7b6e5f",
        "0c1de7a4b5c2f9e07d4a83f1a6b8c5d2e9f0a1b2c3d4e5f60718293a4b5c6d7e",
        "6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
        "77,000 pictures",
        "AMD EPYC 9354, 16 cores",
        "3.12.7, 2.13.0+cu130",
        "1 0.31 20.00% 4.000 – – 0 35.0",
        "a note",
    ):
        assert expected in text, expected


def test_the_worst_findings_come_first_with_their_files(whole):
    tree = parsed(built(whole))
    (section,) = [node for node in tree.iter("section") if node.findtext("h2") == "What was found in the data"]

    assert [node.text for node in section.iter("summary")] == [
        "error: 1 picture has two labels (same-content-other-label, 1 files)",
        "warning: 2 pictures cannot be decoded (damaged, 2 files)",
    ]
    assert [node.text for node in section.iter("bdi")] == ["c.jpg", "a.jpg", "b.jpg"]


def test_a_long_list_of_files_says_how_many_it_leaves_out(record):
    found = Finding("damaged", "error", tuple(f"{i}.jpg" for i in range(1200)), "1,200 pictures")

    assert "and 1,000 more" in run_page(record, findings=[found])


@pytest.mark.parametrize("status", ["running", "interrupted", "failed", "stopped"])
def test_a_run_that_is_not_done_says_so_first(record, status):
    text = run_page(replace(record, status=status, final=None, best=None, stopped_reason="the disk is full"))

    (note,) = [node for node in parsed(text).iter("p") if node.attrib.get("class") == "status"]
    assert "the disk is full" in "".join(note.itertext())
    assert "No final result yet; 33,000 pictures are held out (pooled split, split seed 0)." in text


def test_sections_without_content_are_left_out(record):
    headings = [node.text for node in parsed(run_page(record)).iter("h2")]

    assert "How it learned" not in headings
    assert "What was found in the data" not in headings
    assert headings[0] == "Key figures"


def test_a_screen_reader_finds_its_way(whole):
    tree = parsed(built(whole))

    assert tree.attrib["lang"] == "en"
    assert len(list(tree.iter("h1"))) == 1
    assert all(cell.attrib.get("scope") in ("row", "col") for cell in tree.iter("th"))
    assert all(made.find("caption") is not None for made in tree.iter("table"))
    drawings = [node for node in tree.iter() if str(node.tag).endswith("svg")]
    titles = {node.attrib["id"]: node.text for node in tree.iter() if str(node.tag).endswith("title") and node.attrib}
    assert len(drawings) == 5
    for node in drawings:
        assert node.attrib["role"] == "img"
        assert titles[node.attrib["aria-labelledby"]]
    identities = [node.attrib["id"] for node in tree.iter() if "id" in node.attrib]
    assert len(identities) == len(set(identities))


def test_equal_runs_give_equal_pages(whole):
    assert built(whole) == built(whole)


def test_a_damaged_figure_is_named(record):
    with pytest.raises(DataError, match="the figure 'curves' is not SVG"):
        run_page(record, figures={"curves": "<svg"})


def test_a_run_is_compared_with_what_its_machine_reaches(record):
    facts = {"gflop_per_picture": 3.4, "gflops": 61.3, "matrix_gflops": 175.0}
    text = words(parsed(run_page(replace(record, extra={**record.extra, "speed": facts}))))

    assert "Trained at 61 of 175 GFLOP/s that a matrix product reaches here in bf16 (35%)" in text


@pytest.mark.parametrize("facts", [None, {}, "fast", {"gflops": 0, "matrix_gflops": 1}, {"gflops": "<b>"}])
def test_a_run_without_that_comparison_has_no_sentence_of_it(record, facts):
    assert "Trained at" not in run_page(replace(record, extra={**record.extra, "speed": facts}))


def test_the_parts_of_the_time_are_named(record):
    text = run_page(replace(record, seconds_by_part={"train": 30.0, "optimizer": 3.0, "range_test": 1.0}))
    for name in ("forward and backward", "the optimizer&#x27;s step", "range test"):
        assert name in text or name.replace("&#x27;", "'") in text


def test_a_run_of_a_programs_own_metrics_shows_them_and_no_accuracy(record, rows):
    nan = float("nan")
    final = replace(record.final, val_accuracy=nan, val_top5=None, val_loss=0.5, extra={"val_mean_error": 0.125})
    own = [replace(row, train_accuracy=None, val_accuracy=None, train_top5=None, val_top5=None) for row in rows]
    data = replace(record.data, name="loaders", size=0, classes=0, mean=(), std=())
    text = run_page(replace(record, final=final, best=replace(final, epoch=2), data=data), rows=own)
    assert "val loss 0.5, val mean error 0.125" in text and "After the best epoch: val mean error" in text
    assert "nan" not in text and "0 × 0" not in text and "examples" in text
