"""What a notebook and a terminal show of a range test."""

import html5lib

from glauke.training import RangeTest


def made() -> RangeTest:
    rates = [10 ** (step / 20 - 6) for step in range(121)]
    return RangeTest.from_curve(rates, [2 + 3 / (1 + (rate / 0.01) ** 2) for rate in rates], ramp="exponential")


def test_one_line_says_it_all():
    assert repr(made()) == (
        "RangeTest(121 of 121 steps, exponential ramp from 1e-06 to 1, complete; "
        "steepest 0.01, minimum none, valley 0.01)"
    )


def test_a_notebook_shows_every_rule_and_the_curve():
    tree = html5lib.parseFragment(made()._repr_html_(), namespaceHTMLElements=False)
    assert [row.findtext("th") for row in tree.iter("tr")] == ["Rule", "steepest", "minimum", "valley"]
    (image,) = tree.iter("img")
    assert image.attrib["src"].startswith("data:image/svg+xml;base64,") and "steepest 0.01" in image.attrib["alt"]


def test_a_test_without_a_step_is_shown_too():
    test = RangeTest.from_curve([0.1], [float("nan")], ramp="linear")
    assert repr(test).startswith("RangeTest(0 of 1 steps, linear ramp, not finite;")
    assert "<img" in test._repr_html_()
