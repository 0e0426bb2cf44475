import json

import pytest

from glauke.boxes.checking._json_style import json_bytes, json_style

DOCUMENT = {"ä.jpg12": {"filename": "ä.jpg", "size": 12, "regions": [{"a, ": "b,"}, {}], "x": [], "s": 0.5}}


@pytest.mark.parametrize("indent", [None, 1, 2, 4, "\t", "\t "])
@pytest.mark.parametrize("ascii", [True, False])
@pytest.mark.parametrize("around", [(b"", b""), (b"\xef\xbb\xbf", b"\n"), (b"_via_dp = ", b";\r\n")])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_untouched_document_has_the_same_bytes(indent, ascii, around, newline):
    text = json.dumps(DOCUMENT, indent=indent, ensure_ascii=ascii).replace("\n", newline)
    data = around[0] + text.encode() + around[1]

    assert json_bytes(DOCUMENT, json_style(data)) == data


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (",", ": ")])
def test_separators_on_one_line_are_kept(separators):
    data = json.dumps(DOCUMENT, separators=separators, ensure_ascii=False).encode()

    assert json_bytes(DOCUMENT, json_style(data)) == data


@pytest.mark.parametrize(
    "text", ['{ "a" :1e3,\n"b": [1,\n2.50] }', "{}", "[]", '{"a": {\n}}', '{"a":"\\/"}', ' {"a":"\\u00E4"} ']
)
def test_any_other_layout_comes_to_rest_after_one_save(text):
    data = text.encode()

    first = json_bytes(json.loads(data), json_style(data))

    assert json.loads(first) == json.loads(data)
    assert json_bytes(json.loads(first), json_style(first)) == first
