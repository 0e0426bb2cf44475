import pytest

from glauke.files import is_formula, neutral

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n1", " =1", "\ufeff=1", "\u200b-1", "\uff1d1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_known_and_made_harmless(text):
    assert is_formula(text)
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "img-1.jpg", "'=1", "a=b", "hard hat", "3.5"])
def test_other_text_stays(text):
    assert not is_formula(text)
    assert neutral(text) == text
