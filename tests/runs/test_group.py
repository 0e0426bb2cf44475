"""A group's file keeps what it was given, and means and times are right."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glauke.errors import DataError
from glauke.runs import (
    EpochRow,
    Group,
    Spread,
    is_group,
    list_groups,
    members_of,
    read_group,
    read_metrics,
    seconds_to_target,
    spread,
    spread_words,
    write_group,
)

GROUP = Group(
    kind="seeds",
    members=("seed-0", "seed-1"),
    settings={"seed": 0, "recipe": {"epochs": 3}},
    target=0.4,
    accuracy=Spread(runs=2, mean=0.5, deviation=0.1, least=0.4, most=0.6),
    seconds_to_target={"seed-0": 20.5, "seed-1": None},
)


def test_the_file_gives_back_what_was_written(tmp_path):
    write_group(tmp_path, GROUP)

    assert is_group(tmp_path) and read_group(tmp_path) == GROUP
    assert read_group(tmp_path).folder == tmp_path
    assert "folder" not in json.loads((tmp_path / "group.json").read_text())


def test_fields_of_a_later_version_survive(tmp_path):
    write_group(tmp_path, GROUP)
    value = json.loads((tmp_path / "group.json").read_text()) | {"watts": 12}
    (tmp_path / "group.json").write_text(json.dumps(value))
    write_group(tmp_path, read_group(tmp_path))

    assert json.loads((tmp_path / "group.json").read_text())["watts"] == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema 2"),
        ({"kind": "sweep"}, "kind must be one of seeds, experiments"),
        ({"members": "seed-0"}, "members must be a list"),
        ({"members": ["../../etc"]}, "not the name of a folder inside"),
        ({"members": ["/etc"]}, "not the name of a folder inside"),
        ({"members": ["a\\b"]}, "not the name of a folder inside"),
        ({"members": [".."]}, "not the name of a folder inside"),
        ({"members": [""]}, "not the name of a folder inside"),
        ({"members": ["a", "a"]}, "two members have the same name"),
        ({"target": "high"}, "target must be a number"),
        ({"target": -3.0}, "target must be a fraction above 0 and up to 1, got -3.0"),
        ({"target": 50}, "target must be a fraction above 0 and up to 1, got 50"),
        ({"members": []}, "the group has no members"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path, change, message):
    write_group(tmp_path, GROUP)
    value = json.loads((tmp_path / "group.json").read_text()) | change
    (tmp_path / "group.json").write_text(json.dumps(value))

    with pytest.raises(DataError, match=message) as caught:
        read_group(tmp_path)
    assert "group.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": NaN}'])
def test_a_damaged_file_is_one_sentence(tmp_path, text):
    (tmp_path / "group.json").write_text(text)

    with pytest.raises(DataError):
        read_group(tmp_path)


def test_members_that_have_not_begun_are_passed_over(make_run, tmp_path):
    make_run("group/seed-1")
    write_group(tmp_path / "group", GROUP)

    assert [record.name for record in members_of(read_group(tmp_path / "group"))] == ["seed-1"]
    assert [group.folder for group in list_groups(tmp_path)] == [tmp_path / "group"]
    (tmp_path / "group" / "group.json").write_text("{")
    assert list_groups(tmp_path) == []


def test_spread_by_hand():
    made = spread([0.90, 0.92, 0.97])

    assert made is not None and made.deviation is not None
    assert (made.runs, made.least, made.most) == (3, 0.90, 0.97)
    assert made.mean == pytest.approx(0.93)
    assert made.deviation == pytest.approx(((0.03**2 + 0.01**2 + 0.04**2) / 2) ** 0.5)  # n - 1
    assert spread([]) is None
    one = spread([0.5])
    assert one is not None and one.deviation is None and spread_words(one) == "50.00% (1 run)"


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_mean_lies_between_the_ends(values):
    made = spread(values)

    assert made is not None and made.deviation is not None
    assert made.least - 1e-12 <= made.mean <= made.most + 1e-12
    assert 0 <= made.deviation <= made.most - made.least + 1e-12


def test_the_target_is_reached_at_the_end_of_its_epoch(make_run):
    rows: list[EpochRow] = read_metrics(make_run("a", rows=4) / "metrics.csv")  # 19 %, 38 %, 57 %, 76 %; 10 s each

    assert [seconds_to_target(rows, target) for target in (0.1, 0.38, 0.39, 0.9)] == [10.0, 20.0, 30.0, None]
    assert seconds_to_target([], 0.1) is None
