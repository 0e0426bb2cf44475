"""The pages of several runs answer first, claim no more than is shown, and strangers' strings stay strings."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from glauke.pages import compare_page, repeats_page
from glauke.runs import Compared, Comparison, Group, PairedTest, Repeated, Setting, spread
from glauke.runs._paired import PairCounts

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
FIXED = frozenset({"status", "kind"})  # not free text


@pytest.fixture
def comparison(record, rows) -> Comparison:
    members = [
        Compared(name=name, record=replace(record, seed=seed), rows=tuple(rows), weights_mib=43.0)
        for seed, name in enumerate(("runs/a", "runs/b", "runs/c"))
    ]
    tests = tuple(
        PairedTest(
            first="runs/a",
            second=name,
            counts=PairCounts(both=20_000, only_first=300, only_second=gained, neither=12_700 - gained),
            low=low,
            high=0.02,
            p_exact=p,
            p_mid=p,
            p_holm=p,
        )
        for name, gained, low, p in (("runs/b", 600, 0.004, 0.0002), ("runs/c", 330, -0.001, 0.24))
    )
    return Comparison(
        runs=tuple(members),
        settings=(Setting(name="max_lr", values=(0.1, "auto", None)), Setting(name="seed", values=(0, 1, 2))),
        apart=(),
        tests=tests,
        notes=("a note",),
    )


@pytest.fixture
def group() -> Group:
    return Group(
        kind="seeds",
        members=("a", "b", "c", "d"),
        target=0.5,
        accuracy=spread([0.5987, 0.6012, 0.605]),
        seconds_to_target={"a": 12.25, "b": None},
    )


def figures(svg: str) -> dict[str, str]:
    return dict.fromkeys(["scalars", "scalars_over_time", "differences"], svg)


def parsed(text: str) -> Element:
    return html5lib.parse(text, namespaceHTMLElements=False)


def words(text: str) -> str:
    return " ".join(" ".join(parsed(text).find("body").itertext()).split())


def changed(value: Any, change: Callable[[str], str]) -> Any:
    """`value` with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        return type(value)(changed(item, change) for item in value)
    if isinstance(value, dict):
        return {change(key): changed(item, change) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.name not in FIXED]
        return replace(value, **{name: changed(getattr(value, name), change) for name in names})
    return value


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_changes_no_element_and_no_attribute(comparison, group, svg, payload):
    def trees(text: str) -> list[tuple[str, list[str]]]:
        given = changed(comparison, lambda old: f"{old}{text}")
        links = {run.name: f"../{text}/report.html" for run in given.runs}
        together = changed(group, lambda old: f"{old}{text}")
        made = [
            compare_page(given, figures=figures(svg), links=links, version=text),
            compare_page(replace(given, apart=(text,), tests=()), figures=figures(svg)),
            repeats_page(together, given.runs, figures=figures(svg), links=links, version=text),
        ]
        return [(str(node.tag), sorted(node.attrib)) for page in made for node in parsed(page).iter()]

    assert trees(payload) == trees("harmless")


def test_the_lead_says_what_is_shown(comparison, svg):
    text = words(compare_page(comparison, figures=figures(svg)))

    for expected in (
        "runs/a, runs/b and runs/c on tiny-imagenet",
        "Of 3 runs, runs/a gets 59.87% of 33,000 held-out pictures right, the most. Against runs/a, the first one, "
        "1 of 2 is shown to differ.",
        "What differs in their settings: max_lr, seed.",
        "runs/b gets more pictures right than runs/a, by 0.91 points (95 % interval +0.40 to +2.00, p < 0.001).",
        "No difference is shown between runs/a and runs/c: runs/c is 0.09 points ahead (95 % interval −0.10 to +2.00, "
        "p = 0.240).",
        "Another seed may move either accuracy by as much",
        "runs/b 20,000 300 600 12,100 +0.91 +0.40 to +2.00 < 0.001",
        "runs/a 59.87% 82.13% 1.751 60.12% (49) 1,784.2 2,463 11.27 M 43 MiB 6.7 GiB",
        "runs/b auto 1",
        "A note.",
        "glauke train tiny-imagenet --source tiny-imagenet-200.tar.xz --recipe assignment --max-lr auto",
    ):
        assert expected in text, expected


def test_runs_on_other_pictures_get_a_warning_and_no_winner(comparison, svg):
    text = compare_page(replace(comparison, apart=("b has another split",), tests=()), figures=figures(svg))

    (status,) = [node for node in parsed(text).iter("p") if node.attrib.get("class") == "status"]
    assert "b has another split" in "".join(status.itertext())
    assert "do not say which one is better" in words(text) and "What the pictures say" not in words(text)


def test_links_stay_relative_and_nothing_runs(comparison, svg):
    links = {"runs/a": "../a/report.html", "runs/b": "javascript:alert(1)", "runs/c": "../x?y#z"}
    tree = parsed(compare_page(comparison, figures=figures(svg), links=links))
    leads = [node.attrib["href"] for node in tree.iter("a")]

    assert {"../a/report.html", "compare.json", "plots/scalars.csv", "plots/differences.csv"} <= set(leads)
    assert "../x%3Fy%23z" in leads
    assert all(":" not in lead and not lead.startswith("/") for lead in leads)
    assert {str(node.tag) for node in tree.iter()} & {"script", "iframe", "link", "img", "object", "form"} == set()


def test_one_run_alone(comparison, svg):
    alone = replace(comparison, runs=comparison.runs[:1], settings=(), tests=(), notes=())
    text = words(compare_page(alone, figures={"scalars": svg}))

    assert "runs/a gets 59.87% of 33,000 held-out pictures right." in text
    assert "Settings that differ" not in text and "Notes" not in text


def test_repeats_that_are_compared_have_a_table_of_their_own(comparison, svg):
    together = (Repeated(name="x", accuracy=spread([0.5, 0.6])), Repeated(name="y", accuracy=None))
    members = tuple(replace(run, group=name) for run, name in zip(comparison.runs, "xxy", strict=True))
    text = words(compare_page(replace(comparison, runs=members, groups=together, tests=()), figures=figures(svg)))

    assert "x: 55.00% ± 7.07 points (2 runs, 50.00% to 60.00%); y: no final accuracy yet." in text
    assert "x 2 55.00% 7.07 50.00% 60.00%" in text and "What the pictures say" not in text


def test_repeats_say_mean_deviation_and_times(group, comparison, svg):
    text = words(repeats_page(group, comparison.runs, figures=figures(svg)))

    for expected in (
        "4 repeats of resnet18 on tiny-imagenet",
        "60.16% ± 0.32 points (3 runs, 59.87% to 60.50%) : mean and standard deviation (n − 1)",
        "a 12.2",
        "b not reached",
        "whose held-out accuracy reached 50.00%",
    ):
        assert expected in text, expected


def test_repeats_with_rates_of_their_own_say_so(group, comparison):
    same = words(repeats_page(group, comparison.runs))
    peaks = [
        replace(run, record=replace(run.record, max_lr=rate))
        for run, rate in zip(comparison.runs, (0.03, 0.05, 0.01), strict=True)
    ]
    text = words(repeats_page(group, peaks))

    assert "seed of weights, order and augmentation." in same
    assert "order and augmentation, and in the peak of the learning rate, 0.01 to 0.05." in text


def test_repeats_on_other_pictures_do_not_claim_the_same_ones(group, comparison):
    assert "on the same 33,000 held-out pictures" in words(repeats_page(group, comparison.runs))
    text = words(repeats_page(group, comparison.runs, apart=("b has another split",)))

    assert "Not the same held-out pictures: b has another split." in text
    assert "on the same" not in text and "held-out pictures that are not the same for all runs" in text


def test_repeats_that_are_not_complete_say_so_first(group, comparison):
    members = [replace(comparison.runs[0], record=replace(comparison.runs[0].record, final=None))]
    text = words(repeats_page(replace(group, accuracy=None), members))

    assert "not finished: runs/a; not begun: a, b, c, d" in text and "No repeat has a final result yet." in text


def test_a_screen_reader_finds_its_way(comparison, group, svg):
    for text in (compare_page(comparison, figures=figures(svg)), repeats_page(group, comparison.runs)):
        tree = parsed(text)
        assert tree.attrib["lang"] == "en" and len(list(tree.iter("h1"))) == 1
        assert all(cell.attrib.get("scope") in ("row", "col") for cell in tree.iter("th"))
        assert all(made.find("caption") is not None for made in tree.iter("table"))


def test_equal_comparisons_give_equal_pages(comparison, svg):
    assert compare_page(comparison, figures=figures(svg)) == compare_page(comparison, figures=figures(svg))
