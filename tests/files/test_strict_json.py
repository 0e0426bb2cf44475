import gc
import json
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glauke.errors import DataError
from glauke.files import collector_paused, parse_json, read_json

VIA = {
    "a.jpg12": {
        "filename": "a.jpg",
        "size": 12,
        "regions": [
            {
                "shape_attributes": {"name": "rect", "x": 1, "y": 2.5, "width": -3, "height": 1e-7},
                "region_attributes": {"class": 'q"uo\\te: {[1e999]}', "ω€": "\U0001f600"},
            }
        ],
        "file_attributes": {"": None, "flag": True},
    }
}


def refusal(data):
    with pytest.raises(DataError) as caught:
        parse_json(data if isinstance(data, bytes) else data.encode(), place="boxes.json")
    return caught.value


def where(data):
    return refusal(data).place.removeprefix("boxes.json, ")


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 1, "\t"])
@pytest.mark.parametrize("separators", [(",", ":"), (" ,\r\n", "\t: ")])
def test_json_is_read(ascii_only, indent, separators):
    data = json.dumps(VIA, ensure_ascii=ascii_only, indent=indent, separators=separators).encode()

    assert parse_json(data, place="") == VIA
    assert parse_json(b"\xef\xbb\xbf" + data, place="") == VIA


@pytest.mark.parametrize("text", ["1", '"a"', "null", "[]", "{}", " [ ] ", "-0", "1E5", "123456789012345678"])
def test_small_documents(text):
    assert parse_json(text.encode(), place="") == json.loads(text)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('{"a": 1,\n "b": 2, "a": 3}', "line 2 column 10", "twice in the same object, first in line 1 column 2"),
        ('{"a": 1, "\\u0061": 3}', "line 1 column 10", "the key 'a' stands twice"),
        ('[{"x": [{"b" \n: 1,"b": 2}]}]', "line 2 column 5", "first in line 1 column 10"),
        ('{"a:": ":", ":": {"q\\": 1": 1, ":": 2}, ":": 3}', "line 1 column 41", "the key ':' stands twice"),
        ('{"": 1, "": 2}', "line 1 column 9", "the key '' stands twice"),
        ('{"x": NaN}', "line 1 column 7", "NaN is not a number in JSON"),
        ("[1,\n-Infinity]", "line 2 column 1", "-Infinity is not a number in JSON"),
        ("[1e999]", "line 1 column 2", "'1e999' is larger than any number can be"),
        ("-1E+400", "line 1 column 1", "'-1E+400' is larger"),
        ("\ufeff1e0400", "line 1 column 1", "'1e0400' is larger"),
        ('{"x":1.5e309}', "line 1 column 6", "'1.5e309' is larger"),
        ("[0.123456789012345678901234567890123456789012345e999]", "line 1 column 2", "is larger"),
        ("[" + "1" * 400 + ".0]", "line 1 column 2", "is larger"),
        ('{"size": 1234567890123456789}', "line 1 column 10", "the integer '1234567890123456789' has 19 digits"),
        ("[-" + "9" * 5000 + "]", "line 1 column 2", "has 5,000 digits"),
        ('["é", "a\\ud800b"]', "line 1 column 7", "half of a character (\\ud800)"),
        ('["\\uDE00"]', "line 1 column 2", "half of a character (\\ude00)"),
        ('{"\\ud83d\\\\\\ude00": 1}', "line 1 column 2", "half of a character (\\ud83d)"),
        ('["\\ud83d\\ud83d\\ude00"]', "line 1 column 2", "half of a character"),
        ("[" * 65 + "]" * 65, "line 1 column 65", "more than 64 brackets are nested here"),
        ('{"a":[' * 40 + "]}" * 40, "line 1 column 193", "more than 64"),
        ("[" * 100_000, "line 1 column 65", "more than 64"),
        ('["]]]]", ' + "[" * 64 + "]" * 64 + ', "[[[["]', "line 1 column 73", "more than 64"),
    ],
)  # fmt: skip
def test_what_json_loads_lets_pass_is_refused(text, place, message):
    error = refusal(text)

    assert error.place == f"boxes.json, {place}"
    assert message in error.message
    assert error.fix


@pytest.mark.parametrize(
    "text",
    [
        '{"a":{"x":1},"b":{"x":1}}',
        '["NaN", "1e999", "-Infinity", "12345678901234567890", " 12345678901234567890", ", 1e999"]',
        "[0.12345678901234567890, 1e-999, 1.5e+08, 1e308, 1.7e0308]",
        '{"8c7a0e821.jpg": "frame001.jpg", "a": "\\\\ud800", "b": "\\ud83d\\ude00", "c": "\\u00e9"}',
        "[" * 64 + "]" * 64,
        '["' + "[{" * 100 + '", "\\"' + "[" * 100 + '", "\\\\", "]"]',
        '{"a": "b\\": c", "d": " : ", "e": "\\":"}',
        '{"http://host/a.jpg-1": ":"}',
    ],
)
def test_what_only_looks_forbidden_is_read(text):
    assert parse_json(text.encode(), place="") == json.loads(text)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "", "the file is empty"),
        (" \n", "", "the file is empty"),
        ('{"a": 1', "line 1 column 8", "it ends in the middle"),
        ('{"a": "b', "line 1 column 7", "no closing quote"),
        ('{"a": [1,\n 2,\n ]}', "line 2 column 3", "a comma stands before a closing bracket"),
        ('{"a": 1,}', "line 1 column 8", "a comma stands before a closing bracket"),
        ("{'a': 1}", "line 1 column 2", "single quotes"),
        ('{"a": "b\nc"}', "line 1 column 9", "'\\n' stands bare in a text"),
        ('{"a": "C:\\dir"}', "line 1 column 10", "'\\\\d' begins no escape"),
        ('{"a": "\\u12"}', "line 1 column 8", "begins no escape"),
        ('{"a": undefined}', "line 1 column 7", "not JSON from here on: 'undefined'"),
        ('{"a": True}', "line 1 column 7", "'True'"),
        ("{a: 1}", "line 1 column 2", "'a'"),
        ('{"a" 1}', "line 1 column 6", "'1'"),
        ("[1 2]", "line 1 column 4", "'2'"),
        ("[01]", "line 1 column 3", "'1'"),
        ("[1]\n[2]", "line 2 column 1", "the JSON ends before this, and '[' follows"),
        ("\ufeff\ufeff{}", "line 1 column 1", "not JSON"),
        ("{}\0", "line 1 column 3", "follows"),
    ],
)
def test_syntax_errors_are_sentences(text, place, message):
    error = refusal(text)

    assert error.place == (f"boxes.json, {place}" if place else "boxes.json")
    assert message in error.message


def test_encodings(tmp_path):
    text = '{"name":\n "é"}'

    assert "UTF-16" in refusal(text.encode("utf-16")).message
    assert "UTF-32" in refusal(text.encode("utf-32-be")).message
    assert where(text.encode("latin-1")) == "line 2 column 3"


def test_long_files_are_looked_at_in_pieces():
    filler = json.dumps([{"x": i, "e": "frame001[x].jpg"} for i in range(12_000)])
    assert len(filler) > 400_000

    assert len(parse_json(filler.encode(), place="")) == 12_000
    for bad, size in (("1e999", 5), ("1" * 19, 19)):
        for shift in range(0, size + 2):
            data = "[" + " " * (256 * 1024 - 1 - shift) + bad + "]"
            assert where(data) == f"line 1 column {256 * 1024 + 1 - shift}"
    assert where(filler[:-1] + ', {"x": 1, "x": 2}]') == f"line 1 column {len(filler) + 11}"


def test_files(tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text('{"a": [1, 2]}', encoding="utf-8")

    assert read_json(path) == {"a": [1, 2]}
    with pytest.raises(DataError, match="it has 13 bytes; at most 12 are read"):
        read_json(path, most_bytes=12)
    path.write_text('{"a": [1, NaN]}', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_json(path)
    assert caught.value.place == f"{path}, line 1 column 11"


def test_the_collector_is_as_it_was():
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            pass
        assert not gc.isenabled()
    with pytest.raises(DataError):
        parse_json(b"[NaN]", place="")
    assert gc.isenabled()


def judged(text):
    """What the rules say of a text that is JSON, by the plain means: hooks for all, and a walk."""
    broken = []

    def pairs(items):
        if len(dict(items)) < len(items):
            broken.append("twice")
        return dict(items)

    def number(text):
        if math.isinf(float(text)):
            broken.append("infinite")
        return float(text)

    def integer(text):
        if len(text.lstrip("-")) > 18:
            broken.append("long")
        return int(text)

    value = json.loads(
        text, object_pairs_hook=pairs, parse_float=number, parse_int=integer, parse_constant=broken.append
    )
    levels, depth = [value], 0
    while levels:
        if any(isinstance(v, str) and re.search("[\ud800-\udfff]", v) for v in levels):
            broken.append("half")
        levels = [v for v in levels if isinstance(v, list | dict)]
        depth += bool(levels)
        levels = [w for v in levels for w in ((*v, *v.values()) if isinstance(v, dict) else v)]
    return value, broken + ["deep"] * (depth > 64)


PIECES = st.lists(
    st.sampled_from([*'abE:,[]{} 0159.+-"\\\t', "e99", "1e999", "\ud83d", "\ude00", "0" * 20, "é"]), max_size=9
).map("".join)
FRACTION = "0." + "3" * 30
LONG_NUMBERS = ["1" * 18, "-" + "1" * 19, "3" * 330 + ".5", FRACTION, FRACTION + "e999", FRACTION + "3" * 30 + "e+999"]
NUMBERS = st.sampled_from(
    ["0", "-7", "1.5", "1e5", "2E+308", "1e999", "1.5e-999", "NaN", "null", "true", *LONG_NUMBERS]
)
STRINGS = PIECES.map(json.dumps)


def objects(children):
    pairs = st.tuples(STRINGS, st.sampled_from(["", " ", "\n"]), children).map(lambda t: f"{t[0]}{t[1]}:{t[2]}")
    return st.lists(pairs, max_size=3).map(lambda items: "{" + ",".join(items) + "}")


def lists(children):
    return st.lists(children, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")


def nested(children):
    return st.tuples(st.integers(20, 70), children).map(lambda t: "[" * t[0] + t[1] + "]" * t[0])


DOCUMENTS = st.recursive(STRINGS | NUMBERS, lambda c: objects(c) | lists(c) | nested(c), max_leaves=6)


@given(DOCUMENTS)
@example('["\\u0022:", {"\\\\":1}]')
def test_the_searches_miss_nothing(text):
    value, broken = judged(text)

    if broken:
        assert refusal(text).message != "it is not JSON"  # but the rule, found by the walk
    else:
        assert parse_json(text.encode(), place="") == value


@given(st.text() | st.binary())
def test_noise_is_read_or_refused(noise):
    data = noise if isinstance(noise, bytes) else noise.encode(errors="surrogatepass")
    try:
        parse_json(data, place="x")
    except DataError as error:
        assert error.place.startswith("x")


@given(st.integers(0, 400), st.sampled_from(list('{}[]":,\\e9 \n')))
def test_mutated_files_are_read_or_refused(at, character):
    text = json.dumps(VIA, indent=1)
    mutated = text[:at] + character + text[at + 1 :]
    try:
        judged(mutated)
    except json.JSONDecodeError:
        assert refusal(mutated).message
