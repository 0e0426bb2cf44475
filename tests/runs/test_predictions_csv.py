"""What a run said is read from its table, and a damaged table is one sentence."""

import pytest

from glauke.errors import DataError
from glauke.runs._predictions_csv import Answers, read_answers

HEADER = "file,label,predicted,correct,confidence,label_probability,loss,rank\n"


def test_right_is_what_names_its_own_class(tmp_path):
    rows = ["a.png,cat,cat,true,0.9,0.9,0.1,1", "b.png,dog,cat,true,0.6,0.4,0.9,2", '"c,1.png",dog,dog,false,1,1,0,1']
    (tmp_path / "predictions.csv").write_text(HEADER + "\n".join(rows))

    answers = read_answers(tmp_path)

    assert answers == Answers(right=frozenset({"a.png", "c,1.png"}), wrong=frozenset({"b.png"}))
    assert len(answers) == 3 and answers.accuracy == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        (HEADER, "no picture"),
        ("file,label\na,b\n", "no column predicted"),
        (HEADER + "a,cat,cat\n", "3 cells"),
        ("file,label,predicted\na,cat,cat\na,cat,dog\n", "more than once"),
        ("file,label,predicted\na,cat,cat\na,cat,cat\n", "more than once"),
    ],
)
def test_a_wrong_table_is_named(tmp_path, text, message):
    if text is not None:
        (tmp_path / "predictions.csv").write_text(text)

    with pytest.raises(DataError, match=message) as caught:
        read_answers(tmp_path)
    assert "predictions.csv" in str(caught.value)
