from glauke.boxes.describing._description import Description, Section, Table, description_as_dict, description_as_text


def test_text_keeps_to_its_width_and_sets_numbers_right():
    table = Table(
        columns=("name", "count", "meaning"), rows=(("漢字", "7", "long " * 30), ("b", "12", "")), numeric=(1,)
    )
    description = Description(file="", kind="coco", sections=(Section(title="A", blocks=("word " * 40, table)),))

    lines = description_as_text(description, width=60).splitlines()

    assert max(map(len, lines)) <= 60
    assert "  漢字      7  long long" in "\n".join(lines)
    assert "  b        12" in lines


def test_as_dict_keeps_every_row():
    table = Table(columns=("a", "b"), rows=(("1", "2"),))
    description = Description(file="f", kind="coco", sections=(Section(title="T", blocks=("words", table)),))

    blocks = [{"text": "words"}, {"columns": ["a", "b"], "rows": [["1", "2"]]}]
    assert description_as_dict(description) == {
        "file": "f",
        "kind": "coco",
        "sections": [{"title": "T", "blocks": blocks}],
    }
