import json
from pathlib import Path

import pytest

from glauke.boxes.formats._columns import annotations_from_via
from glauke.boxes.formats._via_csv import via_csv_document
from glauke.errors import DataError

HEADER = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"


def cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return '"' + text.replace('"', '""') + '"'


def row(name: str = "a.jpg", size: object = 12, *, label: object = "vest", x: int = 1, count: object = 1) -> str:
    shape = {"name": "rect", "x": x, "y": 2, "width": 3, "height": 4}
    attributes = {"class": label} if isinstance(label, str) else label
    return f"{name},{size},{cell({})},{count},0,{cell(shape)},{cell(attributes)}"


def read(*rows: str, header: str = HEADER, end: str = "\n"):
    return via_csv_document(end.join([header, *rows]), path=Path("a.csv"), kind="via2-csv")


def messages(document) -> list[tuple[str, str]]:
    return [(f.severity, f.message) for f in document.findings]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("header", [HEADER, f"#{HEADER}", ",".join(f'"{name}"' for name in HEADER.split(","))])
def test_rows_become_entries_with_lines(header, end):
    document = read(row(count=2), row("b.jpg", 7), row(x=9, count=2), header=header, end=end)

    assert list(document.entries) == ["a.jpg12", "b.jpg7"]
    assert document.entries["a.jpg12"]["size"] == 12
    assert [r["shape_attributes"]["x"] for r in document.entries["a.jpg12"]["regions"]] == [1, 9]
    assert document.lines == {"a.jpg12": [2, 4], "b.jpg7": [3]}
    assert (document.kind, document.raw, document.findings) == ("via2-csv", None, ())
    assert annotations_from_via(document).lines.tolist() == [2, 4, 3]


def test_the_csv_says_what_the_json_says(made_texts):
    entries = json.loads(made_texts["via2-region"])
    for kind in ("via1-csv", "via2-csv"):
        document = via_csv_document(made_texts[kind], path=None, kind=kind)

        assert {key: e["regions"] for key, e in document.entries.items()} == {
            k: e["regions"] for k, e in entries.items()
        }


def test_a_picture_without_regions_has_one_row():
    document = read(f'a.jpg,12,{cell({"caption": "x"})},0,0,"{{}}","{{}}"')

    assert document.entries == {
        "a.jpg12": {"filename": "a.jpg", "size": 12, "regions": [], "file_attributes": {"caption": "x"}}
    }


@pytest.mark.parametrize("name", ["a, b.jpg", "a,1,2.jpg", 'a "b".jpg', ",a.jpg", "x,12,y"])
def test_a_name_without_quotes_may_hold_commas_and_quotes(name):
    document = read(row(name), row(name, x=5))

    assert document.entries[f"{name}12"]["filename"] == name
    assert len(document.entries[f"{name}12"]["regions"]) == 2
    assert document.findings == ()


def test_two_pictures_of_one_key_stay_apart():
    assert [e["filename"] for e in read(row("a1", 23), row("a", 123)).entries.values()] == ["a1", "a"]


@pytest.mark.parametrize(
    ("text", "size"), [("12", 12), ("-1", -1), ("", -1), ("12.0", 12), (" 12 ", 12), ("12 kB", "12 kB")]
)
def test_sizes(text, size):
    assert [entry["size"] for entry in read(row(size=text)).entries.values()] == [size]


def test_columns_are_found_by_name_and_more_are_allowed():
    shape, labels = cell({"name": "point", "cx": 1, "cy": 2}), cell({"class": "vest"})

    for header, line in (
        (f"{HEADER},note", row() + ",a note"),
        (f"{HEADER},note", row() + ",a note, with a comma"),
        (f"{HEADER},note", row()),
        (HEADER, row() + ",,,"),
        ("filename,region_attributes,region_shape_attributes", f"a.jpg,{labels},{shape}"),
        ("index,filename,region_attributes,region_shape_attributes", f"0,a.jpg,{labels},{shape}"),
    ):
        document = read(line, header=header)
        (entry,) = document.entries.values()
        assert (entry["filename"], entry["regions"][0]["region_attributes"]) == ("a.jpg", {"class": "vest"})
        assert document.findings == ()


def test_undefined_is_no_label_and_a_warning():
    shape = cell({"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4})
    document = read(row(), f'a.jpg,12,"{{}}",2,1,{shape},"{{""class"":undefined}}"')

    assert [r["region_attributes"] for r in document.entries["a.jpg12"]["regions"]] == [{"class": "vest"}, {}]
    assert messages(document) == [
        ("warning", """line 3 holds {"class":undefined}, which VIA writes for a choice that nobody made""")
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.jpg,12", "line 3 has too few cells: 2, and 7 are expected; it was left out"),
        (row(size="x") + ",y", "line 3 has too many cells: 8, and 7 are expected; it was left out"),
        (row().replace('"{}"', '"{}'), "line 3 holds no JSON in file_attributes"),
        (row()[:-1], "line 3 opens a quote that is never closed; it was left out"),
        ('a.jpg,12,"{}",1,0,"{x}","{}"', "line 3 holds no JSON in region_shape_attributes"),
        (row(label='{"a":1,"a":2}').replace('""class"":', ""), "line 3 holds no JSON in region_attributes"),
    ],
)
def test_a_broken_row_is_a_finding_and_the_others_are_read(line, message):
    document = read(row(x=5), line, row(x=6))

    regions = [r["shape_attributes"]["x"] for entry in document.entries.values() for r in entry["regions"]]
    assert regions == [5, 6]
    (finding,) = [f for f in document.findings if f.severity == "error"]
    assert finding.rule == "bad-row"
    assert finding.image == "a.jpg"
    assert finding.message.startswith(message)


def test_joined_files_repeat_the_header_and_lost_rows_are_noted():
    document = read(row(count=3), HEADER, row(x=2, count=3))

    assert messages(document) == [
        ("note", "line 3 repeats the header: files were joined here"),
        ("note", "region_count says 3, and there are only 2"),
    ]


def test_values_of_another_type_are_left_to_the_reader_of_regions():
    document = read('a.jpg,12,"[]",1,0,"[1]","3"')

    assert document.entries["a.jpg12"]["regions"] == [{"shape_attributes": [1], "region_attributes": 3}]
    assert {f.rule for f in annotations_from_via(document).findings} == {"bad-shape", "bad-entry"}


def test_columns_that_are_missing_are_named():
    with pytest.raises(DataError, match="no column region_shape_attributes and no column region_attributes") as refused:
        read(header="filename,file_size")

    assert refused.value.place == "a.csv, line 1"


def test_real_files_say_the_same_in_csv_and_json(datasets):
    pairs = 0
    for path in sorted((datasets / "via-files").rglob("*.csv")):
        text = path.read_text(encoding="utf-8")
        if not text.lstrip("#").startswith("filename,file_size"):
            continue
        document = via_csv_document(text, path=path, kind="via2-csv")
        assert not [f for f in document.findings if f.severity == "error"], path
        for other in path.parent.glob("*.json"):
            entries = json.loads(other.read_text(encoding="utf-8"))
            if entries.keys() != document.entries.keys():
                continue
            pairs += 1
            for key, entry in entries.items():
                regions = entry["regions"]
                listed = list(regions.values()) if isinstance(regions, dict) else regions
                found = document.entries[key]["regions"]
                assert found == listed[: len(found)]  # one of the JSON files was imported twice

    assert pairs >= 2
