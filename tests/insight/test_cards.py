"""What a notebook and a terminal show of what a network says."""

import html5lib
import numpy as np
import pytest

from glauke.insight import Predictions, calibration, confusion, explain


@pytest.fixture
def said() -> Predictions:
    logits = np.array([[4, 0], [3, 0], [2, 0], [0, 1]], np.float32)
    return Predictions(
        logits=logits,
        labels=np.array([0, 0, 1, 1]),
        samples=np.arange(4),
        names=("a.png", "b.png", "<i>c.png", "d.png"),
        classes=("cat", "dog"),
        readable=("cat", "dog\x1b[2J"),
    )


def parsed(value) -> list[str]:
    tree = html5lib.parseFragment(value._repr_html_(), namespaceHTMLElements=False)
    assert len(list(tree.iter("i"))) == len(list(tree.iter("script"))) == 0
    return ["|".join(cell.text or "" for cell in row) for row in tree.iter("tr")]


def test_predictions(said):
    assert repr(said) == "Predictions(4 pictures, 2 classes, 75.00% right, loss 0.627)"
    assert parsed(said) == ["Picture|Label|Predicted|Confidence|Loss", "<i>c.png|dog\\x1b[2J|cat|88.1%|2.13"]


def test_predictions_without_a_mistake(said):
    right = Predictions(
        **{name: getattr(said, name) for name in ("logits", "samples", "names", "classes", "readable")},
        labels=said.predicted,
    )
    assert parsed(right) == [] and "100.00% right" in right._repr_html_()


def test_confusion(said):
    found = confusion(said)
    assert repr(found) == "Confusion(3 of 4 right in 2 classes, most confused dog\\x1b[2J and cat)"
    assert parsed(found)[1] == "dog\\x1b[2J|cat|1|0" and "<img" in found._repr_html_()


def test_calibration(said):
    found = calibration(said)
    line = f"{found.ece:.3f} ({found.ece_by_chance:.3f} by chance alone), "
    line += f"{found.ece_scaled:.3f} at temperature {found.temperature:.3f}" if found.fits else "no temperature fits"
    assert repr(found) == f"Calibration(expected calibration error {line})" and line in found._repr_html_()


def test_a_temperature_at_its_limit_is_not_told_as_a_fit():
    perfect = Predictions(
        logits=np.array([[3, 0], [0, 3]] * 4, np.float32),
        labels=np.array([0, 1] * 4),
        samples=np.arange(8),
        names=tuple("abcdefgh"),
        classes=("cat", "dog"),
        readable=("cat", "dog"),
    )
    assert repr(calibration(perfect)).endswith("no temperature fits)")


def test_an_explanation(said):
    found = explain(said)
    shown = found._repr_html_()
    assert "Explanation of 4 pictures: accuracy 75.00%" in shown and "Confusion: " in shown and "Calibration: " in shown
    assert any(row.startswith("dog\\x1b[2J|cat") or row.startswith("cat|dog\\x1b[2J") for row in parsed(found))
