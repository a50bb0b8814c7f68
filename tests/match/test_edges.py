"""A value after an escape stands after a letter or a digit, and is found all the same."""

from __future__ import annotations

from functools import cache

import pytest

from keyward.match import catalogue
from keyward.match.engine.portable import PortableEngine
from keyward.match.matcher import Matcher
from keyward.registry import Registry
from keyward.testing.leaky_project import planted

VALUES = planted(11).values
TOKEN, SLACK, ANTHROPIC = VALUES["github"], VALUES["slack"], VALUES["anthropic"]


@cache
def matcher(portable: bool) -> Matcher:
    registry = Registry()
    return Matcher(registry, catalogue.load(registry, portable=portable))


def values(text: bytes, portable: bool = False) -> list[bytes]:
    return [each.context.value for each in matcher(portable).find(text)]


BEFORE = {
    "JSON newline": b'{"text":"here it is:\\n',
    "JSON tab": b'"a\\t',
    "JSON unicode": b'"a\\u003d',
    "hexadecimal": b"'\\x3d",
    "percent": b"https://example.org/?next=%3D",
    "libedit": b"export\\040",
    "colour": b"token \x1b[0m",
    "bold colour": b"token \x1b[31m",
    "colour of two": b"token \x1b[1;32m",
    "colour of two digits": b"token \x1b[01;32m",
    "plain": b"token ",
}


@pytest.mark.parametrize("portable", [False, True], ids=["hyperscan", "portable"])
@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize("value", [TOKEN, SLACK, ANTHROPIC], ids=["github", "slack", "anthropic"])
def test_after_an_escape(value: bytes, before: bytes, portable: bool) -> None:
    assert values(before + value + b'\\n"', portable) == [value]


@pytest.mark.parametrize("before", [b"a", b"7", b"abcn", b"xF", b"5m", b"[0m", b"%zz", b"%3", b"u003d", b"\\q"])
def test_after_a_letter_or_digit_that_ends_no_escape(before: bytes) -> None:
    assert values(b"= " + before + TOKEN + b" ") == []


def test_both_engines_know_the_same_boundaries() -> None:
    assert isinstance(matcher(True)._engine, PortableEngine)
    escaped = [entry for entry in matcher(False)._entries if entry.anchor.escapes]
    assert len(escaped) > 200
