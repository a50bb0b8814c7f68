"""What may stand before a value: a letter or digit may not, unless it ends an escape.

`ghp_…` after `\\n` in a string of JSON or source code stands after the letter n, after `%3D` in a URL after a D, after a colour code of a
terminal after an m. So where a pattern begins with "no letter or digit before" and goes on with a fixed prefix, escapes are let pass. A
pattern without such a prefix is left alone: half of all hexadecimal digits would begin a match.
"""

from __future__ import annotations

import re
from re import _constants as sre  # type: ignore[attr-defined]  # private, and stable since 3.11
from typing import Any

PREFIX = 3
"""Bytes of fixed text that a pattern must go on with."""

ENDINGS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
"""The bytes that the coarse search lets pass before such a prefix: all that an escape may end with, and what a binary format may have there
for a length or a type. On a tree of packages that makes one hit in a hundred more."""

_BOUNDARY = re.compile(rb"\(\?<!\[[^\]\\]*\]\)")

_ESCAPES = (
    rb"(?<=\\[nrtbfv])",  # C, JSON, shells
    rb"(?<=%[0-9A-Fa-f]{2})",  # a URL
    rb"(?<=\\u00[0-9A-Fa-f]{2})",  # JSON
    rb"(?<=\\x[0-9A-Fa-f]{2})",
    rb"(?<=\\0[0-7]{2})",  # histories of libedit
    rb"(?<=\x1b\[[0-9]m)",  # colours
    rb"(?<=\x1b\[[0-9]{2}m)",
    rb"(?<=\x1b\[[0-9][0-9;][0-9]{2}m)",
    rb"(?<=\x1b\[[0-9]{2};[0-9]{2}m)",
)


def boundary_of(pattern: bytes) -> bytes:
    """The negative lookbehind for one byte that a pattern begins with, empty if it does not begin so."""
    found = _BOUNDARY.match(pattern)
    return found[0] if found else b""


def takes_escapes(parsed: Any) -> bool:
    """Whether a parsed pattern has such a beginning, followed by fixed text."""
    nodes = list(parsed)
    if not nodes or nodes[0][0] is not sre.ASSERT_NOT or nodes[0][1][0] > 0:
        return False
    return _fixed(nodes[1:])[0] >= PREFIX


def _fixed(nodes: list[Any]) -> tuple[int, bool]:
    """Bytes of fixed text at the beginning, at least, and whether all of it is fixed."""
    length = 0
    for op, arg in nodes:
        if op is sre.LITERAL:
            length += 1
            continue
        inner, whole = 0, False
        if op is sre.SUBPATTERN:
            inner, whole = _fixed(list(arg[3]))
        elif op is sre.BRANCH:
            branches = [_fixed(list(branch)) for branch in arg[1]]
            inner, whole = min(length for length, _ in branches), all(whole for _, whole in branches)
        length += inner
        if not whole:
            return length, False
    return length, True


def with_escapes(pattern: bytes) -> bytes:
    """The pattern with its beginning widened; for one that `takes_escapes`."""
    boundary = boundary_of(pattern)
    return b"(?:" + b"|".join((boundary, *_ESCAPES)) + b")" + pattern[len(boundary) :] if boundary else pattern
