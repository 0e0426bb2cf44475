"""Runs beside each other: by hand, what is refused, and no claim beyond what the pictures show."""

from dataclasses import replace

import pytest

from glauke import runs
from glauke.errors import DataError, UsageError
from glauke.runs import Group, compare, read, write, write_group


def test_two_runs_by_hand(make_run):
    first = make_run("a", "1" * 10 + "0" * 10, recipe={"max_lr": 0.1}, max_lr=0.1)
    second = make_run("b", "1" * 9 + "0" + "1" * 9 + "0", recipe={"max_lr": 0.2}, max_lr=0.2)

    found = compare([first, second])

    assert [run.name for run in found.runs] == ["a", "b"]
    assert [(setting.name, setting.values) for setting in found.settings] == [("max_lr", (0.1, 0.2))]
    (test,) = found.tests
    counts = test.counts
    assert (counts.both, counts.only_first, counts.only_second, counts.neither) == (9, 1, 9, 1)
    assert counts.difference == pytest.approx(0.4)
    assert test.p_exact == pytest.approx(2 * (1 + 10) / 1024) and test.p_mid == pytest.approx(12 / 1024)
    assert test.p_holm == test.p_mid and test.shown and test.low < 0.4 < test.high
    assert runs.headline(found) == (
        f"b gets more pictures right than a, by 40.00 points (95 % interval {100 * test.low:+.2f} to "
        f"{100 * test.high:+.2f}, p = 0.012)."
    )
    assert found.apart == found.notes == ()
    assert repr(found) == f"Comparison({runs.headline(found)})"
    shown = found._repr_html_()
    assert all(part in shown for part in ("40.00 points", "Paired tests", "Settings that differ", "max_lr"))


def test_a_difference_that_is_not_shown_has_no_winner(make_run):
    found = compare([make_run("a", "11110000"), make_run("b", "11111000")])

    assert not found.tests[0].shown
    assert runs.headline(found).startswith("No difference is shown between a and b: b is 12.50 points ahead (")
    assert found.settings == () and runs.differing(found.settings) == "All settings are the same."


def test_equal_accuracies(make_run):
    found = compare([make_run("a", "1100"), make_run("b", "0011")])

    assert "they get equally many pictures right (95 % interval" in runs.headline(found)


def test_the_worse_one_is_called_worse(make_run):
    found = compare([make_run("a", "1" * 20), make_run("b", "0" * 20)])

    assert runs.headline(found).startswith("b gets fewer pictures right than a, by 100.00 points")


def test_several_runs_are_held_against_the_first_and_corrected(make_run):
    ones = "1" * 10 + "0" * 10
    places = [make_run("a", ones), make_run("b", "1" * 19 + "0"), make_run("c", "1" * 15 + "0" * 5)]

    found = compare(places)

    assert [(test.first, test.second) for test in found.tests] == [("a", "b"), ("a", "c")]
    assert [test.p_holm for test in found.tests] == pytest.approx([2 * 2 / 1024, 2 / 64])
    assert runs.headline(found) == (
        "Of 3 runs, b gets 95.00% of 20 held-out pictures right, the most. Against a, the first one, 2 of 2 are shown "
        "to differ."
    )


def test_other_pictures_are_refused_with_what_differs(make_run):
    first = make_run("a")
    data = read(first).data
    second = make_run("b", data=replace(data, fingerprint="f" * 64, size=32))

    with pytest.raises(UsageError, match=r"b has tiny-imagenet \(.* 32 px\) and a has .* 64 px\).*--across-splits"):
        compare([first, second])
    third = make_run("c", data=replace(data, fingerprint="f" * 64))
    with pytest.raises(UsageError, match="the same name and number but other content"):
        compare([first, third])


def test_another_split_is_refused_unless_it_is_asked_for(make_run):
    first = make_run("a")
    second = make_run("b", split=replace(read(first).split, fingerprint="e" * 64, seed=1))

    with pytest.raises(UsageError, match="b has a pooled split with split seed 1, 33,000 of 110,000 held out and a"):
        compare([first, second])
    found = compare([first, second], across_splits=True)
    assert found.tests == () and len(found.apart) == 1
    assert "do not say which one is better" in runs.headline(found)
    assert [setting.name for setting in found.settings] == ["split_seed", "split_fingerprint"]


def test_a_field_that_an_older_record_lacks_is_no_difference_while_it_is_off(make_run):
    older = make_run("a")
    newer = make_run("b", recipe={"mixup": 0.0, "alternate": False, "batches": [], "cutmix": 1.0})

    found = compare([older, newer])

    assert [(setting.name, setting.values) for setting in found.settings] == [("cutmix", (None, 1.0))]


def test_without_a_final_result_or_predictions_there_is_no_test_but_a_reason(make_run):
    whole, unfinished, bare = make_run("a"), make_run("b", None, status="interrupted"), make_run("c")
    (bare / "predictions.csv").unlink()

    found = compare([whole, unfinished, bare])

    assert found.tests == ()
    assert found.notes[0] == "no test with b: it has no final accuracy (interrupted)"
    assert found.notes[1].startswith("no test with c: the table cannot be read")
    assert runs.headline(found).startswith("No test of 3 runs: ")
    assert runs.result_table(found.runs)[1][:2] == ("b (interrupted)", "–")


def test_predictions_that_are_not_the_records_are_not_believed(make_run):
    whole, edited = make_run("a"), make_run("b")
    table = edited / "predictions.csv"
    table.write_text(table.read_text().replace("dog", "cat"))

    found = compare([whole, edited])

    assert found.tests == ()
    assert found.notes == ("no test with b: its predictions.csv has 8 of 8 right, its record 4 of 8",)


def test_a_few_pictures_where_classes_came_out_equal_are_told(make_run):
    whole, other = make_run("a", "1" * 500 + "0" * 500), make_run("b", "1" * 500 + "0" * 500)
    record = read(other)
    write(other, replace(record, final=replace(record.final, val_accuracy=0.502)))

    found = compare([whole, other])

    assert len(found.tests) == 1
    assert "500 of 1,000 right, its record 502 of 1,000" in found.notes[0]


def test_other_pictures_in_the_predictions(make_run):
    whole, other = make_run("a"), make_run("b")
    table = other / "predictions.csv"
    table.write_text(table.read_text().replace("7.png", "x.png"))

    assert compare([whole, other]).notes == ("no test for b: its 8 predictions are of other pictures",)


def test_runs_of_a_programs_own_loaders_are_shown_without_a_test(make_run):
    first = make_run("a")
    facts = read(first)
    unknown = {"data": replace(facts.data, fingerprint=""), "split": replace(facts.split, fingerprint="")}

    found = compare([make_run("b", "1100", **unknown), make_run("c", "1110", **unknown)])

    assert found.tests == found.apart == () and "nothing vouches that all runs saw the same" in runs.headline(found)
    with pytest.raises(UsageError, match="judged on different pictures"):
        compare([first, *[run.record.folder for run in found.runs]])


def test_one_run_is_shown_alone(make_run):
    found = compare([make_run("a", "1110")])

    assert found.tests == () and runs.headline(found) == "a gets 75.00% of 4 held-out pictures right."
    assert runs.setting_table(found) == (("run",), [("a",)])


def test_a_folder_of_runs_and_a_group_stand_for_their_runs(make_run, tmp_path):
    for name in ("group/seed-1", "group/seed-0", "more/x"):
        make_run(name)
    assert [run.name for run in compare([tmp_path / "group"]).runs] == ["seed-0", "seed-1"]
    write_group(tmp_path / "group", Group(kind="seeds", members=("seed-1", "seed-0", "seed-2")))

    found = compare([tmp_path / "more", tmp_path / "group"])

    assert [run.name for run in found.runs] == ["x", "seed-1", "seed-0"]
    assert [run.group for run in found.runs] == [None, "group", "group"]


def test_repeats_are_compared_by_their_means_and_never_among_each_other(make_run, tmp_path):
    """By hand: 0.50 and 0.75 have the mean 0.625 and the deviation 0.125 * sqrt(2); 1.00 and 0.75 beside them."""
    for name, right in (("one/seed-0", "1100"), ("one/seed-1", "1110"), ("two/seed-0", "1111"), ("two/seed-1", "1110")):
        make_run(name, right)
    for name in ("one", "two"):
        write_group(tmp_path / name, Group(kind="seeds", members=("seed-0", "seed-1")))

    found = compare([tmp_path / "one", tmp_path / "two"])

    assert found.tests == found.notes == ()
    assert [(group.name, group.accuracy.mean) for group in found.groups] == [("one", 0.625), ("two", 0.875)]
    assert found.groups[0].accuracy.deviation == pytest.approx(0.125 * 2**0.5)
    assert runs.headline(found) == (
        "one: 62.50% ± 17.68 points (2 runs, 50.00% to 75.00%); two: 87.50% ± 17.68 points (2 runs, 75.00% to "
        "100.00%). The means are 25.00 points apart."
    )
    assert runs.group_table(found)[0] == ("one", "2", "62.50%", "17.68", "50.00%", "75.00%")
    assert compare([tmp_path / "one"]).tests == ()


def test_single_runs_beside_repeats_are_still_tested_against_each_other(make_run, tmp_path):
    make_run("many/seed-0", None, status="interrupted")
    write_group(tmp_path / "many", Group(kind="seeds", members=("seed-0",)))
    found = compare([tmp_path / "many", make_run("a", "1" * 20), make_run("b", "0" * 20)])

    assert [(test.first, test.second) for test in found.tests] == [("a", "b")]
    assert runs.headline(found).startswith(
        "many: no final accuracy yet; a gets 100.00% of 20 held-out pictures right; b"
    )
    assert "b gets fewer pictures right than a" in runs.headline(found)
    assert runs.group_table(found) == [("many", "0", "–", "–", "–", "–")]


def test_runs_that_a_program_put_together_are_tested(make_run, tmp_path):
    for name, right in (("group/a", "1" * 20), ("group/b", "0" * 20)):
        make_run(name, right)
    write_group(tmp_path / "group", Group(kind="experiments", members=("a", "b")))

    assert len(compare([tmp_path / "group"]).tests) == 1


def test_a_run_that_stopped_at_its_target_is_not_told_as_whole(make_run):
    found = compare([make_run("a", "1100"), make_run("b", "1110", status="stopped")])

    assert runs.headline(found).endswith("1 of 2 stopped at the target, so this is not what the whole cycle gives.")
    assert [row[0] for row in runs.result_table(found.runs)] == ["a", "b (stopped)"]


def test_a_rate_that_was_given_has_its_peak_beside_one_that_was_found(make_run):
    given = make_run("a", recipe={"max_lr": 0.1}, max_lr=0.1)
    found = make_run("b", recipe={"max_lr": "auto"}, max_lr=0.3)

    settings = {setting.name: setting.values for setting in compare([given, found]).settings}
    assert settings == {"max_lr": (0.1, "auto"), "peak_lr": (0.1, 0.3)}


def test_names_are_as_long_as_they_must_be(make_run, tmp_path):
    make_run("one/seed-0"), make_run("two/seed-0")

    found = compare([tmp_path / "one" / "seed-0", tmp_path / "two" / "seed-0"])

    assert [run.name for run in found.runs] == ["one/seed-0", "two/seed-0"]


def test_wrong_input(make_run, tmp_path, monkeypatch):
    place = make_run("a")
    with pytest.raises(UsageError, match="no runs to compare"):
        compare([])
    monkeypatch.chdir(place)
    with pytest.raises(UsageError, match="named twice"):
        compare([place, place / "."])
    with pytest.raises(DataError, match="no run here"):
        compare([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no run here"):
        compare([tmp_path / "empty"])


def test_tables_turn_by_which_is_more(make_run):
    places = [make_run(name, recipe={"max_lr": rate}, max_lr=rate) for name, rate in (("a", 0.1), ("b", 0.2))]
    header, rows = runs.setting_table(compare(places))
    assert (header, rows) == (("run", "max_lr"), [("a", "0.1"), ("b", "0.2")])
    third = make_run("c", recipe={"max_lr": "auto", "sizes": [[0.0, 16]]}, max_lr=0.3, seed=3)
    header, rows = runs.setting_table(compare([*places, third]))
    assert header == ("setting", "a", "b", "c")
    assert {row[0]: row[1:] for row in rows} == {
        "max_lr": ("0.1", "0.2", "auto"),
        "sizes": ("none", "none", "[[0.0, 16]]"),
        "peak_lr": ("0.1", "0.2", "0.3"),
        "seed": ("0", "0", "3"),
    }
