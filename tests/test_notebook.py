"""A run's progress in a notebook, and the notebook that goes through both halves."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import html5lib
import pytest
from torch import nn

from glauke import notebook
from glauke.models import _registry
from glauke.runs import EpochRow
from glauke.training import EpochDone, Note, Plan, Stage, Stepped

BOTH_HALVES = Path(__file__).parents[1] / "notebooks" / "both_halves.ipynb"
PLAN = Plan(epochs=30, batch_sizes=(8,) * 30, steps=(10,) * 30, peak_step=3.0, sizes=(32,) * 30, eval_size=32)


def stepped(step: int) -> Stepped:
    return Stepped(step=step, plan=PLAN, lr=0.31, loss=2.914, accuracy=lambda: 0.25, pictures=8, seconds_left=75.0)


def done(epoch: int, **changes: object) -> EpochDone:
    values = {
        "epoch": epoch, "step": 10 * epoch, "size": 32, "lr": 0.1, "momentum": 0.9, "train_loss": 1.5,
        "train_accuracy": 0.5, "train_top5": 0.8, "val_loss": 1.75, "val_accuracy": 0.4375, "val_top5": 0.75,
        "val_pictures": 300, "seconds": 14.04, "seconds_data": 1.0, "seconds_train": 10.0, "seconds_eval": 1.0,
        "seconds_write": 0.4, "images_per_second": 1550.0,
    }  # fmt: skip
    return EpochDone(row=EpochRow(**{**values, **changes}), plan=PLAN, best=epoch == 1)


@pytest.fixture
def jupyter(monkeypatch) -> list[str]:
    """A notebook around us; what it is asked to draw, in order."""
    drawn = []

    def display(value, *, display_id):
        assert display_id is True
        drawn.append(value._repr_html_())
        return SimpleNamespace(update=lambda value: drawn.append(value._repr_html_()))

    shell = SimpleNamespace(kernel=object())
    ipython = SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    return drawn


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(notebook.time, "monotonic", lambda: now.seconds)
    return now


def words(drawn: str) -> str:
    return "".join(html5lib.parseFragment(drawn, namespaceHTMLElements=False).itertext())


def test_a_notebook_is_drawn_twice_a_second_at_most(jupyter, clock):
    watch = notebook.Progress()
    for step in range(1, 1000):
        watch(stepped(step % 300 + 1))
        clock.seconds += 0.01
    assert len(jupyter) == 20


def test_every_epoch_is_drawn_at_its_end(jupyter, clock, capsys):
    watch = notebook.Progress()
    for epoch in (1, 2):
        watch(stepped(10 * epoch))
        watch(done(epoch))
    assert len(jupyter) == 3
    last = words(jupyter[-1])
    assert "1/3014.01,5500.11.500050.00%1.750043.75% best" in last and "2/30" in last
    assert capsys.readouterr() == ("", "")


def test_the_bar_says_how_far_the_epoch_is(jupyter, clock):
    notebook.Progress()(stepped(13))
    (bar,) = html5lib.parseFragment(jupyter[0], namespaceHTMLElements=False).iter("progress")
    assert (bar.attrib["value"], bar.attrib["max"]) == ("3", "10")
    assert "epoch 2 of 30, rate 0.31, loss 2.9140, 0:01:15 left: 3 of 10" in words(jupyter[0])


def test_work_of_known_and_unknown_length_has_a_bar(jupyter, clock):
    for total, said in ((None, "decode: 5"), (8, "decode: 5 of 8")):
        notebook.Progress()(Stage(name="decode", done=5, total=total))
        assert said in words(jupyter[-1])
    notebook.Progress()(Stage(name="decode", done=8, total=8))
    assert "<progress" not in jupyter[-1]


def test_a_long_run_keeps_its_last_epochs_in_sight(jupyter, clock):
    watch = notebook.Progress()
    for epoch in range(1, 31):
        watch(done(epoch))
    assert "10 earlier epochs are in metrics.csv." in words(jupyter[-1])
    assert jupyter[-1].count("<tr>") == 1 + notebook.SHOWN


def test_what_nobody_measured_is_a_dash(jupyter, clock):
    notebook.Progress()(done(1, val_loss=None, val_accuracy=None, train_accuracy=None))
    assert words(jupyter[-1]).count("–") == 3


def test_hostile_text_stays_text(jupyter, clock):
    notebook.Progress()(Note("<script>alert(1)</script>"))
    assert "<script>" not in jupyter[-1]


@pytest.mark.parametrize("shell", ["none", "terminal"])
def test_without_a_notebook_there_are_lines(monkeypatch, capsys, clock, shell):
    ipython = SimpleNamespace(get_ipython=lambda: None if shell == "none" else SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    watch = notebook.Progress()
    for event in (Note("a note"), stepped(1), done(1)):
        watch(event)
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines() == [
        "a note",
        "epoch 1/30, seconds 14.0, pictures/s 1,550, rate 0.1, loss 1.5000, accuracy 50.00%, val loss 1.7500, "
        "val accuracy 43.75% best",
    ]


def cells() -> list[dict]:
    return json.loads(BOTH_HALVES.read_text(encoding="utf-8"))["cells"]


def test_the_notebook_is_stored_without_what_it_printed():
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert len(code) >= 8 and all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert all(cell["id"] for cell in cells())


def small(num_classes, in_channels=3, stem="full"):
    layers = (nn.Conv2d(in_channels, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(32, num_classes))


def test_the_notebook_runs_from_top_to_bottom(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_registry, "MODELS", {"resnet18": small})
    names: dict[str, object] = {}
    for cell in cells():
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{BOTH_HALVES.name} {cell['id']}", "exec"), names)
    assert names["record"].status == "done" and len(names["anchors"]) > 1


@pytest.mark.slow
def test_the_notebook_runs_in_a_kernel(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    book = nbformat.read(BOTH_HALVES, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3", resources=resources).execute()
    shown = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("text/html" in output.get("data", {}) for output in shown)
    assert not any(output.output_type == "error" for output in shown)
