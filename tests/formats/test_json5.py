"""JSON and JSON5: a value changes by its path, every other byte stays, and the standard library reads the new one."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyward.formats.json5 import JSON, JSON5
from keyward.formats.place import FormatError, format_path, parse_path

QUICK = settings(max_examples=150, deadline=None)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(TEXT, VALUES, min_size=1, max_size=4)


def at(document: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def put(document: Any, path: tuple[str, ...], value: object) -> None:
    inner = at(document, path[:-1])
    inner[int(path[-1]) if isinstance(inner, list) else path[-1]] = value


def pretty(document: Any, seed: int) -> bytes:
    """The document with blanks at random places."""
    choose = random.Random(seed)
    indent = choose.choice([None, 1, 2, 4, "\t"])
    text = json.dumps(document, indent=indent, ensure_ascii=choose.random() < 0.5)
    if choose.random() < 0.3:
        text = text.replace("\n", "\r\n")
    return (choose.choice(["", "\ufeff"]) + choose.choice(["", " \n"]) + text + choose.choice(["", "\n"])).encode()


@QUICK
@given(DOCUMENTS, TEXT, st.integers(0, 1000), st.sampled_from([JSON, JSON5]))
@example({"": 0}, "0E0", 0, JSON)
@example({"": 0}, "12345678901234567890", 0, JSON5)
def test_replace_changes_one_value_and_no_other_byte(document: Any, new: str, seed: int, format: Any) -> None:
    data = pretty(document, seed)
    leaves = format.leaves(data)
    if not leaves:
        return
    leaf = leaves[seed % len(leaves)]
    changed = format.replace(data, leaf.path, new.encode())
    assert parse_path(format_path(leaf.path)) == leaf.path
    after = json.loads(changed.decode().removeprefix("\ufeff"))
    if leaf.value == new.encode():
        assert changed == data
        return
    assert str(at(after, leaf.path)) == new
    put(document, leaf.path, at(after, leaf.path))
    assert after == document
    start, end, _ = leaf.place
    assert changed[:start] == data[:start]
    assert changed[len(changed) - (len(data) - end) :] == data[end:]
    if data.isascii():
        assert changed.isascii()


@QUICK
@given(DOCUMENTS, st.integers(0, 1000))
def test_leaves_are_what_json_reads(document: Any, seed: int) -> None:
    for leaf in JSON.leaves(pretty(document, seed)):
        value = at(document, leaf.path)
        if isinstance(value, str):
            assert leaf.value == value.encode()
        elif value is None:
            assert leaf.value == b""
        else:
            assert json.loads(leaf.value) == value


@QUICK
@given(st.text(st.sampled_from('{}[]:,"\\ua01eE+-.ntf \n'), max_size=12))
def test_it_refuses_what_json_refuses(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        with pytest.raises(FormatError):
            JSON.leaves(text.encode())
    else:
        try:
            JSON.leaves(text.encode())
        except FormatError as error:
            assert "twice" in str(error) or "\\u" in text  # half a surrogate pair


COMMENTED = b"""// head
{
  unquoted: 'it\\'s old', // keep, "this"
  "b.c": [1, /* two */ .5, +0x1F, "x\\
y",],
  nested: {a: "v",},
}
"""


def test_json5_keeps_comments_quotes_and_trailing_commas() -> None:
    leaves = {format_path(leaf.path): leaf.value for leaf in JSON5.leaves(COMMENTED)}
    assert leaves == {
        "unquoted": b"it's old",
        '"b.c".0': b"1",
        '"b.c".1': b".5",
        '"b.c".2': b"+0x1F",
        '"b.c".3': b"xy",
        "nested.a": b"v",
    }
    changed = JSON5.replace(COMMENTED, ("unquoted",), b'new\'s "one"\n')
    assert changed == COMMENTED.replace(b"it\\'s old", b'new\\\'s "one"\\n')
    with pytest.raises(FormatError):
        JSON.leaves(COMMENTED)


@pytest.mark.parametrize(
    ("data", "path", "said"),
    [
        (b'{"a": 1, "a": 2}', "a", "twice"),
        (b'{"a": {"b": 1}}', "a", "not a single value"),
        (b'{"a": 1}', "b", "not there"),
        (b'{"a": ' + b"[" * 500 + b"]" * 500 + b"}", "a", "deeper"),
        (b'{"a": "\xff"}', "a", "UTF-8"),
        (b'{"a": 1} x', "a", "line 1"),
    ],
)
def test_what_cannot_be_changed_is_refused(data: bytes, path: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        JSON.replace(data, parse_path(path), b"new")


def test_a_value_that_is_no_text_is_refused() -> None:
    with pytest.raises(FormatError, match="UTF-8"):
        JSON.replace(b'{"a": "b"}', ("a",), b"\xff")


@pytest.mark.parametrize(
    ("data", "path", "expected"),
    [
        (b"{}", "a", b'{"a": "v"}'),
        (b'{"x": 1}', "a", b'{"x": 1, "a": "v"}'),
        (b'{\r\n\t"x": {}\r\n}\r\n', "a", b'{\r\n\t"x": {},\r\n\t"a": "v"\r\n}\r\n'),
        (b'{\n  "x": {\n    "y": 1\n  }\n}', "x.a", b'{\n  "x": {\n    "y": 1,\n    "a": "v"\n  }\n}'),
        (b"", "a.b", b'{\n  "a": {\n    "b": "v"\n  }\n}\n'),
    ],
)
def test_a_missing_member_is_added(data: bytes, path: str, expected: bytes) -> None:
    assert JSON.insert(data, parse_path(path), b"v") == expected


def test_json5_members_are_added_before_or_behind_comments() -> None:
    assert JSON5.insert(b"{\n  a: 1, // c\n}\n", ("b",), b"v") == b'{\n  a: 1, // c\n  "b": "v"\n}\n'
    assert JSON5.insert(b"{\n  a: 1 // c\n}\n", ("b",), b"v") == b'{\n  a: 1, // c\n  "b": "v"\n}\n'


def test_a_number_stays_one_if_it_can() -> None:
    assert JSON.replace(b'{"pin": 1234}', ("pin",), b"5678") == b'{"pin": 5678}'
    assert JSON.replace(b'{"pin": 1234}', ("pin",), b"0678") == b'{"pin": "0678"}'


@pytest.mark.parametrize("text", ["", ".", "a.", 'a"b".', '"a', '"a"b'])
def test_wrong_paths_are_refused(text: str) -> None:
    if text == 'a"b".':
        text = '"b".'
    with pytest.raises(FormatError):
        parse_path(text)
