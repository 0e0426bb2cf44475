"""A thousand damaged files: each is read, or refused with a sentence that says where and why.

Byte-level damage (flips, cuts, insertions of what breaks parsers) and damage to the structure of sound JSON (a node
replaced by something of another type) take turns; all of it is keyed by the number of the case.
"""

import faulthandler
import json
import random
import sys

import pytest

from glauke.errors import GlaukeError, InputError
from glauke.jobs import boxes as jobs

CASES = 1000
BATCH = 50
MOST_SECONDS = 60
INSERTIONS = (
    b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"[" * 3000, b"{" * 100, b'"\\ud800"', b"\x00", b"\xff",
    b"\xef\xbb\xbf", b'{"a":1,"a":2}', b'"', b"\\", b"undefined", b",,", b"\r", b"\xf0\x9f\x91\xb7", b"true",
    b"null", b"-", b"]}", b"=1+1",
)  # fmt: skip
VALUES = (
    None, True, False, -1, 0, 1.5, 1e300, -1e300, 10**17, "", " ", "x", "../../etc/a.jpg", "\u202e\x07", [], {}, [[]],
    {"0": {}}, [None], ["a"], {"name": "rect"}, {"a": True, "b": True}, "9" * 30, [1, 2, 3],
)  # fmt: skip


def damaged_bytes(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + rng.randint(1, 40) :]
            case 2:
                data = data[:at]
            case 3:
                data = data[:at] + rng.choice(INSERTIONS) + data[at:]
            case 4:
                stretch = data[at : at + rng.randint(1, 200)]
                data = data[:at] + stretch + data[at:]
    return data


def damaged_structure(document: object, rng: random.Random) -> object:
    """Replace, remove or double some nodes of parsed JSON, at any depth."""
    for _ in range(rng.randint(1, 3)):
        parents = [document]
        for node in parents:
            children = node.values() if isinstance(node, dict) else node
            parents += [child for child in children if isinstance(child, dict | list) and child]
        parent = rng.choice(parents)
        key = rng.choice(list(parent)) if isinstance(parent, dict) else rng.randrange(len(parent))
        match rng.randrange(4):
            case 0 | 1:
                parent[key] = rng.choice(VALUES)
            case 2:
                del parent[key]
                if not document:
                    return document
            case 3 if isinstance(parent, dict):
                parent[rng.choice(("regions", "size", "filename", "x", "", "0", "bbox"))] = rng.choice(VALUES)
            case _:
                parent.append(rng.choice(VALUES)) if isinstance(parent, list) else None
    return document


def damaged(case: int, texts: dict[str, str]) -> tuple[str, bytes]:
    """The name and content of case number `case`, made from one of the sound `texts`."""
    rng = random.Random(case)
    kind = list(texts)[case % len(texts)]
    data = texts[kind].encode()
    if kind.endswith("csv"):
        return "made.csv", damaged_bytes(data, rng)
    if case % 2:
        return "made.json", json.dumps(damaged_structure(json.loads(data), rng)).encode()
    return "made.json", damaged_bytes(data, rng)


@pytest.mark.parametrize("first", range(0, CASES, BATCH))
def test_a_damaged_file_is_read_or_refused_with_a_sentence(first, made_texts, tmp_path):
    faulthandler.dump_traceback_later(MOST_SECONDS, exit=True, file=sys.__stderr__)  # a hang is a failure too
    refused = 0
    try:
        for case in range(first, first + BATCH):
            name, data = damaged(case, made_texts)
            folder = tmp_path / str(case)
            folder.mkdir()
            file = folder / name
            file.write_bytes(data)
            for command in (
                lambda file=file: jobs.describe(file),
                lambda file=file: jobs.check(file, labels=("boots", "mask"), fix=file.with_name("fixed")),
                lambda file=file: jobs.convert([file], to="via", out=file.with_name("converted.json")),
            ):
                try:
                    command()
                except GlaukeError as error:
                    refused += 1
                    assert isinstance(error, InputError), f"case {case}: {error!r}"
                    assert error.place and name in error.place, f"case {case} says not where: {error}"
                    assert len(error.message) > 10 and len(str(error)) < 600, f"case {case} says not why: {error}"
            assert file.read_bytes() == data
    finally:
        faulthandler.cancel_dump_traceback_later()

    assert refused > 0, "damage that is never noticed tests nothing"


def test_the_cases_differ(made_texts):
    contents = {damaged(case, made_texts)[1] for case in range(CASES)}

    assert len(contents) > 0.95 * CASES
