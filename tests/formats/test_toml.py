"""TOML: a value changes by its path, every other byte stays, and tomllib reads the new one."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.formats.place import FormatError, parse_path
from keyward.formats.toml import TOML

QUICK = settings(max_examples=150, deadline=None)
DOCUMENT = """\
# head
top = "old" # note
"quoted.key" = 'literal'
[a]
dotted.b = 1979-05-27T07:32:00Z
multi = \"\"\"
two
lines\"\"\"
raw = '''x'''  # [not.a.table]
[[list]]
inline = {x = "1", y.z = [ "p", 2, [true] ], 'k' = "]"}
[[list]]
n = 3
[list.sub]
"é" = "end"
"""
PATHS = ["top", '"quoted.key"', "a.dotted.b", "a.multi", "a.raw", "list.0.inline.x", "list.0.inline.y.z.1", "list.0.inline.y.z.2.0", "list.0.inline.k", "list.1.n", "list.1.sub.é"]  # fmt: skip
VALUES = st.text(st.sampled_from("ab09'\"\\ \n\t\r#=[]{},.ü\x01\x7f€"), max_size=14)


def at(document: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


@QUICK
@given(st.sampled_from(PATHS), VALUES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_replace_changes_one_value_and_no_other_byte(name: str, new: str, eol: str, bom: bool) -> None:
    path = parse_path(name)
    data = (("\ufeff" if bom else "") + DOCUMENT.replace("\n", eol)).encode()
    place = TOML.locate(data, path)
    changed = TOML.replace(data, path, new.encode())
    assert changed[: place.start] == data[: place.start]
    assert changed[len(changed) - (len(data) - place.end) :] == data[place.end :]
    before, after = (tomllib.loads(d.decode().removeprefix("\ufeff")) for d in (data, changed))
    assert str(at(after, path)) == new or TOML.read(data, path) == new.encode()
    inner: Any = at(before, path[:-1])
    inner[int(path[-1]) if isinstance(inner, list) else path[-1]] = at(after, path)
    assert after == before


def change(path: str, new: str, data: str = DOCUMENT) -> str:
    return TOML.replace(data.encode(), parse_path(path), new.encode()).decode()


def test_the_style_is_kept_where_it_can_be() -> None:
    assert change("top", 'n"w') == DOCUMENT.replace('"old"', '"n\\"w"')
    assert change('"quoted.key"', "n") == DOCUMENT.replace("'literal'", "'n'")
    assert change('"quoted.key"', "n'") == DOCUMENT.replace("'literal'", '"n\'"')
    assert change("a.multi", "x\ny\n") == DOCUMENT.replace("two\nlines", "x\ny\n")


@pytest.mark.parametrize(
    ("data", "path", "expected"),
    [
        ("", "a", 'a = "v"\n'),
        ("# c\nx = 1\n[t]\n", "a", '# c\nx = 1\na = "v"\n[t]\n'),
        ("[t]\nx = 1\n\n[u]\n", "t.a", '[t]\nx = 1\na = "v"\n\n[u]\n'),
        ("[t]\nx = 1", "t.a", '[t]\nx = 1\na = "v"'),
        ("x = 1\n", "n.a", 'x = 1\n\n[n]\na = "v"\n'),
    ],
)
def test_a_missing_key_is_added_to_its_table(data: str, path: str, expected: str) -> None:
    assert TOML.insert(data.encode(), parse_path(path), b"v").decode() == expected
    assert at(tomllib.loads(expected), parse_path(path)) == "v"


@pytest.mark.parametrize("data", [b"a = ", b"a = 1\na = 2\n", b"\xff", b"a = 'hush-hush\n"])
def test_what_is_no_toml_is_refused_without_quoting_it(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        TOML.leaves(data)
    assert "hush" not in str(caught.value)


def test_what_cannot_be_added_in_place_is_refused() -> None:
    with pytest.raises(FormatError, match="in place"):
        TOML.insert(b"a = {x = 1}\n", ("a", "y"), b"v")
