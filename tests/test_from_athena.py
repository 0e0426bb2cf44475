"""Every row of docs/from-athena.md names tests, and every test that it names is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "from-athena.md"
LINK = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<test>test_\w+)`")


def rows() -> list[str]:
    """The lines of the page's tables, without headers."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [line for line in lines if not line.startswith(("| ---", "| In Athena", "| What"))]


def named_in(file: str) -> set[str]:
    """The names of the test functions of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_row_names_tests_that_exist(row):
    links = [(found["file"], found["test"]) for found in LINK.finditer(row)]

    assert links, "no test stands beside this row"
    for file, test in links:
        assert (ROOT / file).is_file(), file
        assert test in named_in(file), f"{file} has no {test}"


def test_there_is_a_row_for_every_part_of_athena():
    assert len(rows()) >= 50
