"""What a fixed copy is refused for."""

import json

import pytest

from glauke.boxes import fix, read
from glauke.errors import UsageError

ENTRIES = {"a.jpg9": {"filename": "a.jpg", "size": 9, "regions": [], "file_attributes": {}}}


def test_the_input_is_never_written_to(tmp_path):
    file = tmp_path / "made.json"
    file.write_text(json.dumps(ENTRIES), encoding="utf-8")
    (tmp_path / "other.json").hardlink_to(file)

    for out in (file, tmp_path / "." / "made.json", tmp_path / "other.json"):
        with pytest.raises(UsageError, match="cannot replace"):
            fix(file, read(file), (), out=out)


def test_a_kind_that_cannot_be_changed_in_place_says_so(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("width,height,count\n10,20,3\n", encoding="utf-8")

    with pytest.raises(UsageError, match="convert it first"):
        fix(file, read(file), (), out=tmp_path / "out.csv")
