"""YAML: a scalar changes by its path, every other byte stays, and both YAML 1.1 and 1.2 read the new one as text."""

from __future__ import annotations

import io
from typing import Any

import pytest
import ruamel.yaml
import yaml as older
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.formats.place import FormatError, parse_path
from keyward.formats.yaml import YAML_FORMAT as FORMAT

QUICK = settings(max_examples=120, deadline=None)

DOCUMENT = """\
# head
plain: old # note
list:
  - 'single'
  - "dou\\tble"
  - {flow: old, "q.r": [a, b]}
literal: |   # header note
  line 1
    line 2

folded: >-
  some
  text
anchored: &x value
alias: *x
merged: &m {k: v}
child:
  <<: *m
  own: 1
tagged: !custom v
empty:
tilde: ~
umlaut: ü
last: end
"""
PATHS = ["plain", "list.0", "list.1", "list.2.flow", 'list.2."q.r".1', "literal", "folded", "empty", "tilde", "umlaut", "last"]
VALUES = st.one_of(
    st.text(st.sampled_from("abZ09_-./:@%+=,;!?*&()[]{}<>|~^#$'\"`\\ \n\tü€\x07\u2028\U0001f600"), min_size=1, max_size=14),
    st.sampled_from(
        [
            "true",
            "No",
            "null",
            "~",
            "12",
            "0x1f",
            "1e5",
            "1.5",
            "12:30:00",
            "2020-01-01",
            "=",
            "<<",
            "- a",
            "a: b",
            "a #b",
            "|",
            "0o7",
            ".inf",
            "1_000",
            "y",
        ]
    ),
    st.text("abc \n", min_size=1, max_size=30),
)


def loaded(data: bytes) -> Any:
    yaml = ruamel.yaml.YAML(typ="safe", pure=True)
    yaml.constructor.add_constructor("!custom", lambda loader, node: node.value)
    return yaml.load(io.BytesIO(data))


def at(document: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


@QUICK
@given(st.sampled_from(PATHS), VALUES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_replace_changes_one_value_and_no_other_byte(name: str, new: str, eol: str, bom: bool, open_end: bool) -> None:
    path = parse_path(name)
    text = DOCUMENT.rstrip("\n") if open_end else DOCUMENT
    data = (("\ufeff" if bom else "") + text.replace("\n", eol)).encode()
    place = FORMAT.locate(data, path)
    changed = FORMAT.replace(data, path, new.encode())
    assert changed[: place.start] == data[: place.start]
    assert changed[len(changed) - (len(data) - place.end) :] == data[place.end :]
    before, after = loaded(data), loaded(changed)
    assert at(after, path) == new
    inner: Any = at(before, path[:-1])
    inner[int(path[-1]) if isinstance(inner, list) else path[-1]] = new
    assert after == before
    assert at(older.load(changed, Loader=Older), path) == new


class Older(older.SafeLoader):
    """YAML 1.1, as PyYAML reads it."""


Older.add_constructor("!custom", lambda loader, node: node.value)


def change(path: str, new: str, data: str = DOCUMENT) -> str:
    return FORMAT.replace(data.encode(), parse_path(path), new.encode()).decode()


def test_the_style_is_kept_where_it_can_be() -> None:
    assert change("plain", "new") == DOCUMENT.replace("plain: old", "plain: new")
    assert change("plain", "yes") == DOCUMENT.replace("plain: old", 'plain: "yes"')
    assert change("list.0", "it's") == DOCUMENT.replace("'single'", "'it''s'")
    assert change("literal", "a\n\nb\n") == DOCUMENT.replace("  line 1\n    line 2\n", "  a\n\n  b\n")
    assert change("literal", "a") == DOCUMENT.replace("|   # header note\n  line 1\n    line 2\n", "|-   # header note\n  a\n")
    assert change("empty", "v") == DOCUMENT.replace("empty:", "empty: v")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("anchored", "anchor"),
        ("alias", "alias"),
        ("child.k", "not there"),
        ("tagged", "tag"),
        ("list", "not a single value"),
        ("no.where", "not there"),
    ],
)
def test_what_others_depend_on_is_refused_with_the_reason(path: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        change(path, "new")


def test_a_path_must_be_in_one_document_only() -> None:
    assert change("b", "new", "a: 1\n---\nb: old\n") == "a: 1\n---\nb: new\n"
    with pytest.raises(FormatError, match="2 times"):
        change("a", "new", "a: 1\n---\na: 2\n")


@pytest.mark.parametrize("data", [b"a: [", b"a: 1\na: 2\n", b"\xff\xfe", b"\ta: 1", b"a: \x01"])
def test_what_is_no_yaml_is_refused_without_quoting_it(data: bytes) -> None:
    with pytest.raises(FormatError):
        FORMAT.leaves(data)


def test_a_secret_on_a_broken_line_is_not_quoted() -> None:
    with pytest.raises(FormatError) as caught:
        FORMAT.leaves(b"key: 'hush-hush\n")
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__
