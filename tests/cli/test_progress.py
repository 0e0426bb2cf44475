"""What a person sees while a model trains: a bar on a terminal, plain lines in a log."""

import io
import math
from dataclasses import replace
from pathlib import Path

import pytest

from glauke.cli._progress import ProgressView, epoch_line, first_line
from glauke.cli._screen import Screen
from glauke.runs import EpochRow, read
from glauke.training import Began, EpochDone, Note, Plan, Stage, Stepped

SAMPLE = Path(__file__).parent.parent / "runs" / "data" / "run.json"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


PLAN = Plan(epochs=2, batch_sizes=(8, 8), steps=(10, 10), peak_step=3.0, sizes=(32, 64), eval_size=64)
ROW = EpochRow(
    epoch=2, step=20, size=64, lr=0.1, momentum=0.9, train_loss=1.5, train_accuracy=0.5, train_top5=0.8, val_loss=1.75,
    val_accuracy=0.4375, val_top5=0.75, val_pictures=3000, seconds=140.4, seconds_data=1.0, seconds_train=126.0,
    seconds_optimizer=4.0, seconds_eval=9.0, seconds_write=0.4, images_per_second=550.0,
)  # fmt: skip


def stepped(step, left=None):
    return Stepped(step=step, plan=PLAN, lr=0.31, loss=2.914, accuracy=lambda: 0.25, pictures=128, seconds_left=left)


def test_a_log_has_one_line_an_epoch_and_no_control_characters():
    stream = io.StringIO()
    with Screen(stream) as screen:
        view = ProgressView(screen)
        view(Note("recipe quick"))
        for step in range(1, 21):
            view(stepped(step, left=75.0))
        view(Stage(name="evaluation", done=1, total=3))
        view(EpochDone(row=ROW, plan=PLAN, best=True))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "recipe quick" and lines[1].endswith("in 1 min 15 s") and len(lines) == 3
    assert lines[2] == (
        "Epoch 2/2 - 10 steps - 140 s - 550 images/s - 64 px - lr 0.1000 - loss 1.5000 - accuracy 0.5000"
        " - val loss 1.7500 - val accuracy 0.4375 (of 3,000) best"
        " - data 1% - train 90% - optimizer 3% - eval 6% - write 0%"
    )
    assert "\x1b" not in stream.getvalue() and "\b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("model", "told"), [("mnist_net", "mnist_net (1,234 parameters)"), ("resnet18", "resnet18 (full stem, 1,234 par")]
)
def test_the_first_line_counts_one_as_one_and_names_a_stem_only_where_there_is_a_choice(model, told):
    record = replace(read(SAMPLE), model=model, stem="full", parameters=1234, max_lr=None)
    plan = Plan(epochs=1, batch_sizes=(8,), steps=(1,), peak_step=0.0, sizes=(32,), eval_size=32)
    line = first_line(Began(folder=Path("run"), plan=plan, record=record))
    assert line.startswith(told) and "1 epoch of 1 step at 32 px" in line


def test_a_rate_at_the_end_of_the_cycle_is_not_nothing():
    line = epoch_line(EpochDone(row=replace(ROW, lr=2.5e-6), plan=PLAN, best=False))
    assert "lr 2.50e-06" in line


def test_an_end_that_is_near_is_not_in_0_seconds():
    stream = io.StringIO()
    with Screen(stream) as screen:
        ProgressView(screen)(stepped(1, left=0.3))
        screen.line("a \x1b[2J name")
    assert "in under 1 s" in stream.getvalue() and "\x1b" not in stream.getvalue()


def test_a_programs_own_metrics_stand_in_the_line_and_on_the_bar(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    own = {"train_mean_error": 0.25, "val_mean_error": 0.5}
    row = replace(ROW, size=0, train_accuracy=None, val_accuracy=None, extra=own)
    line = epoch_line(EpochDone(row=row, plan=PLAN, best=False))
    assert "lr 0.1000 - loss 1.5000 - mean error 0.2500 - val loss 1.7500 - val mean error 0.5000 (of 3,000)" in line
    assert "px" not in line and "accuracy" not in line and "best" not in line
    stream = Terminal()
    event = replace(stepped(10), accuracy=lambda: math.nan, metrics=lambda: {"loss": 2.0, "mean_error": 0.25})
    with Screen(stream) as screen:
        ProgressView(screen)(event)
    assert "loss 2.9140 - mean error 0.2500" in stream.getvalue() and "accuracy" not in stream.getvalue()


def test_a_terminal_has_a_bar_with_everything_on_it(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    with Screen(stream) as screen:
        view = ProgressView(screen)
        for step in range(1, 11):
            view(stepped(step, left=75.0))
        view(Note("[not markup] stays"))
    text = stream.getvalue()
    for part in ("Epoch 1/2", "10/10", "images/s", "lr 0.3100", "loss 2.9140", "accuracy 0.2500", "1 min 15 s left"):
        assert part in text
    assert "[not markup] stays" in text


def test_the_bar_asks_for_the_accuracy_only_when_it_redraws(monkeypatch):
    asked = []
    event = Stepped(
        step=1, plan=PLAN, lr=0.1, loss=1.0, accuracy=lambda: asked.append(1) or 0.5, pictures=1, seconds_left=None
    )
    with Screen(Terminal()) as screen:
        view = ProgressView(screen)
        for _ in range(1000):
            view(event)
    assert len(asked) <= 1


def test_the_bar_is_taken_away_after_an_error():
    stream = Terminal()
    with pytest.raises(RuntimeError), Screen(stream) as screen:
        screen.show_stage("decode", 1, 3)
        raise RuntimeError
    assert screen.bar is not None and not screen.bar.live.is_started


def test_work_of_unknown_length_is_shown():
    with Screen(Terminal()) as screen:
        screen.show_stage("decode", 5, None)
        screen.show_stage("decode", 7, None)
