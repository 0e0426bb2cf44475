"""What `to_toml` writes, Python's own tomllib reads back equal."""

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glauke.runs import to_toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.one_of(
    TEXT,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.lists(TEXT | st.integers()),
)
TABLES = st.dictionaries(TEXT, SCALARS)


@given(st.dictionaries(TEXT, SCALARS | TABLES))
def test_settings_survive(settings):
    back = tomllib.loads(to_toml(settings))

    assert back == settings
    assert list(map(repr, map(back.get, sorted(back)))) == list(map(repr, map(settings.get, sorted(settings))))


def test_a_recipe_as_it_looks():
    settings = {
        "name": "assignment",
        "peak": 0.2,
        "ema": None,
        "momentum": (0.85, 0.95),
        "augment": {"crop": 8, "cutout": None},
    }

    assert to_toml(settings) == 'name = "assignment"\npeak = 0.2\nmomentum = [0.85, 0.95]\n\n[augment]\ncrop = 8\n'


def test_scalars_after_a_table_do_not_fall_into_it():
    assert tomllib.loads(to_toml({"augment": {"crop": 8}, "epochs": 3})) == {
        "augment": {"crop": 8},
        "epochs": 3,
    }


def test_not_a_number():
    assert math.isnan(tomllib.loads(to_toml({"x": math.nan}))["x"])


@pytest.mark.parametrize("value", [{"a": {"b": {"c": 1}}}, {"a": [None]}, {"a": object()}, {"a": {1, 2}}])
def test_what_toml_cannot_hold_is_refused(value):
    with pytest.raises(TypeError, match=r"a.* is a \w+, which TOML settings cannot hold"):
        to_toml(value)


def test_text_that_is_not_unicode_is_refused():
    with pytest.raises(ValueError, match="is not Unicode text"):
        to_toml({"name": "a\udce9"})
