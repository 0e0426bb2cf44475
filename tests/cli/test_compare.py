"""`glauke compare` from the outside."""

import json
import shutil
from pathlib import Path

import pytest

RATES = {"a": 0.001, "b": 0.1}
"""Digits with a rate that hardly learns, and with one that does."""


def small(num_classes, in_channels=3, stem="full"):
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(64 * in_channels, num_classes))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The runs of `RATES`, and c with another split, d stopped on its way."""
    from glauke.jobs import training
    from glauke.models import _registry
    from glauke.options import TrainOptions

    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_registry, "MODELS", {"resnet18": small})
        patch.setattr(training, "report", lambda run: (run / "report.html").write_text("its page"))
        for name, rate in RATES.items():
            training.train("digits", TrainOptions(epochs=2, max_lr=rate, out=folder / name))
        training.train("digits", TrainOptions(epochs=1, max_lr=0.1, split_seed=1, out=folder / "c"))
        training.train("digits", TrainOptions(epochs=2, max_lr=0.1, stop_after_steps=25, out=folder / "d"))
    return folder


@pytest.fixture
def runs(trained, glauke, tmp_path):
    """The trained runs, here."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)


def test_two_runs_end_to_end(glauke, runs):
    before = {path: path.read_bytes() for name in "ab" for path in Path(name).rglob("*.*")}
    said = glauke("compare", "a", "b", "--out", "e")

    assert said.code == 0, said.err
    assert "b gets more pictures right than a, by" in said.err and "p < 0.001" in said.err
    assert "run  max_lr" in said.out and "95 % interval" in said.out
    assert said.out.strip().splitlines()[-1] == str(Path("e", "compare.html"))
    for name in ("scalars", "scalars_over_time", "differences"):
        for kind in ("svg", "png", "csv"):
            assert Path("e", "plots", f"{name}.{kind}").stat().st_size > 0
    page = Path("e/compare.html").read_text()
    assert 'href="../a/report.html"' in page and "b gets more pictures right than a" in page
    assert {path: path.read_bytes() for name in "ab" for path in Path(name).rglob("*.*")} == before


def test_json_has_every_number(glauke, runs):
    said = glauke("compare", "a", "b", "--json")

    found = json.loads(said.out)
    assert found["settings"] == {"max_lr": [0.001, 0.1]} and found["apart"] == found["notes"] == []
    (test,) = found["tests"]
    counts = test["counts"]
    finals = [run["final"]["val_accuracy"] for run in found["runs"]]
    assert sum(counts.values()) == 539 and test["shown"] and test["p_mid"] <= test["p_exact"]
    assert test["difference"] == pytest.approx(finals[1] - finals[0])
    assert test["low"] < test["difference"] < test["high"]
    page = Path(found.pop("page"))
    assert page.parent.parent == Path("runs") and page.parent.name.endswith("_compare_a_b")
    assert json.loads((page.parent / "compare.json").read_text()) == found


def test_another_split_is_refused_unless_it_is_asked_for(glauke, runs):
    refused = glauke("compare", "a", "c", "--out", "e")
    assert refused.code == 2 and not Path("e").exists()
    assert "c has a pooled split with split seed 1" in refused.sentence and "--across-splits" in refused.sentence
    said = glauke("compare", "a", "c", "--across-splits", "--json")
    found = json.loads(said.out)
    assert found["tests"] == [] and len(found["apart"]) == 1
    assert {"split_seed", "split_fingerprint", "max_lr", "epochs", "steps"} == set(found["settings"])


def test_one_run_has_its_curves_in_one_figure(glauke, runs):
    said = glauke("compare", "b", "--out", "e")

    assert said.code == 0 and Path("e/plots/scalars.svg").exists() and not Path("e/plots/differences.svg").exists()
    assert said.err.strip().startswith("b gets ") and "The test" not in said.err


def test_a_run_that_has_not_finished_is_shown_without_a_test(glauke, runs):
    said = glauke("compare", "a", "d", "--out", "e")

    assert said.code == 0 and "d (stopped)" in said.out
    assert "note: no test with d: it has no final accuracy (stopped)" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compare"], "glauke compare runs/a runs/b"),
        (["compare", "a", "nowhere"], "nowhere"),
        (["compare", "a", "a"], "named twice"),
        (["compare", "a", "b", "--out", "a"], "overwrites nothing"),
        (["compare", "a", "b", "--across-split"], "--across-splits"),
    ],
    ids=" ".join,
)
def test_wrong_input_is_one_sentence(glauke, runs, words, told):
    said = glauke(*words)
    assert (said.code, said.out) == (2, "") and told in said.sentence
