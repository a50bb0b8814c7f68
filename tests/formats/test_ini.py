"""INI files and properties: one value changes, every other byte stays, and configparser reads the new one."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.formats.ini import INI, PROPERTIES, Ini
from keyward.formats.place import FormatError

QUICK = settings(max_examples=150, deadline=None)
DOCUMENT = """\
; head
[first]
Key = old
other: a = b
multi = one
  two

  # comment inside
empty =
[second section]
key=old
\tindented = x
"""
VALUES = st.text(st.sampled_from("abZ09_-./:@%+=,;!?*#$'\"\\ \tü\n"), min_size=1, max_size=14)


def loaded(data: bytes, *, interpolation: configparser.Interpolation | None = None) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=interpolation)
    parser.read_string(data.decode())
    return {section: dict(parser.items(section)) for section in parser.sections()}


@QUICK
@given(
    st.sampled_from([("first", "key"), ("first", "other"), ("first", "empty"), ("first", "multi"), ("second section", "key")]),
    VALUES,
    st.sampled_from(["\n", "\r\n"]),
)
def test_replace_changes_one_value_and_no_other_byte(path: tuple[str, str], new: str, eol: str) -> None:
    data = DOCUMENT.replace("\n", eol).encode()
    place = Ini(percent="plain").locate(data, path)
    for percent, interpolation in (("plain", None), ("double", configparser.BasicInterpolation())):
        format = Ini(percent=percent)
        try:
            changed = format.replace(data, path, new.encode())
        except FormatError:
            continue
        assert changed[: place.start] == data[: place.start]
        assert changed[len(changed) - (len(data) - place.end) :] == data[place.end :]
        before, after = (loaded(d, interpolation=interpolation) for d in (data, changed))
        assert after[path[0]][path[1]] == new
        before[path[0]][path[1]] = new
        assert after == before


def test_harmless_values_are_always_written() -> None:
    assert INI.replace(b"[s]\nk = old\n", ("s", "k"), b"a/b+c==") == b"[s]\nk = a/b+c==\n"


def test_the_old_value_tells_what_belongs_to_it() -> None:
    data = b"[s]\na = old ; note\nb = \"old\"\nc = 'old' # note\n"
    for key in ("a", "b", "c"):
        assert b"old" in INI.readings(data, ("s", key))
        data = INI.replace(data, ("s", key), b"new", b"old")
    assert data == b"[s]\na = new ; note\nb = \"new\"\nc = 'new' # note\n"


def test_keys_without_a_section_and_with_a_url_are_found() -> None:
    data = b"//registry.example/:_authToken=old\n"
    leaf = INI.leaves(data)[0]
    assert (leaf.path, leaf.value) == (("//registry.example/:_authToken",), b"old")
    assert INI.replace(data, leaf.path, b"new") == b"//registry.example/:_authToken=new\n"


@pytest.mark.parametrize("new", [b"a ;b", b"a #b", b"#a", b" a", b'"a"', b"two\nlines", b"50%"])
def test_what_readers_differ_about_is_refused(new: bytes) -> None:
    with pytest.raises(FormatError):
        INI.replace(b"[s]\nk = old\n", ("s", "k"), new)


@pytest.mark.parametrize(
    ("data", "path", "expected"),
    [
        (b"", ("s", "k"), b"[s]\nk = v\n"),
        (b"[s]\na = 1\n[t]\nb = 2\n", ("s", "k"), b"[s]\na = 1\nk = v\n[t]\nb = 2\n"),
        (b"[s]\r\na = 1", ("s", "k"), b"[s]\r\na = 1\r\nk = v"),
        (b"[s]\na = 1\n", ("t", "k"), b"[s]\na = 1\n\n[t]\nk = v\n"),
        (b"[s]\n", ("s", "k"), b"[s]\nk = v\n"),
    ],
)
def test_a_missing_key_is_added_to_its_section(data: bytes, path: tuple[str, str], expected: bytes) -> None:
    assert INI.insert(data, path, b"v") == expected


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(FormatError, match="2 times"):
        INI.replace(b"[s]\nk = a\nK = b\n", ("s", "k"), b"v")


@QUICK
@given(st.text(st.characters(codec="utf-8"), max_size=12), st.text("ab=: #!\\\t", min_size=1, max_size=5))
def test_properties_give_back_what_was_written(value: str, key: str) -> None:
    data = PROPERTIES.insert(b"# head\nx.y : old\\\n  more\nz", (key,), value.encode())
    assert PROPERTIES.read(data, (key,)) == value.encode() or key in ("x.y", "z")
    changed = PROPERTIES.replace(data, ("x", "y"), value.encode())
    assert PROPERTIES.read(changed, ("x", "y")) == value.encode()
    assert changed.startswith(b"# head\nx.y : ")
    assert changed.endswith(data[data.index(b"more") + 4 :])
    assert changed[data.index(b"old") :].isascii()
