"""`glauke train --seeds` from the outside: repeats, their summary, and going on with what is missing."""

import json
import signal
from pathlib import Path
from statistics import fmean, stdev

import pytest

from glauke.errors import NotFiniteError

TRAIN = ("train", "digits", "--epochs", 2, "--max-lr", 0.05)


@pytest.fixture
def undrawn(monkeypatch, small_model):
    """The small model, and no figures or pages of single runs, which take most of the time of such runs."""
    from glauke.jobs import repeats, training

    monkeypatch.setattr(training, "report", lambda run: run)
    monkeypatch.setattr(repeats, "figures_of", lambda *given, **named: {})


def weights(run: str) -> bytes:
    return Path(run, "final.safetensors").read_bytes()


def test_repeats_end_to_end(glauke, small_model):
    said = glauke(*TRAIN, "--seeds", 2, "--seed", 4, "--out", "group", "--json")

    found = json.loads(said.out)
    accuracies = [run["final"]["val_accuracy"] for run in found["runs"]]
    assert said.code == 0 and [run["name"] for run in found["runs"]] == ["seed-4", "seed-5"]
    assert [run["seed"] for run in found["runs"]] == [4, 5]
    assert len({run["split"]["fingerprint"] for run in found["runs"]}) == 1
    assert found["mean"] == pytest.approx(fmean(accuracies)) and found["deviation"] == pytest.approx(stdev(accuracies))
    assert (found["least"], found["most"]) == (min(accuracies), max(accuracies)) and found["target"] is None
    kept = json.loads(Path("group/group.json").read_text())
    assert kept["accuracy"]["mean"] == found["mean"] and kept["members"] == ["seed-4", "seed-5"]
    assert "2 repeats of resnet18 on digits" in Path("group/report.html").read_text()
    assert Path("group/plots/scalars.svg").exists() and Path("group/seed-5/report.html").exists()
    # A member is the run that its own seed gives alone.
    glauke(*TRAIN, "--seed", 5, "--out", "alone")
    assert weights("alone") == weights("group/seed-5")
    listed = glauke("runs", ".")
    assert "group/seed-4" in listed.out and "2 of 2" in listed.out and f"{found['mean']:.2%} ±" in listed.out
    before = Path("group/report.html").read_text()
    assert glauke("report", "group").out.strip() == str(Path("group/report.html"))
    assert Path("group/report.html").read_text() == before
    compared = glauke("compare", "group", "--json")
    assert json.loads(compared.out)["settings"] == {"seed": [4, 5]}


def test_an_interrupted_group_goes_on_with_what_is_missing(glauke, undrawn, monkeypatch):
    from glauke.jobs import training as single

    begin, calls = single.begin, []

    def interrupted_in_the_second(ready, folder, **given):
        calls.append(folder.name)
        if len(calls) == 2:
            watch = given["watch"]

            def pressing(event):
                watch(event)
                if getattr(event, "step", 0) == 25:
                    signal.raise_signal(signal.SIGINT)

            given["watch"] = pressing
        return begin(ready, folder, **given)

    monkeypatch.setattr(single, "begin", interrupted_in_the_second)
    said = glauke(*TRAIN, "--seeds", 3, "--out", "group")
    assert said.code == 130 and said.sentence.endswith("to go on: glauke train --resume group")
    assert calls == ["seed-0", "seed-1"] and not Path("group/seed-2").exists()
    assert "not finished: seed-1; not begun: seed-2" in Path("group/report.html").read_text()
    first = Path("group/seed-0/run.json").read_bytes()

    went_on = glauke("train", "--resume", "group")

    assert went_on.code == 0 and calls == ["seed-0", "seed-1", "seed-2"]
    assert Path("group/seed-0/run.json").read_bytes() == first
    assert json.loads(Path("group/seed-1/run.json").read_text())["resumed_from_steps"] == [25]
    glauke(*TRAIN, "--seeds", 3, "--out", "whole")
    assert [weights(f"group/seed-{i}") for i in range(3)] == [weights(f"whole/seed-{i}") for i in range(3)]
    assert glauke("train", "--resume", "group").code == 0  # nothing is left to do
    assert Path("group/seed-0/run.json").read_bytes() == first


def test_an_interrupt_before_the_first_step_leaves_the_group(glauke, undrawn, monkeypatch):
    from glauke import training

    def pressed(*given, **named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "train", pressed)
        said = glauke(*TRAIN, "--seeds", 2, "--out", "group")
    assert said.code == 130 and "to go on: glauke train --resume group" in said.err
    assert [path.name for path in Path("group").iterdir()] == ["group.json"]
    assert glauke("train", "--resume", "group").code == 0
    assert Path("group/seed-1/final.safetensors").exists()


def test_more_seeds_can_be_asked_for_later(glauke, undrawn):
    glauke(*TRAIN, "--seeds", 1, "--out", "group")
    said = glauke("train", "--resume", "group", "--seeds", 2)

    assert said.code == 0 and json.loads(Path("group/group.json").read_text())["accuracy"]["runs"] == 2
    recipe = json.loads(Path("group/seed-0/run.json").read_text())
    assert recipe["seed"] == 0 and json.loads(Path("group/seed-1/run.json").read_text())["seed"] == 1
    fewer = glauke("train", "--resume", "group", "--seeds", 1)
    assert fewer.code == 2 and "has 2 members already" in fewer.sentence


def test_the_time_to_a_target(glauke, undrawn):
    said = glauke(*TRAIN, "--seeds", 2, "--target", 0.05, "--out", "group", "--json")

    found = json.loads(said.out)
    assert [run["status"] for run in found["runs"]] == ["stopped", "stopped"] and found["target"] == 0.05
    for name, seconds in found["seconds_to_target"].items():
        rows = Path("group", name, "metrics.csv").read_text().splitlines()
        column = rows[0].split(",").index("seconds")
        assert seconds == pytest.approx(float(rows[1].split(",")[column])) and len(rows) == 2
    assert "2 of 2 stopped at the target" in said.err
    assert "Time to the target" in Path("group/report.html").read_text()
    never = glauke(*TRAIN, "--seeds", 1, "--target", 1.0, "--out", "other", "--json")
    assert json.loads(never.out)["seconds_to_target"] == {"seed-0": None}


def test_one_that_diverges_does_not_take_the_others_along(glauke, undrawn, monkeypatch):
    from glauke import training

    train = training.train

    def diverging(*given, **named):
        if named["seed"] == 1:
            raise NotFiniteError("the loss became nan")
        return train(*given, **named)

    monkeypatch.setattr(training, "train", diverging)
    said = glauke(*TRAIN, "--seeds", 3, "--out", "group")
    assert said.code == 3 and "1 of 3 repeats failed" in said.sentence and "seed-1" in said.sentence
    as_json = glauke("train", "--resume", "group", "--json")
    answer = json.loads(as_json.out)  # one object, not two
    assert as_json.code == 3 and "1 of 3 repeats failed" in as_json.sentence
    assert answer["failed"] == ["seed-1"] and [run["seed"] for run in answer["runs"]] == [0, 2]


def test_event_files_of_each_member(glauke, undrawn, monkeypatch):
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    assert glauke(*TRAIN, "--seeds", 2, "--tensorboard", "--out", "group").code == 0
    assert all(any(Path("group", name, "tensorboard").iterdir()) for name in ("seed-0", "seed-1"))

    from glauke.training.saving import _tensorboard

    monkeypatch.setattr(_tensorboard, "find_spec", lambda name: None)
    said = glauke(*TRAIN, "--tensorboard", "--out", "other")
    assert said.code == 2 and "pip install 'glauke[tensorboard]'" in said.sentence and not Path("other").exists()


def test_minutes_are_measured_once(glauke, undrawn):
    said = glauke("train", "digits", "--epochs", 40, "--max-lr", 0.05, "--seeds", 2, "--minutes", 0.02, "--out", "g")

    assert said.code == 0, said.err
    recipes = [json.loads(Path("g", name, "run.json").read_text())["recipe"] for name in ("seed-0", "seed-1")]
    assert recipes[0] == recipes[1] and recipes[0]["minutes"] is None
    assert said.err.count("seconds a step: ") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--seeds", 0], "--seeds: must be a whole number from 1 to 10,000, not 0"),
        (["--seeds", -2], "--seeds"),
        (["--seeds", 2, "--seed", 2**63 - 1], "--seed"),
        (["--seeds", 2, "--target", 50], "fraction"),
        (["--seeds", 2, "--epochs", 0], "--epochs"),
    ],
    ids=str,
)
def test_wrong_input_is_one_sentence_and_leaves_nothing(glauke, undrawn, tmp_path, words, told):
    said = glauke(*TRAIN, *words)

    assert (said.code, said.out) == (2, "") and told in said.sentence
    assert not list(tmp_path.glob("runs/*"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--epochs", 3], "--epochs: 3 was given, but the repeats have 2"),
        (["--seed", 1], "--seed: 1 was given, but the repeats have 0"),
        (["--recipe", "quick"], "--recipe: quick was given, but the repeats have digits"),
        (["--out", "elsewhere"], "--out: it cannot be given for repeats that have begun"),
        (["--minutes", 3], "--minutes"),
    ],
    ids=str,
)
def test_what_is_given_again_must_agree(glauke, undrawn, words, told):
    glauke(*TRAIN, "--seeds", 2, "--stop-after-steps", 1, "--out", "group")
    said = glauke("train", "--resume", "group", *words)

    assert said.code == 2 and told in said.sentence
    assert glauke("train", "--resume", "group", "--epochs", 2, "--stop-after-steps", 2).code == 0


def test_pictures_that_left_the_cache_or_changed(glauke, undrawn, monkeypatch, tmp_path):
    glauke(*TRAIN, "--seeds", 2, "--stop-after-steps", 1, "--out", "group")
    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "other"))
    said = glauke("train", "--resume", "group")
    assert said.code == 2 and "glauke train DATA --resume group" in said.sentence
    assert glauke("train", "digits", "--resume", "group").code == 0


def test_a_member_is_the_run_that_its_name_says(glauke, undrawn):
    glauke(*TRAIN, "--seeds", 2, "--stop-after-steps", 1, "--out", "group")
    file = Path("group/group.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"members": ["seed-3"]}))

    assert glauke("train", "--resume", "group", "--stop-after-steps", 1).code == 0
    assert json.loads(Path("group/seed-3/run.json").read_text())["seed"] == 3


def test_a_member_with_other_held_out_pictures_is_refused(glauke, undrawn):
    glauke(*TRAIN, "--seeds", 2, "--stop-after-steps", 1, "--out", "group")
    record = json.loads(Path("group/seed-0/run.json").read_text())
    record["split"]["fingerprint"] = "e" * 64
    Path("group/seed-0/run.json").write_text(json.dumps(record))
    said = glauke("train", "--resume", "group")

    assert said.code == 2 and "seed-0 was judged on other held-out pictures" in said.sentence


def test_seeds_cannot_be_asked_of_a_single_run(glauke, undrawn):
    glauke(*TRAIN, "--stop-after-steps", 1, "--out", "run")
    said = glauke("train", "--resume", "run", "--seeds", 3)

    assert said.code == 2 and "--seeds: it cannot be given for a run that has begun" in said.sentence


def test_a_damaged_group_is_one_sentence(glauke, undrawn):
    glauke(*TRAIN, "--seeds", 2, "--stop-after-steps", 1, "--out", "group")
    file = Path("group/group.json")
    whole = json.loads(file.read_text())
    changes = [
        ({"settings": {}}, "not whole"),
        ({"kind": "experiments"}, "put together by a program"),
        ({"members": []}, "the group has no members"),
        ({"members": ["seed-0", "other"]}, "the member 'other' is not named by a seed"),
        ({"members": ["seed-0", f"seed-{2**63}"]}, "is not named by a seed"),
        ({"target": -3.0}, "target must be a fraction"),
    ]
    wrong = {
        "seed": "x",
        "device": 5,
        "precision": None,
        "deterministic": 1,
        "tta": "no",
        "size": 1.5,
        "split_seed": [],
    }
    for name, value in wrong.items():
        changes.append(({"settings": whole["settings"] | {name: value}}, f"{name} cannot be {value!r}"))
    for change, told in changes:
        file.write_text(json.dumps(whole | change))
        said = glauke("train", "--resume", "group")
        assert said.code == 2 and told in said.sentence
