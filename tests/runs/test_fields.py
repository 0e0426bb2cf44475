"""Dataclasses to JSON and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from glauke.errors import DataError
from glauke.runs._fields import decode, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    size: float
    names: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    part: Part
    maybe: Part | None = None
    flag: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)


def test_by_hand():
    whole = Whole(part=Part(size=float("-inf"), names=("a",)), extra={"later": [1.5]})

    assert encode(whole) == {
        "later": [1.5],
        "part": {"size": "-inf", "names": ["a"]},
        "maybe": None,
        "flag": False,
    }
    assert decode(Whole, encode(whole), place="x.json") == whole


def test_what_is_not_finite_comes_back_as_a_number_from_unknown_fields_too():
    part = Part(size=1.0, extra={"val_mae": float("inf"), "later": {"rates": [0.1, float("-inf")]}, "name": "infinite"})

    assert encode(part)["val_mae"] == "inf"
    assert decode(Part, encode(part), place="x.json") == part


def test_a_whole_number_where_a_float_belongs_becomes_one():
    size = decode(Part, {"size": 3}, place="x.json").size

    assert (size, type(size)) == (3.0, float)


@pytest.mark.parametrize("value", [True, "3", None, [3.0]])
def test_other_kinds_do_not(value):
    with pytest.raises(DataError, match=r"x.json: part.size must be a number"):
        decode(Whole, {"part": {"size": value}}, place="x.json")


def test_a_known_field_wins_over_an_extra_one():
    assert encode(Part(size=1.0, extra={"size": 2.0}))["size"] == 1.0
