"""Findings survive the disk."""

import pytest

from glauke.errors import DataError
from glauke.images import Finding, read_findings, write_findings

FINDINGS = (
    Finding(rule="damaged", severity="warning", files=("a/1.jpg",), message="cut short"),
    Finding(rule="few-pictures", severity="note", files=(), message='class "ü" has 3'),
)


def test_findings_come_back_as_they_were(tmp_path):
    write_findings(FINDINGS, tmp_path / "findings.json")
    assert read_findings(tmp_path / "findings.json") == FINDINGS


def test_no_file_is_no_finding_and_a_damaged_one_is_an_error(tmp_path):
    assert read_findings(tmp_path / "findings.json") == ()
    for text in ("[{", '[{"rule": "x"}]', "3"):
        (tmp_path / "findings.json").write_text(text)
        with pytest.raises(DataError, match="cannot be read"):
            read_findings(tmp_path / "findings.json")
