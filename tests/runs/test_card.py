"""What a notebook and a terminal show of a run."""

from dataclasses import replace
from pathlib import Path

import html5lib
import pytest

from glauke.runs import RunRecord, read

SAMPLE = Path(__file__).parent / "data" / "run.json"


@pytest.fixture
def record() -> RunRecord:
    return read(SAMPLE)


def shown(record: RunRecord) -> str:
    return "".join(html5lib.parseFragment(record._repr_html_(), namespaceHTMLElements=False).itertext())


def test_one_line_says_what_came_of_it(record):
    line = repr(replace(record, status="done", name="mine"))
    assert line == "RunRecord(mine: resnet18 on tiny-imagenet, done, 59.87% of 33,000 pictures after epoch 50)"
    assert repr(replace(record, final=None, status="running", name="x")).endswith("running, no result yet)")


def test_a_notebook_shows_the_key_figures(record):
    text = shown(replace(record, notes=("a note",)))
    for part in ("Held out", "59.87% of 33,000 pictures after epoch 50", "Peak rate0.31 (steepest)", "a note"):
        assert part in text, text
    assert "<img" not in record._repr_html_()


def test_the_curves_are_shown_where_the_folder_has_them(record, tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "curves.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    assert "data:image/svg+xml;base64," in replace(record, folder=tmp_path)._repr_html_()


def test_hostile_names_are_text(record):
    hostile = replace(record, name="<script>\x1b[2J")
    assert "<script>" not in hostile._repr_html_() and "\x1b" not in repr(hostile)


def test_a_run_without_an_accuracy_says_its_loss(record):
    measured = replace(record, final=replace(record.final, val_accuracy=float("nan"), val_loss=0.25))
    assert "loss 0.25 after epoch 50" in repr(measured) and "nan" not in repr(measured)
